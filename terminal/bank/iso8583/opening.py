"""Opens the dialect for a shop: its settings, the keys on disk, and what was kept."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from config.schema import Iso8583, Settings
from terminal.bank.iso8583.cards import KEY_BYTES, CardSafe
from terminal.bank.iso8583.client import Iso8583Client
from terminal.bank.iso8583.codec import MessageCode
from terminal.bank.iso8583.fields import Encoding
from terminal.bank.iso8583.framing import Routing
from terminal.bank.iso8583.kept import Originals
from terminal.bank.iso8583.link import Link
from terminal.bank.iso8583.session import Dialect, Session
from terminal.bank.iso8583.transactions import Till
from terminal.errors import KeysUnusable
from terminal.seams import Clock, Randomness
from terminal.security.files import write_file
from terminal.security.keys import TillKeys

TRANSPORT_KEY: Final = "transport-key"
"""Hex: what the bank gave at enrolment; the keys of each day come under it."""
CARD_KEY: Final = "card-key"
"""Hex: the till's own, made when it is first needed."""

_making = threading.Lock()


def open_client(
    settings: Settings, keys: TillKeys, folder: Path, clock: Clock, random: Randomness
) -> Iso8583Client:
    """Return a client of the shop's bank; it connects when it is first asked.

    folder: the till's keys; what may be said again is kept beside it.
    Raises KeysUnusable, naming the file.
    """
    bank = settings.bank
    address = urlsplit(bank.url)
    safe = open_safe(folder, random)
    kept = folder.parent / "iso8583"
    originals = Originals(kept, safe, clock.wall_ms)
    originals.forget_old()
    link = Link(
        address.hostname or "",
        address.port or 0,
        keys,
        clock.monotonic,
        server_name=bank.server_name,
        connect_s=bank.connect_s,
        answer_s=bank.answer_s,
    )
    session = Session(_dialect(bank.iso8583), _till(settings), _transport_key(folder))
    return Iso8583Client(session, link, originals, safe, clock, settings.currency.letters)


def open_safe(folder: Path, random: Randomness) -> CardSafe:
    """Return what closes card data under the till's own key, made if there is none.

    Raises KeysUnusable, naming the file.
    """
    file = folder / CARD_KEY
    with _making:
        if not file.exists():
            write_file(file, random(KEY_BYTES).hex().encode("ascii"))
    return CardSafe(_read_key(file))


def _transport_key(folder: Path) -> bytes:
    file = folder / TRANSPORT_KEY
    if not file.exists():
        raise KeysUnusable(f"{file}: not there; put the key that the bank gave for ISO 8583 in it")
    return _read_key(file)


def _read_key(file: Path) -> bytes:
    if file.stat().st_mode & 0o077:
        raise KeysUnusable(f"{file}: others may read it; chmod 600 it")
    try:
        key = bytes.fromhex(file.read_text("ascii"))
    except ValueError:
        raise KeysUnusable(f"{file}: not a key in hex") from None
    if len(key) != KEY_BYTES:
        raise KeysUnusable(f"{file}: not {KEY_BYTES} bytes")
    return key


def _dialect(chosen: Iso8583) -> Dialect:
    return Dialect(
        Encoding(chosen.encoding),
        MessageCode(chosen.code),
        Routing(bytes.fromhex(chosen.tpdu), bytes.fromhex(chosen.header)),
    )


def _till(settings: Settings) -> Till:
    return Till(
        terminal=settings.shop.terminal_id,
        merchant=settings.shop.merchant_id,
        currency=f"{settings.currency.numeric:03}",
        has_original_elements=settings.bank.iso8583.original_elements,
    )
