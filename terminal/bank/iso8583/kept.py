"""What may have to be said again about a payment: kept on disk before it is sent.

A reversal repeats its original, and the power may fail in between; a void or a
refund names it days later. Never the track, the chip's data or a PIN block.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from terminal.bank.iso8583 import fields as f
from terminal.bank.iso8583 import transactions
from terminal.bank.iso8583.answers import Reply
from terminal.bank.iso8583.cards import CardSafe
from terminal.bank.iso8583.codec import Message
from terminal.bank.iso8583.transactions import Fields, repeated_in_reversal
from terminal.errors import MalformedMessage
from terminal.security.files import sync_folder, write_file

ATTEMPT = re.compile(r"[0-9a-f-]{36}")
DAY_MS = 86_400_000
KEPT_DAYS = 35
"""Longer than hosts let a sale be refunded."""


@dataclass(frozen=True, slots=True)
class Original:
    """A payment that was sent, and what the bank said if it did."""

    type: str
    fields: Fields
    sent_ms: int
    reply: Reply | None = None

    @property
    def is_reversible(self) -> bool:
        """True if it is undone without an answer; else it is sent again until there is one."""
        return self.type not in transactions.REPEATED_TYPES

    @property
    def pan(self) -> str:
        """The card's number, for a message about this payment."""
        return self.fields[f.PAN]

    @property
    def named(self) -> transactions.Original:
        """What a later message calls it by. Raises MalformedMessage without an answer."""
        if self.reply is None:
            raise MalformedMessage("a payment without an answer cannot be referred to")
        return transactions.Original(
            batch=transactions.batch_of(self.fields),
            stan=self.fields[f.STAN],
            date=self.reply.date,
            reference=self.reply.reference,
            authorisation=self.reply.authorisation,
        )

    def __repr__(self) -> str:
        return f"Original({self.type})"


class Originals:
    """The payments of a till that may be spoken of again, a sealed file each."""

    def __init__(self, folder: Path, safe: CardSafe, now_ms: Callable[[], int]) -> None:
        """folder: made if it is not there. now_ms: Unix time."""
        self._folder = folder
        self._safe = safe
        self._now_ms = now_ms
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def about_to_send(self, attempt: str, message: Message) -> Original:
        """Keep a payment; on disk when this returns."""
        original = Original(message.type, repeated_in_reversal(message), self._now_ms())
        self._write(attempt, original)
        return original

    def answered(self, attempt: str, original: Original, reply: Reply) -> None:
        """Keep what the bank said; of the answer only what a later message names."""
        self._write(attempt, replace(original, reply=replace(reply, emv=b"")))

    def find(self, attempt: str) -> Original | None:
        """Return a payment; None if it was never sent, or let go.

        Raises MalformedMessage if its file is damaged.
        """
        try:
            sealed = self._file(attempt).read_text("ascii")
        except FileNotFoundError:
            return None
        except UnicodeDecodeError:
            raise MalformedMessage(f"{self._file(attempt)}: damaged; call the bank") from None
        content = self._safe.open(attempt, sealed)
        reply = content["reply"]
        return Original(
            type=content["type"],
            fields={int(number): text for number, text in content["fields"].items()},
            sent_ms=content["sent_ms"],
            reply=None if reply is None else Reply(**reply),
        )

    def forget(self, attempt: str) -> None:
        """Let a payment go: nothing can be said about it any more."""
        self._file(attempt).unlink(missing_ok=True)
        sync_folder(self._folder)

    def forget_old(self) -> None:
        """Let go what is too old to be spoken of."""
        oldest_ms = self._now_ms() - KEPT_DAYS * DAY_MS
        for file in self._folder.iterdir():
            if ATTEMPT.fullmatch(file.name) and file.stat().st_mtime * 1000 < oldest_ms:
                file.unlink()

    def _write(self, attempt: str, original: Original) -> None:
        reply = original.reply
        said = reply and {
            "code": reply.code,
            "reference": reply.reference,
            "authorisation": reply.authorisation,
            "date": reply.date,
        }
        content = {
            "type": original.type,
            "fields": {str(number): text for number, text in original.fields.items()},
            "sent_ms": original.sent_ms,
            "reply": said,
        }
        write_file(self._file(attempt), self._safe.close(attempt, content).encode("ascii"))

    def _file(self, attempt: str) -> Path:
        if not ATTEMPT.fullmatch(attempt):
            raise MalformedMessage("an attempt that is no identity")
        return self._folder / attempt
