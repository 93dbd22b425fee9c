"""The dialect on a socket: TLS, lengths, and nothing that decides."""

from __future__ import annotations

import logging
import socket
import socketserver
import ssl
import threading
from collections.abc import Callable

from simulators.bank.errors import BankError
from simulators.bank.iso8583.core import Host, answer
from simulators.bank.iso8583.wire import MESSAGE_MAX, NotAMessage
from simulators.bank.service import peer_of

KEEP_ALIVE_S = 75
"""Longer than a till's own patience, so that the till is the one to hang up."""

POLL_S = 0.05
"""How soon a door that is being closed notices."""

log = logging.getLogger("simulators.bank")


class Door:
    """A port where tills of this dialect knock, a thread for each."""

    def __init__(
        self,
        host: Host,
        tls: ssl.SSLContext,
        clock: Callable[[], float],
        random: Callable[[int], bytes],
        listening: socket.socket,
    ) -> None:
        """tls: demands a certificate of the bank's own. clock: Unix time in seconds.

        listening: a socket of service.listen(), which others may serve, too.
        """

        def answer_now(routed: bytes, tls: ssl.SSLSocket) -> bytes:
            told, summary = answer(host, routed, peer_of(tls), int(clock() * 1000), random)
            log.info("8583 %s", summary)
            return told

        self._server = _Server(listening, tls, answer_now)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(POLL_S,), daemon=True
        )

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        host, port = self._server.socket.getsockname()
        return host, port

    def start(self) -> Door:
        """Let tills in."""
        self._thread.start()
        return self

    def close(self) -> None:
        """Close the port and every line."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Door:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()


class _Line(socketserver.BaseRequestHandler):
    """One till's connection, until either side has enough."""

    server: _Server
    request: socket.socket

    def handle(self) -> None:
        """Shake hands, then answer one message after the other."""
        self.request.settimeout(KEEP_ALIVE_S)
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            with self.server.tls.wrap_socket(self.request, server_side=True) as line:
                self.server.lines.add(line)
                try:
                    while (routed := _read_message(line)) is not None:
                        line.sendall(self.server.answer(routed, line))
                finally:
                    self.server.lines.discard(line)
        except BankError as error:
            log.info("8583 cut: %s", error)
        except OSError as error:
            # The other side went, or never was one of ours.
            log.info("8583 line lost: %s", type(error).__name__)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = True

    def __init__(
        self,
        listening: socket.socket,
        tls: ssl.SSLContext,
        answer: Callable[[bytes, ssl.SSLSocket], bytes],
    ) -> None:
        self.tls = tls
        self.answer = answer
        self.lines: set[ssl.SSLSocket] = set()
        address: tuple[str, int] = listening.getsockname()
        super().__init__(address, _Line, bind_and_activate=False)
        self.socket.close()
        self.socket = listening

    def shutdown(self) -> None:
        """Stop letting in, and hang up on everybody."""
        super().shutdown()
        for line in list(self.lines):
            socket.socket.shutdown(line, socket.SHUT_RDWR)

    def handle_error(self, _request: object, _address: object) -> None:
        """Keep the traceback: what reaches here is a fault of the bank's own."""
        log.exception("8583: a line ended in a fault")


def _read_message(line: ssl.SSLSocket) -> bytes | None:
    """Return what comes after a length; None where the till hung up in between."""
    length = int.from_bytes(_read(line, 2) or b"", "big")
    if not length:
        return None
    if length > MESSAGE_MAX:
        raise NotAMessage(f"a message of {length} bytes")
    return _read(line, length)


def _read(line: ssl.SSLSocket, count: int) -> bytes | None:
    data = bytearray()
    while len(data) < count:
        part = line.recv(count - len(data))
        if not part:
            return None
        data += part
    return bytes(data)
