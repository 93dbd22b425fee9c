"""What takes long to make and is the same for every world: keys, certificates, cards."""

from __future__ import annotations

import datetime
import shutil
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from simulators.bank import bench
from simulators.bank.place import BankPlace
from simulators.card import AnyCard, find_card, keys, make_card
from simulators.wallet_door import enrol_wallet
from simulators.world.agenda import EPOCH_MS
from terminal.security.enrolment import enrol
from terminal.security.folder import is_enrolled

MERCHANT: Final = "merchant"
TAPPED: Final = (
    "visa-online",
    "visa-offline",
    "mastercard-online",
    "mastercard-cda-offline",
    "amex-online",
    "visa-insufficient-funds",
    "visa-declined",
)
INSERTED: Final = ("contact-online", "contact-dda-offline", "contact-refuses-approval")
WALLETS: Final = ("alipay", "alipay-confirms")
"""The first pays at once; the second's owner has to confirm."""


class Works:
    """One folder of them, made once and copied into each world."""

    def __init__(self, folder: Path, random: Callable[[int], bytes]) -> None:
        """folder: a state directory of its own. random: for what is secret.

        Everything is dated at the beginning of a world, so that it is good then.
        """
        self._folder = folder
        self._random = random
        self._place = bench.prepare(folder, EPOCH_MS)
        today = datetime.datetime.fromtimestamp(EPOCH_MS / 1000, datetime.UTC).date()
        self._ca_keys = keys.prepare(folder, today)
        for card in (*TAPPED, *INSERTED):
            make_card(find_card(card), folder)
        for wallet in WALLETS:
            issue = partial(self._issue, "wallet", wallet, "")
            enrol_wallet(wallet_folder(folder, wallet), issue, self._enrol)

    @property
    def ca_keys(self) -> Path:
        """The scheme's public key, as a file for tills."""
        return self._ca_keys

    def lay_out(self, home: Path, tills: Sequence[str]) -> BankPlace:
        """Copy what a world of these tills needs below home, which is made."""
        for till in tills:
            folder = till_folder(self._folder, till) / "keys"
            if not is_enrolled(folder):
                enrol(folder, self._issue("till", till, MERCHANT), self._enrol)
        home.mkdir(mode=0o700)
        names = ["bank", "cards", "wallets", *(till_folder(Path(), till).name for till in tills)]
        for name in names:
            shutil.copytree(self._folder / name, home / name)
        return BankPlace(home)

    def _issue(self, role: str, name: str, merchant: str) -> str:
        return bench.issue_enrolment_code(
            self._place, role, name, EPOCH_MS, self._random, merchant=merchant
        )

    def _enrol(self, request: object) -> dict[str, object]:
        return bench.enrol(self._place, dict(request), EPOCH_MS)  # type: ignore[call-overload]


def till_folder(home: Path, till: str) -> Path:
    """Return where a till keeps its memory and its keys."""
    return home / till


def wallet_folder(home: Path, wallet: str) -> Path:
    """Return where a wallet keeps its certificate."""
    return home / "wallets" / wallet


def open_card(home: Path, name: str) -> AnyCard:
    """Return a card of a world, with the counter it has there."""
    return make_card(find_card(name), home)
