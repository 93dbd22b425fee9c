"""The issuer's answer at a second tap: who awaits it, what is told, what becomes of the payment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emv import tlv
from emv.conversation import IssuerAnswer
from emv.entry_point import Combination, EntryPointConfig, Terminal, Transaction, run
from emv.errors import ConfigurationError
from emv.kernels import c3
from emv.outcome import MessageId, Outcome, Reason, Start, Status

if TYPE_CHECKING:
    from tests.emv.conftest import PKI, PaperCard, Tap

    Pump = Callable[..., Tap]

pytestmark = pytest.mark.spec(
    "Book C-3, issuer update", "Book 3, 10.9", "Book 3, 10.10", source="ours"
)

UPDATES, UPDATES_NOT = "22008080", "22000080"
PROOF = bytes.fromhex("1122334455667788 3030")
FIRST, SECOND = bytes.fromhex("841E000008") + bytes(8), bytes.fromhex("8418000008") + bytes(8)


def script(template: int, *commands: bytes) -> bytes:
    inside = bytes.fromhex("9F1804 01020304") + b"".join(tlv.encode(0x86, one) for one in commands)
    return tlv.encode(template, inside)


@dataclass
class Hearing:
    """A card that answers the issuer's commands with these status words, by instruction."""

    card: PaperCard
    statuses: dict[int, str]
    lost_at: int = 0x100
    """The instruction at which it leaves."""

    def __call__(self, command: bytes) -> bytes | None:
        ins = command[1]
        if ins == self.lost_at:
            return None
        if ins in (0x82, 0x1E, 0x18):
            return bytes.fromhex(self.statuses.get(ins, "9000"))
        return self.card(command)


@pytest.fixture
def reader(pki: PKI, terminal: Terminal, visa: Combination) -> Callable[[str], EntryPointConfig]:
    def make(ttq: str) -> EntryPointConfig:
        return EntryPointConfig(terminal, (replace(visa, ttq=bytes.fromhex(ttq)),))

    return make


@pytest.fixture
def tap(
    pki: PKI, reader: Callable[[str], EntryPointConfig], sale: Transaction, pump: Pump
) -> Callable[..., Tap]:
    """A first tap, or the second of one that awaits its issuer."""

    def do(
        card: Callable[[bytes], bytes | None],
        previous: Outcome | None = None,
        issuer: IssuerAnswer | None = None,
        ttq: str = UPDATES,
    ) -> Tap:
        kernels = {3: c3.kernel(c3.Configuration(pki.store()))}
        start = Start.A if previous is None else Start.B
        return pump(run(reader(ttq), sale, kernels, start, previous, issuer), card)

    return do


@pytest.fixture
def asking(card: PaperCard) -> PaperCard:
    """A card that asks its issuer, and takes its answer later."""
    return replace(card, ctq="0040")


@pytest.mark.parametrize(
    ("ttq", "ctq", "iad", "awaits"),
    [
        (UPDATES, "0040", "06011203A00000", True),
        (UPDATES, "0000", "06011203A00000", False),
        (UPDATES_NOT, "0040", "06011203A00000", False),
        (UPDATES, None, "06011203A00000", False),
        (UPDATES, "0040", "06011203800000", False),
    ],
)
def test_both_must_know_it_and_the_issuer_be_asked(
    tap: Callable[..., Tap], card: PaperCard, ttq: str, ctq: str | None, iad: str, awaits: bool
) -> None:
    outcome = tap(replace(card, ctq=ctq, iad=iad), ttq=ttq).outcome

    assert outcome.awaits_issuer is awaits
    assert outcome.start is None
    shown = outcome.ui_on_restart.message if outcome.ui_on_restart else None
    assert shown is (MessageId.PRESENT_CARD_AGAIN if awaits else None)


@pytest.mark.parametrize(
    ("code", "status", "reason"),
    [
        (b"00", Status.APPROVED, ""),
        (b"10", Status.APPROVED, ""),
        (b"11", Status.APPROVED, ""),
        (b"05", Status.DECLINED, Reason.ISSUER_DECLINED),
        (b"01", Status.DECLINED, Reason.ISSUER_DECLINED),
    ],
)
def test_the_issuer_has_decided_and_the_card_is_told(
    tap: Callable[..., Tap], asking: PaperCard, code: bytes, status: Status, reason: str
) -> None:
    """Selected, proved to, told: no options, no cryptogram, no second payment."""
    scripts = script(0x71, FIRST) + script(0x72, SECOND)
    first = tap(asking).outcome
    second = tap(Hearing(asking, {}), first, IssuerAnswer(code, PROOF, scripts))

    assert (second.outcome.status, second.outcome.reason) == (status, reason)
    assert second.outcome.data_record == {}
    told = second.commands[2:]
    assert [one[1] for one in second.commands[:2]] == [0xA4, 0xA4]
    assert told == [b"\x00\x82\x00\x00\x0a" + PROOF, FIRST, SECOND]
    assert second.outcome.discretionary[0x9F5B] == 2 * bytes.fromhex("20 01020304")


