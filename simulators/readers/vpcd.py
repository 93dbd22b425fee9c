"""A slot or an antenna of vpcd, the virtual reader of pcscd.

vpcd connects out to us ('reversed mode'), so nothing listens beyond loopback.
A card that is there is a listening socket; one that left is a refused
connection; one that is torn away takes its connection along in mid-exchange.
On the wire: two bytes of length, then a command or one control byte.
"""

from __future__ import annotations

import logging
import random
import socket
import threading
import time
from collections import deque
from collections.abc import Callable

from drivers.protocols import Interface
from simulators.readers import atr
from simulators.readers.atr import ATR
from simulators.readers.errors import ReaderSimulatorError
from simulators.readers.field import Field, Presented
from simulators.readers.t0 import T0Card
from simulators.responses import Answer, AnyCard, NoAnswerToReset, Torn

log = logging.getLogger(__name__)

OFF, ON, RESET, GET_ATR = b"\x00", b"\x01", b"\x02", b"\x04"
PORTS = range(20000, 30000, 2)
"""Below the ports that systems hand out: a connection to a free one of those
can meet itself."""
SLOTS = 2
"""vpcd shows two slots per reader, on consecutive ports; the second stays empty."""
EMPTY_S = 0.6
"""A slot is empty this long before the next card: pcscd looks every 0.4 s, and
a swap that it does not see confuses it for good."""
ACR122_LIGHTS = bytes.fromhex("FF 00 40")
ACR122_NAME = "ACS ACR122U PICC Interface"

_QUICKACK = getattr(socket, "TCP_QUICKACK", None)


class _Gone(Exception):
    """vpcd, the card or the reader ended the connection."""


NO_ATR = b"\xff"
"""What a card says that does not start: vpcd takes one that says nothing for none."""


