"""What the core hears of the bank's news, and what it wishes done about them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

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


NewsEvent = TermsReady | TermsNotHad

# --- wishes -----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FetchTerms:
    """Ask the bank for its parameters; what comes of it is one event."""

    version: int


@dataclass(frozen=True, slots=True)
class AdoptTerms:
    """Work by these from here on."""

    terms: Terms


NewsWish = FetchTerms | AdoptTerms
