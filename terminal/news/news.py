"""The core's part: what the bank has for its tills is fetched and taken up between sales."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from terminal.batch.events import RecordBatch
from terminal.core.book import NO_PAYMENT, Book
from terminal.events import BankAnswer, Record
from terminal.news.bulletins import Bulletin
from terminal.news.events import (
    AdoptTerms,
    BulletinsCame,
    BulletinsRead,
    FetchBulletins,
    FetchTerms,
    NewsWish,
    Nudged,
    TermsNotHad,
    TermsReady,
)
from terminal.news.terms import Terms
from terminal.seams import Clock

TIMER: Final = "news"
NUDGE_TIMER: Final = "nudge"
NUDGE_S: Final = 1.0
"""The bank is asked no more often than this, however often somebody nudges."""


class News:
    """Follows what the bank names in its answers. No sale waits for it."""

    def __init__(
        self,
        book: Book,
        clock: Clock,
        is_free: Callable[[], bool],
        take_up: Callable[[Terms], None],
    ) -> None:
        """is_free: no sale is under way. take_up: has the core work by them."""
        self._book = book
        self._clock = clock
        self._is_free = is_free
        self._take_up = take_up
        self._named = self._refused = 0
        self._is_asking_terms = False
        self._ready: Terms | None = None
        self._named_bulletin = self._read = 0
        self._is_asking_bulletins = False
        self._nudge_at = 0.0
        self.version = 0
        """Of the parameters that hold; 0: none of the bank's."""
        self.bulletins: tuple[Bulletin, ...] = ()
        """What nobody has read yet, oldest first."""

    @property
    def handlers(self) -> Mapping[type, Callable[[Any], None]]:
        """What it does about each event of its own."""
        return {
            TermsReady: self._terms_ready,
            TermsNotHad: self._terms_not_had,
            BulletinsCame: self._bulletins_came,
            BulletinsRead: self._bulletins_read,
            Nudged: self._nudged,
        }

    def begin(self, version: int, read: int) -> None:
        """The till comes up with these parameters, and with bulletins read so far."""
        self.version, self._read = version, read

    def heard(self, answer: BankAnswer) -> None:
        """The bank has named its newest."""
        self._named = answer.parameters
        self._named_bulletin = answer.bulletin

    def nudge_rang(self) -> None:
        """The bank is asked now, for the last nudge or many."""
        self._nudge_at = self._clock.monotonic() + NUDGE_S

    def between_sales(self) -> None:
        """Wish what is due, if no sale is under way. Called at the end of each step."""
        due = self._due()
        if not due or not self._is_free():
            return
        if any(isinstance(wish, Record | RecordBatch) for wish in self._book.wishes):
            # What stands behind a record may be dropped with it: in a step of its own.
            self._book.set_timer(TIMER, NO_PAYMENT, 0)
            return
        for wish in due:
            match wish:
                case AdoptTerms(terms):
                    self._ready = None
                    self.version = terms.version
                    self._take_up(terms)
                case FetchTerms():
                    self._is_asking_terms = True
                case FetchBulletins():
                    self._is_asking_bulletins = True
            self._book.wish(wish)

    def _due(self) -> list[NewsWish]:
        due: list[NewsWish] = []
        is_newer = self._named > self.version and self._named != self._refused
        if self._ready is not None:
            due.append(AdoptTerms(self._ready))
        elif is_newer and not self._is_asking_terms:
            due.append(FetchTerms(self._named))
        if self._named_bulletin > self._last_bulletin and not self._is_asking_bulletins:
            due.append(FetchBulletins(self._last_bulletin))
        return due

    @property
    def _last_bulletin(self) -> int:
        return self.bulletins[-1].number if self.bulletins else self._read

    def _terms_ready(self, event: TermsReady) -> None:
        self._is_asking_terms = False
        self._ready = event.terms

    def _terms_not_had(self, event: TermsNotHad) -> None:
        self._is_asking_terms = False
        # The bank names them again with its next answer, unless they were refused.
        self._named = 0
        if event.is_refused:
            self._refused = event.version

    def _bulletins_came(self, event: BulletinsCame) -> None:
        self._is_asking_bulletins = False
        new = tuple(each for each in event.bulletins if each.number > self._last_bulletin)
        self.bulletins += new
        if not new:
            self._named_bulletin = 0

    def _bulletins_read(self, event: BulletinsRead) -> None:
        self._read = max(self._read, event.number)
        self.bulletins = tuple(each for each in self.bulletins if each.number > event.number)

    def _nudged(self, _event: Nudged) -> None:
        wait_s = max(0.0, self._nudge_at - self._clock.monotonic())
        self._book.set_timer(NUDGE_TIMER, NO_PAYMENT, wait_s)
