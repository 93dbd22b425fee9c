"""Measures two things in turns, and says whether a bar is met.

Whatever slows this machine down for a moment slows both, so that only their
ratio has to be believed.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

ROUNDS_MIN = 7
"""Fewer do not make a median worth the name."""

Clock = Callable[[], float]
Deed = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Bar:
    """What a figure has to keep to: its own value, or its ratio to its peer."""

    limit: float
    is_ratio: bool = False

    def text(self, unit: str) -> str:
        """Return the bar as people write it, '≤ 3 ms' or '≤ 1.25×'."""
        return f"≤ {self.limit:g}×" if self.is_ratio else f"≤ {self.limit:g} {unit}"


@dataclass(frozen=True, slots=True)
class Row:
    """One figure beside its peer."""

    name: str
    value: float
    """Median, in unit."""
    unit: str
    peer: str
    """What was measured in turns with it."""
    peer_value: float
    ratio: float | None
    """Median of the ratios of the pairs, not ratio of the medians; None for counts of nothing."""
    bar: str
    better: str
    """'lower' or 'higher'."""
    spread: float
    """Half the distance between the quartiles, as a share of the value."""
    met: bool


@dataclass(frozen=True, slots=True)
class Samples:
    """What two things took, pair by pair."""

    own: Sequence[float]
    peer: Sequence[float]

    def scaled(self, factor: float) -> Samples:
        """Return the same samples in another unit."""
        return Samples([at * factor for at in self.own], [at * factor for at in self.peer])


def in_turns(
    own: Deed, peer: Deed, *, rounds: int, batch: int = 1, clock: Clock = time.process_time
) -> Samples:
    """Do both in turns, A B A B; return the seconds one deed of each took.

    rounds: pairs kept, at least ROUNDS_MIN; one more is done first, to warm up.
    batch: deeds in one sample, for deeds shorter than the clock can see.
    """
    if rounds < ROUNDS_MIN:
        raise ValueError(f"{rounds} rounds are too few: at least {ROUNDS_MIN}")
    taken: tuple[list[float], list[float]] = ([], [])
    for turn in range(rounds + 1):
        for deed, samples in zip((own, peer), taken, strict=True):
            # Rubbish of the one is not to be cleared up in the time of the other.
            gc.collect()
            began = clock()
            for _ in range(batch):
                deed()
            if turn:
                samples.append((clock() - began) / batch)
    return Samples(*taken)


def row(name: str, samples: Samples, unit: str, peer: str, bar: Bar) -> Row:
    """Return the row of these samples, which are in this unit already."""
    value = statistics.median(samples.own)
    ratio = statistics.median(a / b for a, b in zip(samples.own, samples.peer, strict=True))
    return Row(
        name=name,
        value=value,
        unit=unit,
        peer=peer,
        peer_value=statistics.median(samples.peer),
        ratio=ratio,
        bar=bar.text(unit),
        better="lower",
        spread=spread(samples.own),
        met=(ratio if bar.is_ratio else value) <= bar.limit,
    )


def rate_row(name: str, samples: Samples, deeds: int, peer: str, floor: float) -> Row:
    """Return how often in a second something was done, beside its peer.

    samples: seconds for so many deeds. floor: the least share of the peer's rate.
    """
    rates, peers = ([deeds / at for at in one] for one in (samples.own, samples.peer))
    ratio = statistics.median(a / b for a, b in zip(rates, peers, strict=True))
    return Row(
        name=name,
        value=statistics.median(rates),
        unit="/s",
        peer=peer,
        peer_value=statistics.median(peers),
        ratio=ratio,
        bar=f"≥ {floor:g}×",
        better="higher",
        spread=spread(rates),
        met=ratio >= floor,
    )


def spread(samples: Sequence[float]) -> float:
    """Return half the distance between the quartiles, as a share of the median."""
    if len(samples) < 2:
        return 0.0
    first, middle, third = statistics.quantiles(samples, n=4, method="inclusive")
    return (third - first) / 2 / middle if middle else 0.0
