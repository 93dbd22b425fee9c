"""Kernel 2's integrated data storage: what is read, written, proved and stopped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emv import tlv as emv_tlv
from emv.actions import ActionCodes
from emv.authentication import CAKeyStore
from emv.bits import TVR
from emv.entry_point import Combination, EntryPointConfig, run
from emv.errors import ConfigurationError
from emv.kernels import c2
from emv.keys import data_storage
from emv.outcome import Reason, Start, Status

if TYPE_CHECKING:
    from emv.entry_point import Terminal, Transaction
    from emv.outcome import Outcome
    from tests.emv.conftest import PKI, Tap
    from tests.emv.kernels.conftest import PaperChip

    Pay = Callable[..., Tap]

pytestmark = pytest.mark.spec("Book C-2, 7.6", source="ours")

MASTERCARD = bytes.fromhex("A0000000041010")
STORAGE_ID = "541333008960001001"
OPERATOR = bytes.fromhex("8199829983998499")
BEFORE, AFTER = "11" * 8, "22" * 8
DSDOL = "DF6008 DF6108 DF6201 DF6304"
AAC, TC, ARQC = 0x00, 0x40, 0x80

READER = c2.DataStorage(OPERATOR, data_storage.digest)
WRITER = replace(
    READER,
    info=0x40,
    data=b"coffee",
    cryptogram=ARQC,
    input_card=b"theirold",
    input_term=b"mine-new",
)


@pytest.fixture
def pay(pki: PKI, terminal: Terminal, sale: Transaction, pump: Callable[..., Tap]) -> Pay:
    """Tap a card with a reader whose operator keeps data."""

    def tap(
        chip: PaperChip,
        storage: c2.DataStorage | None,
        *,
        log: c2.TornLog | None = None,
        previous: Outcome | None = None,
        **configuration: Any,
    ) -> Tap:
        given_ = {
            "ca_keys": CAKeyStore([pki.ca_key(rid="A000000004")]),
            "action_codes": ActionCodes(online=TVR(0)),
            "storage": storage,
            **configuration,
        }
        kernels = {2: c2.kernel({MASTERCARD: c2.Configuration(**given_)}, log)}
        config = EntryPointConfig(terminal, (Combination(MASTERCARD, 2),))
        start = Start.A if previous is None else Start.B
        return pump(run(config, sale, kernels, start, previous), chip)

    return tap


@pytest.fixture
def storing(chip: PaperChip) -> PaperChip:
    """A card that has a slot for an operator's data, and nothing of his yet."""
    return replace(
        chip,
        pdol="9F5C08",
        capabilities="010000",
        storage_id=STORAGE_ID,
        options_extra=bytes.fromhex("9F5F0140 9F6F0140 9F7D08" + BEFORE + "9F7F0401020304"),
        record_extra=bytes.fromhex("9F5B0C" + DSDOL),
        summaries=BEFORE + AFTER,
    )


def stored(data: bytes) -> bytes:
    """The options of a card that has the operator's data."""
    return bytes.fromhex("9F7D08" + BEFORE) + emv_tlv.encode(0x9F54, data)


def sent(tap: Tap) -> tuple[int, bytes]:
    """P1 of GENERATE AC, and what was added to its data."""
    (found,) = (one for one in tap.commands if one[1] == 0xAE)
    # 36 bytes of the paper card's CDOL1.
    return found[2], found[5 + 36 : -1]


def test_the_operator_is_named_and_his_data_come_with_the_options(
    pay: Pay, storing: PaperChip
) -> None:
    """They are proved by the signature over the summary that stood beside them."""
    tap = pay(replace(storing, options_extra=stored(b"six coffees"), summaries=BEFORE), READER)

    (options,) = (one for one in tap.commands if one[1] == 0xA8)
    assert OPERATOR in options
    assert sent(tap) == (0x50, b"")
    assert tap.outcome.discretionary[0x9F54] == b"six coffees"
    assert tap.outcome.discretionary[0xDF810B] == b"\x80"
    assert 0xDF8102 not in tap.outcome.discretionary


def test_data_go_with_the_cryptogram_in_the_order_of_the_cards_list(
    pay: Pay, storing: PaperChip
) -> None:
    tap = pay(storing, WRITER)

    digest = data_storage.digest(bytes.fromhex(STORAGE_ID), OPERATOR, b"mine-new")
    assert sent(tap) == (0x90, b"theirold" + digest + b"\x40" + b"coff")
    assert tap.outcome.status is Status.ONLINE_REQUEST
    assert tap.outcome.discretionary[0xDF810B] == b"\xc0"
    assert tap.outcome.discretionary[0xDF8102] == bytes.fromhex(AFTER)


