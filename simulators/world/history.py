"""What befalls a world, drawn from its seed: what people do, and what goes wrong.

A history is a plain list. Played again it does the same; with some of it left
out, it is another world that can be played, which is how the shortest is found.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Final

from simulators.disk import Fault
from simulators.world.chance import chance
from simulators.world.wire import Weather
from simulators.world.works import INSERTED, TAPPED, WALLETS

DAY_S: Final = 900.0
"""From one opening to the next. A world's day has its rush, its close, and no night."""
BUSY_S: Final = 500.0
"""How long a day's deeds go on."""
DEEDS_A_DAY: Final = 26
"""Of each till."""
FIRST_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing that happens at some moment, at some till."""

    at_s: float
    till: int


@dataclass(frozen=True, slots=True)
class Sale(Deed):
    """A customer comes to pay."""

    amount_minor: int
    tender: str
    """'card:', 'chip:', 'code:' or 'shown:', and whose."""
    presents_s: float
    """How long the customer takes to present it."""
    pays_s: float
    """How long a wallet's owner takes, where one has something to do."""
    tear: str = ""
    """What goes wrong with a card, once; as simulators.card.faults reads it."""
    second: str = ""
    """A card that is tapped while a code is on show."""
    escapes_s: float | None = None
    """When the cashier presses Esc."""
    keeps: bool = True
    """The cashier keeps a sale that was not sent."""


@dataclass(frozen=True, slots=True)
class GiveBack(Deed):
    """A refund, whole or in part, or a void."""

    is_void: bool
    pick: int
    """Which of the sales that can be."""
    share: float
    """Of what is left of it."""


@dataclass(frozen=True, slots=True)
class Hurry(Deed):
    """Somebody has the till ask the bank now, and send what it keeps."""


@dataclass(frozen=True, slots=True)
class Leave(Deed):
    """The cashier goes on while a payment is being followed."""


@dataclass(frozen=True, slots=True)
class LosePower(Deed):
    """The plug is pulled, and put back."""

    for_s: float
    operations: int | None
    """In the middle of what the disk does: after so many operations; None: between events."""


@dataclass(frozen=True, slots=True)
class BadWeather(Deed):
    """The line to the bank is bad for a while."""

    weather: Weather
    for_s: float


@dataclass(frozen=True, slots=True)
class DiskFails(Deed):
    """The disk is full or broken for a while."""

    fault: Fault
    operations: int
    for_s: float


@dataclass(frozen=True, slots=True)
class ClockJumps(Deed):
    """The till's clock is wrong for a while."""

    by_s: int
    for_s: float


@dataclass(frozen=True, slots=True)
class BankRestarts(Deed):
    """The bank is down for a while; it has what is in its database."""

    for_s: float


@dataclass(frozen=True, slots=True)
class KeysRotate(Deed):
    """The till gets new keys."""


@dataclass(frozen=True, slots=True)
class ParametersChange(Deed):
    """The bank sets other limits, which hold from the till's next start."""

    count_max: int


@dataclass(frozen=True, slots=True)
class PaperOut(Deed):
    """The printer has no paper for a while."""

    for_s: float


def draw(seed: int, *, days: int, tills: int) -> tuple[Deed, ...]:
    """Return the history of one seed, in order of time."""
    deeds = [
        deed
        for day in range(days)
        for till in range(tills)
        for deed in _day_of(chance(seed, "history", day, till), day * DAY_S, till)
    ]
    return tuple(sorted(deeds, key=lambda deed: (deed.at_s, deed.till)))


def _day_of(dice: random.Random, opens_s: float, till: int) -> list[Deed]:
    return [
        _deed(dice, opens_s + FIRST_S + round(dice.uniform(0, BUSY_S), 3), till)
        for _ in range(DEEDS_A_DAY)
    ]


def _deed(dice: random.Random, at_s: float, till: int) -> Deed:
    kinds = list(_WEIGHTS)
    kind = dice.choices(kinds, [_WEIGHTS[each] for each in kinds])[0]
    for_s = round(dice.choice([2.0, 20.0, 90.0]) * dice.uniform(0.5, 2), 3)
    if kind is Sale:
        return _sale(dice, at_s, till)
    if kind is GiveBack:
        share = dice.choice([1.0, 1.0, 0.4])
        return GiveBack(at_s, till, dice.random() < 0.5, dice.randrange(100), share)
    if kind is LosePower:
        operations = dice.choice([None, dice.randrange(40)])
        return LosePower(at_s, till, for_s, operations)
    if kind is BadWeather:
        weathers = [each for each in Weather if each is not Weather.CLEAR]
        weather = dice.choice([*weathers, Weather.ANY, Weather.ANY])
        return BadWeather(at_s, till, weather, for_s)
    if kind is DiskFails:
        faults: tuple[Fault, ...] = ("full", "broken", "read-only", "short")
        return DiskFails(at_s, till, dice.choice(faults), dice.randrange(25), for_s)
    if kind is ClockJumps:
        by_s = dice.choice([2, 40, 3_600, 86_400, 40_000_000]) * dice.choice([-1, 1])
        return ClockJumps(at_s, till, by_s, for_s)
    if kind is BankRestarts:
        return BankRestarts(at_s, till, for_s)
    if kind is PaperOut:
        return PaperOut(at_s, till, for_s)
    if kind is ParametersChange:
        return ParametersChange(at_s, till, dice.randrange(1, 60))
    return kind(at_s, till)


_WEIGHTS: Final[dict[type[Deed], float]] = {
    Sale: 14,
    GiveBack: 3,
    Hurry: 0.7,
    Leave: 0.7,
    LosePower: 2,
    BadWeather: 3.5,
    DiskFails: 0.8,
    ClockJumps: 0.5,
    BankRestarts: 0.6,
    KeysRotate: 0.1,
    ParametersChange: 0.3,
    PaperOut: 0.3,
}
"""How often each comes, against the others."""


def _sale(dice: random.Random, at_s: float, till: int) -> Sale:
    kind = dice.choices(["card", "chip", "code", "shown"], [5, 2, 4, 4])[0]
    names = {"card": TAPPED, "chip": INSERTED, "code": WALLETS, "shown": WALLETS[:1]}[kind]
    has_tear = kind in ("card", "chip") and dice.random() < 0.15
    verb = dice.choice(["tear-before", "tear-after", "silence", "garbage"])
    is_crossed = kind == "shown" and dice.random() < 0.3
    return Sale(
        at_s,
        till,
        amount_minor=dice.randrange(1, 15_000),
        tender=f"{kind}:{dice.choice(names)}",
        presents_s=round(dice.uniform(0.5, 6), 3),
        pays_s=round(dice.choice([1.0, 8.0, 60.0]) * dice.uniform(0.5, 2), 3),
        tear=f"{verb}:{dice.randrange(1, 12)}" if has_tear else "",
        second=f"card:{dice.choice(TAPPED)}" if is_crossed else "",
        escapes_s=round(dice.uniform(1, 20), 3) if dice.random() < 0.15 else None,
        keeps=dice.random() < 0.8,
    )
