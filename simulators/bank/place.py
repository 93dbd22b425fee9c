"""Where a bank keeps its files. Imports nothing heavy: the till looks here too."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class BankPlace:
    """The files of one bank below a state directory."""

    home: Path
    """The state directory; the bank's own folder is home/bank."""

    @property
    def folder(self) -> Path:
        """Everything the bank writes."""
        return self.home / "bank"

    @property
    def ca_certificate(self) -> Path:
        """PEM: the one authority tills and wallets trust."""
        return self.folder / "ca.pem"

    @property
    def ca_key(self) -> Path:
        """PEM: what certificates are issued with."""
        return self.folder / "ca-key.pem"

    @property
    def server_certificate(self) -> Path:
        """PEM: what the bank shows when a till connects."""
        return self.folder / "server.pem"

    @property
    def server_key(self) -> Path:
        """PEM: the server certificate's key."""
        return self.folder / "server-key.pem"

    @property
    def answer_key(self) -> Path:
        """PEM: the Ed25519 key that signs every answer."""
        return self.folder / "answer-key.pem"

    @property
    def sealing_key(self) -> Path:
        """PEM: the P-256 key that card data is sealed to."""
        return self.folder / "sealing-key.pem"

    @property
    def host_secret(self) -> Path:
        """Hex: what the keys of tills that speak ISO 8583 are made from."""
        return self.folder / "host-secret"

    @property
    def ledger(self) -> Path:
        """The database."""
        return self.folder / "ledger.db"

    @property
    def issuer_key(self) -> Path:
        """Hex: the master key of the cards, shared with their simulator."""
        return self.home / "cards" / "issuer-master-key"

    @property
    def pin_base_key(self) -> Path:
        """Hex: what the key of every PIN pad is derived from, shared with their simulator."""
        return self.home / "pinpad" / "base-key"

    @property
    def ready(self) -> Path:
        """Exists once everything above the database has been made."""
        return self.folder / "ready"
