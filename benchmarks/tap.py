"""One tap with offline data authentication, beside a bare replay of its APDUs.

The card simulator answers once. What it said is played back, so that only the
till's own work is on the clock.
"""

from __future__ import annotations

import datetime
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import config
from benchmarks.harness import Bar, Row, in_turns, row
from drivers.protocols import CardReader, Diagnosis, Health, Interface, Signal
from emv import entry_point
from emv.kernels import contact as contact_kernel
from emv.outcome import Outcome, Reason, Start, Status
from emv.tags import TAG_84_DF_NAME
from simulators.card import find_card, keys, make_card
from simulators.readers.in_process import InProcessReader
from terminal.checkout.card_facts import encode_record, facts_of
from terminal.checkout.cards import CardRules
from terminal.checkout.chip import Cardholder, ChipAnswers
from terminal.checkout.media import card_rules
from terminal.checkout.pump import Answers, converse

NOW = datetime.datetime(2026, 11, 24, 14, 32)  # noqa: DTZ001  # the till's own clock
CARD = "visa-offline"
"""It signs what it says, and approves below the floor limit."""
OTHERS = {
    "Mastercard, combined signature": "mastercard-cda-offline",
    "UnionPay, electronic cash": "unionpay-fdda-offline",
    "American Express, combined signature": "amex-cda-offline",
    "JCB, combined signature": "jcb-online",
    "Discover, combined signature": "discover-online-pin",
    "kernel 8, ECC certificates": "c8-local-authentication",
}
"""Cards of the other kernels that prove themselves."""
CHIP = "contact-cda-offline"
"""The same for a slot: it signs its cryptogram, and approves."""
AMOUNT_MINOR = 1250

Pay = Callable[[CardRules, CardReader], Outcome]
"""What a worker does with a card."""

Exchange = tuple[bytes, bytes]
"""C-APDU and R-APDU."""


def measure() -> list[Row]:
    """Measure from the amount to the record for the bank; the seal has a row of its own."""
    what = "till's CPU for one tap with offline data authentication"
    named = {what: CARD} | {f"{what}: {other}": card for other, card in OTHERS.items()}
    chip = "till's CPU for one chip in a slot, combined signature"
    return [
        *(_measure(title, card, tap, Bar(3)) for title, card in named.items()),
        _measure(chip, CHIP, insert, Bar(6)),
    ]


def _measure(title: str, card: str, pay: Pay, bar: Bar) -> Row:
    """Measure one card's payment."""
    with tempfile.TemporaryDirectory(prefix="opentill-bench-") as name:
        rules, tape = record(Path(name), card, pay)

    def replay() -> None:
        reader = Replay(tape)
        for command, _ in tape:
            reader.transceive(command)

    samples = in_turns(lambda: pay(rules, Replay(tape)), replay, rounds=21, batch=50)
    return row(
        title,
        samples.scaled(1e3),
        "ms",
        f"the same {len(tape)} APDUs, played back without a kernel",
        bar,
    )


def transaction() -> entry_point.Transaction:
    """Return the one sale, always at the same moment."""
    return entry_point.Transaction(
        amount_authorised_minor=AMOUNT_MINOR,
        currency=156,
        currency_exponent=2,
        date=NOW.date(),
        time=NOW.time(),
    )


def tap(rules: CardRules, reader: CardReader) -> Outcome:
    """Do all that the reader's worker does with a card, short of sealing its data."""
    sale = transaction()
    prepared = entry_point.pre_process(rules.config, sale)
    entry_point.refusal(prepared, sale)
    kernel = entry_point.run(rules.config, sale, rules.kernels, Start.A, None)
    return _finish(rules, converse(kernel, reader, _answers(rules)))


def insert(rules: CardRules, reader: CardReader) -> Outcome:
    """Do the same with a chip in a slot. Nobody asks its bank."""
    contact = rules.contact
    kernel = contact_kernel.process(contact.configuration, contact.terminal, transaction())
    holder = Cardholder(
        reader, ask=lambda *_: None, speak=lambda _: None, pins=None, wake=lambda: None
    )
    languages = contact.configuration.languages
    answers = ChipAnswers(_answers(rules), lambda _: None, holder, languages)
    return _finish(rules, converse(kernel, reader, answers))


def _answers(rules: CardRules) -> Answers:
    """Answer with always the same bytes: then the till sends the same commands each time."""
    return Answers(
        lambda count: b"\x01" * count,
        rules.is_on_exception_file,
        lambda _: None,
        lambda _: None,
    )


def _finish(rules: CardRules, outcome: Outcome) -> Outcome:
    facts_of(outcome, rules.brand_of(outcome.data_record[TAG_84_DF_NAME]))
    encode_record(outcome.data_record)
    return outcome


def record(home: Path, name: str = CARD, pay: Pay = tap) -> tuple[CardRules, Sequence[Exchange]]:
    """Return a shop's rules, and what its till and the card said to each other.

    home: an empty folder for the card's keys. name: the card's profile.
    Raises ValueError if the payment is not the one this figure is about.
    """
    ca_keys = keys.prepare(home, NOW.date())
    rules = card_rules(config.load_settings(config.BENCH, more_ca_keys=[ca_keys]))
    reader = InProcessReader(
        interface=Interface.CONTACT if pay is insert else Interface.CONTACTLESS
    )
    reader.present(make_card(find_card(name), home))
    reader.wait_for_card(0)
    recorder = Recorder(reader)
    outcome = pay(rules, recorder)
    is_taken = outcome.status in (Status.APPROVED, Status.ONLINE_REQUEST)
    if not is_taken or believes_anybody(recorder.tape, pay):
        raise ValueError(f"{name} was not taken for its signature")
    return rules, recorder.tape


def believes_anybody(tape: Sequence[Exchange], pay: Pay = tap) -> bool:
    """Return whether a shop without the scheme's key takes the same words: nothing was proved."""
    try:
        outcome = pay(card_rules(config.load_settings(config.BENCH)), Replay(tape))
    except OffTheTape:
        # It knows beforehand that it cannot verify, and asks for something else.
        return False
    return outcome.reason != Reason.NOT_AUTHENTIC


class OffTheTape(ValueError):
    """The till has sent another command than on the tape."""


class Replay:
    """A reader whose card says what a card has said before."""

    interface = Interface.CONTACTLESS

    def __init__(self, tape: Sequence[Exchange]) -> None:
        self._tape = iter(tape)

    def wait_for_card(self, timeout_s: float) -> bool:
        """The card is there."""
        return True

    def transceive(self, command: bytes) -> tuple[bytes, int]:
        """Return the next answer. Raises OffTheTape if it was to another command."""
        asked, answer = next(self._tape)
        if command != asked:
            raise OffTheTape("the till has sent another command than on the tape")
        return answer, 1000

    def release(self) -> None:
        """Nothing holds the card."""

    def signal(self, signal: Signal) -> None:
        """It has no lights."""

    def diagnose(self) -> Diagnosis:
        """It is always well."""
        return Diagnosis(Health.READY, "a tape")

    def close(self) -> None:
        """Nothing is open."""


class Recorder(Replay):
    """A reader that keeps what was said."""

    def __init__(self, reader: CardReader) -> None:
        super().__init__(())
        self._reader = reader
        self.tape: list[Exchange] = []

    def transceive(self, command: bytes) -> tuple[bytes, int]:
        """Pass the command on, and keep it with its answer."""
        answer, elapsed_us = self._reader.transceive(command)
        self.tape.append((command, answer))
        return answer, elapsed_us
