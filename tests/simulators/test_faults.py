"""The wire that fails on command, between two plain sockets."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from simulators.faults import FaultProxy, Way


class Echo:
    """Sends back what it gets, and keeps it."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.seen = bytearray()
        self.arrived = threading.Condition()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            try:
                while data := connection.recv(65_536):
                    with self.arrived:
                        self.seen += data
                        self.arrived.notify_all()
                    connection.sendall(data)
            except OSError:
                return

    def wait_for(self, count: int) -> bytes:
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.seen) >= count, 10)
            return bytes(self.seen)

    def close(self) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


@pytest.fixture
def echo() -> Iterator[Echo]:
    echo = Echo()
    yield echo
    echo.close()


@pytest.fixture
def wire(echo: Echo) -> Iterator[FaultProxy]:
    with FaultProxy(echo.port) as wire:
        yield wire


def connect(wire: FaultProxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", wire.port), timeout=10)


def ask(connection: socket.socket, data: bytes) -> bytes:
    """Send, and return as much as was sent, or what came before the end."""
    connection.sendall(data)
    return receive(connection, len(data))


def receive(connection: socket.socket, count: int) -> bytes:
    got = b""
    try:
        while len(got) < count and (data := connection.recv(count - len(got))):
            got += data
    except ConnectionError:
        pass
    return got


def is_ended(connection: socket.socket) -> bool:
    try:
        return connection.recv(1) == b""
    except ConnectionError:
        return True


def is_dropped_at_once(wire: FaultProxy) -> bool:
    """Return whether a new connection ends by itself; its making may see that already."""
    try:
        with connect(wire) as connection:
            return is_ended(connection)
    except ConnectionResetError:
        return True


def test_a_sound_wire_carries_both_ways(wire: FaultProxy) -> None:
    with connect(wire) as connection:
        assert ask(connection, b"a" * 300_000) == b"a" * 300_000


def test_the_ends_of_a_connection_are_carried_too(wire: FaultProxy) -> None:
    connection = connect(wire)
    connection.shutdown(socket.SHUT_WR)

    assert is_ended(connection)
    connection.close()


def test_refuse_is_what_a_closed_port_does_and_heals(wire: FaultProxy) -> None:
    with connect(wire) as old:
        assert ask(old, b"x") == b"x"
        wire.refuse()
        assert is_ended(old)
        with pytest.raises(ConnectionRefusedError):
            connect(wire)
    port = wire.port
    wire.heal()
    assert wire.port == port
    with connect(wire) as new:
        assert ask(new, b"y") == b"y"


def test_cut_drops_what_is_and_what_comes(wire: FaultProxy) -> None:
    with connect(wire) as old:
        assert ask(old, b"x") == b"x"
        wire.cut()
        assert is_ended(old)
    assert is_dropped_at_once(wire)


@pytest.mark.parametrize("count", [0, 1, 7, 99])
def test_a_request_is_cut_to_the_byte(wire: FaultProxy, echo: Echo, count: int) -> None:
    wire.cut_after("request", count)
    with connect(wire) as connection:
        ask(connection, b"r" * 100)

    assert echo.wait_for(count) == b"r" * count


@pytest.mark.parametrize("count", [0, 1, 7, 99])
def test_an_answer_is_cut_to_the_byte(wire: FaultProxy, count: int) -> None:
    wire.cut_after("answer", count)
    with connect(wire) as connection:
        assert ask(connection, b"r" * 100) == b"r" * count
        assert is_ended(connection)


def test_counting_begins_when_the_fault_does(wire: FaultProxy) -> None:
    with connect(wire) as connection:
        assert ask(connection, b"r" * 100) == b"r" * 100
        wire.cut_after("answer", 5)
        assert ask(connection, b"s" * 100) == b"s" * 5


def test_a_black_hole_takes_and_gives_nothing(wire: FaultProxy, echo: Echo) -> None:
    wire.swallow()
    with connect(wire) as connection:
        connection.sendall(b"lost")
        connection.settimeout(0.05)
        with pytest.raises(TimeoutError):
            connection.recv(1)
    assert bytes(echo.seen) == b""


def test_garbage_is_answered_to_anything(wire: FaultProxy, echo: Echo) -> None:
    wire.answer_garbage(b"\x00\xff nonsense")
    with connect(wire) as connection:
        connection.sendall(b"hello")
        assert receive(connection, 100) == b"\x00\xff nonsense"
    assert bytes(echo.seen) == b""


def test_a_delayed_piece_arrives_as_soon_as_the_delay_is_lifted(wire: FaultProxy) -> None:
    wire.delay(3600)
    with connect(wire) as connection:
        connection.sendall(b"late")
        connection.settimeout(0.05)
        with pytest.raises(TimeoutError):
            connection.recv(1)
        connection.settimeout(10)
        wire.heal()
        assert receive(connection, 4) == b"late"


def test_what_is_held_back_arrives_after_its_sender_has_gone(wire: FaultProxy, echo: Echo) -> None:
    wire.hold_after("request", 3)
    with connect(wire) as connection:
        connection.sendall(b"hello")
        assert wire.wait_until_holding(10)
        assert receive(connection, 3) == b"hel"
    assert echo.wait_for(3) == b"hel"

    wire.heal()

    assert echo.wait_for(5) == b"hello"


def test_a_held_answer_leaves_the_request_alone(wire: FaultProxy, echo: Echo) -> None:
    wire.hold_after("answer", 0)
    with connect(wire) as connection:
        connection.sendall(b"hello")
        assert wire.wait_until_holding(10)
        assert echo.wait_for(5) == b"hello"
        wire.heal()
        assert receive(connection, 5) == b"hello"


def test_a_bank_that_is_down_looks_down_through_the_wire() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with FaultProxy(port) as wire:
        assert is_dropped_at_once(wire)


def test_closing_twice_is_safe(wire: FaultProxy) -> None:
    wire.close()
    wire.close()

    with pytest.raises(ConnectionRefusedError):
        connect(wire)


@pytest.mark.parametrize("way", ["request", "answer"])
def test_one_piece_is_mangled_and_the_rest_is_carried(wire: FaultProxy, way: Way) -> None:
    wire.mangle_after(way, 3, lambda rest: rest[::-1] + b"!")
    with connect(wire) as connection:
        connection.sendall(b"abcdef")
        assert receive(connection, 7) == b"abcfed!"
        assert ask(connection, b"ghi") == b"ghi"


def test_a_dripping_wire_carries_all_and_the_next_verb_carries_the_rest_at_once(
    wire: FaultProxy, echo: Echo
) -> None:
    wire.drip("answer", 0.001)
    with connect(wire) as connection:
        assert ask(connection, b"abcdef") == b"abcdef"
        wire.drip("answer", 3600)
        connection.sendall(b"ghi")
        assert echo.wait_for(9)
        wire.heal()
        assert receive(connection, 3) == b"ghi"
