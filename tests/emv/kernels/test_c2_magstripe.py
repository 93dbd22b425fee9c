"""Kernel 2's magnetic stripe mode: where digits go, and what a phone may say instead."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emv import tlv
from emv.entry_point import Combination, EntryPointConfig, Terminal, Transaction, run
from emv.errors import MalformedData
from emv.kernels import c2
from emv.kernels.c2.tracks import Stripe, filled_track_1, filled_track_2, unpredictable_digits
from emv.outcome import CVM, MessageId, Reason, Start, Status

if TYPE_CHECKING:
    from tests.emv.conftest import Tap

pytestmark = pytest.mark.spec("Book C-2, magnetic stripe mode", source="ours")

MASTERCARD = bytes.fromhex("A0000000041010")
TRACK_2 = bytes.fromhex("5413330056003511D14122010000000000000F")
TRACK_1 = b"B5413330056003511^CUST IMP/MC^1412201" + b"0" * 13
CVM_LIMIT = 100_000

# Digits from the right: 1 tells lengths, 5 to 8 are counter and number, 9 to 12 the code.
CODE_MAP, NUMBER_MAP, COUNTER_DIGITS = 0x0F00, 0x00F0, 2


# Where the digits go


def test_code_counter_and_number_each_have_their_places() -> None:
    """Track 2 is 13 zeros after expiry and service code: C is 2345, ATC 67, UN 89."""
    stripe = Stripe(TRACK_2, CODE_MAP, NUMBER_MAP, COUNTER_DIGITS)

    filled = filled_track_2(stripe, 12345, "00000089", 1267, 2).hex().upper()

    assert filled == "5413330056003511D1412201" + "0" + "2345" + "6789" + "000" + "2" + "F"


def test_the_first_track_is_filled_like_the_second() -> None:
    stripe = Stripe(TRACK_1, CODE_MAP, NUMBER_MAP, COUNTER_DIGITS)

    filled = filled_track_1(stripe, 12345, "00000089", 1267, 2)

    assert filled == TRACK_1[:-13] + b"0" + b"2345" + b"6789" + b"000" + b"2"


def test_places_need_not_stand_together() -> None:
    """The leftmost of them are the counter's."""
    stripe = Stripe(TRACK_2, 0x0808, 0x1012, 1)

    filled = filled_track_2(stripe, 98, "00000012", 7, 2).hex().upper()

    assert filled[-14:-1] == "7900000018022"


@pytest.mark.parametrize(
    ("stripe", "message"),
    [
        ((TRACK_2, 0, 0x01, 2), "-1 digits"),
        ((TRACK_2, 0, 0x1FF, 0), "9 digits"),
        ((TRACK_2, 0x3F, 0, 0), "more digits"),
        ((TRACK_2, 0, 0x3F, 6), "more digits"),
    ],
)
def test_maps_that_make_no_sense_are_refused(stripe: Any, message: str) -> None:
    with pytest.raises(MalformedData, match=message):
        Stripe(*stripe)


@pytest.mark.parametrize(
    "data", ["", "5413330056003511", "5413330056003511D1412201", "5413330056003511D141220100"]
)
def test_a_track_too_short_for_its_maps_is_refused(data: str) -> None:
    with pytest.raises(MalformedData):
        filled_track_2(Stripe(bytes.fromhex(data), CODE_MAP, NUMBER_MAP, 2), 1, "0" * 8, 1, 2)


@pytest.mark.parametrize("data", [b"", b"B54^X", b"B54^X^1412201", b"B54^X^\xff" + b"0" * 30])
def test_a_first_track_that_is_none_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedData):
        filled_track_1(Stripe(data, CODE_MAP, NUMBER_MAP, 2), 1, "0" * 8, 1, 2)


@given(random=st.binary(min_size=8, max_size=8), count=st.integers(0, 8))
def test_a_number_has_eight_digits_and_as_many_that_count(random: bytes, count: int) -> None:
    number = unpredictable_digits(random, count)

    assert len(number) == 8
    assert number.isdecimal()
    assert int(number) < 10**count


@given(code=st.integers(0, 65535), number=st.integers(0, 99), counter=st.integers(0, 65535))
def test_nothing_but_the_places_changes(code: int, number: int, counter: int) -> None:
    stripe = Stripe(TRACK_2, CODE_MAP, NUMBER_MAP, COUNTER_DIGITS)

    filled = filled_track_2(stripe, code, f"{number:08}", counter, 2).hex()

    assert len(filled) == len(TRACK_2.hex())
    assert filled[:24] == TRACK_2.hex()[:24]
    assert filled[25:33] == f"{code % 10_000:04}{counter % 100:02}{number:02}"


# The whole mode


@dataclass
class PaperStripe:
    """A card that has its stripe alone."""

    aip: str = "0000"
    answer: dict[str, str] = field(
        default_factory=lambda: {"9F61": "3039", "9F60": "3039", "9F36": "0043"}
    )
    status: str = "9000"
    without: frozenset[str] = frozenset()
    natc_1: str = "02"
    udol: str = ""

    def __call__(self, command: bytes) -> bytes | None:
        if command[:2] == b"\x00\xa4":
            name = command[5 : 5 + command[4]]
            entry = tlv.encode(0x61, tlv.encode(0x4F, MASTERCARD))
            inner = tlv.encode(0xBF0C, entry) if name != MASTERCARD else b""
            fci = tlv.encode(0x84, name) + tlv.encode(0xA5, inner)
            return tlv.encode(0x6F, fci) + b"\x90\x00"
        if command[1] == 0xA8:
            return bytes.fromhex(f"770A 8202{self.aip} 9404 08010100 9000")
        if command[1] == 0xB2:
            objects = {
                "9F62": "000000000F00",
                "9F63": "0000000000F0",
                "56": TRACK_1.hex(),
                "9F64": self.natc_1,
                "9F65": "0F00",
                "9F66": "00F0",
                "9F6B": TRACK_2.hex(),
                "9F67": "02",
            }
            if self.udol:
                objects["9F69"] = self.udol
            return self.template(0x70, objects) + b"\x90\x00"
        if self.status != "9000":
            return bytes.fromhex(self.status) if self.status else None
        return self.template(0x77, self.answer) + b"\x90\x00"

    def template(self, tag: int, objects: dict[str, str]) -> bytes:
        kept = {name: value for name, value in objects.items() if name not in self.without}
        parts = (tlv.encode(int(name, 16), bytes.fromhex(v)) for name, v in kept.items())
        return tlv.encode(tag, b"".join(parts))


