"""A real bank on loopback, and tills that the production assembly opens on it.

One bank serves the whole run; each till has a home of its own in which bank,
cards and wallets are the run's. A door before the bank can be made to lie.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import select
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import config
from simulators.bank import bench as bank_bench
from simulators.bank.core import Bank
from simulators.bank.ledger import faults
from simulators.bank.place import BankPlace
from simulators.bank.schema import entries, holds, payments, pins, transfers
from simulators.bank.service import BankServer, create_app
from simulators.bank.store import reading
from simulators.card import load_profiles, make_card
from simulators.card.faults import with_faults
from simulators.shop import SimulatedShop
from terminal.assembly.parts import Assembly
from terminal.commands.watch import Watch, watching
from terminal.journal import JournalReader
from terminal.security import passphrase
from terminal.states import FINAL, KEPT, State
from terminal.till import Till
from terminal.view import TAKING, Kind, PaymentView, Readiness, Stage, View

PATIENCE_S = 45.0
"""A machine with every core busy is slow; a claim that holds comes much sooner."""

Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Letter:
    """One exchange as the door before the bank sees it."""

    path: str
    request_headers: Headers
    status: int
    headers: Headers
    body: bytes

    def with_headers(self, *without: bytes, **more: str) -> Letter:
        """Return it with fields taken away, or put in their place."""
        gone = {name.lower() for name in without} | {
            name.replace("_", "-").encode() for name in more
        }
        kept = [(name, value) for name, value in self.headers if name.lower() not in gone]
        kept += [(name.replace("_", "-").encode(), value.encode()) for name, value in more.items()]
        return Letter(self.path, self.request_headers, self.status, kept, self.body)

    def with_body(self, body: bytes) -> Letter:
        """Return it with another body, of its right length and signed as before."""
        changed = Letter(self.path, self.request_headers, self.status, self.headers, body)
        return changed.with_headers(content_length=str(len(body)))


class Doorman:
    """An application before the bank's: passes all on, unless told to alter answers."""

    def __init__(self, bank: ASGIApp) -> None:
        self._bank = bank
        self.alter: Callable[[Letter], Letter] | None = None
        """What happens to answers to money's paths; None is an honest door."""
        self.deliveries = 1
        """How often each of money's requests reaches the bank; the last answer goes back."""
        self.seen: list[Letter] = []
        """Every exchange that had an answer, as the bank gave it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        parts: list[Message] = []

        async def keep(message: Message) -> None:
            parts.append(message)

        if scope["type"] != "http":
            await self._bank(scope, receive, send)
            return
        if self.deliveries > 1 and scope["path"] != "/v1/echo":
            receive = repeating(await whole(receive))
            for _ in range(self.deliveries - 1):
                await self._bank(scope, receive, keep)
                parts.clear()
        await self._bank(scope, receive, keep)
        start = parts[0]
        letter = Letter(
            scope["path"],
            list(scope["headers"]),
            start["status"],
            list(start["headers"]),
            b"".join(part.get("body", b"") for part in parts[1:]),
        )
        self.seen.append(letter)
        if self.alter is not None and letter.path != "/v1/echo":
            letter = self.alter(letter)
        await send({**start, "status": letter.status, "headers": letter.headers})
        await send({"type": "http.response.body", "body": letter.body})


async def whole(receive: Receive) -> bytes:
    """Return a request's body."""
    body, is_more = b"", True
    while is_more:
        message = await receive()
        body += message.get("body", b"")
        is_more = message.get("more_body", False)
    return body


def repeating(body: bytes) -> Receive:
    """Return what gives this body to whoever asks, as often as it is asked."""

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


