"""The open payments, and what one step wishes done about them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from terminal.events import (
    Arm,
    Disarm,
    EndPin,
    Entry,
    JournalFailed,
    Purpose,
    Record,
    Send,
    SetTimer,
    StopTimer,
    TellCard,
    Timer,
    Wish,
)
from terminal.seams import Clock, Randomness
from terminal.states import FINAL, State, after
from terminal.states import Event as Move
from terminal.view import Kind, PaymentView

RECENT_MAX = 5
RETRY_FIRST_S = 1.0
RETRY_MAX_S = 60.0

NO_PAYMENT = PaymentView(
    id="",
    number=0,
    kind=Kind.SALE,
    state=State.AWAITING_TENDER,
    amount_minor=0,
    currency="",
    created_ms=0,
    updated_ms=0,
)
"""What a request is about that is about no payment."""


class Book:
    """Every payment that is not at its end, moved by the table and never past it."""

    def __init__(self, clock: Clock, random: Randomness) -> None:
        self._clock = clock
        self._random = random
        self._open: dict[str, PaymentView] = {}
        self._ended: dict[str, PaymentView] = {}
        """Payments that ended and are still looked at."""
        self._before: dict[str, PaymentView | None] = {}
        """What this step moved, as it stood before."""
        self._tries: dict[str, int] = {}
        self._next_try: dict[str, float] = {}
        self._in_flight: set[tuple[Purpose, str]] = set()
        self._wishes: list[Wish] = []
        self.recent: tuple[PaymentView, ...] = ()
        """The last few payments, newest first."""

    # --- one step -------------------------------------------------------------

    def begin(self) -> bool:
        """Begin a step; return whether the step before it had anything recorded."""
        recorded, self._before = bool(self._before), {}
        self._wishes = []
        return recorded

    def wish(self, wish: Wish) -> None:
        """Have this done after what was wished before it."""
        self._wishes.append(wish)

    @property
    def wishes(self) -> list[Wish]:
        """What this step wishes done, in order."""
        return self._wishes

    def undo(self, failed: JournalFailed) -> list[tuple[str, PaymentView | None]]:
        """Go back to what the disk holds; return each attempt as it stands there.

        What stood behind the record was not done: requests are taken as never
        sent, timers of other payments are set again.
        """
        self._wishes = []
        for wish in failed.undone:
            match wish:
                case Send(purpose, payment):
                    self.landed(purpose, payment.id)
                    if payment.id in self._open and payment.id not in failed.payments:
                        self.retry(payment)
                case TellCard():
                    # The approval behind it is not on disk: the chip shall decline.
                    self.wish(TellCard(wish.reader, wish.attempt))
                case SetTimer() | StopTimer() | Disarm() | EndPin():
                    # They move nothing, and other payments may wait for them.
                    self.wish(wish)
        held = [(attempt, self._before.get(attempt)) for attempt in failed.payments]
        for attempt, before in held:
            self._open.pop(attempt, None)
            self._ended.pop(attempt, None)
            if before is not None and before.state not in FINAL:
                self._open[attempt] = before
                self.retry(before)
        return held

    @staticmethod
    def had_armed(failed: JournalFailed) -> bool:
        """Say whether the devices were to be armed behind the failed record."""
        return any(isinstance(wish, Arm) for wish in failed.undone)

    # --- payments ---------------------------------------------------------------

    def get(self, attempt: str) -> PaymentView | None:
        """Return an open payment."""
        return self._open.get(attempt)

    def find(self, attempt: str) -> PaymentView | None:
        """Return an open payment, or one that has just ended."""
        return self._open.get(attempt) or self._ended.get(attempt)

    def payments(self) -> list[PaymentView]:
        """Return the open payments."""
        return list(self._open.values())

    def in_state(self, state: State) -> list[PaymentView]:
        """Return the open payments in one state."""
        return [payment for payment in self._open.values() if payment.state is state]

    def take_up(self, payment: PaymentView) -> None:
        """Take in a payment that an earlier till left open."""
        self._open[payment.id] = payment

    def amend(self, payment: PaymentView) -> PaymentView:
        """Note something of an open payment that the next record will carry."""
        self._open[payment.id] = payment
        return payment

    def forget_ended(self) -> None:
        """Nobody looks at what has ended any more."""
        self._ended.clear()

    def enter(self, payment: PaymentView) -> None:
        """Have a new payment recorded."""
        self._record(Entry(payment, None))

    def move(
        self, payment: PaymentView, move: Move, *, sealed: str | None = None, **changes: Any
    ) -> PaymentView:
        """Move a payment by the table, and have the move recorded.

        sealed: a sealed sale to keep with it; '' erases one.
        changes: fields of PaymentView with their new values.
        Raises IllegalTransition if the table has no such move.
        """
        moved = replace(
            payment,
            state=after(payment.state, move),
            updated_ms=self._clock.wall_ms(),
            **changes,
        )
        self._record(Entry(moved, move, sealed))
        if moved.state in FINAL:
            self.forget_tries(moved)
        return moved

    def _record(self, entry: Entry) -> None:
        payment = entry.payment
        self._before.setdefault(payment.id, self.find(payment.id))
        if payment.state in FINAL:
            self._open.pop(payment.id, None)
            self._ended[payment.id] = payment
        else:
            self._open[payment.id] = payment
        others = [other for other in self.recent if other.id != payment.id]
        self.recent = tuple(
            sorted([*others, payment], key=lambda other: -other.number)[:RECENT_MAX]
        )
        # All of it reaches the disk or none: a void without its sale would be
        # half a deed. A timer that stops is no deed that must wait for it.
        place = len(self._wishes) - 1
        while place >= 0 and isinstance(self._wishes[place], StopTimer):
            place -= 1
        if place >= 0 and isinstance(record := self._wishes[place], Record):
            self._wishes[place] = Record((*record.entries, entry))
        else:
            self.wish(Record((entry,)))

    # --- requests and timers ------------------------------------------------------

    def send(
        self,
        purpose: Purpose,
        payment: PaymentView,
        *,
        sealed: str = "",
        order: str = "",
        reason: str = "",
    ) -> None:
        """Ask the bank, unless the same question is under way."""
        if not self.is_in_flight(purpose, payment):
            self._in_flight.add((purpose, payment.id))
            self.wish(Send(purpose, payment, sealed, order, reason))

    def landed(self, purpose: Purpose, attempt: str) -> None:
        """A request has come to its end, whichever."""
        self._in_flight.discard((purpose, attempt))

    def is_in_flight(self, purpose: Purpose, payment: PaymentView) -> bool:
        """Say whether this question is under way."""
        return (purpose, payment.id) in self._in_flight

    def set_timer(self, name: str, payment: PaymentView, in_s: float) -> None:
        """Have a timer ring, in seconds from now; it replaces one of that name."""
        self.wish(SetTimer(Timer(name, payment.id), self._clock.monotonic() + in_s))

    def stop_timer(self, name: str, payment: PaymentView) -> None:
        """Have a timer not ring."""
        self.wish(StopTimer(Timer(name, payment.id)))

    # --- trying again -------------------------------------------------------------

    def retry(self, payment: PaymentView) -> None:
        """Follow this payment later: the longer, the more often it was tried.

        The tills that a bank has lost do not all come back at one moment:
        each waits between half the time and the whole of it.
        """
        tries = self.tries(payment)
        self._tries[payment.id] = tries + 1
        most_s = min(RETRY_MAX_S, RETRY_FIRST_S * 2.0 ** min(tries, 10))
        share = int.from_bytes(self._random(2), "big") / 0xFFFF
        delay_s = most_s * (1 + share) / 2
        self._next_try[payment.id] = self._clock.monotonic() + delay_s
        self.set_timer("follow", payment, delay_s)

    def tries(self, payment: PaymentView) -> int:
        """Return how often this payment was tried again in its state."""
        return self._tries.get(payment.id, 0)

    def next_try(self, payment: PaymentView) -> float | None:
        """Return when it is tried again, on the monotonic clock; None while it is."""
        return self._next_try.get(payment.id)

    def trying(self, payment: PaymentView) -> None:
        """It is being tried now."""
        self._next_try.pop(payment.id, None)

    def forget_tries(self, payment: PaymentView) -> None:
        """It went on: count from nothing again."""
        self._tries.pop(payment.id, None)
        self._next_try.pop(payment.id, None)
        self.stop_timer("follow", payment)
