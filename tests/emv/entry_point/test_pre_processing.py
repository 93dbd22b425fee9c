"""Every limit below, at and above; every indicator's mark in the TTQ."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emv.bits import TTQ
from emv.conversation import Kernel, Note
from emv.entry_point import (
    Combination,
    EntryPointConfig,
    Terminal,
    Transaction,
    assess,
    pre_process,
    refusal,
)
from emv.entry_point.pre_processing import explain_exclusions, explain_limits
from emv.errors import ConfigurationError
from emv.outcome import MessageId, Reason, Status

pytestmark = pytest.mark.spec(
    "Book A, 5", "Book A, 5.7", "Book A, 5.8", "Book B, 3.1.1", source="ours"
)

AID = bytes.fromhex("A0000000031010")
TTQ_ONLINE = bytes.fromhex("36004080")
TTQ_OFFLINE_ONLY = bytes.fromhex("3E004080")


def sale(amount: int, *, exponent: int = 2, kind: int = 0) -> Transaction:
    return Transaction(amount, 156, exponent, date(2026, 11, 24), transaction_type=kind)


def combination(**fields: object) -> Combination:
    return replace(Combination(AID, 3, ttq=TTQ_ONLINE), **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(("amount", "expected"), [(999, False), (1000, True), (1001, True)])
def test_the_transaction_limit_forbids_from_the_limit_on(amount: int, expected: bool) -> None:
    found = assess(combination(transaction_limit_minor=1000), sale(amount))
    assert found.not_allowed is expected


@pytest.mark.parametrize(("amount", "expected"), [(999, False), (1000, False), (1001, True)])
@pytest.mark.parametrize(
    "limits",
    [
        {"floor_limit_minor": 1000},
        {"terminal_floor_limit_minor": 1000},
        {"floor_limit_minor": 1000, "terminal_floor_limit_minor": 1},
    ],
)
def test_the_floor_limit_is_exceeded_above_it(
    amount: int, expected: bool, limits: dict[str, int]
) -> None:
    """The terminal's own floor limit counts only where the reader has none."""
    found = assess(combination(**limits), sale(amount))
    assert found.floor_limit_exceeded is expected
    assert found.ttq is not None
    assert (TTQ.ONLINE_CRYPTOGRAM_REQUIRED in TTQ.decode(found.ttq)) is expected


@pytest.mark.parametrize(("amount", "expected"), [(999, False), (1000, True), (1001, True)])
def test_the_cvm_limit_is_reached_at_it(amount: int, expected: bool) -> None:
    found = assess(combination(cvm_required_limit_minor=1000), sale(amount))
    assert found.cvm_required_limit_exceeded is expected
    assert found.ttq is not None
    assert (TTQ.CVM_REQUIRED in TTQ.decode(found.ttq)) is expected


@pytest.mark.parametrize(
    ("flag", "amount", "exponent", "expected"),
    [
        (True, 100, 2, True),
        (True, 99, 2, False),
        (True, 101, 2, False),
        (True, 1, 0, True),
        (True, 100, 0, False),
        (False, 100, 2, False),
        (None, 100, 2, False),
    ],
)
def test_a_status_check_is_one_unit_of_the_currency(
    flag: bool | None, amount: int, exponent: int, expected: bool
) -> None:
    found = assess(combination(status_check=flag), sale(amount, exponent=exponent))
    assert found.status_check_requested is expected
    assert found.ttq is not None
    assert (TTQ.ONLINE_CRYPTOGRAM_REQUIRED in TTQ.decode(found.ttq)) is expected


@pytest.mark.parametrize(
    ("flag", "ttq", "is_allowed"),
    [
        (None, TTQ_ONLINE, True),
        (True, TTQ_ONLINE, True),
        (False, TTQ_ONLINE, False),
        (True, TTQ_OFFLINE_ONLY, False),
        (True, None, True),
    ],
)
def test_an_amount_of_zero_goes_online_or_is_not_allowed(
    flag: bool | None, ttq: bytes | None, is_allowed: bool
) -> None:
    found = assess(combination(zero_amount_allowed=flag, ttq=ttq), sale(0))
    assert found.not_allowed is not is_allowed
    assert found.zero_amount is (flag is not False)
    if is_allowed and found.ttq is not None:
        assert TTQ.ONLINE_CRYPTOGRAM_REQUIRED in TTQ.decode(found.ttq)


EDGES = (0, 99, 100, 999, 1000, 1001)


