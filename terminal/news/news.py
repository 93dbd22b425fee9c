"""The core's part: what the bank has for its tills is fetched and taken up between sales."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from terminal.batch.events import RecordBatch
from terminal.core.book import NO_PAYMENT, Book
from terminal.events import BankAnswer, Record
from terminal.news.events import AdoptTerms, FetchTerms, TermsNotHad, TermsReady
from terminal.news.terms import Terms

TIMER = "news"


class News:
    """Follows what the bank names in its answers. No sale waits for it."""

    def __init__(
        self, book: Book, is_free: Callable[[], bool], take_up: Callable[[Terms], None]
    ) -> None:
        """is_free: no sale is under way. take_up: has the core work by them."""
        self._book = book
        self._is_free = is_free
        self._take_up = take_up
        self._named = self._refused = 0
        self._is_asking = False
        self._ready: Terms | None = None
        self.version = 0
        """Of the parameters that hold; 0: none of the bank's."""

    @property
    def handlers(self) -> Mapping[type, Callable[[Any], None]]:
        """What it does about each event of its own."""
        return {TermsReady: self._terms_ready, TermsNotHad: self._terms_not_had}

    def begin(self, version: int) -> None:
        """The till comes up with these parameters."""
        self.version = version

    def heard(self, answer: BankAnswer) -> None:
        """The bank has named its newest."""
        self._named = answer.parameters

    def between_sales(self) -> None:
        """Wish what is due, if no sale is under way. Called at the end of each step."""
        is_due = self._ready is not None or self._wants_terms
        if not is_due or not self._is_free():
            return
        if any(isinstance(wish, Record | RecordBatch) for wish in self._book.wishes):
            # What stands behind a record may be dropped with it: in a step of its own.
            self._book.set_timer(TIMER, NO_PAYMENT, 0)
        elif (terms := self._ready) is not None:
            self._ready = None
            self.version = terms.version
            self._take_up(terms)
            self._book.wish(AdoptTerms(terms))
        else:
            self._is_asking = True
            self._book.wish(FetchTerms(self._named))

    @property
    def _wants_terms(self) -> bool:
        is_news = self._named > self.version and self._named != self._refused
        return is_news and not self._is_asking

    def _terms_ready(self, event: TermsReady) -> None:
        self._is_asking = False
        self._ready = event.terms

    def _terms_not_had(self, event: TermsNotHad) -> None:
        self._is_asking = False
        # The bank names them again with its next answer, unless they were refused.
        self._named = 0
        if event.is_refused:
            self._refused = event.version
