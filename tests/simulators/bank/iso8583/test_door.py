"""The port itself: who gets in over TLS, and how a line ends."""

import contextlib
import os
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from simulators.bank import bench
from simulators.bank.iso8583.core import Host
from simulators.bank.iso8583.door import Door
from simulators.bank.service import listen, tls_of
from terminal.bank.iso8583 import transactions
from terminal.bank.iso8583.framing import Frames
from terminal.bank.iso8583.session import Dialect, Session
from terminal.bank.iso8583.transactions import Till

TILL = Till("till-1", "corner-shop")


@pytest.fixture
def door(shop: Any) -> Iterator[Door]:
    host = Host.open(shop.bank, shop.place, os.urandom, "retail")
    with Door(host, tls_of(shop.place), lambda: shop.now_ms / 1000, os.urandom, listen(0)) as door:
        yield door


@contextlib.contextmanager
def line_of(door: Door, context: ssl.SSLContext) -> Iterator[ssl.SSLSocket]:
    """A TLS connection to the port."""
    with (
        socket.create_connection(door.address, timeout=10) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as line,
    ):
        yield line


def exchange(line: ssl.SSLSocket, sent: bytes) -> bytes:
    frames, whole = Frames(), list[bytes]()
    line.sendall(sent)
    while not whole:
        data = line.recv(4096)
        assert data, "the bank hung up"
        whole = frames.feed(data)
    return whole[0]


def test_a_till_signs_on_and_asks_over_one_line(shop: Any, door: Door, tmp_path: Path) -> None:
    protection = bench.transport_key(shop.place, "till-1", os.urandom)
    session = Session(Dialect(), TILL, protection)
    with line_of(door, shop.till().tls(tmp_path)) as line:
        request, sent = session.sign_on("000001")
        session.take_keys(request, exchange(line, sent))
        for stan in ("000002", "000003"):
            echo = transactions.echo(TILL, stan)
            assert session.hear(echo, exchange(line, session.ask(echo))).is_approved


def test_nobody_gets_in_without_a_certificate(shop: Any, door: Door) -> None:
    stranger = ssl.create_default_context(cafile=str(shop.place.ca_certificate))

    def knock() -> bytes:
        # In TLS 1.3 a refusal comes with the first bytes read.
        with line_of(door, stranger) as line:
            return line.recv(1)

    with pytest.raises((ssl.SSLError, ConnectionError)):
        knock()


@pytest.mark.parametrize("noise", [b"\xff\xff", b"\x00\x06noise!", b"\x00\x00"])
def test_noise_ends_the_line_and_no_other(
    shop: Any, door: Door, tmp_path: Path, noise: bytes
) -> None:
    till = shop.till()
    with line_of(door, till.tls(tmp_path)) as line:
        line.sendall(noise)
        assert line.recv(1) == b""
    with line_of(door, till.tls(tmp_path)) as line:
        _, sent = Session(Dialect(), TILL, bytes(32)).sign_on("000001")
        assert exchange(line, sent)


def test_closing_hangs_up_on_everybody(shop: Any, tmp_path: Path) -> None:
    host = Host.open(shop.bank, shop.place, os.urandom, "retail")
    door = Door(host, tls_of(shop.place), time.time, os.urandom, listen(0)).start()
    with line_of(door, shop.till().tls(tmp_path)) as line:
        exchange(line, Session(Dialect(), TILL, bytes(32)).sign_on("000001")[1])
        door.close()
        with contextlib.suppress(ConnectionError):
            assert line.recv(1) == b""