@pytest.mark.parametrize("offline_only", [True, False])
@pytest.mark.parametrize("amount", EDGES)
def test_all_limits_and_flags_together(amount: int, offline_only: bool) -> None:
    """Book B, 3.1.1.1 to 3.1.1.12, told again as one sentence for each indicator."""
    ttq = TTQ_OFFLINE_ONLY if offline_only else TTQ_ONLINE
    limits = product((None, 1000), repeat=4)
    flags = product((None, False, True), repeat=2)
    for (limit, floor, instead, cvm), (check, zero) in product(limits, flags):
        found = assess(
            Combination(AID, 3, ttq, limit, floor, instead, cvm, check, zero), sale(amount)
        )
        is_checked = bool(check) and amount == 100
        is_zero = amount == 0 and zero is not False
        is_over_floor = 1000 in (floor, instead) and amount > 1000
        is_over_cvm = cvm == 1000 and amount >= 1000
        assert found.not_allowed == (
            (amount == 0 and (zero is False or offline_only)) or (limit == 1000 and amount >= 1000)
        )
        assert found.status_check_requested == is_checked
        assert found.zero_amount == is_zero
        assert found.floor_limit_exceeded == is_over_floor
        assert found.cvm_required_limit_exceeded == is_over_cvm
        assert found.ttq is not None
        bits = found.ttq[1]
        is_online = is_checked or is_over_floor or (is_zero and not offline_only)
        assert bits & 0xC0 == 0x80 * is_online | 0x40 * is_over_cvm
        assert bytes((found.ttq[0], bits & 0x3F)) + found.ttq[2:] == (
            bytes((ttq[0], ttq[1] & 0x3F)) + ttq[2:]
        )


def test_bits_set_in_configuration_are_cleared_first() -> None:
    found = assess(combination(ttq=bytes.fromhex("36E04080")), sale(1))
    assert found.ttq == bytes.fromhex("36204080")


@given(
    amount=st.integers(0, 10**12 - 1),
    limits=st.tuples(*[st.none() | st.integers(0, 10**12)] * 4),
    flags=st.tuples(*[st.none() | st.booleans()] * 2),
    ttq=st.none() | st.binary(min_size=4, max_size=4),
)
def test_the_ttq_copy_differs_only_in_its_two_bits(
    amount: int,
    limits: tuple[int | None, ...],
    flags: tuple[bool | None, ...],
    ttq: bytes | None,
) -> None:
    transaction, floor, terminal_floor, cvm = limits
    found = assess(
        Combination(AID, 3, ttq, transaction, floor, terminal_floor, cvm, flags[0], flags[1]),
        sale(amount),
    )
    if ttq is None:
        assert found.ttq is None
        return
    assert found.ttq is not None
    difference = int.from_bytes(found.ttq, "big") ^ int.from_bytes(ttq, "big")
    assert not difference & ~0x00_C0_00_00


def config(*combinations: Combination) -> EntryPointConfig:
    return EntryPointConfig(Terminal(156), combinations)


def test_all_combinations_over_the_limit_send_the_customer_elsewhere() -> None:
    transaction = sale(1000)
    prepared = pre_process(config(combination(transaction_limit_minor=1000)), transaction)
    outcome = refusal(prepared, transaction)

    assert outcome is not None
    assert outcome.status is Status.TRY_ANOTHER_INTERFACE
    assert outcome.ui is not None
    assert outcome.ui.message is MessageId.TRY_OTHER_INTERFACE
    assert (outcome.reason, outcome.start) == (Reason.OVER_CONTACTLESS_LIMIT, None)


def test_one_allowed_combination_is_enough() -> None:
    transaction = sale(1000)
    prepared = pre_process(
        config(combination(transaction_limit_minor=1000), combination()), transaction
    )
    assert refusal(prepared, transaction) is None
    assert [one.indicators.not_allowed for one in prepared] == [True, False]


def test_a_refused_zero_has_its_own_reason() -> None:
    transaction = sale(0)
    outcome = refusal(
        pre_process(config(combination(zero_amount_allowed=False)), transaction), transaction
    )
    assert outcome is not None
    assert outcome.reason == Reason.ZERO_AMOUNT


def test_a_combination_serves_only_its_transaction_types() -> None:
    only_goods = combination(transaction_types=frozenset({0x00}))
    assert len(pre_process(config(only_goods), sale(1))) == 1
    assert pre_process(config(only_goods), sale(1, kind=0x01)) == ()
    outcome = refusal((), sale(1, kind=0x01))
    assert outcome is not None
    assert outcome.reason == Reason.NO_APPLICATION


