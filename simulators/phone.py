"""A phone that pays like a card, and whose owner can prove who he is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from simulators.card import make_applets
from simulators.card.applet import Applet
from simulators.card.card import Card
from simulators.card.profile import PhoneProfile, Unlock, find, load_folder

FOLDER = Path(__file__).parent / "phones"


class PhoneOwner:
    """The owner: verified beforehand, when the phone asks, or not at all."""

    def __init__(self, unlock: Unlock) -> None:
        self._unlock = unlock
        self._has_unlocked = False
        self.was_asked = False

    def is_verified(self) -> bool:
        """Whether he has proved who he is for this payment."""
        return self._unlock is Unlock.BEFORE or self._has_unlocked

    def ask(self) -> bool:
        """Ask him to look at the phone; False if that was in vain before."""
        if self.was_asked:
            self.was_asked = False
            return False
        self.was_asked = True
        return True

    def do(self) -> None:
        """Prove it now."""
        self._has_unlocked = True

    def look(self) -> None:
        """Do what this owner does once the phone has asked and is in his hand."""
        if self.was_asked and self._unlock is Unlock.WHEN_ASKED:
            self.do()

    def paid(self) -> None:
        """The payment is over: the phone locks itself."""
        self._has_unlocked = self.was_asked = False


class Phone(Card):
    """A card with an owner inside."""

    def __init__(self, profile: PhoneProfile, owner: PhoneOwner, applets: Sequence[Applet]) -> None:
        """owner: whom the applets ask."""
        self._person = owner
        self._returns_after_s = profile.returns_after_s
        super().__init__(applets)

    def power_up(self) -> None:
        """Enter a field. Whoever was asked has looked at the phone meanwhile."""
        self._person.look()
        super().power_up()

    def unlock(self) -> None:
        """Verify the owner for the next payment, as a finger or a face does."""
        self._person.do()

    def returns_after_s(self) -> float | None:
        """Return when the second tap comes, if the phone has asked for one."""
        return self._returns_after_s if self._person.was_asked else None


def load_profiles(folder: Path = FOLDER) -> dict[str, PhoneProfile]:
    """Return every phone by name, the plain approval first.

    Raises BadProfile, naming file and key.
    """
    return load_folder(folder, PhoneProfile)


def find_phone(name: str) -> PhoneProfile:
    """Return one phone's profile. Raises UnknownProfile, listing the names."""
    return find(name, load_profiles)


def make_phone(profile: PhoneProfile, home: Path) -> Phone:
    """Return a phone of this profile, with the keys and counter it has below home.

    home: the state directory. Raises KeysUnusable, naming the file.
    """
    owner = PhoneOwner(profile.unlock)
    return Phone(profile, owner, make_applets(profile, home, owner, is_phone=True))