@pytest.fixture
def pay(terminal: Terminal, sale: Transaction, pump: Callable[..., Tap]) -> Callable[..., Tap]:
    def tap(card: PaperStripe, amount: int = 12_345, **settings: Any) -> Tap:
        configuration = c2.Configuration(
            supports_mag_stripe=True,
            cvm_required_limit_minor=CVM_LIMIT,
            transaction_limit_minor=500_000,
            **settings,
        )
        config = EntryPointConfig(terminal, (Combination(MASTERCARD, 2),))
        transaction = replace(sale, amount_authorised_minor=amount)
        kernel = c2.kernel({MASTERCARD: configuration})
        return pump(run(config, transaction, {2: kernel}), card, number=b"\x00\x00\x00\x59")

    return tap


def test_a_stripe_goes_online(pay: Callable[..., Tap]) -> None:
    """Random 59 (hexadecimal) is 89; the answer's code is 12345, its counter 67."""
    tap = pay(PaperStripe())

    assert tap.commands[-1].hex().upper() == "802A8E80040000008900"
    assert (tap.outcome.status, tap.outcome.cvm) == (Status.ONLINE_REQUEST, CVM.NONE)
    record = tap.outcome.data_record
    assert record[0x9F6B].hex().upper() == "5413330056003511D1412201" + "02345" + "6789" + "0002F"
    assert record[0x56] == TRACK_1[:-13] + b"0234567890002"
    assert record[0x9F6A].hex() == "00000089"


@pytest.mark.parametrize(
    ("aip", "amount", "cvm", "last", "indicator"),
    [
        ("0000", CVM_LIMIT, CVM.NONE, "2", "01"),
        ("0000", CVM_LIMIT + 1, CVM.SIGNATURE, "2", "03"),
        ("0240", CVM_LIMIT, CVM.NONE, "2", "01"),
        # Verified on the device: five more in the last digit.
        ("0240", CVM_LIMIT + 1, CVM.CONFIRMATION_CODE_VERIFIED, "7", "03"),
    ],
)
def test_the_limit_chooses_how_the_holder_is_verified(
    pay: Callable[..., Tap], aip: str, amount: int, cvm: CVM, last: str, indicator: str
) -> None:
    tap = pay(PaperStripe(aip=aip, udol="9F6A04 9F7E01"), amount)

    assert tap.outcome.cvm is cvm
    assert tap.outcome.receipt is (amount > CVM_LIMIT)
    assert tap.outcome.data_record[0x9F6B].hex()[-2] == last
    assert tap.commands[-1][-2:-1].hex() == indicator


@pytest.mark.parametrize("tag", ["9F6B", "9F65", "9F66", "9F67", "9F62", "9F63", "9F64"])
def test_each_object_a_track_needs(pay: Callable[..., Tap], tag: str) -> None:
    assert pay(PaperStripe(without=frozenset({tag}))).outcome.reason == Reason.CARD_DATA_MISSING


@pytest.mark.parametrize("tag", ["9F61", "9F60", "9F36"])
def test_each_object_of_the_answer(pay: Callable[..., Tap], tag: str) -> None:
    assert pay(PaperStripe(without=frozenset({tag}))).outcome.reason == Reason.CARD_DATA_MISSING


def test_both_tracks_want_one_number(pay: Callable[..., Tap]) -> None:
    assert pay(PaperStripe(natc_1="01")).outcome.reason == Reason.CARD_DATA_ERROR


def test_the_limit_of_a_tap(pay: Callable[..., Tap]) -> None:
    assert pay(PaperStripe(), 500_001).outcome.reason == Reason.OVER_CONTACTLESS_LIMIT


def test_a_refused_code_ends_the_application(pay: Callable[..., Tap]) -> None:
    assert pay(PaperStripe(status="6985")).outcome.reason == Reason.CARD_REFUSED


def test_a_card_that_left_is_tapped_again(pay: Callable[..., Tap]) -> None:
    outcome = pay(PaperStripe(status="")).outcome

    assert (outcome.start, outcome.reason) == (Start.B, Reason.LINK_LOST)


@pytest.mark.parametrize(
    ("interaction", "status", "message"),
    [
        ("000100", Status.END_APPLICATION, MessageId.SEE_PHONE),
        ("001000", Status.DECLINED, MessageId.NOT_AUTHORISED),
    ],
)
def test_a_phone_may_give_no_code(
    pay: Callable[..., Tap], interaction: str, status: Status, message: MessageId
) -> None:
    card = PaperStripe(aip="0240", answer={"9F36": "0043", "DF4B": interaction})
    outcome = pay(card, CVM_LIMIT + 1).outcome

    assert outcome.status is status
    assert outcome.ui is not None
    assert outcome.ui.message is message
