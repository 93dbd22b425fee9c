"""Where one message ends and the next begins on a connection.

Two bytes of length, then what routes the message through the network: a TPDU,
and a header where a host has one. Source: ISO 8583:1987 leaves it open; the
TPDU is X.224's habit among hosts, 60, whereto, wherefrom.
"""

from __future__ import annotations

from dataclasses import dataclass

from terminal.errors import MalformedMessage

LENGTH_BYTES = 2
TPDU_BYTES = 5
MESSAGE_BYTES_MAX = 4096
"""No message of the dialect comes near."""


@dataclass(frozen=True, slots=True)
class Routing:
    """What stands before each message."""

    tpdu: bytes = bytes.fromhex("6000030000")
    header: bytes = b""

    def __post_init__(self) -> None:
        if len(self.tpdu) not in (0, TPDU_BYTES):
            raise ValueError(f"a TPDU has {TPDU_BYTES} bytes, or there is none")

    def wrap(self, message: bytes) -> bytes:
        """Return a message as it goes on the wire."""
        routed = self.tpdu + self.header + message
        if len(routed) > MESSAGE_BYTES_MAX:
            raise MalformedMessage(f"a message of {len(routed)} bytes")
        return len(routed).to_bytes(LENGTH_BYTES, "big") + routed

    def unwrap(self, routed: bytes) -> bytes:
        """Return the message in an answer, whose TPDU must lead back to us.

        Raises MalformedMessage if it is somebody else's.
        """
        if self.tpdu:
            back = self.tpdu[:1] + self.tpdu[3:] + self.tpdu[1:3]
            if routed[:TPDU_BYTES] != back:
                raise MalformedMessage("the answer's TPDU does not lead back to this till")
        start = len(self.tpdu) + len(self.header)
        if len(routed) <= start:
            raise MalformedMessage("the answer ends before its message")
        return routed[start:]


class Frames:
    """Cuts what comes off a connection into whole messages."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """Return the messages, still routed, that are whole now.

        Raises MalformedMessage for a length that no message has: nothing after
        it can be understood.
        """
        self._rest += data
        whole = []
        while len(self._rest) >= LENGTH_BYTES:
            length = int.from_bytes(self._rest[:LENGTH_BYTES], "big")
            if not 0 < length <= MESSAGE_BYTES_MAX:
                raise MalformedMessage(f"a message of {length} bytes")
            if len(self._rest) < LENGTH_BYTES + length:
                break
            whole.append(bytes(self._rest[LENGTH_BYTES : LENGTH_BYTES + length]))
            del self._rest[: LENGTH_BYTES + length]
        return whole
