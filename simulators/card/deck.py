"""All simulated cards and phones of one state directory, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from simulators.card import profile
from simulators.card.card import Card
from simulators.card.keys import CardKeys
from simulators.card.profile import Profile
from simulators.phone import Phone


class Deck:
    """Takes out a card or phone. The same name gives the same thing again.

    So a phone that asked its owner at the first tap remembers it at the next.
    """

    def __init__(self, home: Path, random: Callable[[int], bytes]) -> None:
        """home: the state directory. random: every card's randomness."""
        self.keys = CardKeys(home, random)
        self._random = random
        self._cards: dict[str, Card] = {}
        self._phones: dict[str, Phone] = {}

    def cards(self) -> Mapping[str, Profile]:
        """Return the cards' profiles by name, the plain approval first."""
        return profile.read_profiles(profile.CARDS)

    def phones(self) -> Mapping[str, Profile]:
        """Return the phones' profiles by name, the plain approval first."""
        return profile.read_profiles(profile.PHONES)

    def card(self, name: str) -> Card:
        """Take out a card. Raises UnknownProfile, listing the names, or BadProfile."""
        if name not in self._cards:
            found = profile.find_profile(profile.CARDS, name)
            self._cards[name] = Card(found, self.keys, self._random)
        return self._cards[name]

    def phone(self, name: str) -> Phone:
        """Take out a phone. Raises UnknownProfile, listing the names, or BadProfile."""
        if name not in self._phones:
            found = profile.find_profile(profile.PHONES, name)
            self._phones[name] = Phone(found, self.keys, self._random)
        return self._phones[name]
