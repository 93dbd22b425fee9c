"""One authorisation at the bank, a million payments in its books beside none.

All of the bank's work but the socket: certificate, signature, seal, cryptogram,
decision, double entry, signed answer. In a file, and on a PostgreSQL server.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from itertools import chain
from pathlib import Path
from typing import Any

import psycopg
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from benchmarks.harness import Bar, Clock, Row, in_turns, row
from emv import tlv
from simulators.bank import bench
from simulators.bank.core import Bank, HttpRequest, Peer, answer
from simulators.bank.issuer import cryptogram, rules
from simulators.bank.postgres import PostgresMissing, PrivatePostgres
from simulators.bank.trust.signatures import FieldLines
from terminal.bank import messages, signing
from terminal.bank.sealing import Sealer
from terminal.seams import SystemClock, uuid7
from terminal.security.enrolment import enrol
from terminal.security.keys import TillKeys

MANY = 1_000_000
DAYS = 7
ROUNDS, BATCH = 41, 5
AMOUNT_MINOR = 100
PANS = (
    *("4761739001010119", "4005519200000004", "4217651111111119", "4012888888881881"),
    *("4500600000000061", "4012000033330026", "4012000077777777", "4111111111111111"),
)
"""Published test numbers, each with an account of its own."""
ISSUER_KEY = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
DAY_MS = 86_400_000
ACCOUNTS = 5_000
"""Whose million payments they are; the card that pays now is another's."""
ANSWER_BYTES = 200

Lines = Iterator[dict[str, object]]


def measure() -> list[Row]:
    """Measure each kind of database, the full one and the empty one in turns."""
    with tempfile.TemporaryDirectory(prefix="opentill-bench-") as name:
        # A disk that is slow for a moment would drown what is to be seen.
        rows = [_measure("file", "CPU", time.process_time, Path(name), [None, None])]
    try:
        with (
            tempfile.TemporaryDirectory(prefix="opentill-bench-") as name,
            PrivatePostgres(is_durable=True) as full,
            PrivatePostgres(is_durable=True) as empty,
        ):
            databases = [full.url, empty.url]
            rows.append(_measure("PostgreSQL", "time", time.perf_counter, Path(name), databases))
    except PostgresMissing as error:
        print(f"bank_books: {error}", file=sys.stderr)
    return rows


def _measure(
    where: str, what: str, clock: Clock, folder: Path, databases: Sequence[str | None]
) -> Row:
    with ExitStack() as stack:
        full, empty = (
            stack.enter_context(closing(Counter(folder / str(number), database)))
            for number, database in enumerate(databases)
        )
        full.fill(MANY)
        samples = in_turns(full.deed(), empty.deed(), rounds=ROUNDS, batch=BATCH, clock=clock)
    return row(
        f"bank's {what} for one authorisation, {where}, {MANY:,} payments",
        samples.scaled(1e3),
        "ms",
        "the same, empty books",
        Bar(1.1, is_ratio=True),
    )


class Counter:
    """A bank, and tills that are enrolled at it, each with a card of its own."""

    def __init__(self, home: Path, database: str | None, tills: int = 1) -> None:
        self._database = database
        self._clock = SystemClock()
        now_ms = self._clock.wall_ms()
        self._place = bench.prepare(home, now_ms)
        self._place.issuer_key.parent.mkdir(mode=0o700)
        self._place.issuer_key.write_text(ISSUER_KEY.hex())
        self.keys = [self._enrolled(home, f"till-{number}") for number in range(1, tills + 1)]
        self._sealer = Sealer(self.keys[0].sealing_key)
        self._bank = Bank.open(self._place, database)
        self._bank.store.prepare_days(now_ms)
        self._atc = 0

    def _enrolled(self, home: Path, till: str) -> TillKeys:
        now_ms, place, database = self._clock.wall_ms(), self._place, self._database
        code = bench.issue_enrolment_code(
            place, "till", till, now_ms, os.urandom, merchant="shop", database=database
        )
        return enrol(
            home / till / "keys",
            code,
            lambda asked: bench.enrol(place, asked, now_ms, database=database),
        )

    def close(self) -> None:
        """Let the bank go."""
        self._bank.close()

    def deed(self) -> Callable[[], None]:
        """Return what has the bank decide on one more sale, made and signed before."""
        ready = [self.request() for _ in range((ROUNDS + 1) * BATCH)]

        def decide() -> None:
            told = answer(self._bank, ready.pop(), self._clock.wall_ms(), os.urandom)
            if told.status != 200 or b'"approved"' not in told.body:
                raise ValueError(f"not approved: {told.summary}")

        return decide

    def fill(self, count: int) -> None:
        """Put so many paid sales into the books, those of the last days."""
        last_ms = self._clock.wall_ms()
        first_ms = last_ms - DAYS * DAY_MS
        self._bank.store.prepare_days(first_ms)
        write = self._write_to_file if self._database is None else self._copy_to_server
        for table, lines in Books(count, first_ms, last_ms).tables():
            write(table, lines)

    def _write_to_file(self, table: str, lines: Lines) -> None:
        first = next(lines)
        names, marks = ", ".join(first), ", ".join("?" * len(first))
        statement = f"INSERT INTO {table} ({names}) VALUES ({marks})"
        with closing(sqlite3.connect(self._place.ledger)) as connection:
            connection.execute("PRAGMA synchronous = OFF")
            rows = (tuple(line.values()) for line in chain([first], lines))
            connection.executemany(statement, rows)
            connection.commit()

    def _copy_to_server(self, table: str, lines: Lines) -> None:
        first = next(lines)
        statement: Any = f"COPY {table} ({', '.join(first)}) FROM STDIN"
        with psycopg.connect(self._database or "", autocommit=True) as server:
            with server.cursor().copy(statement) as copy:
                for line in chain([first], lines):
                    copy.write_row(tuple(line.values()))
            # As a server that has run for days has done by itself.
            server.execute("VACUUM ANALYZE")
            server.execute("CHECKPOINT")

    def sale(self, place: int = 0) -> messages.Payment:
        """Return one more sale, sealed. place: of the till and its card."""
        attempt = uuid7(self._clock, os.urandom)
        self._atc += 1
        emv = card_data(PANS[place], AMOUNT_MINOR, self._atc)
        return messages.Payment(
            attempt=attempt,
            number=self._atc,
            kind="sale",
            amount_minor=AMOUNT_MINOR,
            currency="CNY",
            at=messages.format_moment(self._clock.wall_ms()),
            tender=messages.CardTender(self._sealer.seal_card(attempt, emv)),
        )

    def request(self, place: int = 0) -> HttpRequest:
        """Return one more sale, sealed and signed."""
        sale = self.sale(place)
        body = messages.encode(sale)
        headers = signing.sign_request(
            authority="127.0.0.1",
            path=messages.Payment.path,
            body=body,
            idempotency_key=sale.attempt,
            key=self.keys[place].signer,
            key_id=self.keys[place].till_id,
            # Some are used only minutes later; the bank takes a clock that is ahead.
            created=self._clock.wall_ms() // 1000 + 240,
            nonce=os.urandom(16),
        )
        named = {name.lower(): value for name, value in headers.items()} | {"host": "127.0.0.1"}
        lines = FieldLines(named.items())
        return HttpRequest("POST", messages.Payment.path, lines, body, _peer_of(self.keys[place]))


