"""`till sale`: a whole payment without a screen, through the same door."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar, cast

import click

from config.schema import Settings
from terminal.bench import Bench
from terminal.commands import output
from terminal.commands.place import Place, Refusal, refusals
from terminal.commands.watch import Watch, watching
from terminal.commands.who import acting, sign_in
from terminal.errors import AmountRefused, NotAllowed
from terminal.messages import TEXT, Message
from terminal.money import currency_of, parse_amount
from terminal.states import FINAL, KEPT, State
from terminal.till import Till
from terminal.view import PaymentView, Readiness, Stage, View

F = TypeVar("F", bound=Callable[..., Any])

READY_S = 30.0
"""Longest wait for devices and bank to come up."""
UNKNOWN_S = 20.0
"""How long a script waits for a payment in doubt; the till follows it on at its next start."""
FORWARD_S = 3.0
SALE_S = 600.0
"""Longer than every timeout of a sale together."""
TAPS_MAX = 3
TAKEN = frozenset({State.APPROVED, State.STORED})
ON_THE_WAY = TAKEN | {State.REVERSING}


@dataclass(frozen=True, slots=True)
class Offered:
    """What a customer does in a simulated shop."""

    present: str | None
    """What is presented; None waits for a customer."""
    pins: tuple[str, ...]
    """What is typed where a PIN is asked for, one after the other; without any it is
    left to whoever stands at the PIN pad."""
    choice: int | None
    """Which of a chip's applications pays, from 1; None: none of several."""

    def check(self, settings: Settings) -> None:
        """Raise click.UsageError for what this shop cannot have a customer do."""
        if self.present is not None and settings.shop.mode != "bench":
            raise click.UsageError("--present works in a simulated shop only; this one is live")
        if self.pins and settings.shop.mode != "bench":
            raise click.UsageError("--pin works in a simulated shop only; this one is live")
        if not all(pin.isascii() and pin.isdigit() and 4 <= len(pin) <= 12 for pin in self.pins):
            raise click.BadParameter("a PIN has 4 to 12 digits", param_hint="--pin")


def offering(function: F) -> F:
    """Add --present, --pin and --choose to a command that takes a card or a code."""

    @wraps(function)
    def offered(
        *args: Any, present: str | None, pins: tuple[str, ...], choice: int | None, **others: Any
    ) -> Any:
        return function(*args, offered=Offered(present, pins, choice), **others)

    options = (
        click.option(
            "--present",
            metavar="WHAT",
            help="In a simulated shop: card:PROFILE, phone:PROFILE, wallet:PROFILE or "
            "show-code:PROFILE. 'till sim card --list' names the cards.",
        ),
        click.option(
            "--pin",
            "pins",
            metavar="DIGITS",
            multiple=True,
            help="In a simulated shop: the test PIN that the customer types; again for the next "
            "try. Never a real one.",
        ),
        click.option(
            "--choose",
            "choice",
            metavar="N",
            type=click.IntRange(1),
            help="Which application of a chip is to pay, of those it offers; 1 agrees to a "
            "single one.",
        ),
    )
    for option in reversed(options):
        offered = option(offered)
    return cast(F, offered)


@click.command(name="sale")
@click.argument("amount")
@click.option("--currency", metavar="CCC", help="ISO 4217 letters; the shop's own if absent.")
@offering
@click.option(
    "--keep",
    "keeps",
    is_flag=True,
    help="If the bank is not reached, keep a card sale and send it later, at the shop's risk.",
)
@click.option(
    "--refuse-signature",
    "refuses",
    is_flag=True,
    help="The customer's signature is not the card's: give the money back at once.",
)
@click.option("--json", "json_wanted", is_flag=True, help="Print one JSON object.")
@acting
@click.pass_obj
def command(
    place: Place,
    amount: str,
    currency: str | None,
    offered: Offered,
    keeps: bool,
    refuses: bool,
    json_wanted: bool,
    user: str | None,
    approvers: tuple[str, ...],
) -> None:
    """Take a payment of AMOUNT, such as 345.60.

    Exit status: 0 approved, 10 declined, 20 unknown, 30 not done.

    \b
    Example:
      till sale 12.50 --present card:visa-online --json
      till sale 88.00 --present wallet:alipay-qr
      till sale 60.00 --present card:visa-online-pin --pin 1234
      till sale 60.00 --present chip:contact-two-applications --choose 2
    """
    settings = place.settings()
    try:
        chosen = currency_of(currency or settings.shop.currency, settings.currencies)
        amount_minor = parse_amount(amount, chosen, settings.shop.amount_max_minor)
    except AmountRefused as error:
        raise click.BadParameter(str(error), param_hint="AMOUNT") from error
    payment = taken(
        place,
        lambda till: till.sale(amount_minor, chosen.letters),
        offered,
        (user, approvers),
        keeps=keeps,
        refuses=refuses,
    )
    output.result(payment, settings.currencies, json_wanted=json_wanted)


