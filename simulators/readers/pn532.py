"""A PN532 on a serial line, with cards before its antenna.

The chip is a pty: nfcpy's PN532 driver opens it through pyserial like any
other. It knows what nfcpy sends at its start and for each frame.
Source: PN532 User Manual (NXP UM0701-02), 6.2 and 7; PN532/C1 data sheet, 8.6.
"""

from __future__ import annotations

import logging
import os
import select
import threading
import time
import tty
from collections.abc import Callable
from pathlib import Path

from simulators.readers.antenna import Antenna, MakePicc
from simulators.readers.errors import ReaderSimulatorError
from simulators.readers.field import Presented
from simulators.readers.iso_dep import HALT_A, REQA, SELECT_LEVELS, Kind, Picc
from simulators.responses import AnyCard

log = logging.getLogger(__name__)

ACK = bytes.fromhex("00 00 FF 00 FF 00")
SYNTAX_ERROR = bytes.fromhex("00 00 FF 01 FF 7F 81 00")
HOST, CHIP = 0xD4, 0xD5
FRAME_BYTES_MAX = 265

FIRMWARE = bytes.fromhex("32 01 06 07")
"""PN532, version 1.6, Type A, Type B and ISO 18092."""
REGISTER_FIFO = 0x6339
REGISTER_TX_MODE = 0x6302
RF_FIELD, RF_TIMINGS = 0x01, 0x02
STATUS_OK, STATUS_TIMEOUT, STATUS_CRC, STATUS_COLLISION = b"\x00", b"\x01", b"\x02", b"\x06"
TYPE_A_106, TYPE_B_106 = 0x00, 0x03
TARGETS_MAX = 2
CID = 1
"""What the chip calls a Type B card that it activates by itself."""


