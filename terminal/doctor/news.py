"""What the bank tells beside payments: the parameters that hold, and the push broker."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from config.schema import Settings
from terminal.doctor.lines import Group, Line
from terminal.doctor.memory import load
from terminal.doctor.wording import Matter
from terminal.errors import KeysUnusable, PushUnavailable
from terminal.news.parameters import refused
from terminal.security.folder import is_enrolled


def parameters(settings: Settings, home: Path) -> Iterator[Line]:
    """Say which version holds, and what was refused; nothing where the bank sets nothing."""
    if settings.parameters_version:
        facts = {"version": str(settings.parameters_version)}
        yield Line(Group.BANK, "parameters", Matter.PARAMETERS_HOLD, facts)
    standing = refused(home)
    if standing is not None:
        yield Line(Group.BANK, "parameters", Matter.PARAMETERS_REFUSED, {"why": standing.why})


def push(settings: Settings, keys: Path) -> Iterator[Line]:
    """Knock at the broker as a till does; nothing where there is none, or no keys yet."""
    url = settings.bank.push_url
    if url is None or not is_enrolled(keys):
        return
    try:
        from terminal.bank.broker import Broker

        Broker(url, load(keys), lambda: None).close()
    except ImportError:
        yield Line(Group.BANK, "push", Matter.PUSH_LIBRARY_MISSING)
    except (PushUnavailable, KeysUnusable) as error:
        yield Line(Group.BANK, "push", Matter.PUSH_UNAVAILABLE, {"why": str(error)})
    else:
        yield Line(Group.BANK, "push", Matter.PUSH_LISTENS, {"url": url})
