"""One payment as a receipt: lines of text, Chinese and English, for paper or screen.

No whole card number, no reason of a decline and no code that accuses the
customer is ever on it: paper is left on counters.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from config.schema import Currency, Shop, find_zone
from terminal.money import currency_of, plain_amount
from terminal.receipts.cells import centred, paired, printable
from terminal.states import State
from terminal.view import PRESENTED, Kind, Medium, PaymentView

COLUMNS_MIN: Final = 24
COLUMNS_58_MM: Final = 32
COLUMNS_80_MM: Final = 48

STARS: Final = "******"
"""As many for every card: how long the number is stays hidden too."""

# Lost and stolen: for the supervisor's eyes only.
_HIDDEN_RESPONSES = frozenset({"41", "43"})

_CTQ_DEVICE_VERIFIED = 0x00_80  # Tag 9F6C, byte 2, bit 8. Source: EMV Book C-3, annex A.

_KINDS = {
    Kind.SALE: "消费 SALE",
    Kind.REFUND: "退货 REFUND",
    Kind.VOID: "撤销 VOID",
    Kind.PREAUTH: "预授权 PRE-AUTHORISATION",
    Kind.INCREMENT: "追加预授权 INCREMENT",
    Kind.COMPLETION: "预授权完成 COMPLETION",
    Kind.RELEASE: "预授权撤销 RELEASE",
    Kind.TIP: "小费 TIP",
    Kind.BALANCE: "余额查询 BALANCE INQUIRY",
}

_RESULTS = {
    State.APPROVED: "交易成功 APPROVED",
    State.STORED: "卡片脱机批准 APPROVED BY CARD",
    State.DEFERRED: "待银行确认 AWAITING THE BANK",
    State.REVERSAL_REFUSED: "冲正被拒 NOT REVERSED",
    State.SETTLED: "人工处理 SETTLED BY HAND",
    State.VOIDED: "已撤销 VOIDED",
    State.CAPTURED: "预授权已完成 COMPLETED",
    State.DECLINED: "被拒绝 DECLINED",
    State.CANCELLED: "已取消 CANCELLED",
    State.NOT_SENT: "未发送 NOT SENT",
    State.REVERSING: "冲正中 BEING REVERSED",
    State.REVERSED: "已冲正 REVERSED",
    State.UNKNOWN: "结果未知 NOT CONFIRMED",
    State.STORED_REFUSED: "事后被拒 REFUSED LATER",
}
_OPEN: Final = "处理中 IN PROGRESS"

_PAID = frozenset({State.APPROVED, State.STORED})
_TAKEN = _PAID | {State.DEFERRED}
"""The goods are handed over: the customer signs where a signature is wanted."""

_UNPAID = frozenset({Kind.PREAUTH, Kind.INCREMENT, Kind.BALANCE})
"""Nothing is paid by them."""

_BRAND_LABELS = {
    Medium.CARD: "卡别 CARD",
    Medium.CHIP: "卡别 CARD",
    Medium.PHONE: "卡别 CARD",
    Medium.KEYED: "卡别 CARD",
    Medium.PAYMENT_CODE: "钱包 WALLET",
    Medium.SHOWN_CODE: "钱包 WALLET",
}


@dataclass(frozen=True, slots=True)
class Letterhead:
    """What every receipt of a till says, and how it writes money and time."""

    name: str
    name_zh: str
    address: tuple[str, ...]
    merchant_id: str
    terminal_id: str
    till_name: str
    cashier: str
    is_bench: bool
    is_training: bool
    currencies: Mapping[str, Currency]
    zone: datetime.tzinfo | None = None
    """Where the shop is; None: where the machine thinks it is."""
    foot: tuple[str, ...] = ()
    """What shop or bank want said below the result."""

    @classmethod
    def of(
        cls,
        shop: Shop,
        currencies: Mapping[str, Currency],
        zone: datetime.tzinfo | None = None,
        foot: tuple[str, ...] = (),
    ) -> Letterhead:
        """Return the letterhead of a configured shop; zone instead of its own."""
        return cls(
            name=shop.name,
            name_zh=shop.name_zh,
            address=tuple(shop.address),
            merchant_id=shop.merchant_id,
            terminal_id=shop.terminal_id,
            till_name=shop.till_name,
            cashier=shop.cashier,
            is_bench=shop.mode == "bench",
            is_training=shop.training,
            currencies=currencies,
            zone=zone or (find_zone(shop.time_zone) if shop.time_zone else None),
            foot=foot,
        )


@dataclass(frozen=True, slots=True)
class ReceiptWriter:
    """Writes the receipts of one till from what its journal holds."""

    find: Callable[[str], PaymentView]
    """Finds a payment by identity or number; raises UnknownPayment."""
    in_force: Callable[[], Letterhead]
    """Returns the letterhead that holds."""

    @property
    def letterhead(self) -> Letterhead:
        """The one that holds."""
        return self.in_force()

    def lines(
        self,
        payment: PaymentView,
        *,
        copy: bool,
        columns: int = COLUMNS_58_MM,
        is_merchants: bool = False,
    ) -> list[str]:
        """Return a payment's receipt. Raises as receipt_lines and find do."""
        return receipt_lines(
            payment,
            self.letterhead,
            copy=copy,
            original=self.find(payment.original) if payment.original else None,
            columns=columns,
            is_merchants=is_merchants,
        )


