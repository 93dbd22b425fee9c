"""The bank link: one question over TLS, and what its answer proves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from config.schema import Settings
from terminal.bank.dialects import open_client, speaks_iso8583
from terminal.doctor.lines import Group, Line
from terminal.doctor.memory import load
from terminal.doctor.wording import Matter
from terminal.errors import AnswerLost, KeysUnusable, LinkNotSecure, NeverLeft
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
