"""Writes a journal with a payment in every state that a till can be stopped in.

Run in a checkout of the release whose journal is wanted; README.md says how.
"""

from __future__ import annotations

import sys
from pathlib import Path

from terminal.batch.events import BatchCloseWanted, RecordBatch
from terminal.core.limits import Limits
from terminal.core.step import Core
from terminal.events import (
    Answered,
    AnswerLost,
    Arm,
    BankAnswer,
    CancelWanted,
    CardEnd,
    CardFacts,
    CardPresented,
    CardRead,
    CodeRead,
    CodeWanted,
    FollowUpWanted,
    InboxEvent,
    KeepWanted,
    NeverLeft,
    Purpose,
    Record,
    Refused,
    SaleWanted,
    Sending,
    Started,
)
from terminal.journal import Journal
from terminal.store import CurrencyLimits, OfflineLimits
from terminal.view import Kind, Medium

FACTS = CardFacts(Medium.CARD, "Visa", "476173******0119", "VISA CREDIT", "A0000000031010")
"""Of a published test number."""
SEALED = "test.data.sealed.to.nobody"
CHIP = CardFacts(Medium.CHIP, "Visa", "476173******0119", "VISA CREDIT", "A0000000031010")
PROOF = "signed.by.nobody"
APPROVED = BankAnswer("approved", "00", "700000000001", "ABC123")
KEEPS = OfflineLimits(defers=True, by_currency={"CNY": CurrencyLimits(10_000, 10_000)})


class Clock:
    """A second passes between two looks at the wall."""

    unix_ms = 1_795_500_000_000

    def monotonic(self) -> float:
        """Return seconds."""
        return self.unix_ms / 1000

    def wall_ms(self) -> int:
        """Return Unix milliseconds."""
        self.unix_ms += 1000
        return self.unix_ms


class Desk:
    """A journal, and one till after the other that writes it."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock()
        self.journal = Journal(folder, self.clock)
        self.count = 0
        self.batch = 1
        self.next_till()

    def next_till(self) -> None:
        """Let go of what the last till has in hand."""
        self.core = Core(
            self.clock,
            Limits(amount_max_minor=1_000_000, offline=KEEPS),
            self.journal.payment,
            bytes,
            self.journal.batch_payments,
        )
        self.arming = 0
        self.take(Started((), (), self.journal.next_number(), batch=self.batch))

    def take(self, *events: InboxEvent) -> None:
        """Give the core events; write down what it wishes."""
        for event in events:
            for wish in self.core.step(event):
                if isinstance(wish, Record):
                    self.journal.append(wish.entries)
                elif isinstance(wish, RecordBatch):
                    self.journal.append_batch(wish)
                elif isinstance(wish, Arm):
                    self.arming = wish.arming

    def identity(self) -> str:
        """Return the next attempt's."""
        self.count += 1
        return f"019b0000-0000-7000-8000-{self.count:012}"

    def sale(self, amount_minor: int) -> str:
        """Have a new till wait for a card or a code."""
        self.next_till()
        attempt = self.identity()
        self.take(SaleWanted(attempt, amount_minor, "CNY"))
        return attempt

    def tap(self, end: CardEnd = CardEnd.ONLINE) -> None:
        """Have a card read."""
        self.take(CardPresented(self.arming))
        self.take(CardRead(self.arming, end, facts=FACTS, sealed=SEALED, proof=PROOF))

    def sent(self, amount_minor: int) -> str:
        """Have a request on its way."""
        attempt = self.sale(amount_minor)
        self.tap()
        self.take(Sending(Purpose.PAY, attempt))
        return attempt


def main(folder: Path) -> None:
    """Write it."""
    desk = Desk(folder)
    approved = desk.sent(1250)
    desk.take(Answered(Purpose.PAY, approved, APPROVED))
    refund = desk.identity()
    desk.take(FollowUpWanted(refund, Kind.REFUND, approved, 250))
    desk.take(Sending(Purpose.PAY, refund), Answered(Purpose.PAY, refund, APPROVED))
    voided = desk.sent(1300)
    desk.take(Answered(Purpose.PAY, voided, APPROVED))
    void = desk.identity()
    desk.take(FollowUpWanted(void, Kind.VOID, voided))
    desk.take(Sending(Purpose.PAY, void), Answered(Purpose.PAY, void, APPROVED))
    declined = desk.sent(2000)
    desk.take(Answered(Purpose.PAY, declined, BankAnswer("declined", "51")))
    desk.sale(300)
    desk.take(CancelWanted())

    # From here on everything is open, the close of what was paid till now too.
    desk.take(BatchCloseWanted("Chen"))
    desk.batch = 2
    desk.sale(100)
    desk.sent(200)
    stored = desk.sale(400)
    desk.tap(CardEnd.APPROVED)
    desk.take(NeverLeft(Purpose.ADVISE, stored, "no network"))
    unknown = desk.sent(500)
    desk.take(AnswerLost(Purpose.PAY, unknown, "timeout"))
    reversing = desk.sent(600)
    desk.take(AnswerLost(Purpose.PAY, reversing, "timeout"))
    desk.take(Answered(Purpose.ASK, reversing, BankAnswer("not_found")))
    payer = desk.sale(700)
    desk.take(CodeRead(desk.arming, "Alipay", SEALED, "print"), Sending(Purpose.PAY, payer))
    desk.take(Answered(Purpose.PAY, payer, BankAnswer("pending")))
    for amount_minor, is_cancelled in ((800, False), (900, True)):
        shown = desk.sale(amount_minor)
        desk.take(CodeWanted(desk.identity()))
        code = BankAnswer("open", shown_code="https://pay.example/1", expires_at_ms=1)
        desk.take(Answered(Purpose.ORDER, shown, code))
        if is_cancelled:
            desk.take(CancelWanted())
    chip = desk.sale(1000)
    desk.take(CardPresented(desk.arming))
    desk.take(CardRead(desk.arming, CardEnd.ONLINE, facts=CHIP, sealed=SEALED, waits_for=chip))
    desk.take(Sending(Purpose.PAY, chip), Answered(Purpose.PAY, chip, APPROVED))
    deferred = desk.sale(1100)
    desk.tap()
    desk.take(NeverLeft(Purpose.PAY, deferred, "no network"), KeepWanted())
    refused = desk.sent(1200)
    desk.take(AnswerLost(Purpose.PAY, refused, "timeout"))
    desk.take(Answered(Purpose.ASK, refused, BankAnswer("not_found")))
    desk.take(Refused(Purpose.REVERSE, refused, 422, "not_possible"))
    declined_late = desk.sale(1400)
    desk.tap(CardEnd.APPROVED)
    desk.take(Sending(Purpose.ADVISE, declined_late))
    desk.take(Answered(Purpose.ADVISE, declined_late, BankAnswer("declined", "05")))
    desk.journal.verify()
    desk.journal.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
