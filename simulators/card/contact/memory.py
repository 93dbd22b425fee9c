"""What a chip card remembers when it is out of the slot, and what it is made of."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec

from simulators.card.contact.profile import ContactProfile
from simulators.card.errors import KeysUnusable
from simulators.card.folder import PrivateFolder


class Remembered(msgspec.Struct, forbid_unknown_fields=True):
    """State that outlives a session, changed by payments and by the issuer."""

    pin_tries_left: int
    last_online_atc: int = 0
    """Tag 9F13."""
    is_blocked: bool = False
    """The issuer has blocked the card's applications."""
    offline_max: tuple[int, int] | None = None
    """Lower and upper limit of payments in a row without the issuer."""
    pin: str = ""
    """The one that the issuer has set since; empty for the one it was issued with."""
    orders_done: int = 0
    """Script commands carried out, of the last transaction that had any."""
    has_order_failed: bool = False


@dataclass(frozen=True, slots=True)
class CardMemory:
    """One card's file below the state directory; two processes may share it."""

    folder: PrivateFolder
    profile: ContactProfile

    @classmethod
    def below(cls, home: Path, profile: ContactProfile) -> CardMemory:
        """home: the state directory."""
        return cls(PrivateFolder(home / "cards" / "memory"), profile)

    def read(self) -> Remembered:
        """Return what the card remembers; what it was issued with at first.

        Raises KeysUnusable, naming the file.
        """
        content = self.folder.read(self._name)
        if content is None:
            return Remembered(self.profile.pin_tries, offline_max=self.profile.offline_max)
        try:
            return msgspec.json.decode(content, type=Remembered)
        except msgspec.DecodeError as error:
            path = self.folder.path / self._name
            raise KeysUnusable(f"{path}: damaged; remove it, and the card is as new") from error

    def write(self, remembered: Remembered) -> None:
        """Keep what has changed. Raises KeysUnusable, naming the file."""
        with self.folder.locked():
            self.folder.write(self._name, msgspec.json.encode(remembered))

    def forget(self) -> None:
        """Be as new: no wrong PIN, no block, the limits it was issued with."""
        self.write(Remembered(self.profile.pin_tries, offline_max=self.profile.offline_max))

    @property
    def _name(self) -> str:
        return f"{self.profile.name}.json"
