"""How much the core takes, and how long it waits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from terminal.batch.day import ShopDay
from terminal.errors import AmountRefused
from terminal.store import OfflineLimits


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the bank and the payer are waited for, in seconds."""

    payer_s: float = 60.0
    code_s: float = 120.0
    answer_s: float = 30.0


@dataclass(frozen=True, slots=True)
class Limits:
    """How much the core takes, in minor units, and how long it waits, in seconds."""

    amount_max_minor: int
    in_words: Callable[[int], str] = str
    """An amount as people write it, for refusals."""
    completion_percent_max: int = 115
    """The most a completion may take, of what is held."""
    tip_percent_max: int = 0
    """The most a tip may be, of what it is given on; 0: the shop takes none."""
    present_s: float = 60.0
    pin_s: float = 60.0
    patience: Patience = field(default_factory=Patience)
    offline: OfflineLimits = field(default_factory=OfflineLimits)
    day: ShopDay = field(default_factory=ShopDay)

    def check(self, amount_minor: int) -> None:
        """Raise AmountRefused for an amount that this till does not take."""
        if amount_minor <= 0:
            raise AmountRefused("The amount must be above zero")
        if amount_minor > self.amount_max_minor:
            limit = self.in_words(self.amount_max_minor)
            raise AmountRefused(f"The amount is over this till's limit of {limit}")

    def check_share(self, amount_minor: int, whole_minor: int, percent: int, share: str) -> None:
        """Raise AmountRefused for more than so many percent of the whole.

        share: 'completion' or 'tip'.
        """
        most_minor = whole_minor * percent // 100
        if amount_minor > most_minor:
            most = self.in_words(most_minor)
            raise AmountRefused(f"A {share} here is {most} at most")
