"""A card behind T=0: one direction per command, short lengths, waiting data.

vpcd lets through what T=0 cannot carry; a real card would stumble over it.
Source: ISO/IEC 7816-3:2006, 12.2; EMV 4.4 Book 1, 9.3.
"""

from __future__ import annotations

from simulators.responses import Answer, AnyCard, Response

WRONG_LENGTH = b"\x67\x00"
INS_GET_RESPONSE = 0xC0


class T0Card:
    """Wraps a card that thinks in APDUs; keeps data until GET RESPONSE fetches it."""

    def __init__(self, card: AnyCard) -> None:
        self._card = card
        self._waiting: bytes | None = None

    def power_up(self) -> None:
        """Enter a field or a slot; nothing waits."""
        self._waiting = None
        self._card.power_up()

    def returns_after_s(self) -> float | None:
        """Return how soon its owner presents it again by himself; None if he does not."""
        return self._card.returns_after_s()

    def respond(self, command: bytes) -> Response:
        """Answer one command as it travels over T=0: header, and data or a length."""
        waiting, self._waiting = self._waiting, None
        if len(command) <= 5:
            length = command[4] if len(command) == 5 else 0
            if command[1] == INS_GET_RESPONSE and waiting is not None:
                return self._fetch(waiting, length or 256)
            return self._outgoing(command, length or 256)
        if len(command) != 5 + command[4]:
            # An extended length, or data and Le together.
            return Answer(WRONG_LENGTH)
        return self._incoming(command)

    def _fetch(self, waiting: bytes, length: int) -> Response:
        data, status = waiting[:-2], waiting[-2:]
        if length > len(data):
            self._waiting = waiting
            return Answer(bytes((0x6C, len(data) % 256)))
        if length < len(data):
            self._waiting = data[length:] + status
            return Answer(data[:length] + bytes((0x61, min(len(data) - length, 256) % 256)))
        return Answer(data + status)

    def _outgoing(self, command: bytes, length: int) -> Response:
        response = self._card.respond(command)
        if not isinstance(response, Answer) or len(command) < 5 or len(response.data) == 2:
            return response
        data = response.data[:-2]
        if len(data) != length and not (length == 256 and len(data) > 256):
            # The card has more or less to say than the reader wants to hear.
            return Answer(bytes((0x6C, len(data) % 256)), response.delay_us)
        return response

    def _incoming(self, command: bytes) -> Response:
        # What the card has to say is not known before it has heard everything.
        response = self._card.respond(command + b"\x00")
        if not isinstance(response, Answer) or len(response.data) == 2:
            return response
        self._waiting = response.data
        size = min(len(response.data) - 2, 256)
        return Answer(bytes((0x61, size % 256)), response.delay_us)
