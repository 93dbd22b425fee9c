"""A card that answers APDUs: bytes in; bytes, a tear or a delay out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from simulators.card import contact
from simulators.card.applet import Applet
from simulators.card.card import Card
from simulators.card.contact import ContactCard, ContactProfile, make_contact_card
from simulators.card.decision import Nobody, Owner
from simulators.card.emv_mode import JCB, AmericanExpress, Discover
from simulators.card.errors import CardSimulatorError, UnknownProfile
from simulators.card.kernel8.applet import Kernel8
from simulators.card.kernel8.issuing import personalise_8
from simulators.card.keys import CardKeys
from simulators.card.mchip import MChip
from simulators.card.personalisation import Personalisation, personalise
from simulators.card.profile import KERNEL_8, KERNEL_MASTERCARD, Profile, load_profiles
from simulators.card.qpboc import QPBOC
from simulators.card.qvsdc import QVSDC
from simulators.card.stripe import Stripe
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
    "load_cards",
    "load_profiles",
    "make_applets",
    "make_card",
]


AnyProfile = Profile | ContactProfile


def load_cards() -> dict[str, AnyProfile]:
    """Return every card by name: those to tap, then those for a slot.

    Raises BadProfile, naming file and key.
    """
    return {**load_profiles(), **contact.load_profiles()}


def find_card(name: str) -> AnyProfile:
    """Return one card's profile. Raises UnknownProfile, listing the names."""
    known = load_cards()
    if name not in known:
        raise UnknownProfile(f"no {name!r} here; there are: {', '.join(known)}")
    return known[name]


def make_card(profile: AnyProfile, home: Path) -> Card | ContactCard:
    """Return a card of this profile, with the keys and counter it has below home.

    home: the state directory. Raises KeysUnusable, naming the file.
    """
    if isinstance(profile, ContactProfile):
        return make_contact_card(profile, home)
    return Card(make_applets(profile, home, Nobody()))


def make_applets(
    profile: Profile, home: Path, owner: Owner, *, is_phone: bool = False
) -> list[Applet]:
    """Return the applications of a profile, each with a counter of its own.

    owner: for a device that can ask who holds it.
    Raises KeysUnusable, naming the file.
    """
    keys = CardKeys(home)
    names = [profile.name]
    names += [f"{profile.name}-{number}" for number in range(2, len(profile.applications) + 1)]
    return [
        Kernel8(personalise_8(profile, application, name, keys), owner)
        if application.kernel == KERNEL_8
        else _applet(personalise(profile, application, name, keys), owner, is_phone)
        for name, application in zip(names, profile.applications, strict=True)
    ]


def _applet(card: Personalisation, owner: Owner, is_phone: bool) -> Applet:
    """Return what speaks with the application's kernel."""
    kernel = card.application.kernel
    if kernel == KERNEL_MASTERCARD and card.profile.mchip.is_magstripe:
        return Stripe(card)
    return _APPLETS[kernel](card, owner, is_phone=is_phone)


class _Maker(Protocol):
    """The shape of an applet's class."""

    def __call__(self, card: Personalisation, owner: Owner, *, is_phone: bool) -> Applet:
        """Make it."""


_APPLETS: Mapping[int, _Maker] = {
    2: MChip,
    3: QVSDC,
    4: AmericanExpress,
    5: JCB,
    6: Discover,
    7: QPBOC,
}
