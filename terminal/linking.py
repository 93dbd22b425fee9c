"""The till's keys while it runs, and what asks the bank by them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Final

from config.schema import Bank, Settings
from terminal.bank.dialects import (
    CardSealer,
    Client,
    open_client,
    open_sealer,
    open_signed_client,
    shared,
    speaks_iso8583,
)
from terminal.bank.renewing import RenewingClient
from terminal.chains import Chains
from terminal.errors import KeysUnusable
from terminal.seams import Clock, Randomness
from terminal.security import passphrase
from terminal.security.folder import Version, is_enrolled, key_version
from terminal.security.upkeep import Upkeep

if TYPE_CHECKING:
    from terminal.bank.client import BankClient
    from terminal.security.keys import TillKeys
    from terminal.security.upkeep import OpenClient

RENEW_EVERY_S: Final = 6 * 3600.0
COMPARE_EVERY_S: Final = 3600.0
COMPARE_FIRST_S: Final = 60.0
"""A till that only does one command's work need not ask; its close of day tells too."""


class Keys:
    """The till's keys: loaded by whoever needs them first, and again once they were renewed."""

    def __init__(self, folder: Path, bank: Bank, random: Randomness) -> None:
        """Raise KeysUnusable at once if the till has never been enrolled.

        bank: what the sealer is to suit.
        """
        if not is_enrolled(folder):
            raise KeysUnusable(f"This till has no keys in {folder}: enrol it at the bank first")
        # A till that nobody gave its passphrase says so at its start, not at a sale.
        passphrase.check(folder)
        self.folder = folder
        self._bank = bank
        self._random = random
        self._lock = threading.Lock()
        self._keys: TillKeys | None = None
        self._version: Version = ()
        self._sealer: CardSealer | None = None

    @property
    def keys(self) -> TillKeys:
        """The keys. Raises KeysUnusable."""
        with self._lock:
            return self._load()

    @property
    def sealer(self) -> CardSealer:
        """What closes card data for the bank. Raises KeysUnusable."""
        with self._lock:
            keys = self._load()
            if self._sealer is None:
                self._sealer = open_sealer(self._bank, keys, self.folder, self._random)
            return self._sealer

    def _load(self) -> TillKeys:
        from terminal.security.keys import load_keys

        version = key_version(self.folder)
        if self._keys is None or version != self._version:
            self._keys, self._sealer = load_keys(self.folder), None
            self._version = version
        return self._keys


def bank_clients(
    settings: Settings, keys: Keys, clock: Clock, random: Randomness
) -> Callable[[], Client]:
    """Return what opens a client for each lane; in ISO 8583 one that all of them share."""

    def open_one() -> Client:
        return open_client(settings, keys.keys, keys.folder, clock, random)

    if speaks_iso8583(settings.bank):
        return shared(open_one)
    return lambda: RenewingClient(open_one, lambda: keys.keys)


def upkeeps(
    settings: Settings, keys: Keys, chains: Chains, clock: Clock, random: Randomness
) -> list[Upkeep]:
    """Return what is done at the bank again and again; ISO 8583 has no words for any of it."""
    if speaks_iso8583(settings.bank):
        return []

    def open_client(held: TillKeys) -> BankClient:
        return open_signed_client(settings.bank, held, clock, random)

    def keep_keys_good(open_client: OpenClient) -> None:
        from terminal.security.renewal import keep_good

        keep_good(keys.folder, open_client, clock.wall_ms())

    def compare_chains(open_client: OpenClient) -> None:
        from terminal.bank.chain_ends import compare

        with closing(open_client(keys.keys)) as client:
            compare(client, chains)

    comparing = Upkeep(
        "chain-ends", compare_chains, open_client, every_s=COMPARE_EVERY_S, first_s=COMPARE_FIRST_S
    )
    if settings.shop.mode != "live":
        # A bench shop's certificate outlives it.
        return [comparing]
    return [Upkeep("key-upkeep", keep_keys_good, open_client, every_s=RENEW_EVERY_S), comparing]