@pytest.mark.parametrize(
    "fields", [{"aid": bytes(5)}, {"aid": bytes(16)}, {"kernel_id": 1}, {"kernel_id": 0xFFFFFF}]
)
def test_a_combination_at_the_edge_can_be(fields: dict[str, Any]) -> None:
    (made,) = config(combination(**fields)).combinations
    assert {name: getattr(made, name) for name in fields} == fields


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"aid": b"\xa0\x00\x00\x00"}, "4 bytes, must be 5 to 16"),
        ({"aid": bytes(17)}, "17 bytes, must be 5 to 16"),
        ({"ttq": b"\x36"}, "AID A0000000031010: tag 9F66 of 1 bytes"),
        ({"kernel_id": 0}, "0 is no kernel"),
        ({"kernel_id": 1 << 24}, "is no kernel"),
    ],
)
def test_a_combination_that_cannot_be_is_named(fields: dict[str, object], complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint):
        combination(**fields)


def test_transaction_objects_are_coded_as_the_dictionary_says() -> None:
    transaction = Transaction(
        12_345,
        currency=156,
        currency_exponent=2,
        date=date(2026, 11, 24),
        time=time(16, 5, 59),
        amount_other_minor=100,
        transaction_type=0x09,
        sequence=123_456_789,
    )
    values = transaction.objects()
    assert values[0x9F02] == bytes.fromhex("000000012345")
    assert values[0x9F03] == bytes.fromhex("000000000100")
    assert values[0x5F2A] == bytes.fromhex("0156")
    assert values[0x5F36] == b"\x02"
    assert values[0x9A] == bytes.fromhex("261124")
    assert values[0x9F21] == bytes.fromhex("160559")
    assert values[0x9C] == b"\x09"
    assert values[0x9F41] == bytes.fromhex("23456789")


@pytest.mark.parametrize("amount", [-1, 10**12])
def test_an_amount_that_does_not_fit_is_refused(amount: int) -> None:
    with pytest.raises(ConfigurationError, match="9F02"):
        sale(amount)


def test_terminal_objects_are_coded_as_the_dictionary_says() -> None:
    values = Terminal(
        156,
        merchant_category=5411,
        merchant_id="SHOP",
        merchant_name="店 Shop",
        terminal_id="T1",
        acquirer_id=12_345_678_901,
        others={0x9F1E: b"12345678"},
    ).objects()
    assert values[0x9F1A] == bytes.fromhex("0156")
    assert values[0x9F39] == b"\x07"
    assert values[0x9F01] == bytes.fromhex("012345678901")
    assert values[0x9F15] == bytes.fromhex("5411")
    assert values[0x9F16] == b"SHOP           "
    assert values[0x9F1C] == b"T1      "
    assert values[0x9F4E] == b"? Shop"
    assert values[0x9F1E] == b"12345678"


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"country": 10_000}, "9F1A"),
        ({"merchant_id": "X" * 16}, "9F16"),
        ({"terminal_id": "é"}, "9F1C"),
        ({"capabilities": b"\x00"}, "9F33"),
        ({"additional_capabilities": b""}, "9F40"),
    ],
)
def test_a_terminal_object_that_does_not_fit_is_named(
    fields: dict[str, object], complaint: str
) -> None:
    with pytest.raises(ConfigurationError, match=complaint):
        replace(Terminal(156), **fields)  # type: ignore[arg-type]


def said(kernel: Kernel[None]) -> list[str]:
    return [f"{each.said} ({each.source})" for each in kernel if isinstance(each, Note)]


@pytest.mark.parametrize(
    ("amount", "exponent", "sentence"),
    [
        (4_999, 2, "amount 49.99 is under the CVM limit 50.00"),
        (
            5_000,
            2,
            "amount 50.00 reaches the CVM limit 50.00: the cardholder must be verified",
        ),
        (
            5_200,
            0,
            "amount 5200 reaches the CVM limit 5000: the cardholder must be verified",
        ),
    ],
)
def test_the_trace_says_how_the_amount_stands_to_the_cvm_limit(
    amount: int, exponent: int, sentence: str
) -> None:
    transaction = sale(amount, exponent=exponent)
    chosen = combination(cvm_required_limit_minor=5_000)

    [prepared] = pre_process(EntryPointConfig(Terminal(156), (chosen,)), transaction)

    assert said(explain_limits(prepared, transaction)) == [f"{sentence} (Book B, 3.1.1)"]


def test_the_trace_says_why_an_application_is_left_out() -> None:
    transaction = sale(10_000)
    limited = combination(transaction_limit_minor=10_000)
    prepared = pre_process(EntryPointConfig(Terminal(156), (limited, combination())), transaction)

    assert said(explain_exclusions(prepared, transaction)) == [
        "AID A0000000031010 is not for this amount (Book B, 3.1.1)",
        "amount 100.00 reaches the contactless limit 100.00 (Book B, 3.1.1)",
    ]
