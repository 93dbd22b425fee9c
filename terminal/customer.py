"""What the customer may see of the till, and a socket that publishes it.

No card number, no reason of a decline, no queue, no sign of being offline.
One JSON object a line; a screen that connects gets the present one at once.
"""

from __future__ import annotations

import contextlib
import enum
import json
import os
import selectors
import socket
import stat
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from terminal.errors import NotAllowed
from terminal.messages import Message
from terminal.states import State
from terminal.view import Kind, PaymentView, ShopFacts, Stage, View


class Phase(enum.StrEnum):
    """What the customer's screen is about."""

    IDLE = "idle"
    PRESENT = "present"
    READING = "reading"
    CODE = "code"
    CHOOSE = "choose"
    PIN = "pin"
    WAIT = "wait"
    CONFIRM = "confirm"
    APPROVED = "approved"
    ACCEPTED = "accepted"
    SIGN = "sign"
    REFUNDED = "refunded"
    HELD = "held"
    RELEASED = "released"
    BALANCE = "balance"
    DECLINED = "declined"
    NOT_PAID = "not_paid"
    CHECKING = "checking"


@dataclass(frozen=True, slots=True)
class CustomerView:
    """The customer's side of one moment."""

    phase: Phase
    shop: str
    shop_zh: str
    currency: str
    symbol: str
    digits: int
    amount_minor: int | None = None
    prompt: Message | None = None
    """A prompt of the till that is meant for the customer."""
    code: str = ""
    wallets: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    """Applications of the card, as it names them."""
    language: str = ""
    """What the card's holder likes best, ISO 639; empty if nobody knows."""
    pin_digits: int = 0
    """How many stand on the PIN pad."""
    tries_left: int | None = None
    """How many tries the card gives for its PIN."""
    is_retry: bool = False
    """The PIN before was wrong."""
    welcome: str = ""
    """What the shop or its bank want said while no sale is under way."""
    welcome_zh: str = ""
    left_s: int | None = None
    """Seconds until this ends by itself, when it was published."""


_PROMPTS = frozenset(
    {
        Message.PRESENT,
        Message.PRESENT_CARD,
        Message.CARD_ONLY,
        Message.READING,
        Message.CARD_READ,
        Message.INSERT_CARD,
        Message.ONE_CARD_ONLY,
        Message.TRY_ANOTHER_CARD,
        Message.SEE_PHONE,
        Message.TAP_AGAIN,
        Message.CARD_UNREADABLE,
        Message.NOT_A_PAYMENT_CODE,
        Message.TWO_CODES,
        Message.CODE_ALREADY_SEEN,
    }
)

_RESULTS = {
    State.APPROVED: Phase.APPROVED,
    # The card approved it; that it still has to be sent is the shop's matter.
    State.STORED: Phase.APPROVED,
    # Whom the bank has still to ask is the shop's matter too; yet nobody has approved it.
    State.DEFERRED: Phase.ACCEPTED,
    State.DECLINED: Phase.DECLINED,
    State.CANCELLED: Phase.NOT_PAID,
    State.NOT_SENT: Phase.NOT_PAID,
    State.REVERSED: Phase.NOT_PAID,
    State.VOIDED: Phase.REFUNDED,
}

_APPROVED = {
    Kind.REFUND: Phase.REFUNDED,
    Kind.VOID: Phase.REFUNDED,
    Kind.PREAUTH: Phase.HELD,
    Kind.INCREMENT: Phase.HELD,
    Kind.RELEASE: Phase.RELEASED,
    Kind.BALANCE: Phase.BALANCE,
}

_PHASES = {
    Stage.IDLE: Phase.IDLE,
    Stage.PRESENT: Phase.PRESENT,
    Stage.READING: Phase.READING,
    Stage.CHOOSE: Phase.CHOOSE,
    Stage.PIN: Phase.PIN,
    Stage.CODE: Phase.CODE,
    Stage.PROCESSING: Phase.WAIT,
    Stage.CLOSING: Phase.WAIT,
    Stage.PAYER: Phase.CONFIRM,
}


_ENDING = frozenset({Stage.PRESENT, Stage.CHOOSE, Stage.PIN, Stage.CODE, Stage.PAYER})
"""Stages whose time the customer is shown."""


def customer_view(view: View, shop: ShopFacts, now: float) -> CustomerView:
    """Return what the customer may see of a view.

    now: seconds on the till's clock, as in View.deadline_at.
    """
    payment = view.payment if view.stage is not Stage.IDLE else None
    prompt = view.hint if view.hint in _PROMPTS else view.prompt
    left_s = None
    if view.deadline_at is not None and view.stage in _ENDING:
        left_s = max(0, int(view.deadline_at - now + 0.999))
    return CustomerView(
        phase=_phase(view),
        shop=shop.name,
        shop_zh=shop.name_zh,
        currency=shop.currency,
        symbol=shop.currency_symbol,
        digits=shop.currency_digits,
        amount_minor=_amount_of(payment),
        prompt=prompt if prompt in _PROMPTS and view.stage is not Stage.RESULT else None,
        code=view.code.text if view.code and view.stage is Stage.CODE else "",
        wallets=tuple(shop.wallets),
        choices=tuple(view.choices),
        language=view.language,
        pin_digits=view.pin_digits,
        tries_left=view.tries_left,
        is_retry=view.stage is Stage.PIN and view.hint is Message.WRONG_PIN,
        welcome=shop.welcome,
        welcome_zh=shop.welcome_zh,
        left_s=left_s,
    )