class Chip:
    """What the PN532 does with a command. Waits as long as a card may."""

    def __init__(self, antenna: Antenna) -> None:
        self._antenna = antenna
        self._registers: dict[int, int] = {}
        self._kind = Kind.A
        self._timeout_us = 51_200
        self.spoilt = self.lost = 0
        """How many of the next answers arrive damaged, or not at all."""
        self.babbles = False

    def do(self, code: int, data: bytes) -> bytes | None:
        """Return the answer to one command without its code; None: no such command."""
        match code:
            case 0x00:  # Diagnose; the line test is an echo.
                return data if data[:1] == b"\x00" else b"\x00"
            case 0x02:  # GetFirmwareVersion
                return FIRMWARE
            case 0x06:  # ReadRegister
                pairs = [data[at : at + 2] for at in range(0, len(data), 2)]
                return bytes(self._registers.get(int.from_bytes(pair, "big"), 0) for pair in pairs)
            case 0x08:  # WriteRegister
                self._write(data)
                return b""
            case 0x10 | 0x12 | 0x14:  # SetSerialBaudRate, SetParameters, SAMConfiguration
                return b""
            case 0x16 | 0x52:  # PowerDown, InRelease
                return STATUS_OK
            case 0x32:  # RFConfiguration
                self._configure(data)
                return b""
            case 0x42:  # InCommunicateThru
                return self._communicate(data)
            case 0x4A:  # InListPassiveTarget
                return self._list(data)
        return None

    def _write(self, data: bytes) -> None:
        for at in range(0, len(data) - 2, 3):
            register = int.from_bytes(data[at : at + 2], "big")
            self._registers[register] = data[at + 2]
            if register == REGISTER_TX_MODE:
                # The framing bits choose the modulation.
                self._kind = Kind.B if data[at + 2] & 0x03 == 0x03 else Kind.A

    def _configure(self, data: bytes) -> None:
        if data[0] == RF_FIELD and not data[1] & 0x01:
            self._antenna.power_off()
        elif data[0] == RF_TIMINGS and len(data) == 4:
            self._timeout_us = 100 << (data[3] - 1) if data[3] else 0

    def _list(self, data: bytes) -> bytes:
        """Find cards. Source: UM0701-02, 7.3.5."""
        if (
            len(data) < 2
            or not 1 <= data[0] <= TARGETS_MAX
            or data[1] not in (TYPE_A_106, TYPE_B_106)
        ):
            return b"\x00"
        self._kind = Kind.A if data[1] == TYPE_A_106 else Kind.B
        start = self._start_a if self._kind is Kind.A else self._start_b
        self._registers[REGISTER_FIFO] = REQA[0]
        found: list[bytes] = []
        for one, picc in self._cards():
            target = start(one, picc) if len(found) < data[0] else None
            if target is not None:
                found.append(bytes((len(found) + 1,)) + target)
                self._registers[REGISTER_FIFO] = 0
        return bytes((len(found),)) + b"".join(found)

    def _start_a(self, one: Presented, picc: Picc) -> bytes | None:
        """Select one card, and leave it selected if it is the only one."""
        ask = self._asker(one, picc)
        requested = ask(REQA)
        if requested is None:
            return None
        uid, sak = b"", b""
        for level in SELECT_LEVELS:
            part = ask(bytes((level, 0x20)))
            selected = ask(bytes((level, 0x70)) + part) if part is not None else None
            if part is None or selected is None:
                return None
            sak = selected
            uid += part[1:4] if sak[0] & 0x04 else part[:4]
            if not sak[0] & 0x04:
                break
        if len(self._cards()) > 1:
            ask(HALT_A)
        return requested[::-1] + sak + bytes((len(uid),)) + uid

    def _start_b(self, one: Presented, picc: Picc) -> bytes | None:
        """Activate one card, as the chip does by itself, with a number and short frames."""
        ask = self._asker(one, picc)
        requested = ask(b"\x05\x00\x00")
        if requested is None:
            return None
        attributed = ask(b"\x1d" + requested[1:5] + bytes((0x00, 0x05, 0x01, CID)))
        if attributed is None:
            return None
        return requested + bytes((len(attributed),)) + attributed

    def _asker(self, one: Presented, picc: Picc) -> Callable[[bytes], bytes | None]:
        return lambda frame: self._antenna.hear(one, picc, frame, self._wait)

    def _communicate(self, frame: bytes) -> bytes:
        """Carry one frame over the air. Source: UM0701-02, 7.3.9."""
        answers = [
            answer
            for one, picc in self._cards()
            if (answer := self._antenna.hear(one, picc, frame, self._wait)) is not None
        ]
        if answers and self.lost:
            self.lost -= 1
            answers = []
        if not answers:
            self._wait(self._timeout_us / 1e6)
            return STATUS_TIMEOUT
        if len(answers) > 1:
            return STATUS_COLLISION
        if self.spoilt:
            self.spoilt -= 1
            return STATUS_CRC
        return STATUS_OK + answers[0]

    def _wait(self, seconds: float) -> bool:
        """Wait for a card, no longer than the host allows; False if that was too short."""
        with self._antenna.changed:
            self._antenna.changed.wait_for(
                lambda: not self._antenna.is_open, min(seconds, self._timeout_us / 1e6)
            )
        return seconds <= self._timeout_us / 1e6

    def _cards(self) -> list[tuple[Presented, Picc]]:
        """Return the cards that understand how the chip modulates now."""
        return [(one, picc) for one, picc in self._antenna.there() if picc.kind is self._kind]


