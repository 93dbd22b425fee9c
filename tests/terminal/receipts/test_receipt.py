"""What a receipt says, how wide it is, and what is never on it."""

from __future__ import annotations

import datetime
import re
from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from config.schema import Currency, Shop
from terminal.errors import AmountRefused
from terminal.receipts.receipt import Letterhead, masked, receipt_lines
from terminal.states import State
from terminal.view import Kind, Medium, PaymentView

CURRENCIES = {
    "CNY": Currency(
        letters="CNY", numeric=156, digits=2, symbol="¥", name="Chinese Yuan", name_zh="人民币"
    ),
    "JPY": Currency(letters="JPY", numeric=392, digits=0, name="Japanese Yen", name_zh="日元"),
}
SHOP = Shop(
    name="Bench Corner Shop",
    name_zh="街角试验小店",
    address=("1 Test Road, Xuhui, Shanghai", "上海市徐汇区试验路1号"),
    mode="bench",
    merchant_id="898310154110001",
    terminal_id="OPENTL01",
    merchant_category="5411",
    till_name="1",
    cashier="01",
)
BENCH = Letterhead.of(SHOP, CURRENCIES, datetime.UTC)
LIVE = replace(BENCH, is_bench=False)
TAP = PaymentView(
    id="018f0000-0000-7000-8000-000000000001",
    number=7,
    kind=Kind.SALE,
    state=State.APPROVED,
    amount_minor=123_456,
    currency="CNY",
    created_ms=1_795_507_200_000,
    updated_ms=1_795_507_201_000,
    medium=Medium.CARD,
    brand="Visa",
    masked_pan="411111******1111",
    response_code="00",
    bank_reference="012345678901",
    authorisation="123456",
    application_label="VISA CREDIT",
    aid="A0000000031010",
    tvr="0000000000",
    ctq="0000",
)


def lines(payment: PaymentView, letterhead: Letterhead = LIVE, **how: object) -> list[str]:
    return receipt_lines(payment, letterhead, **({"copy": False} | how))  # type: ignore[arg-type]


def text(payment: PaymentView, letterhead: Letterhead = LIVE, **how: object) -> str:
    return "\n".join(lines(payment, letterhead, **how))


def test_a_tap_prints_like_this() -> None:
    assert text(TAP) == "\n".join(
        [
            "          街角试验小店",
            "       Bench Corner Shop",
            "  1 Test Road, Xuhui, Shanghai",
            "     上海市徐汇区试验路1号",
            "--------------------------------",
            "商户号 MERCHANT  898310154110001",
            "终端号 TERMINAL         OPENTL01",
            "收银机 TILL                    1",
            "操作员 CASHIER                01",
            "--------------------------------",
            "           消费 SALE",
            "票号 NO.                       7",
            "时间 TIME    2026-11-24 08:00:00",
            "卡别 CARD                   Visa",
            "方式 ENTRY    非接触 CONTACTLESS",
            "卡号 CARD NO.   411111******1111",
            "应用 APPLICATION     VISA CREDIT",
            "AID               A0000000031010",
            "TVR                   0000000000",
            "授权码 AUTH.              123456",
            "参考号 REF.         012345678901",
            "应答码 RESPONSE               00",
            "--------------------------------",
            "金额 AMOUNT         CNY 1,234.56",
            "--------------------------------",
            "       交易成功 APPROVED",
            "            免密免签",
            "   NO PIN OR SIGNATURE NEEDED",
        ]
    )


def test_a_reprint_of_a_bench_shop_in_training_says_all_three() -> None:
    page = text(TAP, replace(BENCH, is_training=True), copy=True)

    assert "COPY / 重打印" in page
    assert "TEST - no money moves" in page
    assert "培训模式 TRAINING" in page


def test_a_first_print_of_a_live_shop_says_none_of_them() -> None:
    page = text(TAP)

    assert not re.search("COPY|重打印|TEST|测试|TRAINING", page)


def test_a_signature_has_a_line_to_sign_on() -> None:
    page = lines(replace(TAP, signature=True))

    assert page[-1] == "_" * 32
    assert any("持卡人签名" in line and "SIGNATURE" in line for line in page)


def test_a_pin_is_named_and_nothing_is_left_to_sign() -> None:
    page = text(replace(TAP, pin=True, ctq="8000"))

    assert "VERIFIED BY PIN" in page
    assert "SIGNATURE" not in page


def test_a_phone_was_verified_on_the_device() -> None:
    page = text(replace(TAP, medium=Medium.PHONE, ctq="0080"))

    assert "VERIFIED ON DEVICE" in page
    assert "SIGNATURE" not in page


def test_a_wallet_prints_its_brand_and_no_card() -> None:
    code = replace(
        TAP,
        medium=Medium.PAYMENT_CODE,
        brand="Alipay",
        masked_pan="",
        application_label="",
        aid="",
        tvr="",
        ctq="",
    )
    page = text(code)

    assert re.search(r"钱包 WALLET +Alipay", page)
    assert "扫顾客码 CODE SCANNED" in page
    assert not re.search("CARD|AID|TVR|SIGNATURE|应用", page)
    assert "顾客扫码 CODE SHOWN" in text(replace(code, medium=Medium.SHOWN_CODE))


def test_a_chip_without_a_tap_is_a_chip() -> None:
    assert "芯片 CHIP" in text(replace(TAP, ctq=""))