def _amount_of(payment: PaymentView | None) -> int | None:
    """Return the figure the customer sees: an inquiry has one once it was told."""
    if payment is None:
        return None
    return payment.balance_minor if payment.kind is Kind.BALANCE else payment.amount_minor


def _phase(view: View) -> Phase:
    payment = view.payment
    if view.stage is not Stage.RESULT or payment is None:
        return _PHASES.get(view.stage, Phase.IDLE)
    if payment.state is State.APPROVED and payment.signature:
        return Phase.SIGN
    if payment.state is State.APPROVED and payment.kind in _APPROVED:
        return _APPROVED[payment.kind]
    return _RESULTS.get(payment.state, Phase.CHECKING)


def encode(view: CustomerView) -> bytes:
    """Return a view as one JSON line."""
    return json.dumps(asdict(view), ensure_ascii=False, sort_keys=True).encode() + b"\n"


def decode(line: bytes) -> CustomerView:
    """Return the view in a JSON line.

    Raises ValueError if it is not one.
    """
    try:
        facts = json.loads(line)
        facts["phase"] = Phase(facts["phase"])
        facts["prompt"] = Message(facts["prompt"]) if facts["prompt"] else None
        for many in ("wallets", "choices"):
            facts[many] = tuple(facts[many])
        return CustomerView(**facts)
    except (KeyError, TypeError, UnicodeDecodeError) as error:
        raise ValueError("not a line of the till's customer socket") from error


CLIENTS_MAX = 4


class CustomerPublisher:
    """Sends each new view to whoever has the socket open.

    Call it with a view, on any thread: it never waits. A screen that does
    not read is dropped; it may connect again.
    """

    def __init__(self, path: Path, shop: Callable[[], ShopFacts], now: Callable[[], float]) -> None:
        """path: where the socket is made, for this user alone.

        Raises NotAllowed if another till publishes there.
        """
        self._path = path
        self._shop = shop
        self._now = now
        self._lock = threading.Lock()
        # A till that opens is idle, until its first view says otherwise.
        self._latest = encode(customer_view(View(), shop(), now()))
        self._is_closing = False
        self._clients: dict[socket.socket, bytes] = {}
        """Each screen, and the line it was sent last."""
        _make_room(path)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(path))
        path.chmod(stat.S_IRUSR | stat.S_IWUSR)
        self._listener.listen(CLIENTS_MAX)
        self._listener.setblocking(False)
        self._wake_end, self._wake_start = socket.socketpair()
        self._wake_start.setblocking(False)
        self._wake_end.setblocking(False)
        self._thread = threading.Thread(target=self._serve, name="customer screen", daemon=True)
        self._thread.start()

    def __call__(self, view: View, /) -> None:
        """Publish a view."""
        line = encode(customer_view(view, self._shop(), self._now()))
        with self._lock:
            if line == self._latest:
                return
            self._latest = line
        self._wake()

    def close(self) -> None:
        """Hang up and take the socket away. Safe to call twice."""
        if self._is_closing:
            return
        self._is_closing = True
        self._wake()
        self._thread.join()
        self._listener.close()
        self._wake_start.close()
        self._wake_end.close()
        self._path.unlink(missing_ok=True)

    def _wake(self) -> None:
        # A full pipe already holds a wake-up.
        with contextlib.suppress(BlockingIOError):
            self._wake_start.send(b"\0")

    def _serve(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._listener, selectors.EVENT_READ)
            selector.register(self._wake_end, selectors.EVENT_READ)
            while not self._is_closing:
                for key, _ in selector.select():
                    if key.fileobj is self._listener:
                        self._accept(selector)
                    elif key.fileobj is self._wake_end:
                        self._wake_end.recv(4096)
                        for client in tuple(self._clients):
                            self._send(client, selector)
                    elif isinstance(key.fileobj, socket.socket):
                        # A screen has nothing to say: this is its goodbye.
                        self._drop(key.fileobj, selector)
            for client in tuple(self._clients):
                self._drop(client, selector)

    def _accept(self, selector: selectors.BaseSelector) -> None:
        client, _ = self._listener.accept()
        if len(self._clients) >= CLIENTS_MAX:
            client.close()
            return
        client.setblocking(False)
        self._clients[client] = b""
        selector.register(client, selectors.EVENT_READ)
        self._send(client, selector)

    def _send(self, client: socket.socket, selector: selectors.BaseSelector) -> None:
        with self._lock:
            line = self._latest
        if client not in self._clients or line == self._clients[client]:
            return
        self._clients[client] = line
        try:
            if client.send(line) < len(line):
                self._drop(client, selector)
        except OSError:
            self._drop(client, selector)

    def _drop(self, client: socket.socket, selector: selectors.BaseSelector) -> None:
        if client in self._clients:
            del self._clients[client]
            selector.unregister(client)
            client.close()


def _make_room(path: Path) -> None:
    """Remove the socket of a till that ended badly; refuse that of a living one."""
    if not path.exists():
        return
    if not path.is_socket():
        raise NotAllowed(f"The customer's screen needs {path}, and something else is there")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
            return
        except OSError as error:
            raise NotAllowed(
                f"The customer's screen cannot use {os.fspath(path)}: {error.strerror}"
            ) from error
    raise NotAllowed("Another till already serves this customer's screen: close it first")


def follow(path: Path) -> Iterator[CustomerView]:
    """Yield views from a till's socket until the till closes it.

    Raises ConnectionRefusedError or FileNotFoundError if no till is there.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as wire:
        wire.connect(str(path))
        with wire.makefile("rb") as lines:
            for line in lines:
                yield decode(line)