def taken(
    place: Place,
    begin: Callable[[Till], str],
    offered: Offered,
    people: tuple[str | None, Sequence[str]],
    *,
    keeps: bool = False,
    refuses: bool = False,
    look: Callable[[View], None] = lambda _: None,
) -> PaymentView:
    """Take a whole payment; return how it ended.

    begin: begins it, and returns its identity. people: what --as and --approve say.
    keeps: if the bank is not reached, keep it here. refuses: no signature is right.
    look: is shown how the till stands at the end, before it closes.
    """
    user, approvers = people
    offered.check(place.settings())
    with refusals(), place.open_till() as till, watching(till) as watch:
        if offered.pins and not (till.bench and till.bench.takes_pin):
            raise Refusal("--pin types on the till's screen, and this shop's PIN pad is another")
        sign_in(till.staff, user, approvers, is_bench=till.shop.is_bench)
        if offered.present is not None:
            _check_offer(till.bench, offered.present)
            _await_devices(watch, offered.present)
        attempt = begin(till)
        payment = take(till, watch, attempt, offered.present, offered.pins, offered.choice)
        if keeps and till.view().keep is Readiness.READY:
            till.keep()
            payment = till.payment(attempt)
        if refuses and payment.signature and payment.state in TAKEN:
            till.refuse_signature()
            watch.until(lambda _view: till.payment(attempt).state not in ON_THE_WAY, UNKNOWN_S)
            payment = till.payment(attempt)
        look(till.view())
    return payment


def take(
    till: Till,
    watch: Watch,
    attempt: str,
    present: str | None,
    pins: Sequence[str] = (),
    choice: int | None = None,
) -> PaymentView:
    """Carry a sale that has begun to its end; return how it ended.

    present: what to present in a simulated shop; None waits for a customer.
    pins: what its customer types where a PIN is asked for, one after the other;
    without any it is left to whoever stands at the PIN pad.
    choice: which of a chip's applications pays, from 1; None: none of several.
    """
    typed = iter(pins)
    if present is None:
        click.echo("Present card, phone or code", err=True)
    elif till.bench is not None:
        _present(till, till.bench, watch, present)
    taps = 1
    while True:
        view = watch.until(_is_decided, SALE_S, fresh=True)
        if view is None or view.payment is None or view.stage is Stage.RESULT:
            break
        if view.stage is Stage.CHOOSE:
            _choose(till, view, choice)
            continue
        if view.stage is Stage.PIN:
            _enter_pin(till, present, next(typed, None))
            continue
        # A hint: this card did not count, and the sale still waits.
        if present is None:
            click.echo(TEXT[view.hint] if view.hint else "", err=True)
        elif view.hint is Message.SEE_PHONE:
            # Its owner unlocks the phone, and taps again by himself.
            continue
        elif view.hint is Message.TAP_AGAIN and taps < TAPS_MAX and till.bench is not None:
            taps += 1
            till.bench.do(present)
        else:
            _cancel(till)
    watch.until(lambda view: _is_settled(view, attempt), UNKNOWN_S)
    if till.payment(attempt).state is State.STORED:
        watch.until(lambda view: _state_of(view, attempt) is not State.STORED, FORWARD_S)
    return till.payment(attempt)


def _present(till: Till, bench: Bench, watch: Watch, present: str) -> None:
    watch.until(lambda view: view.stage is Stage.PRESENT, READY_S)
    if present.startswith("show-code:"):
        till.show_code()
        shown = watch.until(
            lambda view: view.code is not None or view.hint is not None or _is_over(view), READY_S
        )
        if shown is None or shown.code is None:
            return
    bench.do(present)


def _choose(till: Till, view: View, choice: int | None) -> None:
    """Tell the card what the command line has chosen."""
    click.echo(TEXT[view.prompt or Message.CHOOSE_APPLICATION], err=True)
    for number, name in enumerate(view.choices, start=1):
        click.echo(f"  {number} {name}", err=True)
    if choice is None or choice > len(view.choices):
        click.echo("Nobody is there to choose: say which with --choose", err=True)
        choice = None
    till.choose(None if choice is None else choice - 1)


def _enter_pin(till: Till, present: str | None, pin: str | None) -> None:
    """Have the simulated customer type; at a PIN pad of its own somebody else does."""
    click.echo(TEXT[Message.ENTER_PIN], err=True)
    if till.bench is None or not till.bench.takes_pin:
        return
    if pin is None and present is not None:
        click.echo("Nobody is there to type: give a test PIN with --pin", err=True)
        pin = "cancel"
    if pin is not None:
        till.bench.do(f"pin:{pin}")


def _cancel(till: Till) -> None:
    try:
        till.cancel()
    except NotAllowed as error:
        click.echo(str(error), err=True)


def _is_over(view: View) -> bool:
    return view.stage is Stage.RESULT


def _is_decided(view: View) -> bool:
    waiting = view.stage in (Stage.PRESENT, Stage.CODE) and view.hint is not None
    asks_pin = view.stage is Stage.PIN and not view.pin_digits
    return _is_over(view) or waiting or asks_pin or view.stage is Stage.CHOOSE


def _is_settled(view: View, attempt: str) -> bool:
    payment = view.payment
    return payment is not None and payment.id == attempt and payment.state in FINAL | KEPT


def _state_of(view: View, attempt: str) -> State | None:
    return next((p.state for p in view.recent if p.id == attempt), None)


def _check_offer(bench: Bench | None, present: str) -> None:
    known = [offer.id for offer in bench.offers()] if bench else []
    if present not in known:
        kind = present.partition(":")[0]
        alike = [offer for offer in known if offer.startswith(kind + ":")] or known
        close = difflib.get_close_matches(present, known, 1)
        wish = f"; did you mean {close[0]}?" if close else "."
        listed = "\n".join(f"  {offer}" for offer in alike)
        raise Refusal(f"Nothing to present is called {present!r}{wish} There is:\n{listed}")


def _await_devices(watch: Watch, present: str) -> None:
    """The simulators come up beside the till; a script is faster than a hand."""
    needs_camera = present.startswith("wallet:")

    def is_up(view: View) -> bool:
        device = view.camera if needs_camera else view.reader
        return device is Readiness.READY and view.bank is not Readiness.STARTING

    watch.until(is_up, READY_S)