@pytest.mark.parametrize(
    ("kind", "title"), [(Kind.REFUND, "退货 REFUND"), (Kind.VOID, "撤销 VOID")]
)
def test_money_back_names_the_first_payment(kind: Kind, title: str) -> None:
    back = replace(TAP, number=9, kind=kind, original=TAP.id, ctq="")
    page = text(back, original=TAP)

    assert title in page
    assert re.search(r"原票号 ORIGINAL NO\. +7\n", page)
    assert re.search(r"原参考号 ORIGINAL REF\. *\n? *012345678901\n", page)
    assert not re.search("ENTRY|SIGNATURE", page)
    assert TAP.id in text(back, columns=48)


def test_a_partly_refunded_sale_says_how_much() -> None:
    assert re.search(r"已退 REFUNDED +CNY 34\.56", text(replace(TAP, refunded_minor=3_456)))


@pytest.mark.parametrize("state", sorted(set(State) - {State.APPROVED, State.STORED}))
def test_what_is_not_paid_says_so(state: State) -> None:
    page = text(replace(TAP, state=state, signature=True))

    assert "NOT A PROOF OF PAYMENT" in page
    assert "APPROVED" not in page
    # Goods that leave before the bank was asked are signed for all the same.
    assert ("SIGNATURE" in page) is (state is State.DEFERRED)


def test_what_a_person_settled_says_who_and_how() -> None:
    settled = replace(TAP, state=State.SETTLED, note="Customer paid cash", settled_by="Li Na")
    page = text(settled)
    assert re.search(r"SETTLED BY +Li Na", page)
    assert "Customer paid cash" in page


def test_a_decline_is_called_one_in_both_languages() -> None:
    assert "被拒绝 DECLINED" in text(replace(TAP, state=State.DECLINED, response_code="51"))


@pytest.mark.parametrize("code", ["41", "43"])
def test_a_lost_or_stolen_card_is_not_called_so_on_paper(code: str) -> None:
    page = text(replace(TAP, state=State.DECLINED, response_code=code))

    assert "RESPONSE" not in page


def test_a_currency_without_minor_units_has_no_point() -> None:
    assert "JPY 123,456" in text(replace(TAP, currency="JPY"))


def test_a_currency_that_left_the_table_is_named() -> None:
    with pytest.raises(AmountRefused, match="EUR"):
        lines(replace(TAP, currency="EUR"))


def test_too_narrow_a_paper_is_refused() -> None:
    with pytest.raises(ValueError, match="24 columns"):
        lines(TAP, columns=23)


def test_no_symbol_is_printed_for_money() -> None:
    """The yen sign is a backslash or two cells on many a printer."""
    assert "¥" not in text(TAP)


@pytest.mark.parametrize(
    ("pan", "shown"),
    [
        ("4111111111111111", "411111******1111"),
        ("411111******1111", "411111******1111"),
        ("411111*****1111", "411111******1111"),
        ("4222222222222", "422222******2222"),
        ("6221558812340000123", "622155******0123"),
        ("************1111", "******1111"),
        ("123456789012", "******9012"),
        ("", "******"),
    ],
)
def test_every_card_number_has_as_many_stars(pan: str, shown: str) -> None:
    assert masked(pan) == shown


PANS = st.from_regex(r"\A[0-9]{13,19}\Z")
ANY = st.text(max_size=40)


@given(PANS, st.sampled_from([24, 32, 48]))
def test_no_more_than_ten_digits_of_a_card_number_are_printed(pan: str, columns: int) -> None:
    """Not even when something upstream failed to mask it, or the card's label holds it."""
    leaky = replace(TAP, masked_pan=pan, application_label=f"VISA {pan}", brand=pan)
    page = re.sub(r"\s", "", text(leaky, columns=columns))

    assert all(pan[at : at + 11] not in page for at in range(len(pan) - 10))


@given(
    st.builds(
        PaymentView,
        id=st.uuids().map(str),
        number=st.integers(1, 10**9),
        kind=st.sampled_from(Kind),
        state=st.sampled_from(State),
        amount_minor=st.integers(1, 10**12),
        currency=st.sampled_from(sorted(CURRENCIES)),
        created_ms=st.integers(0, 4 * 10**12),
        updated_ms=st.just(0),
        medium=st.none() | st.sampled_from(Medium),
        brand=ANY,
        masked_pan=ANY,
        response_code=ANY,
        bank_reference=ANY,
        authorisation=ANY,
        application_label=ANY,
        aid=ANY,
        tvr=ANY,
        ctq=ANY,
        signature=st.booleans(),
        pin=st.booleans(),
        original=ANY,
        refunded_minor=st.integers(0, 10**12),
    ),
    st.sampled_from([24, 32, 48]),
    st.booleans(),
    ANY,
)
def test_no_line_is_too_wide_or_commands_the_printer(
    payment: PaymentView, columns: int, copy: bool, name: str
) -> None:
    page = lines(payment, replace(BENCH, name=name), copy=copy, columns=columns)

    assert all(cell_len(line) <= columns for line in page)
    assert all(line.isprintable() for line in page)


def test_the_letterhead_is_the_configured_shop() -> None:
    live = Letterhead.of(msgspec.structs.replace(SHOP, mode="live", training=True), CURRENCIES)

    assert (live.is_bench, live.is_training) == (False, True)
    assert BENCH.is_bench
    assert BENCH.merchant_id == SHOP.merchant_id


def test_the_slip_to_be_signed_says_whose_it_is() -> None:
    signed = replace(TAP, signature=True)
    lines = receipt_lines(signed, BENCH, copy=False, is_merchants=True)

    assert any("商户存根 MERCHANT COPY" in line for line in lines)
    assert not any("MERCHANT COPY" in line for line in receipt_lines(signed, BENCH, copy=False))