def receipt_lines(
    payment: PaymentView,
    letterhead: Letterhead,
    *,
    copy: bool,
    original: PaymentView | None = None,
    columns: int = COLUMNS_58_MM,
    is_merchants: bool = False,
) -> list[str]:
    """Return a payment's receipt, no line wider than so many cells.

    copy: printed once already, and marked so.
    is_merchants: the slip that the customer signs and the shop keeps.
    original: the first payment of a refund or a void; without it the receipt
    names its identity.
    columns: at least 24; 32 on paper of 58 mm, 48 on 80 mm.
    Raises AmountRefused if the currency table has lost the payment's currency.
    """
    if columns < COLUMNS_MIN:
        raise ValueError(f"a receipt needs {COLUMNS_MIN} columns")
    page = Page(columns)
    cashier = payment.cashier or letterhead.cashier
    add_head(page, letterhead, cashier, copy=copy, is_merchants=is_merchants)
    _what(page, payment, letterhead, original)
    _how(page, payment)
    _result(page, payment, letterhead)
    for line in letterhead.foot:
        page.centre(line)
    return page.lines


def masked(pan: str) -> str:
    """Return a card number with at most its first six and last four digits.

    pan: whole or masked already; what is too short to hide anything in keeps
    its last four only.

    Source: PCI DSS 4.0, 3.4.1.
    """
    first = re.match(r"[0-9]*", pan)
    last = re.search(r"[0-9]*\Z", pan)
    head = first.group()[:6] if first else ""
    tail = last.group()[-4:] if last else ""
    if len(pan) < 13:
        head = ""
    return f"{head}{STARS}{tail}"


class Page:
    """Lines as they are added, each within the width."""

    def __init__(self, columns: int) -> None:
        self.columns = columns
        self.lines: list[str] = []

    def centre(self, text: str) -> None:
        """Add a text in the middle."""
        self.lines += centred(printable(text), self.columns)

    def pair(self, label: str, value: str) -> None:
        """Add a field; nothing, if it has no value."""
        if value:
            self.lines += paired(label, printable(value), self.columns)

    def rule(self) -> None:
        """Add a line across."""
        self.lines.append("-" * self.columns)

    def blank(self) -> None:
        """Add an empty line."""
        self.lines.append("")


def add_head(
    page: Page,
    letterhead: Letterhead,
    cashier: str,
    *,
    copy: bool,
    is_merchants: bool = False,
) -> None:
    """Add what stands above every slip of a till."""
    page.centre(letterhead.name_zh)
    if letterhead.name != letterhead.name_zh:
        page.centre(letterhead.name)
    for line in letterhead.address:
        page.centre(line)
    if letterhead.is_bench:
        page.centre("测试 不产生真实交易")
        page.centre("TEST - no money moves")
    if letterhead.is_training:
        page.centre("培训模式 TRAINING")
    if is_merchants:
        page.centre("商户存根 MERCHANT COPY")
    if copy:
        page.centre("COPY / 重打印")
    page.rule()
    page.pair("商户号 MERCHANT", letterhead.merchant_id)
    page.pair("终端号 TERMINAL", letterhead.terminal_id)
    page.pair("收银机 TILL", letterhead.till_name)
    page.pair("操作员 CASHIER", cashier)
    page.rule()