class VpcdReader:
    """One virtual reader; cards are presented to it from any thread.

    As long as it is open its ports are taken.
    """

    def __init__(
        self,
        name: str = "",
        *,
        interface: Interface = Interface.CONTACTLESS,
        answer_to_reset: bytes | None = None,
        port: int | None = None,
        is_acr122: bool = False,
        clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        """name: what pcscd calls it; a number is put behind it.

        answer_to_reset: of every card presented here; as the interface is if None.
        port: the first of its two TCP ports; free ones are looked for if None.
        is_acr122: it takes commands for lights and buzzer for itself.
        Raises BadATR, or ReaderSimulatorError if the ports are taken.
        """
        usual = atr.CONTACTLESS if interface is Interface.CONTACTLESS else atr.CONTACT_T1
        self.atr = ATR.parse(answer_to_reset or usual)
        self.interface = interface
        self.name = name or (
            ACR122_NAME
            if is_acr122
            else f"OpenTill Virtual {'PICC' if interface is Interface.CONTACTLESS else 'Slot'}"
        )
        self.lights: deque[bytes] = deque(maxlen=16)
        """What was asked of the lights and the buzzer."""
        self._is_acr122 = is_acr122
        self._clock_ns = clock_ns
        self._changed = threading.Condition()
        self._field = Field()
        self._is_open = True
        self._emptied_ns = clock_ns() - round(EMPTY_S * 1e9)
        self._connection: socket.socket | None = None
        self._door, self._second, self.port = _take_ports(port)
        self._thread = threading.Thread(target=self._run, name="vpcd-reader", daemon=True)
        self._thread.start()

    # What happens to the reader.

    def present(self, *cards: AnyCard, stay: bool = False) -> None:
        """Put a card in; it leaves when the reader has done with it, unless it stays.

        Raises ReaderSimulatorError for two at once, which a slot cannot hold
        and PC/SC cannot show.
        """
        if len(cards) != 1:
            raise ReaderSimulatorError("one card at a time: PC/SC shows no clash")
        card = T0Card(cards[0]) if self.atr.is_t0 else cards[0]
        with self._changed:
            self._field.cards.append(Presented(card, stay))
            self._changed.notify_all()

    def remove(self) -> None:
        """Take the card away, in the middle of a conversation too."""
        with self._changed:
            self._field = Field()
            self._hang_up()
            self._changed.notify_all()

    def close(self) -> None:
        """Let the ports go. Safe to call twice."""
        with self._changed:
            self._is_open = False
            self._field = Field()
            self._hang_up()
            self._changed.notify_all()
        self._thread.join()
        self._door.close()
        self._second.close()

    # The card's side of the wire.

    def _run(self) -> None:
        while (one := self._next_card()) is not None:
            self._door.listen(1)
            self._door.settimeout(0.05)
            while self._is_held(one):
                try:
                    connection, _ = self._door.accept()
                except TimeoutError:
                    continue
                self._serve(one, connection)
            # Only a new socket refuses again what an old one has listened to.
            self._door.close()
            self._door = _bound(self.port)
            with self._changed:
                self._emptied_ns = self._clock_ns()

    def _next_card(self) -> Presented | None:
        """Wait for a card that may come in now; None once the reader is closed."""
        with self._changed:
            while self._is_open:
                now_ns = self._clock_ns()
                there = self._field.there(now_ns)
                free_ns = self._emptied_ns + round(EMPTY_S * 1e9)
                if there and now_ns >= free_ns:
                    return there[0]
                due_ns = self._field.next_due_ns()
                if due_ns is None:
                    self._changed.wait()
                else:
                    self._changed.wait(max(0, max(due_ns, free_ns) - now_ns) / 1e9)
            return None

    def _is_held(self, one: Presented) -> bool:
        with self._changed:
            return self._is_open and one in self._field.there(self._clock_ns())

    def _serve(self, one: Presented, connection: socket.socket) -> None:
        """Answer vpcd until the card leaves or vpcd hangs up."""
        with connection:
            with self._changed:
                if self._is_gone(one):
                    return
                self._connection = connection
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.settimeout(None)
            try:
                while True:
                    reply = self._hear(one, _receive(connection))
                    if reply is not None:
                        connection.sendall(len(reply).to_bytes(2, "big") + reply)
            except (_Gone, OSError) as reason:
                log.debug("vpcd connection ends: %r", reason)
            finally:
                with self._changed:
                    self._connection = None

    def _hear(self, one: Presented, message: bytes) -> bytes | None:
        """Return the answer to one message; None where none belongs."""
        match message:
            case b"\x04":
                return NO_ATR if one.is_mute else self.atr.encoded
            case b"\x00":
                with self._changed:
                    self._field.power_off(self._clock_ns())
                    # The second tap is not there yet, though the card will be.
                    if one not in self._field.there(self._clock_ns()):
                        raise _Gone
                return None
            case b"\x01" | b"\x02":
                try:
                    one.card.power_up()
                except NoAnswerToReset:
                    one.is_mute = True
                return None
        if len(message) < 2:
            return None
        if self._is_acr122 and message.startswith(ACR122_LIGHTS):
            self.lights.append(message)
            return b"\x90\x00"
        with self._changed:
            one.is_heard = True
        response = one.card.respond(message)
        if isinstance(response, Torn):
            with self._changed:
                self._field.forget(one)
            raise _Gone
        if not isinstance(response, Answer):
            with self._changed:
                one.is_silent = True
                # pcscd waits with us, until somebody takes the card out.
                self._changed.wait_for(lambda: self._is_gone(one))
            raise _Gone
        with self._changed:
            if self._changed.wait_for(lambda: self._is_gone(one), response.delay_us / 1e6):
                raise _Gone
        return response.data

    def _is_gone(self, one: Presented) -> bool:
        return not self._is_open or one not in self._field.cards

    def _hang_up(self) -> None:
        if self._connection is not None:
            try:
                self._connection.shutdown(socket.SHUT_RDWR)
            except OSError as error:
                log.debug("vpcd has hung up already: %s", error)


def _receive(connection: socket.socket) -> bytes:
    size = int.from_bytes(_receive_exactly(connection, 2), "big")
    return _receive_exactly(connection, size)


def _receive_exactly(connection: socket.socket, count: int) -> bytes:
    received = b""
    while len(received) < count:
        piece = connection.recv(count - len(received))
        if _QUICKACK is not None:
            # vpcd sends length and body apart: without an acknowledgement at
            # once each command waits 40 ms. The kernel forgets it every time.
            connection.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)
        if not piece:
            raise _Gone
        received += piece
    return received


def _bound(port: int, *, again: bool = True) -> socket.socket:
    """Return a socket that holds a port and does not listen yet.

    again: also while connections to it have not quite ended.
    """
    holder = socket.socket()
    try:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, again)
        holder.bind(("127.0.0.1", port))
    except OSError:
        holder.close()
        raise
    return holder


def _take_ports(port: int | None) -> tuple[socket.socket, socket.socket, int]:
    """Hold two ports in a row; return their sockets and the first number."""
    # Where to begin is chance: many readers look for ports at once.
    tries = [port] if port is not None else random.sample(PORTS, len(PORTS))
    for number in tries:
        try:
            # Two sockets may hold one port as long as neither listens, unless
            # one of them objects: the second slot's speaks for both.
            second = _bound(number + 1, again=False)
        except OSError:
            continue
        try:
            return _bound(number), second, number
        except OSError:
            second.close()
    raise ReaderSimulatorError(f"TCP ports {tries[0]} and {tries[0] + 1} are not free")


def free_port() -> int:
    """Return the first of two TCP ports in a row that nobody has now."""
    first, second, number = _take_ports(None)
    first.close()
    second.close()
    return number