@pytest.mark.parametrize(
    ("statuses", "scripts", "sent", "results"),
    [
        ({0x82: "6300"}, script(0x71, FIRST), [0x82], ""),
        ({0x1E: "6985"}, script(0x71, FIRST, SECOND), [0x82, 0x1E], "11 01020304"),
        ({0x18: "6985"}, script(0x71, FIRST, SECOND), [0x82, 0x1E, 0x18], "12 01020304"),
        ({0x1E: "6200"}, script(0x71, FIRST, SECOND), [0x82, 0x1E, 0x18], "20 01020304"),
        ({}, b"\x71\x05\x01", [0x82], "00 00000000"),
        ({}, b"\x73\x00", [0x82], "00 00000000"),
        ({}, b"", [0x82], ""),
    ],
)
def test_what_becomes_of_it_is_reported_and_changes_nothing(
    tap: Callable[..., Tap],
    asking: PaperCard,
    statuses: dict[int, str],
    scripts: bytes,
    sent: list[int],
    results: str,
) -> None:
    first = tap(asking).outcome
    second = tap(Hearing(asking, statuses), first, IssuerAnswer(b"00", PROOF, scripts))

    assert second.outcome.status is Status.APPROVED
    assert [one[1] for one in second.commands[2:]] == sent
    assert second.outcome.discretionary.get(0x9F5B, b"") == bytes.fromhex(results)


def test_scripts_go_without_a_proof_where_none_came(
    tap: Callable[..., Tap], asking: PaperCard
) -> None:
    answer = IssuerAnswer(b"00", scripts=script(0x72, FIRST))
    second = tap(Hearing(asking, {}), tap(asking).outcome, answer)

    assert second.commands[2:] == [FIRST]


@pytest.mark.parametrize("lost_at", [0x82, 0x1E, 0x18])
def test_a_card_that_leaves_has_paid_all_the_same(
    tap: Callable[..., Tap], asking: PaperCard, lost_at: int
) -> None:
    answer = IssuerAnswer(b"00", PROOF, script(0x71, FIRST) + script(0x72, SECOND))
    outcome = tap(Hearing(asking, {}, lost_at), tap(asking).outcome, answer).outcome

    assert outcome.status is Status.APPROVED
    told = outcome.discretionary.get(0x9F5B, b"")
    assert told == (bytes.fromhex("20 01020304") if lost_at == 0x18 else b"")


def test_a_card_of_another_kind_pays_nothing(
    tap: Callable[..., Tap], asking: PaperCard, card: PaperCard
) -> None:
    """Somebody else's card is in the field when the first one is awaited."""
    first = tap(asking).outcome
    entry = bytes.fromhex("4F07A0000000041010 870101")
    second = tap(replace(card, entries=[entry]), first, IssuerAnswer(b"00", PROOF))

    assert second.outcome.reason == Reason.NO_APPLICATION
    assert [one[1] for one in second.commands] == [0xA4]


def test_an_answer_that_nobody_awaits_is_a_mistake(
    tap: Callable[..., Tap], asking: PaperCard, card: PaperCard
) -> None:
    answer = IssuerAnswer(b"00", PROOF)

    with pytest.raises(ConfigurationError, match="awaits"):
        tap(asking, issuer=answer)
    with pytest.raises(ConfigurationError, match="awaits"):
        tap(card, tap(card).outcome, answer)


@settings(max_examples=60)
@given(scripts=st.binary(max_size=40), proof=st.binary(min_size=8, max_size=16), data=st.data())
def test_any_answer_and_any_card_end_in_what_the_issuer_decided(
    pki: PKI,
    terminal: Terminal,
    sale: Transaction,
    pump: Pump,
    new_card: Callable[..., PaperCard],
    scripts: bytes,
    proof: bytes,
    data: st.DataObject,
) -> None:
    visa = Combination(bytes.fromhex("A0000000031010"), 3, ttq=bytes.fromhex(UPDATES))
    kernels = {3: c3.kernel(c3.Configuration(pki.store()))}
    config, asking = EntryPointConfig(terminal, (visa,)), new_card(ctq="0040")
    first = pump(run(config, sale, kernels), asking).outcome

    def hostile(command: bytes) -> bytes | None:
        if command[1] == 0xA4:
            return asking(command)
        return data.draw(st.one_of(st.none(), st.binary(min_size=2, max_size=8)))

    answer = IssuerAnswer(b"05", proof, scripts)
    second = pump(run(config, sale, kernels, Start.B, first, answer), hostile, commands_max=60)
    assert second.outcome.status is Status.DECLINED
