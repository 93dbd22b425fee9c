"""What the core hears of the bank's news, and what it wishes done about them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from terminal.news.bulletins import Bulletin

if TYPE_CHECKING:
    from terminal.news.terms import Terms

# --- events -----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TermsReady:
    """Newer parameters of the bank's fit this shop, and are on disk."""

    terms: Terms


@dataclass(frozen=True, slots=True)
class TermsNotHad:
    """The till goes on with those that hold."""

    version: int
    """What was asked for."""
    is_refused: bool
    """They do not fit; else there was no answer, and they are asked for again."""


@dataclass(frozen=True, slots=True)
class BulletinsCame:
    """The bank has this for the cashier; () if nothing could be had."""

    bulletins: tuple[Bulletin, ...]


@dataclass(frozen=True, slots=True)
class BulletinsRead:
    """Somebody has read them up to this number, and it is on disk."""

    number: int


@dataclass(frozen=True, slots=True)
class Nudged:
    """Something came by push: it says only that the bank is worth asking now."""


NewsEvent = TermsReady | TermsNotHad | BulletinsCame | BulletinsRead | Nudged

# --- wishes -----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FetchTerms:
    """Ask the bank for its parameters; what comes of it is one event."""

    version: int


@dataclass(frozen=True, slots=True)
class AdoptTerms:
    """Work by these from here on."""

    terms: Terms


@dataclass(frozen=True, slots=True)
class FetchBulletins:
    """Ask the bank for what comes after this number; the end is one event."""

    after: int


NewsWish = FetchTerms | AdoptTerms | FetchBulletins
