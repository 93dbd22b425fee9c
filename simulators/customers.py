"""The people before the counter: their cards, their phones, their wallets.

Loaded when the first of them comes: the shop opens without.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from simulators import phone, wallet
from simulators.card import AnyCard, contact, load_profiles, make_card
from simulators.card.faults import with_faults
from simulators.deeds import Deed, Group, NoSuchDeed
from simulators.wallet import Shown, Wallet
from simulators.wallet_door import WalletError


class Customers:
    """Whatever can be presented in one shop, by its profile's name."""

    def __init__(self, home: Path, open_wallet: Callable[[wallet.Profile], Wallet]) -> None:
        """home: the state directory. open_wallet: takes a wallet in at its bank.

        open_wallet may raise WalletError or NoSuchDeed.
        """
        self._home = home
        self._open_wallet = open_wallet
        self._phones: dict[str, AnyCard] = {}

    def deeds(self) -> list[Deed]:
        """List everything that can be presented, in the order to show it."""
        wallets = wallet.profiles()
        tapped = [(Group.CARD, profile) for profile in load_profiles().values()]
        listed = [
            Deed(f"{group}:{p.name}", group, p.title, p.title_zh, p.expect, p.expect_zh)
            for group, p in tapped
        ]
        listed += [
            Deed(f"chip:{p.name}", Group.CHIP, p.title, p.title_zh, p.expect, p.expect_zh)
            for p in contact.load_profiles().values()
        ]
        listed += [
            Deed(f"phone:{p.name}", Group.PHONE, p.title, p.title_zh, p.expect, p.expect_zh)
            for p in phone.load_profiles().values()
        ]
        listed += [
            Deed(f"wallet:{p.name}", Group.CODE, p.title, p.title_zh, p.expect, p.expect_zh)
            for p in wallets
        ]
        listed += [
            Deed(
                f"show-code:{p.name}",
                Group.CODE,
                f"Scans our code: {p.title}",
                f"扫收款码：{p.title_zh}",
            )
            for p in wallets
            if not p.trick
        ]
        return listed

    def card(self, name: str, *faults: str) -> AnyCard:
        """Return a card. faults: as simulators.card.faults reads them. Raises NoSuchDeed."""
        profile = load_profiles().get(name)
        if profile is None:
            raise NoSuchDeed(f"No card {name!r}; 'till sim card --list' names them")
        return with_faults(make_card(profile, self._home), faults)

    def chip(self, name: str, *faults: str) -> AnyCard:
        """Return a card for the slot. Raises NoSuchDeed."""
        profile = contact.load_profiles().get(name)
        if profile is None:
            raise NoSuchDeed(f"No chip card {name!r}; 'till sim card --list' names them")
        return with_faults(contact.make_contact_card(profile, self._home), faults)

    def phone(self, name: str, *faults: str) -> AnyCard:
        """Return a phone. Raises NoSuchDeed.

        The same phone comes back: it remembers that it was asked for its owner.
        """
        if name not in self._phones:
            profile = phone.load_profiles().get(name)
            if profile is None:
                raise NoSuchDeed(f"No phone {name!r}; 'till sim phone --list' names them")
            self._phones[name] = phone.make_phone(profile, self._home)
        return with_faults(self._phones[name], faults)

    def show_wallet(self, name: str) -> tuple[Wallet, Shown]:
        """Return a wallet and what its screen shows. Raises NoSuchDeed."""
        try:
            opened = self._wallet(name)
            return opened, opened.show()
        except WalletError as error:
            raise NoSuchDeed(str(error)) from error

    def scan(self, name: str, picture: bytes) -> str:
        """Have a wallet scan a PNG of the shop's code; return what the bank says.

        Raises NoSuchDeed.
        """
        import cv2
        import numpy

        image = cv2.imdecode(numpy.frombuffer(picture, numpy.uint8), cv2.IMREAD_GRAYSCALE)
        if image is None:
            raise NoSuchDeed("The customer's screen shows no picture")
        try:
            return self._wallet(name).scan(image.astype(numpy.uint8)).state
        except WalletError as error:
            raise NoSuchDeed(str(error)) from error

    def _wallet(self, name: str) -> Wallet:
        return self._open_wallet(wallet.profile(name))
