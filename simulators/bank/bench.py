"""The simulated bank of a bench shop: made at first run, found at every later one.

The till calls this while it starts, so what is heavy is imported only when
there is something to make.
"""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulators.bank.place import BankPlace

if TYPE_CHECKING:
    from simulators.bank.parameters import ExceptionList

FORMAT = "1"
"""Raised when the files of a bank's folder change their meaning."""

CERTIFICATE_DAYS = 3650
"""A bench shop should still open next year; a live till renews every 90 days."""


def prepare(home: Path, now_ms: int) -> BankPlace:
    """Return the bank of a state directory, made if it is not there yet.

    now_ms: Unix time, for the certificates' validity.
    Safe to call from two processes at once. Raises BankFileWrong if the folder
    was made by another release.
    """
    place = BankPlace(home)
    if not _is_ready(place):
        place.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        place.folder.mkdir(mode=0o700, exist_ok=True)
        with _alone(place):
            if not _is_ready(place):
                from simulators.bank.trust.keys import create_keys, write_private

                create_keys(place, now_ms)
                write_private(place.ready, FORMAT.encode())
    return place


def host_secret(place: BankPlace, random: Callable[[int], bytes]) -> bytes:
    """Return what all keys of ISO 8583 are made from, made if it is not there yet.

    Raises BankFileWrong if the file is not 32 bytes in hex.
    """
    from simulators.bank.errors import BankFileWrong
    from simulators.bank.trust.keys import write_private

    with _alone(place):
        if not place.host_secret.exists():
            write_private(place.host_secret, random(32).hex().encode("ascii"))
        try:
            secret = bytes.fromhex(place.host_secret.read_text("ascii"))
        except ValueError as error:
            raise BankFileWrong(f"{place.host_secret} is not a key in hex") from error
    if len(secret) != 32:
        raise BankFileWrong(f"{place.host_secret} is not 32 bytes")
    return secret


def transport_key(place: BankPlace, till: str, random: Callable[[int], bytes]) -> bytes:
    """Return the key that protects a till's keys of ISO 8583.

    In a shop two people carry it to the till in parts; a bench shop takes it here.
    """
    from simulators.bank.iso8583 import keys

    return keys.transport_key(host_secret(place, random), till)


def issue_enrolment_code(
    place: BankPlace,
    role: str,
    id: str,
    now_ms: int,
    random: Callable[[int], bytes],
    *,
    merchant: str = "",
    certificate_days: int = CERTIFICATE_DAYS,
    database: str | None = None,
) -> str:
    """Return a one-time code that enrols a till or a wallet.

    role: 'till' or 'wallet'. id: such as 'till-1'; for a wallet its account
    in accounts.toml. merchant: whose money a till takes.
    random: returns as many random bytes as asked.
    database: the bank's, if it is not in its folder.
    """
    from simulators.bank.store import Store
    from simulators.bank.trust.enrolment import issue_code

    store = Store.open(place, database)
    try:
        return store.write(
            lambda connection: issue_code(
                connection,
                role,
                id,
                merchant,
                now_ms,
                random,
                certificate_days=certificate_days,
            )
        )
    finally:
        store.close()


def with_fingerprint(place: BankPlace, code: str) -> str:
    """Return a code that also says by which authority a till is to know the bank."""
    from simulators.bank.trust import enrolment
    from simulators.bank.trust.authority import Authority

    return enrolment.with_fingerprint(code, Authority.load(place))


def enrol(
    place: BankPlace, request: Mapping[str, object], now_ms: int, *, database: str | None = None
) -> dict[str, Any]:
    """Answer an enrolment request, as trust.enrolment.enrol does.

    Works beside a running bank, which knows the newcomer at once.
    Raises EnrolmentRefused.
    """
    from simulators.bank.store import Store
    from simulators.bank.trust import enrolment
    from simulators.bank.trust.authority import Authority
    from simulators.bank.trust.keys import Keys

    authority = Authority.load(place)
    public = Keys.load(place).public()
    store = Store.open(place, database)
    try:
        return store.write(
            lambda connection: enrolment.enrol(connection, authority, public, request, now_ms)
        )
    finally:
        store.close()


def revoke(place: BankPlace, role: str, id: str, *, database: str | None = None) -> int:
    """Revoke every certificate of a till or a wallet; return how many there were.

    Works beside a running bank. Raises EnrolmentRefused if there is none.
    """
    from simulators.bank.store import Store
    from simulators.bank.trust import credentials

    store = Store.open(place, database)
    try:
        return store.write(lambda connection: credentials.revoke(connection, role, id))
    finally:
        store.close()


def replace_server(place: BankPlace, now_ms: int, *, database: str | None = None) -> None:
    """Revoke the server's certificate and make another, for a bank that is started anew."""
    from cryptography import x509

    from simulators.bank.store import Store
    from simulators.bank.trust import credentials
    from simulators.bank.trust.keys import create_server

    old = x509.load_pem_x509_certificate(place.server_certificate.read_bytes())
    store = Store.open(place, database)
    try:
        store.write(
            lambda connection: credentials.add(
                connection, "revoked", credentials.SERVER, "bank", old, "", ""
            )
        )
    finally:
        store.close()
    create_server(place, now_ms)


def publish_parameters(
    place: BankPlace,
    text: str,
    now_ms: int,
    *,
    exceptions: ExceptionList | None = None,
    database: str | None = None,
) -> int:
    """Sign what the bank's tills are to work by from now on; return its version.

    text: TOML, without the version. exceptions: cards that they are to accept no
    more. Works beside a running bank.
    """
    from simulators.bank.parameters import publish
    from simulators.bank.store import Store
    from simulators.bank.trust.keys import Keys

    key = Keys.load(place).answer
    store = Store.open(place, database)
    try:
        return store.write(lambda connection: publish(connection, key, text, now_ms, exceptions))
    finally:
        store.close()


def publish_bulletin(
    place: BankPlace, till: str, text: str, now_ms: int, *, database: str | None = None
) -> int:
    """Have a till's cashier read a text; return its number. Works beside a running bank."""
    from simulators.bank.bulletins import publish
    from simulators.bank.store import Store

    store = Store.open(place, database)
    try:
        return store.write(lambda connection: publish(connection, till, text, now_ms))
    finally:
        store.close()


@contextmanager
def _alone(place: BankPlace) -> Iterator[None]:
    """Keep other processes from making the same files."""
    lock_file = place.folder / "prepare.lock"
    lock_file.touch(mode=0o600)
    with lock_file.open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _is_ready(place: BankPlace) -> bool:
    try:
        made = place.ready.read_text("ascii")
    except FileNotFoundError:
        return False
    if made != FORMAT:
        from simulators.bank.errors import BankFileWrong

        raise BankFileWrong(f"{place.folder} was made by another release: move it away")
    return True
