"""A PIN pad on a serial line. The PIN is enciphered inside it; no till ever sees one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

from drivers import pinpad_frames as frames
from drivers.errors import (
    DeviceGarbled,
    DeviceNotReady,
    DeviceTimeout,
    DriverError,
    OptionRefused,
)
from drivers.pinpad_frames import Frame, FrameReader
from drivers.protocols import (
    FIRST_TRY,
    CardKey,
    Diagnosis,
    EncryptedPin,
    Health,
    NoPin,
    PinTries,
)
from drivers.serial_port import SerialPort

VERSION: Final = 1
KEY_ID_BYTES: Final = 8
KSN_BYTES: Final = 12
BLOCK_BYTES: Final = 16
ANSWER_S: Final = 0.5
"""Silence after which a request is repeated, in seconds."""
TRIES: Final = 3
POLL_S: Final = 0.1
GRACE_S: Final = 2.0
"""The pad keeps the time itself; so much later the till gives up all the same."""
TIMEOUT_S_MAX: Final = 600

_ASKING: Final = 1
_ENTERED: Final = 2
_NO_PIN: Final = {3: NoPin.CANCELLED, 4: NoPin.LATE, 5: NoPin.SKIPPED}

CHALLENGE_BYTES: Final = 8
EXPONENT_BYTES: Final = 3
_MAY_SKIP: Final = 0x01
_WAS_WRONG: Final = 0x02
_NOT_TOLD: Final = 0xFF

_REFUSALS: Final = {
    1: "does not know this request; its program is older than the till's",
    2: "cannot read the request",
    3: "has no keys; have them injected",
}


class SerialPinPad:
    """Satisfies drivers.protocols.PinPad."""

    def __init__(
        self,
        path: str,
        *,
        baud: int = 115200,
        parity: str = "none",
        data_bits: int = 8,
        flow: str = "none",
    ) -> None:
        """path: of the line. Opens nothing yet. Raises OptionRefused, naming the option."""
        if data_bits != 8:
            raise OptionRefused("data_bits: 8, for frames are binary")
        self._port = SerialPort(path, baud=baud, parity=parity, data_bits=data_bits, flow=flow)
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._reader = FrameReader()
        self._sequence = 0

    def encrypted_pin(
        self,
        pan: str,
        timeout_s: float,
        *,
        amount: str = "",
        on_digits: Callable[[int], None] | None = None,
        stop: threading.Event | None = None,
    ) -> EncryptedPin | NoPin:
        """Ask the customer for a PIN.

        pan: 12 to 19 digits; the block is bound to it. timeout_s: at most ten
        minutes. amount: ASCII, as the customer reads it; cut after 20.
        on_digits: told how many digits stand there, and never which.
        stop: set by whoever no longer wants an answer.
        Raises DeviceNotReady if it has no keys, DeviceLost or DeviceTimeout.
        """
        if not (12 <= len(pan) <= 19 and pan.isascii() and pan.isdigit()):
            raise ValueError("a card number has 12 to 19 digits")
        with self._lock:
            self._identify()
            seconds = _seconds(timeout_s)
            digits = bytes((len(pan),)) + pan.encode("ascii")
            self._request(frames.ASK, seconds.to_bytes(2, "big") + digits + _shown(amount))
            made = self._await_pin(seconds, KSN_BYTES + BLOCK_BYTES, on_digits, stop)
        if isinstance(made, NoPin):
            return made
        return EncryptedPin(block=made[KSN_BYTES:], ksn=made[:KSN_BYTES])

    def card_pin(
        self,
        key: CardKey,
        challenge: bytes,
        timeout_s: float,
        *,
        tries: PinTries = FIRST_TRY,
        amount: str = "",
        on_digits: Callable[[int], None] | None = None,
        stop: threading.Event | None = None,
    ) -> bytes | NoPin:
        """Ask the customer for a PIN that the card checks; return it enciphered by the card's key.

        challenge: the card's 8 bytes. What is returned is the data of VERIFY.
        Raises as encrypted_pin does; DeviceNotReady too for a pad that cannot do it.
        """
        if len(challenge) != CHALLENGE_BYTES:
            raise ValueError("a card's challenge has 8 bytes")
        flags = _MAY_SKIP * tries.may_skip | _WAS_WRONG * tries.is_retry
        left = _NOT_TOLD if tries.left is None else tries.left
        with self._lock:
            self._identify()
            seconds = _seconds(timeout_s)
            exponent = key.exponent.to_bytes(EXPONENT_BYTES, "big")
            self._request(frames.CARD_KEY, exponent + key.modulus)
            self._request(
                frames.ASK_FOR_CARD,
                seconds.to_bytes(2, "big") + bytes((flags, left)) + challenge + _shown(amount),
            )
            return self._await_pin(seconds, len(key.modulus), on_digits, stop)

    def identify(self) -> bytes:
        """Return whose keys the pad has, 8 bytes. Raises as encrypted_pin does."""
        with self._lock:
            return self._identify()

    def diagnose(self) -> Diagnosis:
        """Say how the pad is; it is asked who it is, unless it is at work."""
        name = f"PIN pad at {self._port.path}"
        if not self._lock.acquire(blocking=False):
            return Diagnosis(Health.READY, f"{name}: in use")
        try:
            key_id = self._identify()
        except DriverError as error:
            why = str(error).removeprefix(f"{self._port.path}: ")
            is_there = isinstance(error, DeviceNotReady)
            return Diagnosis(
                Health.FAULTY if is_there else Health.ABSENT,
                f"{name}: {why}",
                "have keys injected" if is_there else "check plug, switch, and speed",
            )
        finally:
            self._lock.release()
        return Diagnosis(Health.READY, f"{name}: keys {key_id.hex().upper()}")

    def close(self) -> None:
        """End what it asks, and let the line go. Safe to call twice."""
        self._closing.set()
        with self._lock:
            self._port.close()
            self._closing.clear()

    def _await_pin(
        self,
        seconds: int,
        size: int,
        on_digits: Callable[[int], None] | None,
        stop: threading.Event | None,
    ) -> bytes | NoPin:
        """Return what the pad made of a PIN, so many bytes."""
        deadline = time.monotonic() + seconds + GRACE_S
        stop = stop or threading.Event()
        digits = 0
        while True:
            is_unwanted = stop.wait(POLL_S) or self._closing.is_set()
            if is_unwanted or time.monotonic() > deadline:
                self._request(frames.CANCEL)
                return NoPin.STOPPED if is_unwanted else NoPin.LATE
            answer = self._request(frames.POLL)
            if len(answer) < 2:
                raise self._nonsense()
            state = answer[0]
            if state == _ENTERED:
                if len(answer) != 2 + size:
                    raise self._nonsense()
                return answer[2:]
            if state in _NO_PIN:
                return _NO_PIN[state]
            if state != _ASKING:
                raise DeviceTimeout(
                    f"{self._port.path}: has forgotten the question; was it switched off?"
                )
            if answer[1] != digits:
                digits = answer[1]
                if on_digits is not None:
                    on_digits(digits)

    def _identify(self) -> bytes:
        """Begin afresh with the pad; return whose keys it has. Raises DriverError."""
        self._sequence = 0
        self._reader = FrameReader()
        self._port.discard_input()
        answer = self._request(frames.IDENTIFY)
        if len(answer) != 1 + KEY_ID_BYTES:
            raise self._nonsense()
        if answer[0] != VERSION:
            raise DeviceNotReady(f"{self._port.path}: speaks version {answer[0]}, not {VERSION}")
        key_id = answer[1:]
        if not any(key_id):
            raise DeviceNotReady(f"{self._port.path}: {_REFUSALS[3]}")
        return key_id

    def _request(self, type_: int, payload: bytes = b"") -> bytes:
        """Send a request, again if it is not answered; return the answer's payload.

        A repeated request has the same number, so that the pad does it once.
        """
        request = Frame(self._sequence, type_, payload)
        # 0 is the first of a session and of no other request.
        self._sequence = self._sequence % 255 + 1
        noise = self._reader.noise_bytes
        for _ in range(TRIES):
            self._port.write(request.encode())
            answer = self._answer_to(request)
            if answer is not None:
                return answer
        if self._reader.noise_bytes > noise:
            raise self._nonsense()
        raise DeviceTimeout(f"{self._port.path}: says nothing; is it switched on?")

    def _answer_to(self, request: Frame) -> bytes | None:
        deadline = time.monotonic() + ANSWER_S
        while (left_s := deadline - time.monotonic()) > 0:
            for frame in self._reader.feed(self._port.read(512, left_s)):
                if frame.sequence != request.sequence:
                    continue
                if frame.type == request.type | frames.ANSWER:
                    return frame.payload
                if frame.type == frames.REFUSED:
                    why = _REFUSALS.get(frame.payload[0] if frame.payload else 0, "refuses")
                    raise DeviceNotReady(f"{self._port.path}: {why}")
        return None

    def _nonsense(self) -> DeviceGarbled:
        return DeviceGarbled(f"{self._port.path}: answers nonsense; is its speed right?")


def _seconds(timeout_s: float) -> int:
    """Return how long the pad shall ask."""
    return max(1, min(int(timeout_s), TIMEOUT_S_MAX))


def _shown(amount: str) -> bytes:
    """Return the amount as the pad takes it, with its length."""
    text = amount.encode("ascii", "replace")[:20]
    return bytes((len(text),)) + text
