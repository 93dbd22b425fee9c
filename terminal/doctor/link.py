"""The bank link: one question over TLS, and what its answer proves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from config.schema import Settings
from terminal.bank.dialects import open_client, open_signed_client, speaks_iso8583
from terminal.chains import Chains
from terminal.doctor.lines import Group, Line
from terminal.doctor.memory import load
from terminal.doctor.wording import Matter
from terminal.errors import (
    AnswerLost,
    BankLinkError,
    JournalUnavailable,
    KeysUnusable,
    LinkNotSecure,
    NeverLeft,
    TillError,
)
from terminal.seams import Clock, Randomness
from terminal.security.folder import is_enrolled

SKEW_SEEN_MS = 30_000
"""From here on a clock is worth setting."""


def bank(settings: Settings, keys: Path, clock: Clock, random: Randomness) -> Iterator[Line]:
    """Ask the bank for nothing, in the way every request is asked."""
    from terminal.bank.client import Refusal
    from terminal.bank.messages import Echo

    def line(code: Matter, **facts: str) -> Line:
        return Line(Group.BANK, "link", code, {"url": settings.bank.url, **facts})

    try:
        if not is_enrolled(keys):
            raise KeysUnusable("not enrolled")
        client = open_client(settings, load(keys), keys, clock, random)
    except KeysUnusable:
        yield line(Matter.BANK_UNKNOWN)
        return
    asked_at = clock.monotonic()
    try:
        reply = client.call(Echo())
    except LinkNotSecure as error:
        yield line(Matter.BANK_INSECURE, why=str(error))
        return
    except NeverLeft as error:
        yield line(Matter.BANK_UNREACHABLE, why=str(error))
        return
    except AnswerLost as error:
        yield line(Matter.BANK_NO_ANSWER, why=str(error))
        return
    finally:
        client.close()
    if isinstance(reply, Refusal):
        yield line(Matter.BANK_REFUSES, why=f"{reply.error}: {reply.detail}")
    else:
        took_ms = round(1000 * (clock.monotonic() - asked_at))
        yield line(Matter.BANK_ANSWERS, ms=str(took_ms))
        if reply.answer.notice == "cloned":
            yield line(Matter.KEYS_CLONED)
    if speaks_iso8583(settings.bank):
        # Its answers have neither year nor zone: they prove no clock.
        return
    if reply.is_clock_wrong:
        code = Matter.CLOCK_WRONG
    else:
        code = Matter.CLOCK_OFF if abs(reply.skew_ms) > SKEW_SEEN_MS else Matter.CLOCK_RIGHT
    skew = f"{abs(reply.skew_ms) / 1000:.0f}"
    yield Line(Group.BANK, "clock", code, {"skew": skew})


def chains(settings: Settings, home: Path, clock: Clock, random: Randomness) -> Iterator[Line]:
    """Hold journal and audit log against the ends that the bank has kept.

    Where they or the bank are not there, other lines say so.
    """
    from terminal.people.store import FILE

    keys = home / "keys"
    if speaks_iso8583(settings.bank) or not is_enrolled(keys) or not (home / FILE).exists():
        return
    try:
        count = _kept_ends(settings, home, clock, random)
    except (BankLinkError, JournalUnavailable):
        return
    except TillError as error:
        yield Line(Group.JOURNAL, "chains", Matter.CHAINS_CUT, {"why": str(error)})
        return
    yield Line(Group.JOURNAL, "chains", Matter.CHAINS_HOLD, {"count": str(count)})


def _kept_ends(settings: Settings, home: Path, clock: Clock, random: Randomness) -> int:
    """Return how many ends the bank keeps. Raises what compare() and opening raise."""
    from terminal.bank.chain_ends import compare
    from terminal.journal import JournalReader
    from terminal.people.audit import AuditLog
    from terminal.people.store import PeopleStore

    keys = load(home / "keys")
    with (
        closing(JournalReader(home)) as journal,
        closing(PeopleStore(home)) as people,
        closing(open_signed_client(settings.bank, keys, clock, random)) as client,
    ):
        return compare(client, Chains(journal, lambda: AuditLog(people, clock)))
