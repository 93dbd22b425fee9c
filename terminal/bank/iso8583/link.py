"""One message to a host and what comes back, over TLS, on a connection of its own.

A connection for each message: hosts of this dialect close theirs after an
answer, and one that is always fresh cannot have died unseen.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Final

from terminal.bank import silence, trust
from terminal.bank.iso8583.framing import Frames
from terminal.errors import AnswerLost, MalformedMessage
from terminal.security.keys import TillKeys

READ_BYTES: Final = 4096


class Link:
    """The wire to one host. One exchange at a time; close() may come from any thread."""

    def __init__(
        self,
        host: str,
        port: int,
        keys: TillKeys,
        monotonic: Callable[[], float],
        *,
        server_name: str | None = None,
        connect_s: float = 5.0,
        answer_s: float = 30.0,
    ) -> None:
        """server_name: what the host's certificate is for, if not its name.

        connect_s, answer_s: as for terminal.bank.client.BankClient.
        Raises KeysUnusable.
        """
        self._host, self._port = host, port
        self._server_name = server_name or host
        self._connect_s, self._answer_s = connect_s, answer_s
        self._line = trust.Line(monotonic)
        self._context = trust.client_context(keys, self._line)

    def exchange(self, sent: bytes, sending: Callable[[], None] | None = None) -> bytes:
        """Return the first whole message that comes back, without its length.

        sending: called once, just before the first byte leaves.
        Raises NeverLeft if provably nothing was sent, AnswerLost if it was.
        """
        line = self._line
        line.prepare(self._connect_s, self._answer_s, sending)
        try:
            plain = trust.dial(line, self._host, self._port)
            with self._context.wrap_socket(plain, server_hostname=self._server_name) as tls:
                line.is_fresh = True
                line.first_byte()
                tls.sendall(sent)
                return _first_message(tls)
        except OSError as error:
            raise silence.meaning(error, line, self._host, self._port) from None
        except MalformedMessage as error:
            raise AnswerLost(f"the bank's answer is no message: {error}") from None

    def close(self) -> None:
        """End the link for good, at once."""
        self._line.cut()


def _first_message(tls: ssl.SSLSocket) -> bytes:
    frames = Frames()
    buffer = bytearray(READ_BYTES)
    while True:
        count = tls.recv_into(buffer)
        if not count:
            raise ConnectionError("the connection ended before the answer was whole")
        whole = frames.feed(bytes(buffer[:count]))
        if whole:
            return whole[0]
