"""What happened in a world, line by line, as it stands before anything is sealed.

Two runs of one seed make the same lines; keys and seals, which differ, are left out.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Final

from simulators.world.agenda import Agenda

# A compact JWE or JWS; a base64 signature would be as long and is in no line.
_SEALED: Final = re.compile(r"[A-Za-z0-9_-]{16,}(?:\.[A-Za-z0-9_-]*){2,4}")
# What an issuer tells a card is made with the card's key.
_EMV: Final = re.compile(r"""(["']?emv["']?[:=]["'])[0-9A-F]+""")


class Log:
    """Every event, journal row and message in order, and a digest over them."""

    def __init__(self, agenda: Agenda, home: Path, *, keeps: bool = False) -> None:
        """home: where the world is, which has another name each time.

        keeps: the lines can be read afterwards.
        """
        self._agenda = agenda
        self._home = str(home)
        self._hash = hashlib.sha256()
        self._keeps = keeps
        self.count = 0
        self.lines: list[str] = []

    def event(self, where: str, what: object) -> None:
        """Note what reached a till's core, or what somebody did."""
        self._write(where, "event", str(what))

    def row(self, where: str, body: str) -> None:
        """Note a row of a till's journal."""
        self._write(where, "row", body)

    def message(self, where: str, path: str, body: bytes) -> None:
        """Note a request or an answer."""
        self._write(where, path, body.decode("utf-8", "replace"))

    @property
    def digest(self) -> str:
        """Hex over all lines."""
        return self._hash.hexdigest()

    def _write(self, where: str, kind: str, text: str) -> None:
        text = _EMV.sub(r"\1(proof)", _SEALED.sub("(sealed)", text))
        line = f"{self._agenda.now_ns} {where} {kind} {text.replace(self._home, '~')}"
        self.count += 1
        self._hash.update(line.encode())
        self._hash.update(b"\n")
        if self._keeps:
            self.lines.append(line)