@pytest.mark.parametrize(
    ("control", "info", "operator"),
    [("80", 0x40, bytes(8)), ("80", 0x80, OPERATOR), ("40", 0x40, OPERATOR)],
)
def test_a_passing_note_on_a_card_for_keeps_has_no_owner(
    pay: Pay, storing: PaperChip, control: str, info: int, operator: bytes
) -> None:
    """A permanent slot that is written as volatile: the digest names no operator."""
    options = storing.options_extra.replace(b"\x9f\x6f\x01\x40", bytes.fromhex("9F6F01" + control))
    tap = pay(replace(storing, options_extra=options), replace(WRITER, info=info))

    digest = data_storage.digest(bytes.fromhex(STORAGE_ID), operator, b"mine-new")
    assert sent(tap)[1][8:16] == digest


@pytest.mark.parametrize(
    ("wants", "data_for", "for_reader", "asked", "is_written"),
    [
        (TC, TC, 0, TC, True),
        (TC, ARQC, 0, ARQC, True),
        (TC, AAC, 0, AAC, True),
        (ARQC, TC, 0x80, ARQC, False),
        (ARQC, TC, 0x40, ARQC, True),
        (ARQC, ARQC, 0, ARQC, True),
        (ARQC, AAC, 0, AAC, True),
        (AAC, TC, 0x40, AAC, False),
        (AAC, ARQC, 0x20, AAC, True),
        (AAC, AAC, 0, AAC, True),
        (ARQC, TC, 0x04, None, False),
        (AAC, ARQC, 0x44, None, False),
    ],
)
def test_data_are_for_a_cryptogram(
    pay: Pay,
    storing: PaperChip,
    wants: int,
    data_for: int,
    for_reader: int,
    asked: int | None,
    is_written: bool,
) -> None:
    """The one they are for, or a lower one; others as the operator says, or not at all."""
    codes = {
        TC: ActionCodes(online=TVR(0)),
        ARQC: ActionCodes(online=TVR.FLOOR_LIMIT_EXCEEDED),
        AAC: ActionCodes(denial=TVR.FLOOR_LIMIT_EXCEEDED),
    }
    storage = replace(WRITER, cryptogram=data_for, info_for_reader=for_reader)
    signed = BEFORE + (AFTER if is_written else "")
    tap = pay(
        replace(storing, wants=TC, summaries=signed),
        storage,
        action_codes=codes[wants],
        floor_limit_minor=0,
    )

    if asked is None:
        assert tap.outcome.status is Status.END_APPLICATION
        assert not any(one[1] == 0xAE for one in tap.commands)
        return
    control, added = sent(tap)
    # Signed even where it is a decline: the summaries come with the signature.
    assert control == asked | 0x10
    assert bool(added) is is_written
    assert tap.outcome.discretionary[0xDF810B] == (b"\xc0" if is_written else b"\x80")


@pytest.mark.parametrize(
    ("summaries", "for_reader", "reason"),
    [
        ("", 0, Reason.CARD_DATA_ERROR),
        (AFTER + AFTER, 0, Reason.CARD_DATA_ERROR),
        (BEFORE, 0, Reason.CARD_DATA_MISSING),
        (BEFORE + AFTER[2:], 0, Reason.CARD_DATA_MISSING),
        (BEFORE + BEFORE, 0x02, Reason.CARD_DATA_ERROR),
        (BEFORE + BEFORE, 0, None),
    ],
)
def test_what_the_card_signs_of_its_storage(
    pay: Pay, storing: PaperChip, summaries: str, for_reader: int, reason: Reason | None
) -> None:
    """Another reading than was shown, or a write that did not happen."""
    storage = replace(WRITER, info_for_reader=for_reader)
    outcome = pay(replace(storing, summaries=summaries), storage).outcome

    if reason is not None:
        assert (outcome.status, outcome.reason) == (Status.END_APPLICATION, reason)
        return
    assert outcome.status is Status.ONLINE_REQUEST
    assert outcome.discretionary[0xDF810B] == b"\x80"


@pytest.mark.parametrize("missing", ["9F5F0140", "9F7D08" + BEFORE, "9F7F0401020304"])
def test_options_without_a_part_of_the_storage_end_it(
    pay: Pay, storing: PaperChip, missing: str
) -> None:
    options = storing.options_extra.replace(bytes.fromhex(missing), b"")
    outcome = pay(replace(storing, options_extra=options), WRITER).outcome

    assert (outcome.status, outcome.reason) == (Status.END_APPLICATION, Reason.CARD_DATA_MISSING)


