"""What stands on a till's counter: an antenna, a slot, a camera; no thread behind any.

Conversations are held by the till's own workers, each in the moment when a
customer presents something. What they post arrives once the card has had its time.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Final

from drivers.errors import CardRemoved, DeviceTimeout
from drivers.protocols import (
    CardReader,
    Diagnosis,
    Health,
    Interface,
    Scanner,
    Signal,
    Symbol,
    Symbology,
)
from drivers.registry import Drivers, Entry, Registry
from emv.conversation import Answer, AskIssuer, Question
from emv.outcome import Outcome, Status
from simulators.card import Answer as CardAnswer
from simulators.card import AnyCard
from simulators.responses import Torn
from simulators.world.agenda import Agenda
from terminal.checkout.cards import CardWorker
from terminal.checkout.chip import DECLINE, Cardholder, ChipAnswers, issuer_answer
from terminal.checkout.codes import CodeWorker
from terminal.checkout.media import open_media
from terminal.checkout.pump import questions_of
from terminal.events import (
    Arm,
    AskPin,
    CardCompleted,
    CardEnd,
    CardPresented,
    InboxEvent,
    TellCard,
)
from terminal.linking import Keys
from terminal.news.terms import InForce
from terminal.questions import AnswerCard
from terminal.seams import Clock, Randomness

APDU_US: Final = 15_000
"""What one command takes, over the air or in the slot."""


class WorldReader:
    """A reader in which a card is or is not. Satisfies drivers.protocols.CardReader."""

    def __init__(self, interface: Interface) -> None:
        self._interface = interface
        self._card: AnyCard | None = None
        self.spent_us = 0
        """How long the conversation has taken so far."""

    def put(self, card: AnyCard) -> None:
        """Put a card there, powered."""
        self._card, self.spent_us = card, 0
        card.power_up()

    def take_away(self) -> None:
        """Take it away, in the middle of a conversation too."""
        self._card = None

    @property
    def interface(self) -> Interface:
        """Antenna or slot."""
        return self._interface

    def wait_for_card(self, timeout_s: float) -> bool:
        """True if a card is there; nobody waits here."""
        return self._card is not None

    def transceive(self, command: bytes) -> tuple[bytes, int]:
        """Send a C-APDU; return the R-APDU and the time it took, in microseconds.

        Raises CardRemoved if the card left, DeviceTimeout if it is silent.
        """
        if self._card is None:
            raise CardRemoved("no card is there")
        response = self._card.respond(command)
        self.spent_us += APDU_US
        if isinstance(response, CardAnswer):
            self.spent_us += response.delay_us
            return response.data, APDU_US + response.delay_us
        if isinstance(response, Torn):
            self._card = None
            raise CardRemoved("the card left while it was being talked to")
        raise DeviceTimeout("the card said nothing")

    def release(self) -> None:
        """Power the card down."""

    def signal(self, signal: Signal) -> None:
        """Nobody looks at its lights."""

    def diagnose(self) -> Diagnosis:
        """Say how the reader is."""
        return Diagnosis(Health.READY, "a reader of a world")

    def close(self) -> None:
        """Let the reader go."""


@dataclass(slots=True)
class _Chip:
    """A chip in the slot, in the middle of its payment."""

    arm: Arm
    talk: Generator[Question, Answer, Outcome]
    answers: ChipAnswers
    has_asked: bool = False


class Counter:
    """One counter, whichever till runs at it; satisfies terminal.executor.Devices."""

    def __init__(
        self,
        in_force: InForce,
        keys: Keys,
        agenda: Agenda,
        clock: Clock,
        random: Randomness,
        post: Callable[[InboxEvent], None],
    ) -> None:
        self._agenda = agenda
        self._post = post
        self._antenna = WorldReader(Interface.CONTACTLESS)
        self._slot = WorldReader(Interface.CONTACT)
        self._lag_s: Callable[[], float] = lambda: 0.0
        media = open_media(in_force, self._drivers(), keys, clock, random, self._hear, None)
        # As the bench shop's file has them: an antenna, a slot, a camera.
        self._taps, self._chips = [each for each in media.workers if isinstance(each, CardWorker)]
        (self._codes,) = [each for each in media.workers if isinstance(each, CodeWorker)]
        # Nobody here is asked for a PIN, or which application is to pay.
        self._holder = Cardholder(
            self._slot, lambda _question, _has_come: None, lambda _to: None, None, lambda: None
        )
        self._agreed: set[str] = set()
        self._chip: _Chip | None = None
        self._last: tuple[str, Outcome] | None = None
        """The last tap's outcome, for the same sale's next."""
        self.armed: Arm | None = None

    def _drivers(self) -> Drivers:
        """Return the table in which the bench shop's devices are this counter's."""
        readers: dict[str, Entry[CardReader]] = {
            "simulated": Entry(lambda: self._antenna, simulated=True),
            "simulated-slot": Entry(lambda: self._slot, simulated=True),
        }
        # Codes are shown to the worker itself; no picture of them is taken.
        camera: Entry[Scanner] = Entry("drivers.scanner_camera:CameraScanner", simulated=True)
        return Drivers(
            readers=Registry("reader", readers),
            scanners=Registry("scanner", {"simulated-camera": camera}),
        )

    @property
    def places(self) -> tuple[tuple[str, str], ...]:
        """Name and role of every device."""
        return tuple(worker.place for worker in (self._taps, self._chips, self._codes))

    def power_down(self) -> None:
        """The till is off: whatever was going on is over."""
        self.armed = self._chip = self._last = None

    # --- what the core wishes ---------------------------------------------------

    def arm(self, wish: Arm) -> None:
        """Look for a customer's card or code."""
        self.armed = wish

    def disarm(self) -> None:
        """Look no longer."""
        self.armed = None

    def tell_card(self, wish: TellCard | AnswerCard) -> None:
        """Give the chip that waits its issuer's word."""
        chip = self._chip
        if isinstance(wish, TellCard) and chip is not None and chip.arm.attempt == wish.attempt:
            self._chip = None
            self._agenda.after(0, lambda: self._go_on(chip, issuer_answer(wish)))

    def ask_pin(self, wish: AskPin) -> None:
        """There is no PIN pad here, and so no card is kept for one."""
        raise AssertionError("a PIN was asked for where there is no pad")

    def end_pin(self, asking: int = 0) -> None:
        """Nobody was asked."""

    # --- what customers do --------------------------------------------------------

    def tap(self, card: AnyCard) -> CardEnd | None:
        """Hold a card to the antenna; return what it came to, None if nobody looked."""
        arm, reader = self.armed, self._antenna
        if arm is None:
            return None
        previous = self._last[1] if self._last and self._last[0] == arm.attempt else None
        reader.put(card)
        self._lag_s = lambda: reader.spent_us / 1e6
        outcome, end = self._taps.tap(arm, reader, self._taps.transaction(arm), previous)
        self._last = arm.attempt, outcome
        return end

    def insert(self, card: AnyCard) -> bool:
        """Put a card into the slot; False if nobody looked."""
        arm = self.armed
        if arm is None:
            return False
        self._slot.put(card)
        self._lag_s = lambda: self._slot.spent_us / 1e6
        self._hear(CardPresented(arm.arming, self._chips.place[0]))
        kernel, answers = self._chips.chip_talk(arm, self._slot, lambda _online: None, self._holder)
        self._go_on(_Chip(arm, questions_of(kernel, self._slot), answers), None)
        return True

    def pull(self) -> None:
        """Pull the card out of the slot, whatever it is doing."""
        self._slot.take_away()

    def scan(self, code: str) -> bool:
        """Hold a payment code before the camera; False if nobody looked."""
        if self.armed is None:
            return False
        self._lag_s = lambda: 0.05
        return self._codes.judge(self.armed, [Symbol(Symbology.QR, code.encode("ascii"))])

    def _go_on(self, chip: _Chip, answer: Answer) -> None:
        """Carry a chip's payment to the bank's word, or to the card's last one."""
        self._lag_s = lambda: self._slot.spent_us / 1e6
        while True:
            try:
                question = chip.talk.send(answer)
            except StopIteration as finished:
                self._finish(chip, finished.value)
                return
            if not isinstance(question, AskIssuer):
                answer = chip.answers.ask(question)
                continue
            chip.has_asked = True
            if self._is_handed_on(chip, question):
                self._chip = chip
                return
            answer = DECLINE

    def _is_handed_on(self, chip: _Chip, question: AskIssuer) -> bool:
        """Hand a chip's request to the core, unless its sale is over."""
        if self.armed is not chip.arm:
            return False
        online = Outcome(Status.ONLINE_REQUEST, cvm=question.cvm, data_record=question.data_record)
        end = self._chips.report(chip.arm, online, waits_for=chip.arm.attempt)
        return end is CardEnd.ONLINE

    def agreed(self, attempt: str) -> bool:
        """True if a chip's last word on a payment was a yes."""
        return attempt in self._agreed

    def _finish(self, chip: _Chip, outcome: Outcome) -> None:
        if outcome.status is Status.APPROVED:
            self._agreed.add(chip.arm.attempt)
        if chip.has_asked:
            self._hear(CardCompleted(chip.arm.attempt, outcome.status is Status.APPROVED))
        else:
            self._chips.report(chip.arm, outcome)

    def _hear(self, event: InboxEvent) -> None:
        """Take what a worker posts; the card's time has to pass first."""
        self._agenda.after(self._lag_s(), lambda: self._post(event))
