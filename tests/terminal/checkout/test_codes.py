"""One scanner's worker: which of the codes it sees reach the sale."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence

import pytest

from config import load_payment_codes
from drivers.protocols import Diagnosis, Health, Symbol, Symbology
from terminal.checkout.codes import CodeWorker
from terminal.events import Arm, CodeRead, CodeRejected, InboxEvent
from terminal.messages import Message

LONG_S = 10.0
"""Nothing here takes this long unless it is broken."""
ALIPAY, WECHAT = b"281234567890123456", b"134567890123456789"


class Frames:
    """A scanner that sees what it is given, frame by frame, then nothing."""

    def __init__(self, *frames: Sequence[bytes]) -> None:
        self._frames = deque(frames)
        self.is_through = threading.Event()
        """Every frame was looked at, and what was in it dealt with."""

    def start(self) -> None:
        """It is always on."""

    def stop(self) -> None:
        """It is always on."""

    def close(self) -> None:
        """There is nothing to let go."""

    def diagnose(self) -> Diagnosis:
        return Diagnosis(Health.READY, "frames")

    def wait_for_symbols(self, timeout_s: float) -> Sequence[Symbol]:
        if self._frames:
            return [Symbol(Symbology.QR, payload) for payload in self._frames.popleft()]
        self.is_through.set()
        return ()


def seen(*frames: Sequence[bytes]) -> list[CodeRead | CodeRejected]:
    """Return what a sale is told of these frames."""
    events: list[InboxEvent] = []
    scanner = Frames(*frames)
    worker = CodeWorker(
        lambda: scanner,
        "Counter camera",
        load_payment_codes,
        lambda attempt, code: f"{attempt} {code}",
        events.append,
    )
    worker.start()
    worker.arm(Arm(7, "a1", 100, "CNY"))
    assert scanner.is_through.wait(LONG_S)
    worker.close()
    return [event for event in events if isinstance(event, CodeRead | CodeRejected)]


def test_a_payment_code_is_sealed_for_its_sale() -> None:
    (read,) = seen([ALIPAY])
    assert isinstance(read, CodeRead)
    assert (read.arming, read.brand, read.sealed) == (7, "Alipay", f"a1 {ALIPAY.decode()}")


def test_the_same_code_counts_once_in_a_sale() -> None:
    assert len(seen([ALIPAY], [ALIPAY], [], [ALIPAY])) == 1
    assert len(seen([b"hello"], [b"hello"])) == 1


def test_a_frame_with_two_payment_codes_pays_with_neither() -> None:
    """And each is looked at again once the other is taken away."""
    both, one = seen([ALIPAY, WECHAT], [WECHAT])
    assert both == CodeRejected(7, Message.TWO_CODES)
    assert isinstance(one, CodeRead)
    assert one.sealed == f"a1 {WECHAT.decode()}"


def test_a_poster_beside_the_phone_does_not_stop_it() -> None:
    (read,) = seen([b"https://example.com", ALIPAY])
    assert isinstance(read, CodeRead)


@pytest.mark.parametrize(
    "payload",
    [b"hello", ALIPAY[:-4], b"hQVDUFYwMWE=", b"00020101021126", b"28123456789012345a", b"\xff\x00"],
)
def test_what_is_no_payment_code_by_its_whole_shape_is_waved_off(payload: bytes) -> None:
    """A right beginning is not enough."""
    assert seen([payload]) == [CodeRejected(7, Message.NOT_A_PAYMENT_CODE)]


def test_a_fingerprint_tells_codes_apart_and_tells_nothing_of_them() -> None:
    first, other, again = (read for (read,) in (seen([ALIPAY]), seen([WECHAT]), seen([ALIPAY])))
    assert isinstance(first, CodeRead)
    assert isinstance(other, CodeRead)
    assert isinstance(again, CodeRead)
    assert first.fingerprint == again.fingerprint != other.fingerprint
    assert ALIPAY.decode() not in first.fingerprint
    assert first.fingerprint not in repr(first)
