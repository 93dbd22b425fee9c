"""Kernels 4, 5 and 6: their common EMV mode, and what each has of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emv.actions import ActionCodes
from emv.authentication import CAKeyStore
from emv.bits import TVR
from emv.entry_point import Combination, EntryPointConfig, Terminal, Transaction, run
from emv.errors import ConfigurationError
from emv.kernels import c4, c5, c6
from emv.kernels.emv_mode import Configuration
from emv.outcome import CVM, MessageId, Reason, Start, Status

if TYPE_CHECKING:
    from tests.emv.conftest import PKI, Respond, Tap
    from tests.emv.kernels.conftest import PaperChip

    Pay = Callable[..., Tap]

pytestmark = pytest.mark.spec("Book C-4", "Book C-5", "Book C-6", source="ours")

KERNELS: dict[int, tuple[ModuleType, str]] = {
    4: (c4, "A00000002501"),
    5: (c5, "A0000000651010"),
    6: (c6, "A0000001523010"),
}
ALL = pytest.mark.parametrize("number", list(KERNELS))
TTQ = "26004000"
FLOOR, CVM_LIMIT = 20_000, 100_000
QUIET = ActionCodes(denial=TVR(0), online=TVR.FLOOR_LIMIT_EXCEEDED, default=TVR(0))
PIN_AND_SIGNATURE = bytes.fromhex("006888")


@pytest.fixture
def pay(pki: PKI, terminal: Terminal, sale: Transaction, pump: Callable[..., Tap]) -> Pay:
    """Tap a card with a reader of this kernel."""

    def tap(
        number: int,
        card: Respond,
        amount: int = 12_345,
        *,
        kind: int = 0,
        ttq: str | None = TTQ,
        on_exception_file: bool = False,
        today: date | None = None,
        **configuration: Any,
    ) -> Tap:
        module, aid = KERNELS[number]
        combination = Combination(
            bytes.fromhex(aid),
            number,
            ttq=bytes.fromhex(ttq) if ttq else None,
            floor_limit_minor=FLOOR,
            cvm_required_limit_minor=CVM_LIMIT,
        )
        keys = CAKeyStore([pki.ca_key(rid=aid[:10])])
        known: dict[str, Any] = {
            "ca_keys": keys,
            "action_codes": QUIET,
            "capabilities": PIN_AND_SIGNATURE,
        }
        kernel = module.kernel({combination.aid: Configuration(**known | configuration)})
        transaction = replace(
            sale, amount_authorised_minor=amount, transaction_type=kind, date=today or sale.date
        )
        config = EntryPointConfig(terminal, (combination,))
        return pump(
            run(config, transaction, {number: kernel}), card, on_exception_file=on_exception_file
        )

    return tap


@pytest.fixture
def chips(new_chip: Callable[..., PaperChip]) -> Callable[..., PaperChip]:
    """Make a card of one of the kernels."""

    def make(number: int, **fields: Any) -> PaperChip:
        aid = bytes.fromhex(KERNELS[number][1])
        return new_chip(**{"aid": aid, "pdol": "9F1A02", "aip": "1900", **fields})

    return make


def control_of(tap: Tap) -> int:
    (found,) = (one[2] for one in tap.commands if one[1] == 0xAE)
    return found


def options_of(tap: Tap) -> str:
    (found,) = (one for one in tap.commands if one[1] == 0xA8)
    return found[7:-1].hex()


def tvr_of(tap: Tap) -> TVR:
    return TVR.decode(tap.outcome.data_record[0x95])


# What they share


@ALL
@pytest.mark.parametrize(
    ("amount", "wants", "status", "control"),
    [
        (FLOOR, 0x40, Status.APPROVED, 0x50),
        (FLOOR + 1, 0x40, Status.ONLINE_REQUEST, 0x90),
        (FLOOR, 0x80, Status.ONLINE_REQUEST, 0x50),
        (FLOOR, 0x00, Status.DECLINED, 0x50),
    ],
)
def test_a_card_answers_with_one_signed_cryptogram(
    pay: Pay,
    chips: Callable[..., PaperChip],
    number: int,
    amount: int,
    wants: int,
    status: Status,
    control: int,
) -> None:
    tap = pay(number, chips(number, wants=wants), amount)

    assert tap.outcome.status is status
    assert control_of(tap) == control
    assert tap.outcome.data_record[0x9F26].hex() == "0123456789abcdef"


@ALL
@pytest.mark.parametrize("flaw", [{"forges": True}, {"signed_cid": 0x00}])
def test_a_signature_that_does_not_hold_declines(
    pay: Pay, chips: Callable[..., PaperChip], number: int, flaw: dict[str, Any]
) -> None:
    outcome = pay(number, chips(number, **flaw)).outcome

    assert (outcome.status, outcome.reason) == (Status.DECLINED, Reason.NOT_AUTHENTIC)


@ALL
def test_a_signature_nobody_could_verify_is_not_asked_for(
    pay: Pay, chips: Callable[..., PaperChip], number: int
) -> None:
    tap = pay(number, chips(number, ca_index="93"))

    assert control_of(tap) == 0x40
    assert TVR.CDA_FAILED in tvr_of(tap)


@ALL
@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({"aip": "1800"}, TVR.ODA_NOT_PERFORMED),
        # A static signature that is missing.
        ({"aip": "5800"}, TVR.SDA_SELECTED | TVR.SDA_FAILED),
        ({"expiry": "200101"}, TVR.EXPIRED),
    ],
)
def test_what_is_found_stands_in_the_tvr(
    pay: Pay, chips: Callable[..., PaperChip], number: int, fields: dict[str, Any], found: TVR
) -> None:
    tap = pay(number, chips(number, **fields))

    assert tvr_of(tap) == found


@ALL
def test_a_static_signature_holds(
    pay: Pay, chips: Callable[..., PaperChip], pki: PKI, encode: Callable[..., bytes], number: int
) -> None:
    card = chips(number, aip="5800")
    static = card.records()[1, 2]
    content = static[3:] if static[1] == 0x81 else static[2:]
    signed = encode("70", encode("93", pki.sign_static(content + bytes.fromhex("5800"))))

    def with_signature(command: bytes) -> bytes | None:
        if command[1] == 0xA8:
            card(command)
            return bytes.fromhex("770A 82025800 940410010401 9000")
        if command[:4] == bytes.fromhex("00B20414"):
            return signed + b"\x90\x00"
        return card(command)

    assert tvr_of(pay(number, with_signature)) == TVR.SDA_SELECTED


@ALL
def test_the_exception_file_is_asked(
    pay: Pay, chips: Callable[..., PaperChip], number: int
) -> None:
    codes = ActionCodes(denial=TVR.ON_EXCEPTION_FILE, online=TVR(0), default=TVR(0))
    tap = pay(number, chips(number), on_exception_file=True, action_codes=codes)

    assert (tap.outcome.status, tap.outcome.reason) == (Status.DECLINED, Reason.EXCEPTION_FILE)
    assert not pay(number, chips(number), has_exception_file=False).asked


@ALL
@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("6985", Reason.NO_APPLICATION),
        ("6984", Reason.SWITCH_INTERFACE),
        ("6986", Reason.SEE_PHONE),
        ("6A81", Reason.CARD_REFUSED),
    ],
)
def test_refused_options(
    pay: Pay, chips: Callable[..., PaperChip], number: int, status: str, reason: Reason
) -> None:
    assert pay(number, chips(number, gpo_status=status)).outcome.reason == reason


@ALL
@pytest.mark.parametrize("tag", ["5A", "5F24", "8C"])
def test_each_mandatory_object(
    pay: Pay, chips: Callable[..., PaperChip], number: int, tag: str
) -> None:
    outcome = pay(number, chips(number, record_without=frozenset({tag}))).outcome

    assert (outcome.status, outcome.reason) == (Status.END_APPLICATION, Reason.CARD_DATA_MISSING)
    assert outcome.error is not None
    assert outcome.error.detail == f"tag {tag}"


@ALL
@pytest.mark.parametrize(
    ("where", "twice"),
    [
        ("options_extra", "82021980"),
        ("record_extra", "5F2403311231"),
        ("answer_extra", "9F3602002A"),
    ],
)
def test_an_object_sent_twice_ends_it(
    pay: Pay, chips: Callable[..., PaperChip], number: int, where: str, twice: str
) -> None:
    outcome = pay(number, chips(number, **{where: bytes.fromhex(twice)})).outcome

    assert (outcome.status, outcome.reason) == (Status.END_APPLICATION, Reason.CARD_DATA_ERROR)


@ALL
def test_more_than_asked_for_is_an_error(
    pay: Pay, chips: Callable[..., PaperChip], number: int
) -> None:
    chip = chips(number, aip="1800")

    def card(command: bytes) -> bytes | None:
        if command[1] != 0xAE:
            return chip(command)
        return chip.answer(0x40, False, command[5:-1]) + b"\x90\x00"

    assert pay(number, card, FLOOR + 1).outcome.reason == Reason.CARD_DATA_ERROR


@ALL
@pytest.mark.parametrize(
    ("amount", "capabilities", "cvm", "results"),
    [
        (CVM_LIMIT - 1, "006888", CVM.NONE, "3f0000"),
        (CVM_LIMIT, "006888", CVM.ONLINE_PIN, "420300"),
        (CVM_LIMIT, "002888", CVM.SIGNATURE, "1e0300"),
        (CVM_LIMIT, "000088", CVM.NONE, "3f0001"),
    ],
)
def test_from_the_limit_on_the_cards_list_is_walked(
    pay: Pay,
    chips: Callable[..., PaperChip],
    number: int,
    amount: int,
    capabilities: str,
    cvm: CVM,
    results: str,
) -> None:
    tap = pay(number, chips(number), amount, capabilities=bytes.fromhex(capabilities))

    assert tap.outcome.cvm is cvm
    assert tap.outcome.data_record[0x9F34].hex() == results


@ALL
def test_a_lost_link_is_tapped_again(
    pay: Pay, chips: Callable[..., PaperChip], number: int
) -> None:
    outcome = pay(number, chips(number, lost_at=1)).outcome

    assert (outcome.start, outcome.reason) == (Start.B, Reason.LINK_LOST)


@ALL
def test_an_aid_without_a_configuration_is_named(
    terminal: Terminal,
    sale: Transaction,
    chips: Callable[..., PaperChip],
    pump: Callable[..., Tap],
    number: int,
) -> None:
    module, aid = KERNELS[number]
    config = EntryPointConfig(terminal, (Combination(bytes.fromhex(aid), number),))
    with pytest.raises(ConfigurationError, match=aid):
        pump(run(config, sale, {number: module.kernel({})}), chips(number))


@settings(max_examples=90, deadline=None)
@given(data=st.data())
def test_any_card_ends_in_an_outcome(
    data: st.DataObject, new_chip: Callable[..., PaperChip], pki: PKI, pump: Callable[..., Tap]
) -> None:
    number = data.draw(st.sampled_from(list(KERNELS)))
    module, aid = KERNELS[number]
    card = new_chip(
        aid=bytes.fromhex(aid), aip=data.draw(st.sampled_from(["1900", "5800", "0000"]))
    )
    trouble = st.one_of(
        st.none(),
        st.binary(min_size=2, max_size=60),
        st.binary(max_size=60).map(lambda noise: noise + b"\x90\x00"),
    )

    def hostile(command: bytes) -> bytes | None:
        honest = card(command)
        return honest if data.draw(st.integers(0, 3)) else data.draw(trouble)

    combination = Combination(bytes.fromhex(aid), number, ttq=bytes.fromhex(TTQ))
    kernel = module.kernel(
        {combination.aid: Configuration(ca_keys=CAKeyStore([pki.ca_key(rid=aid[:10])]))}
    )
    sale = Transaction(12_345, currency=156, currency_exponent=2, date=date(2026, 11, 24))
    config = EntryPointConfig(Terminal(country=156), (combination,))
    outcome = pump(run(config, sale, {number: kernel}), hostile, commands_max=90).outcome

    assert outcome.status in Status


# Kernel 4


@pytest.mark.parametrize(
    ("pdol", "amount", "told"),
    [
        ("9F6D01", CVM_LIMIT - 1, "c0"),
        ("9F6D01", CVM_LIMIT, "c8"),
        # Older cards ask for the terminal type: 22 with the same bits.
        ("9F3501", CVM_LIMIT - 1, "e2"),
        ("9F3501", CVM_LIMIT, "ea"),
        ("9F3501 9F6D01", CVM_LIMIT, "22c8"),
        ("9F6E04", CVM_LIMIT - 1, "18e00003"),
        ("9F6E04", CVM_LIMIT, "18e04003"),
    ],
)
def test_american_express_is_told_what_the_reader_can_do(
    pay: Pay, chips: Callable[..., PaperChip], pdol: str, amount: int, told: str
) -> None:
    assert options_of(pay(4, chips(4, pdol=pdol), amount)) == told


@pytest.mark.parametrize(
    ("results", "amount", "cvm", "found"),
    [
        ("010002", CVM_LIMIT, CVM.CONFIRMATION_CODE_VERIFIED, TVR(0)),
        ("010302", 100, CVM.CONFIRMATION_CODE_VERIFIED, TVR(0)),
        ("3F0000", CVM_LIMIT - 1, CVM.NONE, TVR(0)),
        ("010001", CVM_LIMIT, CVM.NONE, TVR.CARDHOLDER_VERIFICATION_FAILED),
        ("010003", CVM_LIMIT, CVM.NONE, TVR.CARDHOLDER_VERIFICATION_FAILED),
    ],
)
def test_a_phone_says_how_its_holder_was_verified(
    pay: Pay,
    chips: Callable[..., PaperChip],
    encode: Callable[..., bytes],
    results: str,
    amount: int,
    cvm: CVM,
    found: TVR,
) -> None:
    tap = pay(4, chips(4, record_extra=encode("9F71", results)), amount)

    assert tap.outcome.cvm is cvm
    assert tvr_of(tap) & TVR.CARDHOLDER_VERIFICATION_FAILED == found
    assert tap.outcome.data_record[0x9F71].hex().upper() == results


def test_a_phone_that_has_not_verified_its_holder_shows_him_something(
    pay: Pay, chips: Callable[..., PaperChip], encode: Callable[..., bytes]
) -> None:
    outcome = pay(4, chips(4, record_extra=encode("9F71", "3F0300")), CVM_LIMIT).outcome

    assert (outcome.status, outcome.start) == (Status.TRY_AGAIN, Start.B)
    assert outcome.ui is not None
    assert outcome.ui.message is MessageId.SEE_PHONE


# Kernel 5


@pytest.mark.parametrize(("amount", "told"), [(CVM_LIMIT - 1, "02700000"), (CVM_LIMIT, "02f00000")])
def test_jcb_is_told_what_the_reader_can_do(
    pay: Pay, chips: Callable[..., PaperChip], amount: int, told: str
) -> None:
    assert options_of(pay(5, chips(5, pdol="9F5201 9F5303"), amount)) == told


@pytest.mark.parametrize(
    ("status", "cvm"),
    [
        ("00", CVM.NONE),
        ("10", CVM.SIGNATURE),
        ("20", CVM.ONLINE_PIN),
        ("30", CVM.CONFIRMATION_CODE_VERIFIED),
        # Says nothing: the list has spoken.
        ("F0", CVM.ONLINE_PIN),
    ],
)
def test_jcb_cards_say_with_their_cryptogram_how_the_holder_is_verified(
    pay: Pay, chips: Callable[..., PaperChip], encode: Callable[..., bytes], status: str, cvm: CVM
) -> None:
    card = chips(5, answer_extra=encode("9F50", status))

    assert pay(5, card, CVM_LIMIT).outcome.cvm is cvm


# Kernel 6


@pytest.mark.parametrize(("amount", "told"), [(CVM_LIMIT - 1, "80"), (CVM_LIMIT, "c0")])
def test_discover_is_told_the_qualifiers(
    pay: Pay, chips: Callable[..., PaperChip], amount: int, told: str
) -> None:
    assert options_of(pay(6, chips(6, pdol="9F6604"), amount)) == f"26{told}4000"


@pytest.mark.parametrize(
    ("requirements", "ttq", "amount", "cvm", "found"),
    [
        ("8000", "26004000", 100, CVM.ONLINE_PIN, TVR.ONLINE_CVM_CAPTURED),
        ("4000", "26004000", 100, CVM.SIGNATURE, TVR(0)),
        ("C000", "22004000", 100, CVM.SIGNATURE, TVR(0)),
        ("0080", "26004000", CVM_LIMIT, CVM.CONFIRMATION_CODE_VERIFIED, TVR(0)),
        ("0080", "26000000", CVM_LIMIT, CVM.NONE, TVR.CARDHOLDER_VERIFICATION_FAILED),
        ("0000", "26004000", CVM_LIMIT - 1, CVM.NONE, TVR(0)),
        ("0000", "26004000", CVM_LIMIT, CVM.NONE, TVR.CARDHOLDER_VERIFICATION_FAILED),
    ],
)
def test_discover_cards_say_what_they_require(
    pay: Pay,
    chips: Callable[..., PaperChip],
    encode: Callable[..., bytes],
    requirements: str,
    ttq: str,
    amount: int,
    cvm: CVM,
    found: TVR,
) -> None:
    tap = pay(6, chips(6, options_extra=encode("9F71", requirements)), amount, ttq=ttq)

    assert tap.outcome.cvm is cvm
    seen = TVR.ONLINE_CVM_CAPTURED | TVR.CARDHOLDER_VERIFICATION_FAILED
    assert tvr_of(tap) & seen == found


def test_kernel_6_without_qualifiers_is_named(pay: Pay, chips: Callable[..., PaperChip]) -> None:
    with pytest.raises(ConfigurationError, match="kernel 6 needs tag 9F66"):
        pay(6, chips(6), ttq=None)