class Books:
    """Rows of sales that were paid, an even time apart."""

    def __init__(self, count: int, first_ms: int, last_ms: int) -> None:
        self._count, self._first_ms = count, first_ms
        self._step_ms = (last_ms - first_ms) / count

    def tables(self) -> Iterator[tuple[str, Lines]]:
        """Return each table's name, and its rows by column."""
        yield "payments", self._payments()
        yield "transfers", self._transfers()
        yield "entries", self._entries()
        yield "answers", self._answers()

    def _sales(self) -> Iterator[tuple[int, int, str, str]]:
        """Return number, moment, identity and account of each."""
        for number in range(self._count):
            at_ms = self._first_ms + int(number * self._step_ms)
            digits = f"{at_ms:012x}"
            identity = f"{digits[:8]}-{digits[8:]}-7000-8000-{number:012x}"
            yield number, at_ms, identity, f"card/other-{number % ACCOUNTS}"

    def _payments(self) -> Lines:
        for number, at_ms, identity, account in self._sales():
            yield {
                "attempt": identity,
                "till": "till-1",
                "merchant": "shop",
                "number": number,
                "kind": "sale",
                "medium": "card",
                "amount_minor": 100,
                "currency": "CNY",
                "at": messages.format_moment(at_ms),
                "state": "approved",
                "code": "00",
                "why": "",
                "reference": f"{number:012}",
                "authorisation": f"{number % 10**6:06}",
                "account": account,
                "brand": "Visa",
                "made_ms": at_ms,
            }

    def _transfers(self) -> Lines:
        for _, at_ms, identity, _ in self._sales():
            yield {"id": identity, "attempt": identity, "what": "sale", "at_ms": at_ms}

    def _entries(self) -> Lines:
        for _, _, identity, account in self._sales():
            for line, (side, amount_minor) in enumerate(((account, -100), ("merchant/shop", 100))):
                yield {
                    "transfer": identity,
                    "line": line,
                    "account": side,
                    "currency": "CNY",
                    "amount_minor": amount_minor,
                }

    def _answers(self) -> Lines:
        body, digest = b"x" * ANSWER_BYTES, hashlib.sha256().digest()
        for _, at_ms, identity, _ in self._sales():
            yield {
                "keyid": "till-1",
                "key": identity,
                "path": messages.Payment.path,
                "body_digest": digest,
                "body": body,
                "made_ms": at_ms,
            }


def card_data(pan: str, amount_minor: int, atc: int) -> bytes:
    """Return what a tap of a card of this issuer gives, with a cryptogram of its key."""
    values = {
        0x9F02: bytes.fromhex(f"{amount_minor:012d}"),
        0x9F03: bytes(6),
        0x9F1A: bytes.fromhex("0156"),
        0x95: bytes(5),
        0x5F2A: bytes.fromhex("0156"),
        0x9A: bytes.fromhex("261124"),
        0x9C: b"\x00",
        0x9F37: os.urandom(4),
        0x82: bytes.fromhex("2000"),
        0x9F36: atc.to_bytes(2, "big"),
    }
    issuer_data = bytes.fromhex("06011203A00000")
    card_key = cryptogram.card_master_key(ISSUER_KEY, pan, "00")
    key = cryptogram.session_key(card_key, values[0x9F36] + bytes(6))
    data = b"".join(values[tag] for tag in rules.SIGNED_TAGS) + issuer_data
    values |= {
        0x9F10: issuer_data,
        0x9F26: cryptogram.application_cryptogram(key, data, is_marked=True),
        0x5A: bytes.fromhex(pan),
        0x5F24: bytes.fromhex("491231"),
    }
    return b"".join(tlv.encode(tag, value) for tag, value in values.items())


def _peer_of(keys: TillKeys) -> Peer:
    certificate = x509.load_pem_x509_certificates(keys.certificates.read_bytes())[0]
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    uris = names.get_values_for_type(x509.UniformResourceIdentifier)
    return Peer(tuple(uris), certificate.fingerprint(hashes.SHA256()).hex())