def _what(
    page: Page, payment: PaymentView, letterhead: Letterhead, original: PaymentView | None
) -> None:
    page.centre(_KINDS[payment.kind])
    page.pair("票号 NO.", str(payment.number))
    moment = datetime.datetime.fromtimestamp(payment.created_ms // 1000, datetime.UTC)
    page.pair("时间 TIME", f"{moment.astimezone(letterhead.zone):%Y-%m-%d %H:%M:%S}")
    if payment.kind in PRESENTED:
        return
    if original is None:
        page.pair("原交易 ORIGINAL", payment.original)
        return
    page.pair("原票号 ORIGINAL NO.", str(original.number))
    page.pair("原参考号 ORIGINAL REF.", original.bank_reference)


def _how(page: Page, payment: PaymentView) -> None:
    if payment.medium is not None:
        page.pair(_BRAND_LABELS[payment.medium], _without_pan(payment.brand))
        # Money goes back without the card or code being shown again.
        if payment.kind in PRESENTED:
            page.pair("方式 ENTRY", _entry(payment))
    if payment.masked_pan:
        page.pair("卡号 CARD NO.", masked(payment.masked_pan))
    page.pair("应用 APPLICATION", _without_pan(payment.application_label))
    page.pair("AID", payment.aid)
    page.pair("TVR", payment.tvr)
    page.pair("授权码 AUTH.", payment.authorisation)
    page.pair("参考号 REF.", payment.bank_reference)
    if payment.response_code not in _HIDDEN_RESPONSES:
        page.pair("应答码 RESPONSE", payment.response_code)


def _entry(payment: PaymentView) -> str:
    if payment.medium is Medium.PAYMENT_CODE:
        return "扫顾客码 CODE SCANNED"
    if payment.medium is Medium.SHOWN_CODE:
        return "顾客扫码 CODE SHOWN"
    if payment.medium is Medium.KEYED:
        return "手工输入 KEYED"
    # Card transaction qualifiers exist on a tap only.
    if payment.medium is Medium.PHONE or payment.ctq:
        return "非接触 CONTACTLESS"
    return "芯片 CHIP"


def _result(page: Page, payment: PaymentView, letterhead: Letterhead) -> None:
    currency = currency_of(payment.currency, letterhead.currencies)

    def money(amount_minor: int) -> str:
        # Letters and not a symbol: one printer's yen sign is another's backslash.
        return f"{currency.letters} {plain_amount(amount_minor, currency.digits)}"

    page.rule()
    page.pair("金额 AMOUNT", money(payment.amount_minor))
    if payment.held_minor > payment.amount_minor:
        page.pair("冻结合计 HELD", money(payment.held_minor))
    if payment.tip_minor:
        page.pair("小费 TIP", money(payment.tip_minor))
        page.pair("合计 TOTAL", money(payment.amount_minor + payment.tip_minor))
    if payment.refunded_minor:
        page.pair("已退 REFUNDED", money(payment.refunded_minor))
    page.rule()
    page.centre(_RESULTS.get(payment.state, _OPEN))
    if payment.expires_ms is not None and payment.state is State.APPROVED:
        until = datetime.datetime.fromtimestamp(payment.expires_ms // 1000, datetime.UTC)
        page.pair("冻结至 HELD UNTIL", f"{until.astimezone(letterhead.zone):%Y-%m-%d %H:%M}")
    if payment.state not in _PAID or payment.kind in _UNPAID:
        page.centre("非付款凭证")
        page.centre("NOT A PROOF OF PAYMENT")
    if payment.state is State.SETTLED:
        page.pair("处理人 SETTLED BY", payment.settled_by)
        page.pair("备注 NOTE", payment.note)
    if payment.state not in _TAKEN:
        return
    if payment.kind in PRESENTED and payment.medium in (Medium.CARD, Medium.CHIP, Medium.PHONE):
        _verification(page, payment)


def _verification(page: Page, payment: PaymentView) -> None:
    if payment.signature:
        page.pair("持卡人签名", "SIGNATURE")
        page.blank()
        page.blank()
        page.lines.append("_" * page.columns)
    elif payment.pin:
        page.centre("密码已验证")
        page.centre("VERIFIED BY PIN")
    elif _is_verified_on_device(payment.ctq):
        page.centre("已在设备上验证")
        page.centre("VERIFIED ON DEVICE")
    else:
        page.centre("免密免签")
        page.centre("NO PIN OR SIGNATURE NEEDED")


def _is_verified_on_device(ctq: str) -> bool:
    return re.fullmatch(r"[0-9A-Fa-f]{4}", ctq) is not None and bool(
        int(ctq, 16) & _CTQ_DEVICE_VERIFIED
    )


def _without_pan(text: str) -> str:
    """Return a text from outside with long numbers masked: a card may hold anything."""
    return re.sub(r"[0-9]{11,}", lambda found: masked(found.group()), text)