class Booked:
    """What the bank's ledger says."""

    def __init__(self, place: BankPlace) -> None:
        self._path = place.ledger

    def faults(self) -> list[str]:
        """Return what does not add up."""
        with reading(self._path) as connection:
            return faults(connection)

    def net_minor(self) -> dict[str, int]:
        """Return what the merchant got by each attempt, money given back being below zero."""
        query = (
            select(transfers.c.attempt, entries.c.amount_minor)
            .join(entries, entries.c.transfer == transfers.c.id)
            .where(entries.c.account.startswith("merchant/"))
        )
        net: dict[str, int] = {}
        with reading(self._path) as connection:
            for attempt, amount in connection.execute(query):
                net[attempt] = net.get(attempt, 0) + amount
        return net

    def held_minor(self) -> dict[str, int]:
        """Return what is held now, by the pre-authorisation's attempt."""
        query = select(holds.c.attempt, holds.c.amount_minor)
        with reading(self._path) as connection:
            return {row.attempt: row.amount_minor for row in connection.execute(query)}

    def transfers_of(self, attempt: str) -> list[str]:
        """Return the kinds of transfer made for one attempt, the first one first."""
        query = (
            select(transfers.c.what)
            .where(transfers.c.attempt == attempt)
            .order_by(transfers.c.at_ms, transfers.c.what.desc())
        )
        with reading(self._path) as connection:
            return [str(what) for (what,) in connection.execute(query)]

    def is_right(self, sale: PaymentView) -> bool:
        """True if this sale, at its end, was booked once, or not at all, as it says."""
        kinds = self.transfers_of(sale.id)
        if sale.state is State.APPROVED:
            return kinds == ["sale"]
        if sale.state is State.REVERSED:
            return kinds in ([], ["sale", "reversal"])
        return sale.state in FINAL and kinds == []

    def state(self, attempt: str) -> str:
        """Return how the bank has an attempt; '' if it has never heard of it."""
        query = select(payments.c.state).where(payments.c.attempt == attempt)
        with reading(self._path) as connection:
            return str(connection.scalar(query) or "")

    def differences(self, journal: JournalReader) -> list[str]:
        """Compare a till's journal with the ledger; return what differs, a line each."""
        net, held = self.net_minor(), self.held_minor()
        found = []
        every = journal.payments(limit=100_000)
        in_doubt = {payment.original for payment in every if payment.state not in FINAL}
        for payment in every:
            booked = net.get(payment.id, 0)
            is_held = payment.kind is Kind.PREAUTH and payment.state is State.APPROVED
            wanted = payment.held_minor if is_held else 0
            is_settled = payment.state in FINAL and payment.id not in in_doubt
            if is_settled and held.get(payment.id, 0) != wanted:
                found.append(f"{payment.number} holds {wanted}, at the bank {held}")
            if booked not in _bookable(payment):
                found.append(
                    f"{payment.kind} {payment.number} of {payment.amount_minor} is "
                    f"{payment.state}, and the bank booked {booked}"
                )
        return found


def _bookable(payment: PaymentView) -> set[int]:
    """Return what the merchant may have got by a payment as the journal has it."""
    if payment.kind in (Kind.PREAUTH, Kind.INCREMENT, Kind.RELEASE):
        return {0}
    signed = payment.amount_minor if payment.kind in TAKING else -payment.amount_minor
    if payment.state in (State.APPROVED, State.VOIDED):
        return {signed}
    if payment.state in KEPT | {State.STORED_REFUSED} | (FINAL - {State.SETTLED}):
        return {0}
    return {0, signed}


