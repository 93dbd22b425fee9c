"""The one door: what a cashier, a cash register or a script can ask for.

Every face of the till (screen, line mode, command line) comes through here;
none has a way of its own.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Iterator, Sequence
from typing import IO, TYPE_CHECKING

from drivers.protocols import TypedScanner
from terminal.batch.door import DayDoor
from terminal.bench import Bench
from terminal.checkout.keyed import keyed_card
from terminal.checkout.wedge import WedgeDetector
from terminal.errors import AmountRefused, NotAllowed, RegisterUnusable
from terminal.events import (
    CancelWanted,
    CheckWanted,
    CodeWanted,
    Exported,
    FollowUpWanted,
    JournalFailed,
    KeepWanted,
    LeaveWanted,
    RaiseWanted,
    SaleWanted,
    SettleWanted,
    SignatureRefused,
    SyncWanted,
    Tender,
)
from terminal.journal import Journal
from terminal.news.events import BulletinsRead
from terminal.people.notes import checked_note
from terminal.people.privileges import Act
from terminal.people.register import Person
from terminal.people.staff import Staff
from terminal.questions import ChoiceMade
from terminal.receipts.desk import ReceiptDesk
from terminal.receipts.receipt import ReceiptWriter
from terminal.runner import Runner
from terminal.seams import Clock, Randomness, uuid7
from terminal.states import FOR_A_PERSON, KEPT
from terminal.store import refuse_while_kept
from terminal.view import Kind, Observer, PaymentView, ShopFacts, StoryLine, TraceLine, View

if TYPE_CHECKING:
    from terminal.doctor.examination import Doctor
    from terminal.doctor.lines import Line
    from terminal.doctor.surroundings import Screen


class Till:
    """A till that is open for business. Its calls return at once.

    Whatever it cannot do it refuses with a TillError that says why and what
    to do; nothing has changed then.
    """

    def __init__(
        self,
        shop: Callable[[], ShopFacts],
        writer: ReceiptWriter,
        runner: Runner,
        journal: Journal,
        clock: Clock,
        random: Randomness,
        staff: Staff,
        *,
        bench: Bench | None,
        seal_keyed: Callable[[str, str, str], str],
        receipts: ReceiptDesk | None = None,
        keyboard: TypedScanner | None = None,
        doctor: Callable[[], Doctor] | None = None,
        story: Callable[[str], Sequence[StoryLine]] = lambda _: (),
        note_read: Callable[[int], None] = lambda _number: None,
        starters: Sequence[Callable[[], None]] = (),
        closers: Sequence[Callable[[], None]] = (),
    ) -> None:
        """shop: returns the facts that hold; they change between sales only.
        seal_keyed: attempt, number and expiry of a typed card to what only the bank opens.
        receipts: what prints them; None in a shop without a printer.
        keyboard: the hand scanner that types; None without.
        story: an attempt's identity to what was written of its cards.
        note_read: keeps the number of the bank's message that was read last.
        starters: what begin() starts; closers: what close() closes, in this order.
        """
        self._shop = shop
        self.bench = bench
        self._writer = writer
        self._seal_keyed = seal_keyed
        self._receipts = receipts
        self._keyboard = keyboard
        self._doctor = doctor
        self._story = story
        self._note_read = note_read
        self.staff = staff
        """Who is signed in here; a face signs people in and out through it."""
        self._runner = runner
        self._journal = journal
        self.day = DayDoor(runner, journal, self._check)
        """The close of day."""
        self._clock = clock
        self._random = random
        self._starters = list(starters)
        self._closers = list(closers)

    @property
    def shop(self) -> ShopFacts:
        """What the screens show of the shop."""
        return self._shop()

    def begin(self) -> None:
        """Bring devices and bank link up, each on its own thread. Safe to call twice.

        A screen is drawn before, so that no library of theirs delays it.
        """
        starters, self._starters = self._starters, []
        for start in starters:
            start()

    # --- time and sight -----------------------------------------------------

    def now(self) -> float:
        """Return seconds on the clock that View's moments are on."""
        return self._clock.monotonic()

    def wall_ms(self) -> int:
        """Return Unix milliseconds, for the clock people read."""
        return self._clock.wall_ms()

    def view(self) -> View:
        """Return the till as it stands."""
        return self._runner.view

    def subscribe(self, observer: Observer) -> Callable[[], None]:
        """Hand each new view to the observer, on the core's thread; returns how to end it."""
        return self._runner.subscribe(observer)

    # --- a scanner that types -------------------------------------------------

    def wedge(self) -> WedgeDetector | None:
        """Return what tells this shop's scanner from a person's keys; None without one."""
        if self._keyboard is None:
            return None
        return WedgeDetector(prefix=self._keyboard.prefix, suffix=self._keyboard.suffix)

    def code_typed(self, text: str) -> bool:
        """Take a code that the scanner typed. False if none is wanted now: it is forgotten."""
        return self._keyboard is not None and self._keyboard.offer(text)

    # --- wishes -------------------------------------------------------------

    def sale(self, amount_minor: int, currency: str | None = None) -> str:
        """Begin a sale; return the attempt's identity, which is on disk by then.

        Raises AmountRefused, NotAllowed, Busy, JournalUnavailable.
        """
        if currency is not None and currency != self.shop.currency:
            raise AmountRefused(
                f"This till takes {self.shop.currency}, not {currency}: enter the amount in it"
            )
        return self._begin(Kind.SALE, amount_minor)

    def preauth(self, amount_minor: int) -> str:
        """Have the bank hold money for the shop; return the attempt's identity.

        Raises AmountRefused, NotAllowed, Busy, JournalUnavailable.
        """
        return self._begin(Kind.PREAUTH, amount_minor)

    def balance(self) -> str:
        """Ask what a card's account has; return the inquiry's identity.

        Raises NotAllowed, Busy, JournalUnavailable.
        """
        return self._begin(Kind.BALANCE, 0)

    def moto(self, amount_minor: int, number: str, expiry: str) -> str:
        """Begin a sale to a card that is not here, an order by mail or telephone.

        number, expiry: as typed; they are under the seal before this returns, and
        nowhere else. Returns the attempt's identity. Raises ApprovalNeeded,
        AmountRefused, NotAllowed, Busy, MalformedMessage where the bank takes none.
        """
        now = datetime.datetime.fromtimestamp(self._clock.wall_ms() // 1000, datetime.UTC)
        card = keyed_card(number, expiry, now.date())
        cashier = self._check(Act.KEY_CARD_IN)
        attempt = uuid7(self._clock, self._random)
        sealed = self._seal_keyed(attempt, card.pan, card.expires)
        tender = Tender(sealed, is_offline=False, facts=card.facts)
        self._runner.ask(
            SaleWanted(attempt, amount_minor, self.shop.currency, cashier.called, Kind.SALE, tender)
        )
        return attempt

    def _begin(self, kind: Kind, amount_minor: int) -> str:
        cashier = self._check(Act.SELL)
        attempt = uuid7(self._clock, self._random)
        wish = SaleWanted(attempt, amount_minor, self.shop.currency, cashier.called, kind)
        self._runner.ask(wish)
        return attempt

    def cancel(self) -> None:
        """Cancel the payment in hand. Raises NotAllowed once it was sent."""
        self._runner.ask(CancelWanted())

    def show_code(self) -> None:
        """Show the customer a code to scan. Raises NotAllowed when it cannot be now."""
        self._runner.ask(CodeWanted(uuid7(self._clock, self._random)))

    def choose(self, place: int | None) -> None:
        """Tell the card which application its holder has chosen, by its place; None: none.

        Raises NotAllowed if no card asks, or has not so many.
        """
        self._runner.ask(ChoiceMade(place))

    def refuse_signature(self) -> None:
        """The customer's signature is not the card's: give the money back.

        Raises NotAllowed if none is asked for, or its batch is closed.
        """
        self._check(Act.SELL)
        self._runner.ask(SignatureRefused())

    def check_now(self) -> None:
        """Ask the bank about the payment in hand at once."""
        self._runner.ask(CheckWanted())

    def leave(self) -> None:
        """Close the result; what the bank has not ended is followed on.

        Raises NotAllowed while the payment still needs the cashier.
        """
        self._runner.ask(LeaveWanted())

    def refund(self, payment_id: str, amount_minor: int | None = None) -> str:
        """Give back what is left of a sale, or this much; return the refund's identity.

        Raises ApprovalNeeded, AlreadySettled, AmountRefused, NotAllowed,
        UnknownPayment, Busy.
        """
        sale = self._journal.payment(payment_id)
        left_minor = sale.amount_minor - sale.refunded_minor
        wanted_minor = left_minor if amount_minor is None else amount_minor
        limit_minor = self.shop.refund_limit_minor
        is_over = limit_minor is not None and wanted_minor > limit_minor
        act = Act.EXCEED_REFUND_LIMIT if is_over else Act.GIVE_BACK
        return self._follow_up(act, Kind.REFUND, sale, amount_minor)

    def void(self, payment_id: str) -> str:
        """Undo a whole sale, completion or tip; return the void's identity.

        Raises ApprovalNeeded, NotAllowed, UnknownPayment, Busy.
        """
        return self._follow_up(Act.GIVE_BACK, Kind.VOID, self._journal.payment(payment_id))

    def increment(self, payment_id: str, amount_minor: int) -> str:
        """Have so much more held under a pre-authorisation; return the increment's identity.

        Raises AmountRefused, NotAllowed, UnknownPayment, Busy.
        """
        preauth = self._journal.payment(payment_id)
        return self._follow_up(Act.SELL, Kind.INCREMENT, preauth, amount_minor)

    def complete(self, payment_id: str, amount_minor: int | None = None) -> str:
        """Take what is held under a pre-authorisation, or this much; the rest is let go.

        Returns the completion's identity. Raises AmountRefused, NotAllowed,
        UnknownPayment, Busy.
        """
        preauth = self._journal.payment(payment_id)
        return self._follow_up(Act.SELL, Kind.COMPLETION, preauth, amount_minor)

    def release(self, payment_id: str) -> str:
        """Let a hold go, or one increment of it; return the release's identity.

        Raises ApprovalNeeded, NotAllowed, UnknownPayment, Busy.
        """
        return self._follow_up(Act.GIVE_BACK, Kind.RELEASE, self._journal.payment(payment_id))

    def tip(self, payment_id: str, amount_minor: int) -> str:
        """Add a tip to a card payment whose batch is open; return the tip's identity.

        Raises AmountRefused, NotAllowed, UnknownPayment, Busy.
        """
        return self._follow_up(Act.SELL, Kind.TIP, self._journal.payment(payment_id), amount_minor)

    def _follow_up(
        self, act: Act, kind: Kind, original: PaymentView, amount_minor: int | None = None
    ) -> str:
        cashier = self._check(act, f"{original.number:04}")
        attempt = uuid7(self._clock, self._random)
        self._runner.ask(FollowUpWanted(attempt, kind, original.id, amount_minor, cashier.called))
        return attempt

    # --- what the bank has to say ----------------------------------------------

    def read_bulletins(self, through: int) -> None:
        """Note that somebody has read the bank's messages up to this number.

        Raises NotAllowed.
        """
        self._check(Act.SELL, f"message {through}")
        try:
            self._note_read(through)
        except OSError as error:
            raise NotAllowed(f"The disk does not take it: {error.strerror}") from error
        self._runner.ask(BulletinsRead(through))

    # --- what is kept while the bank is not reached ---------------------------

    def keep(self) -> None:
        """Keep the sale that was not sent, at the shop's risk. Raises NotAllowed."""
        self._check(Act.SELL)
        self._runner.ask(KeepWanted())

    def sync(self) -> None:
        """Reverse and send at once what waits for its turn."""
        self._runner.ask(SyncWanted())

    def raise_offline_limit(self) -> None:
        """Let as much again be kept, until nothing is kept any more.

        Raises ApprovalNeeded, NotAllowed.
        """
        self._check(Act.RAISE_OFFLINE_LIMIT)
        self._runner.ask(RaiseWanted())

    def kept(self) -> Sequence[PaymentView]:
        """Return the sales that the bank has still to be told of, oldest first."""
        return [payment for payment in self._journal.unfinished() if payment.state in KEPT]

    def inbox(self) -> Sequence[PaymentView]:
        """Return what the bank has refused for good and somebody must settle, oldest first."""
        return [payment for payment in self._journal.unfinished() if payment.state in FOR_A_PERSON]

    def settle(self, payment_id: str, note: str) -> None:
        """Note how somebody has settled what the bank refused; a receipt says it too.

        Raises ApprovalNeeded, NotAllowed, UnknownPayment.
        """
        payment = self._journal.payment(payment_id)
        if payment.state not in FOR_A_PERSON:
            raise NotAllowed(f"Payment {payment.number} waits for nobody's decision")
        note = checked_note(note)
        person = self._check(Act.SETTLE, f"{payment.number:04}")
        self._runner.ask(SettleWanted(payment.id, note, person.called))
        if self._receipts is not None and self.shop.has_printer:
            self._receipts.print(payment.id)

    def export(self, out: IO[str]) -> int:
        """Write the kept sales, sealed as they are, for the bank; return how many.

        Raises ApprovalNeeded, NotAllowed, OSError.
        """
        self._check(Act.SETTLE)
        kept = self.kept()
        for payment in kept:
            sealed, _, proof = self._journal.sealed(payment.id).partition("\n")
            line = {
                "attempt": payment.id,
                "number": payment.number,
                "amount_minor": payment.amount_minor,
                "currency": payment.currency,
                "created_ms": payment.created_ms,
                "deferred": payment.is_deferred,
                "sealed": sealed,
                "proof": proof,
            }
            out.write(json.dumps(line) + "\n")
        out.flush()
        self._runner.ask(Exported(tuple(payment.id for payment in kept)))
        return len(kept)

    def sign_out(self) -> None:
        """Leave the till to nobody. Raises NotAllowed while a kept sale could be forgotten."""
        refuse_while_kept(self.kept())
        self.staff.sign_out()

    def _check(self, act: Act, about: str = "") -> Person:
        """Return who does it, if it may be done. Raises ApprovalNeeded, NotAllowed."""
        try:
            return self.staff.check(act, about)
        except RegisterUnusable as error:
            # The disk that will not take the audit log is the journal's too.
            self._runner.post(JournalFailed((), (), str(error)))
            raise

    # --- memory -------------------------------------------------------------

    def payments(self, search: str = "", limit: int = 200) -> Sequence[PaymentView]:
        """Return payments, newest first."""
        return self._journal.payments(search, limit)

    def payment(self, key: str) -> PaymentView:
        """Return the payment of this identity or number. Raises UnknownPayment."""
        return self._journal.payment(key)

    def trace(self, payment_id: str) -> Sequence[TraceLine]:
        """Return what happened to a payment, step by step."""
        return self._journal.trace(self._journal.payment(payment_id).id)

    def story(self, payment_id: str) -> Sequence[StoryLine]:
        """Return what card and till said, and by which rules; nothing without a trace.

        Raises UnknownPayment, NotAllowed.
        """
        return self._story(self._journal.payment(payment_id).id)

    def receipt(self, payment_id: str, copy: bool = True) -> Sequence[str]:
        """Return the receipt's lines; a copy says that it is one."""
        return self._writer.lines(self._journal.payment(payment_id), copy=copy)

    # --- paper ----------------------------------------------------------------

    def print_receipt(self, payment_id: str) -> None:
        """Print a payment's receipt as soon as the printer can; a copy says that it is one.

        Raises UnknownPayment, NotAllowed.
        """
        payment = self._journal.payment(payment_id)
        if self._receipts is None or not self.shop.has_printer:
            raise NotAllowed("This till prints no receipts")
        self._receipts.print(payment.id)

    def open_drawer(self) -> None:
        """Open the cash drawer, if it can be opened now. Raises NotAllowed."""
        if self._receipts is None or not self.shop.has_drawer:
            raise NotAllowed("This till has no cash drawer")
        self._receipts.open_drawer()

    # --- health -------------------------------------------------------------

    def examine(self, screen: Screen) -> Iterator[Line]:
        """Give what the doctor finds, line after line; each may take seconds."""
        if self._doctor is None:
            return iter(())
        return self._doctor().examine(screen, self._runner.readiness)

    def close(self) -> None:
        """Close the till; what is open is followed at the next start."""
        self._runner.stop()
        for close in self._closers:
            close()
        self._closers.clear()
        self._journal.close()
        self.staff.close()
