"""How this shop's bank speaks: the signed link, or ISO 8583. One place chooses.

Light: the libraries of either load when something is opened.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol
from urllib.parse import urlsplit

from msgspec.structs import replace

from config.schema import Bank, Settings
from terminal.seams import Clock, Randomness

if TYPE_CHECKING:
    from drivers.protocols import EncryptedPin
    from terminal.bank.batch_messages import BatchAnswer, BatchQuestion, LinesAnswer
    from terminal.bank.client import BankClient, Refusal, VerifiedAnswer
    from terminal.bank.messages import Request
    from terminal.security.keys import TillKeys


class Client(Protocol):
    """Asks the bank; see terminal.bank.client.BankClient for what it promises."""

    def call(
        self, request: Request, sending: Callable[[], None] | None = None
    ) -> VerifiedAnswer | Refusal:
        """Return the bank's decision, or raise the exact kind of silence."""

    def settle(self, question: BatchQuestion) -> BatchAnswer | LinesAnswer | Refusal:
        """Return what the bank says of a batch, or raise the exact kind of silence."""

    def close(self) -> None:
        """End the link for good. From any thread."""


class SignedClient(Client, Protocol):
    """One of the signed link, which can be asked about keys and parameters, too."""

    def ask(self, path: str, content: Mapping[str, object]) -> Mapping[str, object] | Refusal:
        """Return what the bank says, or raise the exact kind of silence."""


class CardSealer(Protocol):
    """Closes card data where it was read; see terminal.bank.sealing.Sealer."""

    def seal_card(
        self,
        attempt: str,
        emv: bytes,
        entry: Literal["contactless", "contact"] = "contactless",
        pin: EncryptedPin | None = None,
    ) -> str:
        """Return a compact JWE of what the bank needs to judge a card."""

    def seal_code(self, attempt: str, code: str) -> str:
        """Return a compact JWE of a customer's payment code."""

    def seal_keyed(self, attempt: str, pan: str, expires: str) -> str:
        """Return a compact JWE of a card whose number was typed."""


def speaks_iso8583(bank: Bank) -> bool:
    """Return whether the address is one of that dialect."""
    return bank.url.startswith("iso8583:")


def open_client(
    settings: Settings, keys: TillKeys, folder: Path, clock: Clock, random: Randomness
) -> Client:
    """Return a client of the shop's bank; it connects when it is first asked.

    folder: the till's keys. Raises KeysUnusable.
    """
    bank = settings.bank
    if speaks_iso8583(bank):
        from terminal.bank.iso8583 import opening

        return opening.open_client(settings, keys, folder, clock, random)
    first = open_signed_client(bank, keys, clock, random)
    if bank.standby_url is None:
        return first
    from terminal.bank.standby import StandbyClient

    # It is the same bank: its certificate carries the same name.
    name = bank.server_name or urlsplit(bank.url).hostname
    there = replace(bank, url=bank.standby_url, server_name=name)
    return StandbyClient(first, open_signed_client(there, keys, clock, random), clock)


def open_signed_client(bank: Bank, keys: TillKeys, clock: Clock, random: Randomness) -> BankClient:
    """Return a client of a bank of the signed link. Raises KeysUnusable."""
    from terminal.bank.client import BankClient

    return BankClient(
        bank.url,
        keys,
        clock,
        random,
        server_name=bank.server_name,
        connect_s=bank.connect_s,
        answer_s=bank.answer_s,
    )


def shared(open_one: Callable[[], Client]) -> Callable[[], Client]:
    """Return what opens a client once, and gives it to everyone who asks."""
    lock = threading.Lock()
    opened: list[Client] = []

    def open_or_take() -> Client:
        with lock:
            if not opened:
                opened.append(open_one())
            return opened[0]

    return open_or_take


def open_sealer(bank: Bank, keys: TillKeys, folder: Path, random: Randomness) -> CardSealer:
    """Return what closes card data for this bank. Raises KeysUnusable."""
    if speaks_iso8583(bank):
        from terminal.bank.iso8583 import opening

        return opening.open_safe(folder, random)
    from terminal.bank.sealing import Sealer

    return Sealer(keys.sealing_key)
