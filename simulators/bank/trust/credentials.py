"""Which certificates are good now: the newest, the one before it for a while, no revoked one.

A till that renews has two at once. The new one replaces the old when the
till first proves that it works, and the old one ends a day later: requests
that are under way, and a till that loses its power just then, are not shut out.
"""

from __future__ import annotations

from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from sqlalchemy import Connection, select

from simulators.bank.errors import EnrolmentRefused, Refused
from simulators.bank.schema import credentials, enrolment_codes, identities

LAST_MS = 24 * 3600 * 1000
"""How long the certificate before the newest still opens the door."""

SERVER = "server"
"""The role of the bank's own certificates, which can be revoked, too."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, by the certificate."""

    role: str
    id: str
    merchant: str
    algorithm: str
    signing_key: str
    is_next: bool = False
    """By a certificate that has not been used yet."""
    fingerprint: str = ""


def find_caller(
    connection: Connection, role: str, id: str, fingerprint: str, now_ms: int
) -> Caller:
    """Return whose certificate this is. Raises Refused if it opens nothing."""
    where = (identities.c.role == role) & (identities.c.id == id)
    known = connection.execute(select(identities).where(where)).first()
    shown = connection.execute(
        select(credentials).where(credentials.c.fingerprint == fingerprint)
    ).first()
    if shown is not None and shown.state == "revoked":
        raise Refused(401, "certificate_revoked", "this certificate was revoked; enrol again")
    if known is not None and known.fingerprint == fingerprint:
        return Caller(
            role, id, known.merchant, known.algorithm, known.signing_key, fingerprint=fingerprint
        )
    is_next = shown is not None and shown.state == "next"
    is_last = shown is not None and shown.state == "last" and shown.until_ms > now_ms
    if known is None or shown is None or (shown.role, shown.id) != (role, id):
        raise Refused(401, "certificate_unknown", "the certificate is not the enrolled one")
    if not (is_next or is_last):
        raise Refused(401, "certificate_unknown", "the certificate was replaced by a newer one")
    return Caller(
        role, id, known.merchant, shown.algorithm, shown.signing_key, is_next, fingerprint
    )


def add(
    connection: Connection,
    state: str,
    role: str,
    id: str,
    certificate: x509.Certificate,
    algorithm: str,
    signing_key: str,
) -> str:
    """Note a certificate that was just given out; return its fingerprint."""
    fingerprint = certificate.fingerprint(hashes.SHA256()).hex()
    row = {
        "fingerprint": fingerprint,
        "serial": f"{certificate.serial_number:x}",
        "role": role,
        "id": id,
        "algorithm": algorithm,
        "signing_key": signing_key,
        "state": state,
        "until_ms": 0,
    }
    connection.execute(credentials.insert(), row)
    return fingerprint


def promote(connection: Connection, caller: Caller, now_ms: int) -> None:
    """Make a caller's next certificate the current one; the one before ends a while later."""
    _change(connection, caller.role, caller.id, "last", "ended")
    _change(connection, caller.role, caller.id, "current", "last", now_ms + LAST_MS)
    _change(connection, caller.role, caller.id, "next", "current")
    where = (identities.c.role == caller.role) & (identities.c.id == caller.id)
    connection.execute(
        identities.update()
        .where(where)
        .values(
            fingerprint=caller.fingerprint,
            algorithm=caller.algorithm,
            signing_key=caller.signing_key,
        )
    )


def forget_next(connection: Connection, role: str, id: str) -> None:
    """Let a next certificate that was never used end: its till asks for another."""
    _change(connection, role, id, "next", "ended")


def end_all(connection: Connection, role: str, id: str) -> None:
    """Let every certificate of somebody end; those revoked stay so."""
    for state in ("next", "current", "last"):
        _change(connection, role, id, state, "ended")


def remove(connection: Connection, role: str, id: str) -> None:
    """Know somebody no longer."""
    end_all(connection, role, id)
    where = (identities.c.role == role) & (identities.c.id == id)
    connection.execute(identities.delete().where(where))


def revoke(connection: Connection, role: str, id: str) -> int:
    """Revoke every certificate of somebody; return how many.

    Raises EnrolmentRefused if there is none.
    """
    where = (credentials.c.role == role) & (credentials.c.id == id)
    count = connection.execute(credentials.update().where(where).values(state="revoked")).rowcount
    codes = (enrolment_codes.c.role == role) & (enrolment_codes.c.id == id)
    connection.execute(enrolment_codes.update().where(codes).values(expires_ms=0))
    if not count:
        raise EnrolmentRefused(f"no {role} {id} was given a certificate here")
    return count


def revoked_serials(connection: Connection) -> list[int]:
    """Return the serial numbers of everything revoked."""
    query = select(credentials.c.serial).where(credentials.c.state == "revoked")
    return sorted(int(serial, 16) for serial in connection.scalars(query))


def _change(
    connection: Connection, role: str, id: str, old: str, new: str, until_ms: int = 0
) -> None:
    where = (credentials.c.role == role) & (credentials.c.id == id) & (credentials.c.state == old)
    connection.execute(credentials.update().where(where).values(state=new, until_ms=until_ms))
