"""A card that answers APDUs: bytes in; bytes, a tear or a delay out."""

from __future__ import annotations

from pathlib import Path

from simulators.card.card import Card
from simulators.card.errors import CardSimulatorError
from simulators.card.keys import CardKeys
from simulators.card.personalisation import Personalisation, personalise
from simulators.card.profile import Profile, find, load_profiles
from simulators.responses import Answer, AnyCard, Response, Silent, Torn

__all__ = [
    "Answer",
    "AnyCard",
    "Card",
    "CardSimulatorError",
    "Profile",
    "Response",
    "Silent",
    "Torn",
    "find_card",
    "load_profiles",
    "make_applications",
    "make_card",
]


def find_card(name: str) -> Profile:
    """Return one card's profile. Raises UnknownProfile, listing the names."""
    return find(name, load_profiles)


def make_card(profile: Profile, home: Path) -> Card:
    """Return a card of this profile, with the keys and counter it has below home.

    home: the state directory. Raises KeysUnusable, naming the file.
    """
    return Card(make_applications(profile, home))


def make_applications(profile: Profile, home: Path) -> list[Personalisation]:
    """Return the applications of a profile, each with a counter of its own.

    Raises KeysUnusable, naming the file.
    """
    keys = CardKeys(home)
    names = [profile.name]
    names += [f"{profile.name}-{number}" for number in range(2, len(profile.applications) + 1)]
    return [
        personalise(profile, application, name, keys)
        for name, application in zip(names, profile.applications, strict=True)
    ]
