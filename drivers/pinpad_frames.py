"""The frames between till and PIN pad; docs/pinpad-protocol.md is their contract."""

from __future__ import annotations

import binascii
from dataclasses import dataclass, field
from typing import Final

STX: Final = 0x02
BODY_BYTES_MAX: Final = 256
_OVERHEAD: Final = 5
"""STX, two bytes of length, two of checksum."""

IDENTIFY: Final = 0x01
ASK: Final = 0x02
POLL: Final = 0x03
CANCEL: Final = 0x04
CARD_KEY: Final = 0x05
ASK_FOR_CARD: Final = 0x06
ANSWER: Final = 0x80
"""Added to a request's type, it is the type of its answer."""
REFUSED: Final = 0xE0


@dataclass(frozen=True, slots=True)
class Frame:
    """One message. Its payload may hold a card number, and so is never shown."""

    sequence: int
    type: int
    payload: bytes = field(default=b"", repr=False)

    def encode(self) -> bytes:
        """Return the frame as it goes over the line."""
        body = bytes((self.sequence, self.type)) + self.payload
        if len(body) > BODY_BYTES_MAX:
            raise ValueError("a frame holds no more than that")
        counted = len(body).to_bytes(2, "big") + body
        return bytes((STX,)) + counted + _checksum(counted)


class FrameReader:
    """Finds frames in what comes, whatever stands between them, in bounded memory."""

    def __init__(self) -> None:
        self._held = bytearray()
        self.noise_bytes = 0
        """How much came that was no frame."""

    def feed(self, data: bytes) -> list[Frame]:
        """Return the frames that are whole now."""
        self._held += data
        frames = []
        while self._held:
            frame, used = self._first()
            if not used:
                break
            del self._held[:used]
            if frame is None:
                self.noise_bytes += used
            else:
                frames.append(frame)
        return frames

    def _first(self) -> tuple[Frame | None, int]:
        """Return a frame and its size, or how many bytes are none; 0 for too few."""
        held = self._held
        if held[0] != STX:
            start = held.find(STX)
            return None, len(held) if start < 0 else start
        if len(held) < 3:
            return None, 0
        size = int.from_bytes(held[1:3], "big")
        if not 2 <= size <= BODY_BYTES_MAX:
            return None, 1
        if len(held) < size + _OVERHEAD:
            return None, 0
        counted, checksum = bytes(held[1 : size + 3]), bytes(held[size + 3 : size + 5])
        if _checksum(counted) != checksum:
            # The STX was some other byte; a frame may begin behind it.
            return None, 1
        return Frame(counted[2], counted[3], counted[4:]), size + _OVERHEAD


def _checksum(data: bytes) -> bytes:
    """Return CRC-16/CCITT-FALSE: polynomial 1021, beginning with FFFF."""
    return binascii.crc_hqx(data, 0xFFFF).to_bytes(2, "big")
