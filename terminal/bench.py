"""What a simulated shop lets the cashier do to it. A live shop has no bench.

The terminal only knows this protocol; the assembly fulfils it from the
simulators.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


class Group(enum.StrEnum):
    """The bench panel's columns."""

    CARD = "card"
    CHIP = "chip"
    PHONE = "phone"
    CODE = "code"
    FAULT = "fault"
    SEE = "see"
    """What came out of a device; do() answers with what there is to see."""


@dataclass(frozen=True, slots=True)
class Offer:
    """One thing that can be presented or done.

    id: what do() takes, such as 'card:visa-online', 'wallet:alipay-qr',
    'show-code:alipay', 'fault:bank-cut'. title and title_zh: one short line.
    expect: the outcome to expect, in English; expect_zh in Chinese.
    """

    id: str
    group: Group
    title: str
    title_zh: str
    expect: str = ""
    expect_zh: str = ""
    is_on: bool = False
    """A fault switch that is on now."""


@dataclass(frozen=True, slots=True)
class BenchPerson:
    """One of a simulated shop's people, and what they would type."""

    name: str
    role: str
    """A terminal.people.privileges.Role."""
    secret: str
    code: str
    """What their app shows now; empty for who has none."""


class Bench(Protocol):
    """The far ends of every wire, at the cashier's finger tips."""

    def offers(self) -> Sequence[Offer]:
        """List what can be presented or done now, in the order to show."""

    @property
    def takes_pin(self) -> bool:
        """Whether this shop's PIN pad is the till's own screen and keyboard; test PINs only."""

    def press(self, key: str) -> None:
        """Press a key of that PIN pad: '0' to '9', 'clear' or 'enter'.

        While it does not ask, nothing comes of it.
        Raises BenchRefused if the pad cannot encipher what was typed.
        """

    def do(self, offer: str) -> str:
        """Present or do it; return one line on what happened, in English.

        Returns at once; what follows comes through the devices.
        Raises BenchRefused if there is no such offer or it cannot be now.
        """

    def people(self) -> Sequence[BenchPerson]:
        """List who works in the simulated shop."""