class Pn532:
    """A PN532 at the end of a cable, and whatever is held before it; from any thread."""

    def __init__(
        self,
        *,
        link: Path | None = None,
        make_picc: MakePicc = Picc,
        clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        """link: a name that stays the same when the pty behind it changes.

        make_picc: what a card is like on the air: type, UID, frame sizes.
        Raises ReaderSimulatorError if the link cannot be made.
        """
        self._antenna = Antenna(make_picc, TARGETS_MAX, clock_ns)
        self._chip = Chip(self._antenna)
        self._link = link
        self._cable: _Cable | None = None
        self.replug()

    @property
    def path(self) -> str:
        """The device file to open: the link, where there is one."""
        return str(self._link or (self._cable.path if self._cable else ""))

    # What happens to the reader.

    def present(self, *cards: AnyCard, stay: bool = False) -> None:
        """Hold one card or two there; each leaves when it has been read, unless it stays.

        Raises ReaderSimulatorError for more.
        """
        self._antenna.present(*cards, stay=stay)

    def remove(self) -> None:
        """Take every card away, in the middle of a conversation too."""
        self._antenna.remove()

    def spoil(self, count: int = 1) -> None:
        """Have the next answers arrive damaged."""
        self._chip.spoilt = count

    def lose(self, count: int = 1) -> None:
        """Have the next answers not arrive."""
        self._chip.lost = count

    def babble(self) -> None:
        """Answer whatever comes next with bytes that are no frame."""
        self._chip.babbles = True

    def unplug(self) -> None:
        """Pull the cable, in the middle of a conversation too."""
        cable, self._cable = self._cable, None
        if self._link is not None:
            self._link.unlink(missing_ok=True)
        if cable is not None:
            cable.close()
            self._antenna.power_off()

    def replug(self, link: Path | None = None) -> None:
        """Put the cable back: a new device file, the same link or another one."""
        if self._cable is None:
            self._link = link or self._link
            cable = _Cable(self._chip)
            if self._link is not None:
                try:
                    self._link.symlink_to(cable.path)
                except OSError as error:
                    cable.close()
                    raise ReaderSimulatorError(f"{self._link}: {error.strerror}") from error
            self._cable = cable

    def close(self) -> None:
        """Unplug it for good. Safe to call twice."""
        self._antenna.close()
        self.unplug()


class _Cable:
    """A pty with the chip at its far end."""

    def __init__(self, chip: Chip) -> None:
        self._chip = chip
        self._master, self._slave = os.openpty()
        # Our own hold on the near end: the far one survives a reader that closes it.
        tty.setraw(self._master)
        tty.setraw(self._slave)
        self.path = os.ttyname(self._slave)
        self._wake, self._waker = os.pipe()
        self._thread = threading.Thread(target=self._run, name="pn532", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Pull it: both ends are gone at once."""
        os.close(self._waker)
        if threading.current_thread() is not self._thread:
            self._thread.join()
        for descriptor in (self._master, self._slave, self._wake):
            os.close(descriptor)

    def _run(self) -> None:
        buffer = b""
        while True:
            ready, _, _ = select.select([self._master, self._wake], [], [])
            if self._wake in ready:
                return
            buffer += os.read(self._master, 4096)
            bodies, buffer = split_frames(buffer)
            for body in bodies:
                if body[0] != HOST or len(body) < 2:
                    continue
                self._write(ACK)
                if self._chip.babbles:
                    self._write(b"\x00\x00\xff")
                    continue
                answer = self._chip.do(body[1], body[2:])
                self._write(
                    SYNTAX_ERROR
                    if answer is None
                    else frame_of(bytes((CHIP, body[1] + 1)) + answer)
                )

    def _write(self, data: bytes) -> None:
        while data:
            _, ready, _ = select.select([self._wake], [self._master], [])
            if not ready:
                return
            data = data[os.write(self._master, data) :]


def frame_of(body: bytes) -> bytes:
    """Return a frame with this body, extended where it has to be.

    Source: UM0701-02, 6.2.1.
    """
    if len(body) < 256:
        start = bytes((len(body), -len(body) & 0xFF))
    else:
        length = len(body).to_bytes(2, "big")
        start = b"\xff\xff" + length + bytes((-sum(length) & 0xFF,))
    return b"\x00\x00\xff" + start + body + bytes((-sum(body) & 0xFF, 0x00))


def split_frames(stream: bytes) -> tuple[list[bytes], bytes]:
    """Return the bodies of the whole frames in a stream, and what is left of it.

    Preambles, acknowledgements and frames with a wrong check byte are skipped.
    """
    bodies: list[bytes] = []
    while True:
        at = stream.find(b"\x00\xff")
        if at < 0:
            return bodies, stream[-1:] if stream.endswith(b"\x00") else b""
        head = stream[at + 2 : at + 7]
        if len(head) < 2:
            return bodies, stream[at:]
        if head[:2] in (b"\x00\xff", b"\xff\x00"):
            stream = stream[at + 4 :]  # An ACK or a NACK.
            continue
        if head[:2] == b"\xff\xff":
            if len(head) < 5:
                return bodies, stream[at:]
            size, start = int.from_bytes(head[2:4], "big"), at + 7
            is_right = not sum(head[2:5]) & 0xFF
        else:
            size, start, is_right = head[0], at + 4, not sum(head[:2]) & 0xFF
        if not is_right or size > FRAME_BYTES_MAX:
            stream = stream[at + 2 :]
            continue
        if len(stream) < start + size + 1:
            return bodies, stream[at:]
        body, check = stream[start : start + size], stream[start + size]
        if body and not (sum(body) + check) & 0xFF:
            bodies.append(body)
        stream = stream[start + size + 1 :]
