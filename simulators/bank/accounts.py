"""Who banks here, and by which rules. Read from accounts.toml, never written."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import msgspec

from simulators.bank.errors import BankFileWrong
from simulators.bank.issuer.scripts import Order

ACCOUNTS_FILE = Path(__file__).with_name("accounts.toml")

FUNDS_MINOR = 100_000_000
"""What an account starts with where its entry does not say."""

Id = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9-]{1,60}$")]
Amount = Annotated[int, msgspec.Meta(ge=0)]


class CardAccount(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A card and the rules its issuer decides by."""

    id: Id
    pan: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{12,19}$")]
    brand: str = "Visa"
    funds_minor: Amount = FUNDS_MINOR
    limit_minor: Amount | None = None
    """The most for one payment."""
    payments_per_day_max: Amount | None = None
    """Approvals within 24 hours."""
    expires: Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d{2}$")] | None = None
    """The last month the issuer accepts, YYYY-MM."""
    always: Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Z]{2}$")] | None = None
    """The code the issuer answers whatever is asked."""
    pin: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{4,12}$")] | None = None
    """A test PIN; None where the holder has none."""
    script: Order | None = None
    """What the issuer orders the card to do when it answers a chip in a slot, until
    the card says that it has done it."""
    new_pin: Annotated[str, msgspec.Meta(pattern=r"^([0-9]{4,12})?$")] = ""
    """For the order to change it; a test PIN."""

    @property
    def account(self) -> str:
        """The name in the ledger. It has no card number in it."""
        return f"card/{self.id}"

    def __repr__(self) -> str:
        return f"CardAccount({self.id!r})"


class WalletAccount(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A wallet, its codes, and when its owner has to confirm."""

    id: Id
    brand: str
    prefix: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{2}$")]
    digits: Annotated[int, msgspec.Meta(ge=16, le=24)]
    funds_minor: Amount = FUNDS_MINOR
    confirm_over_minor: Amount | None = None
    """Above it the payer has to confirm; None for never."""
    code_valid_s: Amount = 60
    """Seconds until a payment code is too old."""
    code_is_used: bool = False
    """Its codes count as used from the start."""

    @property
    def account(self) -> str:
        """The name in the ledger."""
        return f"wallet/{self.id}"


class _File(msgspec.Struct, forbid_unknown_fields=True):
    currencies: dict[str, int]
    cards: list[CardAccount]
    wallets: list[WalletAccount]


class Accounts:
    """Everybody who banks here."""

    def __init__(
        self,
        cards: list[CardAccount],
        wallets: list[WalletAccount],
        currencies: Mapping[str, int],
    ) -> None:
        """currencies: ISO 4217 letters to number."""
        self.cards = tuple(cards)
        self.wallets = tuple(wallets)
        self.currencies = dict(currencies)
        self._by_pan = {card.pan: card for card in cards}
        self._by_wallet = {wallet.id: wallet for wallet in wallets}
        self._funds = {card.account: card.funds_minor for card in cards}
        self._funds |= {wallet.account: wallet.funds_minor for wallet in wallets}
        if len(self._by_pan) < len(cards) or len(self._funds) < len(cards) + len(wallets):
            raise BankFileWrong("an account or a card number stands there twice")

    def card(self, pan: str) -> CardAccount | None:
        """Return the card with this number."""
        return self._by_pan.get(pan)

    def wallet(self, id: str) -> WalletAccount | None:
        """Return the wallet with this id."""
        return self._by_wallet.get(id)

    def funds_minor(self, account: str) -> int:
        """Return what a customer's account starts with."""
        return self._funds[account]


def load_accounts(path: Path = ACCOUNTS_FILE) -> Accounts:
    """Read the accounts file. Raises BankFileWrong, naming the key or line."""
    try:
        entries = msgspec.convert(tomllib.loads(path.read_text("utf-8")), _File)
        return Accounts(entries.cards, entries.wallets, entries.currencies)
    except (OSError, ValueError, BankFileWrong) as error:
        raise BankFileWrong(f"{path.name}: {error}") from error