class City:
    """The bank, and everything that is the same for every shop."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.clock_ahead_s = 0.0
        self.place = bank_bench.prepare(home, time.time_ns() // 1_000_000)
        self._bank = Bank.open(self.place)
        self.doorman = Doorman(create_app(self._bank, self._now, os.urandom))
        self._server = BankServer(self.place, self._now, os.urandom, app=self.doorman).start()
        self.booked = Booked(self.place)
        self._homes = 0

    @property
    def url(self) -> str:
        """Where the bank is."""
        return self._server.url

    def new_home(self) -> Path:
        """Return a state directory of one more till, taken in at the bank already."""
        self._homes += 1
        home = self.home / f"shop-{self._homes}"
        home.mkdir(mode=0o700)
        for name in ("bank", "cards", "pinpad", "wallets"):
            common = self.home / name
            common.mkdir(mode=0o700, exist_ok=True)
            (home / name).symlink_to(common)
        enrolled = self.home / "till" / "keys"
        if not enrolled.exists():
            with Assembly(self.home, None, self.url).open_bench():
                pass
        shutil.copytree(enrolled, home / "till" / "keys")
        shutil.copy(enrolled.parent / passphrase.BESIDE, home / "till")
        (home / "till").chmod(0o700)
        return home

    def shop_file(self, home: Path, **changes: object) -> Path:
        """Write the bench shop's file with some of its lines changed; return its path.

        changes: keys of [shop] and [bank] with their new values.
        """
        lines = config.BENCH.read_text("utf-8").splitlines()
        for key, value in changes.items():
            place = next(n for n, line in enumerate(lines) if line.startswith(f"{key} = "))
            lines[place] = f"{key} = {value!r}"
        path = home / "shop.toml"
        path.write_text("\n".join(lines), "utf-8")
        return path

    def forgive_pins(self) -> None:
        """Give every account all its tries back, as a day does."""
        self._bank.store.write(lambda connection: connection.execute(pins.delete()))

    def close(self) -> None:
        """Stop the bank."""
        self._server.stop()
        self._bank.close()

    def _now(self) -> float:
        return time.time() + self.clock_ahead_s


@dataclass
class Counter:
    """One till, the shop around it, and somebody who watches."""

    home: Path
    till: Till
    shop: SimulatedShop
    watch: Watch
    booked: Booked

    def until(self, holds: Callable[[View], bool]) -> View:
        """Return the first view for which it holds; fail if none comes."""
        view = self.watch.until(holds, PATIENCE_S)
        assert view is not None, f"it did not come to that; the till shows {self.till.view()}"
        return view

    def until_next(self, holds: Callable[[View], bool]) -> View:
        """Return the next view for which it holds, not counting the present one."""
        view = self.watch.until(holds, PATIENCE_S, fresh=True)
        assert view is not None, f"it did not come to that; the till shows {self.till.view()}"
        return view

    def until_state(self, attempt: str, *states: State) -> PaymentView:
        """Return the payment once it is in one of these states."""
        self.until(lambda _view: self.till.payment(attempt).state in states)
        return self.till.payment(attempt)

    def ask_until(self, attempt: str, *states: State) -> PaymentView:
        """Return the payment in one of these states; the bank is asked at once, and again."""

        def holds(view: View) -> bool:
            if self.till.payment(attempt).state in states:
                return True
            if view.next_ask_at is not None:
                self.till.check_now()
            return False

        self.until(holds)
        return self.till.payment(attempt)

    def until_final(self, attempt: str) -> PaymentView:
        """Return the payment at its end, brought there as fast as a cashier can."""
        return self.ask_until(attempt, *FINAL)

    def until_ready(self) -> Counter:
        """Wait until reader and bank are there."""
        self.until(
            lambda view: view.reader is Readiness.READY and view.bank is not Readiness.STARTING
        )
        return self

    def begin(self, amount_minor: int = 1250) -> str:
        """Open a sale; return its attempt once the till waits for card or code."""
        attempt = self.till.sale(amount_minor)
        self.until(
            lambda view: (
                view.stage is Stage.PRESENT
                and view.payment is not None
                and view.payment.id == attempt
            )
        )
        return attempt

    def do(self, offer: str) -> str:
        """Present or break something."""
        bench = self.till.bench
        assert bench is not None
        return bench.do(offer)

    def pay(self, offer: str = "card:visa-online", amount_minor: int = 1250) -> PaymentView:
        """Take a whole payment; return it at its end."""
        attempt = self.begin(amount_minor)
        self.do(offer)
        return self.until_state(attempt, *FINAL)

    def show_code(self) -> str:
        """Have a code shown; return its text."""
        self.till.show_code()
        view = self.until(lambda view: view.code is not None)
        assert view.code is not None
        return view.code.text


OpenCounter = Callable[..., Counter]


@pytest.fixture(scope="session")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    """The bank of the whole run."""
    opened = City(tmp_path_factory.mktemp("city"))
    yield opened
    opened.close()
    assert opened.booked.faults() == []


@pytest.fixture
def open_counter(city: City) -> Iterator[OpenCounter]:
    """Open tills on the bank: open_counter(home=None, bank_url=None, file=None, **shop_keys).

    When the test is over, the ledger balances and says what the journals say.
    """
    homes: list[Path] = []
    with ExitStack() as stack:

        def open_one(
            home: Path | None = None,
            bank_url: str | None = None,
            file: Path | None = None,
            **changes: object,
        ) -> Counter:
            home = home or city.new_home()
            homes.append(home)
            file = city.shop_file(home, **changes) if changes else file
            assembly = Assembly(home, file, bank_url or city.url)
            till, shop = stack.enter_context(assembly.open_bench())
            # Her yes is not what is tested here.
            till.staff.let_in("00")
            watch = stack.enter_context(watching(till))
            return Counter(home, till, shop, watch, city.booked)

        yield open_one
    city.doorman.alter = None
    city.doorman.deliveries = 1
    city.clock_ahead_s = 0.0
    assert city.booked.faults() == []
    for home in dict.fromkeys(homes):
        journal = JournalReader(home / "till")
        journal.verify()
        assert city.booked.differences(journal) == []
        journal.close()


@pytest.fixture
def iso8583_counter(tmp_path: Path) -> Iterator[Counter]:
    """One till whose bank speaks ISO 8583: a bank of its own, in a process of its own.

    When the test is over, the ledger balances and the merchant has what the
    journal says.
    """
    shop_file = tmp_path / "shop.toml"
    shop_file.write_text(without_pin_pad(config.BENCH.read_text("utf-8")), "utf-8")
    with Assembly(tmp_path, shop_file, None).open_bench() as (till, shop), watching(till) as watch:
        till.staff.let_in("00")
        booked = Booked(shop.place)
        yield Counter(tmp_path, till, shop, watch, booked).until_ready()
        assert booked.faults() == []
        signs = {Kind.SALE: 1, Kind.COMPLETION: 1, Kind.REFUND: -1}
        taken = sum(
            signs.get(each.kind, 0) * each.amount_minor
            for each in till.payments()
            if each.state is State.APPROVED
        )
        assert sum(booked.net_minor().values()) == taken


def without_pin_pad(bench: str) -> str:
    """The bench shop's file for a bank that can be told no PIN."""
    before, _, rest = bench.partition("[[devices.pin_pads]]")
    _, _, after = rest.partition("[[")
    other = 'url = "iso8583://localhost:1"'
    return before.replace('url = "https://localhost:8443"', other) + "[[" + after


@pytest.fixture
def counter(open_counter: OpenCounter) -> Counter:
    """One till, with reader and bank ready."""
    return open_counter().until_ready()


@pytest.fixture
def hold() -> Callable[..., None]:
    """Hold a card before a counter's reader: hold(counter, profile, *faults)."""

    def present(counter: Counter, profile: str, *faults: str) -> None:
        card = make_card(load_profiles()[profile], counter.home)
        counter.shop.reader.present(with_faults(card, faults))

    return present
