"""What the core hears of the bank's news, and what it wishes done about them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from terminal.news.bulletins import Bulletin

if TYPE_CHECKING:
    from terminal.news.terms import Terms

# --- events -----------------------------------------------------------------


class TermsReady(Struct, frozen=True):
    """Newer parameters of the bank's fit this shop, and are on disk."""

    terms: Terms


class TermsNotHad(Struct, frozen=True):
    """The till goes on with those that hold."""

    version: int
    """What was asked for."""
    is_refused: bool
    """They do not fit; else there was no answer, and they are asked for again."""


class BulletinsCame(Struct, frozen=True):
    """The bank has this for the cashier; () if nothing could be had."""

    bulletins: tuple[Bulletin, ...]


class BulletinsRead(Struct, frozen=True):
    """Somebody has read them up to this number, and it is on disk."""

    number: int


class Nudged(Struct, frozen=True):
    """Something came by push: it says only that the bank is worth asking now."""


NewsEvent = TermsReady | TermsNotHad | BulletinsCame | BulletinsRead | Nudged

# --- wishes -----------------------------------------------------------------


class FetchTerms(Struct, frozen=True):
    """Ask the bank for its parameters; what comes of it is one event."""

    version: int


class AdoptTerms(Struct, frozen=True):
    """Work by these from here on."""

    terms: Terms


class FetchBulletins(Struct, frozen=True):
    """Ask the bank for what comes after this number; the end is one event."""

    after: int


NewsWish = FetchTerms | AdoptTerms | FetchBulletins
