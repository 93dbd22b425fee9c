"""Tills whose readers are real: pcscd, nfcpy's UDP link, and a PN532 on a serial line."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import config
from simulators.card import load_profiles, make_card
from simulators.card.faults import with_faults
from simulators.readers.iso_dep import Kind, Picc
from simulators.readers.nfc_udp import NfcUdpCard
from simulators.readers.pcscd import Pcscd
from simulators.readers.pn532 import Pn532
from simulators.readers.vpcd import VpcdReader
from simulators.responses import AnyCard, Response, Torn

PATIENCE_S = 45.0
FWI = 9
"""155 ms, three times: a card that computes on a busy machine is not silent."""


@dataclass
class Stack:
    """A till's real reader, and what is held to it."""

    name: str
    driver: str
    options: str
    """As TOML."""
    front: Any
    pull: Callable[[], None]
    plug: Callable[[], None]


class Heard:
    """A card that tells when it was talked to."""

    def __init__(self, inner: AnyCard) -> None:
        self._inner = inner
        self._heard, self._torn = threading.Event(), threading.Event()
        self._released = threading.Event()
        self.commands = 0

    def power_up(self) -> None:
        self._inner.power_up()

    def respond(self, command: bytes) -> Response:
        self.commands += 1
        self._heard.set()
        response = self._inner.respond(command)
        if isinstance(response, Torn):
            self._torn.set()
        return response

    def returns_after_s(self) -> float | None:
        self._released.set()
        return self._inner.returns_after_s()

    def wait(self) -> None:
        assert self._heard.wait(PATIENCE_S), "nobody talked to the card"

    def wait_until_torn(self) -> None:
        assert self._torn.wait(PATIENCE_S), "nobody came to the command it was torn at"

    def wait_until_released(self) -> None:
        assert self._released.wait(PATIENCE_S), "nobody let go of the card"


def _on_pcscd(name: str, front: VpcdReader, daemon: Pcscd[VpcdReader]) -> Stack:
    """Its cable is the whole daemon: killed, and started again."""
    options = f'{{ name = "{front.name}" }}'
    return Stack(name, "pcsc", options, front, daemon.kill, daemon.start)


def _on_usb(name: str, front: VpcdReader, daemon: Pcscd[VpcdReader]) -> Stack:
    """Its cable is its own: a daemon without it is what clients see of an unplugged one."""
    all_of_them = list(daemon.readers)

    def have(readers: Sequence[VpcdReader]) -> None:
        daemon.readers[:] = readers
        daemon.restart()

    stack = _on_pcscd(name, front, daemon)
    stack.pull = lambda: have([reader for reader in all_of_them if reader is not front])
    stack.plug = lambda: have(all_of_them)
    return stack


@contextmanager
def _pcsc(name: str, request: pytest.FixtureRequest) -> Iterator[Stack]:
    daemon: Pcscd[VpcdReader] = request.getfixturevalue("pcscd")
    all_of_them = list(daemon.readers)
    front = all_of_them[name == "slot"]
    yield (_on_usb if name == "pcsc-usb" else _on_pcscd)(name, front, daemon)
    front.remove()
    if daemon.readers != all_of_them:
        daemon.readers[:] = all_of_them
        daemon.kill()
    daemon.start()


@contextmanager
def _in_process(name: str, request: pytest.FixtureRequest) -> Iterator[Stack]:
    """No stack at all: the till's own simulated shop has the reader."""
    yield Stack(name, "simulated", "{}", None, pytest.fail, pytest.fail)


@contextmanager
def _udp(name: str, request: pytest.FixtureRequest) -> Iterator[Stack]:
    """There is no cable to pull."""
    front = NfcUdpCard(make_picc=lambda card: Picc(card, kind=Kind.B, fwi=FWI))
    yield Stack(name, "nfc", f'{{ path = "{front.path}" }}', front, pytest.fail, pytest.fail)
    front.close()


@contextmanager
def _pn532(name: str, request: pytest.FixtureRequest) -> Iterator[Stack]:
    link = request.getfixturevalue("tmp_path") / name
    front = Pn532(link=link, make_picc=lambda card: Picc(card, fwi=FWI))
    yield Stack(name, "nfc", f'{{ path = "{link}" }}', front, front.unplug, front.replug)
    front.close()


STACKS = {
    "in-process": _in_process,
    "pcsc": _pcsc,
    "pcsc-usb": _pcsc,
    "slot": _pcsc,
    "udp": _udp,
    "pn532": _pn532,
    "pn532-right": _pn532,
}


@pytest.fixture
def over(request: pytest.FixtureRequest) -> Iterator[Callable[[str], Stack]]:
    """Open stacks by name, and close them after the test."""
    with ExitStack() as opened:
        yield lambda name: opened.enter_context(STACKS[name](name, request))


@pytest.fixture
def stack(request: pytest.FixtureRequest, over: Callable[[str], Stack]) -> Stack:
    """The one that the test's parameter names."""
    return over(request.param)


@pytest.fixture
def shop_file(tmp_path: Path) -> Callable[..., Path]:
    """Write the bench shop with these readers and no others: shop_file(*stacks, more='')."""

    def write(*stacks: Stack, more: str = "") -> Path:
        text = config.BENCH.read_text("utf-8")
        start = text.index("[[devices.readers]]")
        end = text.index("[[devices.scanners]]")
        readers = "".join(
            f'[[devices.readers]]\nname = "Reader {number}"\n'
            f'driver = "{stack.driver}"\noptions = {stack.options}\n\n'
            for number, stack in enumerate(stacks)
        )
        path = tmp_path / "stacks.toml"
        # Whole campaigns of torn cards belong to one sale.
        before = re.sub(r"present_timeout_s = \d+", "present_timeout_s = 600", text[:start])
        path.write_text(before + readers + more + text[end:], "utf-8")
        return path

    return write


@pytest.fixture
def counter(open_counter: Callable[..., Any], stack: Stack, shop_file: Callable[..., Path]) -> Any:
    """A till with that reader."""
    opened = open_counter(file=shop_file(stack)).until_ready()
    if stack.front is None:
        stack.front = opened.shop.reader
    return opened


@pytest.fixture
def card() -> Callable[..., Heard]:
    """Make a card of a counter's scheme: card(counter, profile, *faults)."""

    def make(counter: Any, profile: str = "visa-online", *faults: str) -> Heard:
        plain = make_card(load_profiles()[profile], counter.home)
        return Heard(with_faults(plain, faults))

    return make
