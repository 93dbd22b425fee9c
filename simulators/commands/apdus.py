"""What till sim card and till sim phone have in common: lists, and APDUs as text."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import click

from emv.apdu import status_meaning

if TYPE_CHECKING:
    from simulators.card import AnyProfile
    from simulators.responses import AnyCard, Response

COMMAND_BYTES_MIN = 4


def list_profiles(profiles: Iterable[AnyProfile], as_json: bool) -> None:
    """Print each profile and the outcome to expect, one a line."""
    if as_json:
        keys = ("name", "title", "title_zh", "expect", "expect_zh")
        rows = [{key: getattr(each, key) for key in keys} for each in profiles]
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    listed = list(profiles)
    width = max(len(each.name) for each in listed)
    for each in listed:
        click.echo(f"{each.name:{width}}  {each.expect}")


def converse(
    card: AnyCard,
    apdus: Sequence[str],
    as_json: bool,
    deeds: Mapping[str, Callable[[], None]] | None = None,
) -> None:
    """Send commands to a card and print what comes back.

    apdus: hexadecimal; none means standard input. What follows a # says
    nothing; 'reset' brings the card into a new field, also one that left.
    deeds: more words that are taken in the place of a command.
    Raises click.UsageError for what is not a command.
    """
    from simulators.card import Torn

    words: dict[str, Callable[[], None]] = dict(deeds or {})
    card.power_up()
    is_there = True
    lines: Iterable[str] = apdus or sys.stdin
    for line in lines:
        text = line.partition("#")[0].strip()
        if text == "reset":
            card.power_up()
            is_there = True
        elif text in words:
            words[text]()
        elif text:
            command = _read(text)
            response = card.respond(command) if is_there else Torn()
            is_there = not isinstance(response, Torn)
            _print(text, response, as_json)


def _read(text: str) -> bytes:
    try:
        command = bytes.fromhex(text)
    except ValueError as error:
        raise click.UsageError(f"{text!r} is not hexadecimal") from error
    if len(command) < COMMAND_BYTES_MIN:
        raise click.UsageError(
            f"{text!r} is not a command: it has {COMMAND_BYTES_MIN} bytes or more"
        )
    return command


def _print(command: str, response: Response, as_json: bool) -> None:
    from simulators.card import Answer, Torn

    if isinstance(response, Answer):
        data, status = response.data[:-2].hex().upper(), response.data[-2:].hex().upper()
        meaning = status_meaning(int(status, 16))
        delay_ms = response.delay_us // 1000
        facts = {"data": data, "status": status, "meaning": meaning, "delay_ms": delay_ms}
        plain = " ".join(filter(None, (data, status, f"({meaning})")))
        if delay_ms:
            plain += f" after {delay_ms} ms"
    else:
        fault = "torn" if isinstance(response, Torn) else "silent"
        facts = {"fault": fault}
        plain = "the card has left" if fault == "torn" else "the card says nothing"
    if as_json:
        click.echo(json.dumps({"command": command, **facts}))
    else:
        click.echo(plain)
