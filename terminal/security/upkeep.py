"""Keeps a till's keys good while it runs: renewed in time, and no revoked bank trusted."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from terminal.errors import BankLinkError
from terminal.seams import Clock

if TYPE_CHECKING:
    from terminal.bank.client import BankClient
    from terminal.security.keys import TillKeys

EVERY_S: Final = 6 * 3600.0

log = logging.getLogger(__name__)


class KeyUpkeep:
    """A thread beside the sales, which none of them waits for."""

    def __init__(
        self,
        folder: Path,
        open_client: Callable[[TillKeys], BankClient],
        clock: Clock,
        *,
        every_s: float = EVERY_S,
    ) -> None:
        """folder: the till's keys. open_client: asks the bank with the keys it is given."""
        self._folder = folder
        self._open_client = open_client
        self._clock = clock
        self._every_s = every_s
        self._over = threading.Event()
        self._client: BankClient | None = None
        self._thread = threading.Thread(target=self._run, name="key-upkeep", daemon=True)

    def start(self) -> None:
        """Begin; the first look is at once."""
        self._thread.start()

    def close(self) -> None:
        """End, also in the middle of a question; what was begun is gone on with another day."""
        self._over.set()
        if self._client is not None:
            self._client.close()

    def once(self) -> None:
        """Do what is due. Raises BankLinkError."""
        from terminal.security import renewal

        current = renewal.learn_revoked(self._folder, self._open)
        if renewal.is_due(self._folder, current, self._clock.wall_ms()):
            renewed = renewal.renew(self._folder, self._open)
            log.info("the keys of %s were renewed", renewed.till_id)

    def _open(self, keys: TillKeys) -> BankClient:
        self._client = self._open_client(keys)
        if self._over.is_set():
            self._client.close()
        return self._client

    def _run(self) -> None:
        while not self._over.is_set():
            try:
                self.once()
            except (BankLinkError, OSError) as error:
                # The old keys are as good as before: it is tried again.
                log.warning("keys not renewed: %s", error)
            self._over.wait(self._every_s)
