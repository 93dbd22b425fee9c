"""Chip cards for a slot: real keys, real cryptograms, a memory that lasts.

Their cryptography is the card's own, apart from the terminal's and the bank's.
"""

from __future__ import annotations

from pathlib import Path

from simulators.card.contact.application import ContactApplication
from simulators.card.contact.card import ContactCard
from simulators.card.contact.memory import CardMemory
from simulators.card.contact.personalise import issue
from simulators.card.contact.profile import ContactProfile, load_profiles
from simulators.card.keys import CardKeys

__all__ = ["ContactCard", "ContactProfile", "load_profiles", "make_contact_card", "make_new"]


def make_new(name: str, home: Path) -> None:
    """Have a chip card forget what happened to it; any other card remembers nothing.

    Its transaction counter goes on: a bank that has seen one refuses it for good.
    Raises KeysUnusable, naming the file.
    """
    profile = load_profiles().get(name)
    if profile is not None:
        CardMemory.below(home, profile).forget()


def make_contact_card(profile: ContactProfile, home: Path) -> ContactCard:
    """Return a chip card, with the keys, counter and memory it has below home.

    home: the state directory. Raises KeysUnusable, naming the file.
    """
    keys = CardKeys(home)
    memory = CardMemory.below(home, profile)
    remembered = memory.read()
    counters = [profile.name]
    counters += [f"{profile.name}-{number}" for number in range(2, len(profile.applications) + 1)]
    applications = [
        ContactApplication(
            issue(profile, application, home, remembered), memory, keys.counter(name)
        )
        for name, application in zip(counters, profile.applications, strict=True)
    ]
    return ContactCard(applications, memory)
