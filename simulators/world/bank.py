"""The bank of a world: the real one, without its socket, that can be down."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import Connection, select

from simulators.bank import core, ledger
from simulators.bank.core import Bank, HttpAnswer, HttpRequest, Peer
from simulators.bank.parameters import publish
from simulators.bank.place import BankPlace
from simulators.bank.schema import cryptograms, entries, payments, transfers
from simulators.bank.trust.signatures import FieldLines
from simulators.wallet_door import BankUnreachable
from simulators.world.agenda import Agenda
from simulators.world.chance import chance

T = TypeVar("T")


class WorldBank:
    """Answers in no time; until it is restarted it may be down."""

    def __init__(self, place: BankPlace, agenda: Agenda, seed: int) -> None:
        self._place = place
        self._agenda = agenda
        self._random = chance(seed, "bank").randbytes
        self._bank = Bank.open(place)
        self.is_up = True

    def answer(self, request: HttpRequest) -> HttpAnswer:
        """Answer one request. Only while it is up."""
        return core.answer(self._bank, request, self._agenda.now_ms, self._random)

    def go_down(self) -> None:
        """End the bank's process: what is in its database is all that is left."""
        if self.is_up:
            self.is_up = False
            self._bank.close()

    def come_up(self) -> None:
        """Start it again."""
        if not self.is_up:
            self._bank = Bank.open(self._place)
            self.is_up = True

    def set_parameters(self, text: str) -> None:
        """Have its tills work by these from now on. text: TOML, without the version."""
        if self.is_up:
            key, now_ms = self._bank.keys.answer, self._agenda.now_ms
            self._bank.store.write(lambda books: publish(books, key, text, now_ms))

    # --- its books --------------------------------------------------------------

    def state(self, attempt: str) -> str:
        """Return how it has an attempt; '' if it has never heard of it."""
        query = select(payments.c.state).where(payments.c.attempt == attempt)
        return self._read(lambda books: str(books.scalar(query) or ""))

    def net_minor(self, attempt: str) -> int:
        """Return what the merchant got by an attempt; below zero for money given back."""
        query = (
            select(entries.c.amount_minor)
            .join(transfers, entries.c.transfer == transfers.c.id)
            .where(transfers.c.attempt == attempt, entries.c.account.startswith("merchant/"))
        )
        return self._read(lambda books: int(sum(books.scalars(query))))

    def attempts(self) -> dict[str, str]:
        """Return every attempt it has heard of, with its state."""
        query = select(payments.c.attempt, payments.c.state)
        return self._read(lambda books: {row.attempt: row.state for row in books.execute(query)})

    def cryptograms(self) -> list[tuple[str, int, str]]:
        """Return account, counter and attempt of every cryptogram that it took."""
        query = select(cryptograms.c.account, cryptograms.c.atc, cryptograms.c.attempt)
        return self._read(
            lambda books: [(row.account, row.atc, row.attempt) for row in books.execute(query)]
        )

    def faults(self) -> list[str]:
        """Return what of its ledger does not add up."""
        return self._read(ledger.faults)

    def _read(self, look: Callable[[Connection], T]) -> T:
        """Look into the database, which is there while the bank is down, too."""
        if self.is_up:
            return self._bank.store.write(look)
        self.come_up()
        try:
            return self._bank.store.write(look)
        finally:
            self.go_down()


class WalletDoor:
    """A wallet's way to the bank; satisfies simulators.wallet.Door."""

    def __init__(self, bank: WorldBank, peer: Peer) -> None:
        self._bank = bank
        self._peer = peer

    def ask(self, path: str, body: Mapping[str, object]) -> dict[str, Any]:
        """Return the bank's answer. Raises BankUnreachable."""
        if not self._bank.is_up:
            raise BankUnreachable("the bank is down")
        headers = FieldLines([("host", "localhost"), ("content-type", "application/json")])
        request = HttpRequest("POST", path, headers, json.dumps(body).encode(), self._peer)
        answer: dict[str, Any] = json.loads(self._bank.answer(request).body)
        return answer


def peer_of(certificates: Path) -> Peer:
    """Return what a bank's TLS sees of whoever shows these certificates (PEM)."""
    shown = x509.load_pem_x509_certificates(certificates.read_bytes())[0]
    names = shown.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    uris = tuple(names.get_values_for_type(x509.UniformResourceIdentifier))
    return Peer(uris, hashlib.sha256(shown.public_bytes(Encoding.DER)).hexdigest())
