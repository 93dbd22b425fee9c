"""A chore at the bank that comes up again and again, on a thread beside the sales."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from terminal.errors import BankLinkError, TillError

if TYPE_CHECKING:
    from terminal.bank.client import BankClient
    from terminal.security.keys import TillKeys

    OpenClient = Callable[[TillKeys], BankClient]

CLOSE_S: Final = 5.0

log = logging.getLogger(__name__)


class Upkeep:
    """A thread that no sale waits for."""

    def __init__(
        self,
        name: str,
        chore: Callable[[OpenClient], None],
        open_client: OpenClient,
        *,
        every_s: float,
        first_s: float = 0.0,
    ) -> None:
        """chore: does what is due; raises a TillError or OSError, and is tried again.

        open_client: asks the bank with the keys it is given. first_s: how long
        after the start the first look is.
        """
        self._chore = chore
        self._open_client = open_client
        self._every_s = every_s
        self._first_s = first_s
        self._over = threading.Event()
        self._client: BankClient | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """End, also in the middle of a question; what was begun is gone on with another day."""
        self._over.set()
        if self._client is not None:
            self._client.close()
        if self._thread.is_alive():
            self._thread.join(CLOSE_S)

    def _open(self, keys: TillKeys) -> BankClient:
        self._client = self._open_client(keys)
        if self._over.is_set():
            self._client.close()
        return self._client

    def _run(self) -> None:
        wait_s = self._first_s
        while not self._over.wait(wait_s):
            wait_s = self._every_s
            try:
                self._chore(self._open)
            except (BankLinkError, OSError) as error:
                log.warning("%s is tried again: %s", self._thread.name, error)
            except TillError as error:
                log.error("%s", error)
