"""What the screens ask of the till. terminal.till is the one that answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

from terminal.bench import Bench
from terminal.checkout.wedge import WedgeDetector
from terminal.view import Observer, PaymentView, ShopFacts, StoryLine, TraceLine, View

if TYPE_CHECKING:
    from terminal.doctor.lines import Line
    from terminal.doctor.surroundings import Screen
    from terminal.people.privileges import Role
    from terminal.people.register import Person


class StaffDoor(Protocol):
    """Who is signed in, and how people come, prove themselves and go.

    Every call may raise a TillError with a sentence for who asked.
    """

    @property
    def signed_in(self) -> Person | None:
        """Who is at the till."""

    @property
    def needs_first_supervisor(self) -> bool:
        """True in a till that nobody works at yet."""

    def take_in_first(self, name: str, called: str, secret: str, /) -> Person:
        """Take the first supervisor in."""

    def sign_in(self, name: str, secret: str, code: str = "", /) -> Person:
        """Let somebody to the till."""

    def sign_out(self) -> None:
        """Leave the till to nobody."""

    def approve(self, name: str, secret: str, code: str = "", /) -> Person:
        """Have somebody else say yes to what is asked for next."""

    def choose_secret(self, secret: str, /) -> None:
        """Set one's own secret."""

    def propose_app(self, shop: str, /) -> str:
        """Return what one's authenticator app scans."""

    def confirm_app(self, code: str, /) -> None:
        """Keep the app, as this code shows that it works."""

    def people(self) -> Sequence[Person]:
        """Return who works here."""

    def take_in(self, name: str, called: str, role: Role, /) -> str:
        """Take somebody in; return their first secret."""

    def reset(self, name: str, /) -> str:
        """Give somebody a first secret again; return it."""

    def let_go(self, name: str, /) -> None:
        """End somebody's work here."""


class DayDoor(Protocol):
    """The close of day. Every call returns at once; View tells how it goes on.

    Calls raise TillError with a sentence for who asked.
    """

    def ask_totals(self) -> None:
        """Sum the open batch up, and ask the bank what it has."""

    def compare_lines(self) -> None:
        """Have the open batch compared line by line."""

    def close(self) -> int:
        """Close the open batch; return its number."""

    def check(self, number: int, /) -> None:
        """Ask the bank again about a batch that is not closed."""

    def accept(self, number: int, note: str, /) -> None:
        """Take a batch as the bank has it."""


class Door(Protocol):
    """The till, as far as a screen may know it. Every call returns at once.

    Calls that wish for something raise TillError with a sentence for the cashier.
    """

    @property
    def shop(self) -> ShopFacts:
        """What does not change while the till runs."""

    @property
    def staff(self) -> StaffDoor:
        """Who is at the till."""

    @property
    def day(self) -> DayDoor:
        """The close of day."""

    @property
    def bench(self) -> Bench | None:
        """The far ends of the wires; None in a live shop."""

    def begin(self) -> None:
        """Bring devices and bank link up, now that the screen stands."""

    def now(self) -> float:
        """Seconds on the clock of View.deadline_at."""

    def wall_ms(self) -> int:
        """Unix time in milliseconds."""

    def view(self) -> View:
        """The till as it stands."""

    def subscribe(self, observer: Observer) -> Callable[[], None]:
        """Send each new view to the observer; return what ends that."""

    def wedge(self) -> WedgeDetector | None:
        """What tells the shop's scanner from a person's keys; None without a scanner."""

    def code_typed(self, text: str) -> bool:
        """Hand over what the scanner typed; False if no code is wanted now."""

    def sale(self, amount_minor: int, currency: str | None = None) -> str:
        """Begin a sale; return its identity."""

    def cancel(self) -> None:
        """Give the payment in hand up."""

    def show_code(self) -> None:
        """Put our code on the customer's screen."""

    def choose(self, place: int | None) -> None:
        """Tell the card which application its holder has chosen; None: none of them."""

    def refuse_signature(self) -> None:
        """The customer's signature is not the card's: give the money back."""

    def check_now(self) -> None:
        """Ask the bank at once."""

    def leave(self) -> None:
        """Close the result, or keep it and go on."""

    def refund(self, payment_id: str, amount_minor: int | None = None) -> str:
        """Give money back; return the refund's identity."""

    def void(self, payment_id: str) -> str:
        """Undo a sale that is not settled; return the void's identity."""

    def preauth(self, amount_minor: int) -> str:
        """Have the bank hold money; return the attempt's identity."""

    def balance(self) -> str:
        """Ask what a card's account has; return the inquiry's identity."""

    def moto(self, amount_minor: int, number: str, expiry: str) -> str:
        """Begin a sale to a card whose number was typed; return its identity."""

    def increment(self, payment_id: str, amount_minor: int) -> str:
        """Have more held under a pre-authorisation; return the increment's identity."""

    def complete(self, payment_id: str, amount_minor: int | None = None) -> str:
        """Take what is held, or this much; return the completion's identity."""

    def release(self, payment_id: str) -> str:
        """Let a hold or an increment go; return the release's identity."""

    def tip(self, payment_id: str, amount_minor: int) -> str:
        """Add a tip to a card payment; return the tip's identity."""

    def payments(self, search: str = "", limit: int = 200) -> Sequence[PaymentView]:
        """Return payments that match, newest first."""

    def payment(self, key: str) -> PaymentView:
        """Return one payment by identity or number."""

    def examine(self, screen: Screen) -> Iterator[Line]:
        """Give what the doctor finds, line after line. It waits: not for the screen's thread."""

    def trace(self, payment_id: str) -> Sequence[TraceLine]:
        """Return a payment's journal lines."""

    def story(self, payment_id: str) -> Sequence[StoryLine]:
        """Return what card and till said, and by which rules; nothing without a trace."""

    def receipt(self, payment_id: str, copy: bool = True) -> Sequence[str]:
        """Return a receipt's lines."""

    def print_receipt(self, payment_id: str) -> None:
        """Have a receipt printed as soon as the printer can."""

    def keep(self) -> None:
        """Keep the sale that was not sent, at the shop's risk."""

    def sync(self) -> None:
        """Reverse and send at once what waits for its turn."""

    def raise_offline_limit(self) -> None:
        """Let as much again be kept, until nothing is kept any more."""

    def read_bulletins(self, through: int) -> None:
        """Note that the bank's messages were read up to this number."""

    def kept(self) -> Sequence[PaymentView]:
        """Return the sales that the bank has still to be told of."""

    def inbox(self) -> Sequence[PaymentView]:
        """Return what the bank refused for good and somebody must settle."""

    def settle(self, payment_id: str, note: str) -> None:
        """Note how somebody has settled it."""

    def sign_out(self) -> None:
        """Leave the till to nobody; refused while a kept sale could be forgotten."""

    def open_drawer(self) -> None:
        """Open the cash drawer, if it can be opened now."""
