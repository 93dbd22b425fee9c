"""What a till works by that the bank may change between two sales."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from config.schema import Settings

if TYPE_CHECKING:
    from terminal.checkout.cards import CardRules
    from terminal.core.limits import Limits
    from terminal.receipts.receipt import Letterhead
    from terminal.view import ShopFacts


@dataclass(frozen=True)
class Terms:
    """All of it at one time: no sale is made by half of one set and half of another."""

    settings: Settings
    limits: Limits
    shop: ShopFacts
    letterhead: Letterhead

    @property
    def version(self) -> int:
        """Of the bank's parameters in them; 0: none."""
        return self.settings.parameters_version

    @cached_property
    def cards(self) -> CardRules:
        """What cards are read by; the kernels come in with the first look at it.

        Raises ConfigurationError.
        """
        from terminal.checkout.media import card_rules

        return card_rules(self.settings)

    @cached_property
    def online_cards(self) -> CardRules:
        """The same for payments of which no card decides by itself: each asks its bank."""
        from terminal.checkout.media import card_rules, without_floor_limits

        return card_rules(without_floor_limits(self.settings))

    def cards_for(self, must_go_online: bool) -> CardRules:
        """Return the one or the other."""
        return self.online_cards if must_go_online else self.cards

    def tried(self) -> Terms:
        """Return these, once the kernels have taken them. Raises ConfigurationError."""
        _ = self.cards
        return self


class InForce:
    """The terms that hold. Whoever needs them asks each time, from any thread."""

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
