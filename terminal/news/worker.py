"""Asks the bank for its news, on a thread of its own that no sale waits for."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from config.errors import ConfigError
from config.schema import Settings
from terminal.errors import ParametersRefused, TillError, UntrustedAnswer
from terminal.events import InboxEvent
from terminal.news import bulletins
from terminal.news.events import (
    AdoptTerms,
    BulletinsCame,
    FetchBulletins,
    FetchTerms,
    NewsWish,
    TermsNotHad,
    TermsReady,
)
from terminal.news.parameters import ParameterStore
from terminal.news.terms import InForce, Terms
from terminal.people.audit import AuditLine

if TYPE_CHECKING:
    from terminal.bank.client import BankClient

log = logging.getLogger(__name__)

CLOSE_S = 5.0


class NewsWorker:
    """Carries the core's wishes about news. Its do() returns at once."""

    def __init__(
        self,
        in_force: InForce,
        open_store: Callable[[], ParameterStore],
        open_client: Callable[[], BankClient],
        terms_of: Callable[[Settings], Terms],
        note: Callable[[AuditLine], None],
        post: Callable[[InboxEvent], None],
    ) -> None:
        """open_store, open_client: used on the worker's own thread; raise KeysUnusable.

        note: writes the audit log.
        """
        self._in_force = in_force
        self._open_store = open_store
        self._open_client = open_client
        self._terms_of = terms_of
        self._note = note
        self._post = post
        self._waiting: queue.SimpleQueue[FetchTerms | FetchBulletins | None] = queue.SimpleQueue()
        self._over = threading.Event()
        self._client: BankClient | None = None
        self._thread = threading.Thread(target=self._run, name="news", daemon=True)

    def start(self) -> None:
        """Begin to carry."""
        self._thread.start()

    def do(self, wish: NewsWish) -> None:
        """Take up what is here, and queue what has to be asked for."""
        if isinstance(wish, AdoptTerms):
            self._in_force.terms = wish.terms
            log.info("version %s of the bank's parameters holds", wish.terms.version)
        else:
            self._waiting.put(wish)

    def close(self) -> None:
        """End, also in the middle of a question. Safe to call twice."""
        self._over.set()
        self._waiting.put(None)
        if self._client is not None:
            self._client.close()
        if self._thread.is_alive():
            self._thread.join(CLOSE_S)

    def _run(self) -> None:
        while (wish := self._waiting.get()) is not None and not self._over.is_set():
            match wish:
                case FetchTerms():
                    self._post(self._terms(wish))
                case FetchBulletins():
                    self._post(self._bulletins(wish))

    def _bulletins(self, wish: FetchBulletins) -> InboxEvent:
        try:
            with self._asking() as client:
                return BulletinsCame(bulletins.fetch(client, wish.after))
        except (TillError, OSError) as error:
            log.warning("the bank's messages were not fetched: %s", error)
            return BulletinsCame(())

    def _terms(self, wish: FetchTerms) -> InboxEvent:
        try:
            terms = self._fetched()
        except (ParametersRefused, UntrustedAnswer, ConfigError) as error:
            log.warning("the bank's parameters: %s", error)
            return TermsNotHad(wish.version, is_refused=True)
        except (TillError, OSError) as error:
            log.warning("the bank's parameters were not fetched: %s", error)
            return TermsNotHad(wish.version, is_refused=False)
        if terms.version < wish.version:
            log.warning("the bank names version %s, and does not give it", wish.version)
            return TermsNotHad(wish.version, is_refused=True)
        return TermsReady(terms)

    def _fetched(self) -> Terms:
        store = self._open_store()
        with self._asking() as client:
            store.fetch(client, self._note)
        # Another program of this till's may have fetched them before.
        terms = self._terms_of(store.load(store.newest()))
        # The kernels are made here, and no sale waits for them.
        return terms.tried()

    @contextmanager
    def _asking(self) -> Iterator[BankClient]:
        """Open a client that close() ends. Raises KeysUnusable."""
        self._client = self._open_client()
        if self._over.is_set():
            self._client.close()
        try:
            yield self._client
        finally:
            self._client.close()