@pytest.mark.parametrize("summary", ["11", "11" * 7, "11" * 16])
def test_a_summary_of_another_length_proves_nothing(
    pay: Pay, storing: PaperChip, summary: str
) -> None:
    options = bytes.fromhex(f"9F7D{len(summary) // 2:02X}{summary} 9F5400")
    outcome = pay(replace(storing, options_extra=options, summaries=summary), READER).outcome

    assert (outcome.status, outcome.reason) == (Status.END_APPLICATION, Reason.CARD_DATA_ERROR)


@pytest.mark.parametrize("named", ["541333008960001002", "0541333008960001", "5413330089600010"])
def test_the_storage_of_another_card_ends_it(pay: Pay, storing: PaperChip, named: str) -> None:
    outcome = pay(replace(storing, storage_id=named), WRITER).outcome

    assert (outcome.status, outcome.reason) == (Status.END_APPLICATION, Reason.CARD_DATA_ERROR)


@pytest.mark.parametrize(
    ("changed", "storage"),
    [
        ({"capabilities": "020000"}, WRITER),
        ({"capabilities": "000000"}, WRITER),
        ({"storage_id": ""}, WRITER),
        ({}, None),
    ],
)
def test_who_does_not_share_it_does_without(
    pay: Pay, storing: PaperChip, changed: dict[str, str], storage: c2.DataStorage | None
) -> None:
    tap = pay(replace(storing, **changed), storage)  # type: ignore[arg-type]

    assert sent(tap) == (0x50, b"")
    assert tap.outcome.status is Status.ONLINE_REQUEST
    assert 0xDF810B not in tap.outcome.discretionary


def test_a_card_that_cannot_be_proved_is_not_written_to(pay: Pay, storing: PaperChip) -> None:
    tap = pay(replace(storing, ca_index="77"), WRITER)

    assert sent(tap)[1] == b""
    assert 0xDF810B not in tap.outcome.discretionary


def test_a_torn_write_is_judged_by_the_first_tap(pay: Pay, storing: PaperChip) -> None:
    """On the second one the card tells its new summary already."""
    storing.drdol, storing.lost_at, log = "9F02069F3704", 1, c2.TornLog()
    first = pay(storing, WRITER, log=log, torn_records_max=1)
    storing.options_extra = bytes.fromhex("9F7D08" + AFTER) + emv_tlv.encode(0x9F54, b"coff")
    second = pay(storing, WRITER, log=log, torn_records_max=1, previous=first.outcome)

    assert first.outcome.reason == Reason.LINK_LOST
    assert storing.generated == 1
    assert second.outcome.status is Status.ONLINE_REQUEST
    assert second.outcome.discretionary[0xDF810B] == b"\xc0"


@pytest.mark.parametrize(
    "wrong", [{"operator_id": b"short"}, {"input_card": b""}, {"data": bytes(161)}]
)
def test_an_operators_objects_have_their_lengths(wrong: dict[str, bytes]) -> None:
    with pytest.raises(ConfigurationError, match="kernel 2: "):
        replace(WRITER, **wrong)  # type: ignore[arg-type]


@settings(max_examples=60, deadline=None)
@given(
    options=st.binary(max_size=30),
    dsdol=st.binary(max_size=12),
    summaries=st.binary(max_size=24),
    identifier=st.binary(max_size=11),
)
def test_a_hostile_storage_gets_an_outcome(
    pki: PKI,
    terminal: Terminal,
    sale: Transaction,
    pump: Callable[..., Tap],
    new_chip: Callable[..., PaperChip],
    options: bytes,
    dsdol: bytes,
    summaries: bytes,
    identifier: bytes,
) -> None:
    """Nothing but declared errors inside, and no proof of what was not proved."""
    chip = new_chip(
        pdol="9F5C08",
        capabilities="010000",
        storage_id=identifier.hex() or STORAGE_ID,
        options_extra=emv_tlv.encode(0x9F7D, options),
        record_extra=emv_tlv.encode(0x9F5B, dsdol),
        summaries=summaries.hex(),
    )
    configuration = c2.Configuration(
        ca_keys=CAKeyStore([pki.ca_key(rid="A000000004")]), storage=WRITER
    )
    kernels = {2: c2.kernel({MASTERCARD: configuration})}
    config = EntryPointConfig(terminal, (Combination(MASTERCARD, 2),))
    outcome = pump(run(config, sale, kernels), chip).outcome

    told = outcome.discretionary.get(0xDF810B)
    assert told is None or summaries.startswith(options)
