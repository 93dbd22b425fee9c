"""A client that goes on with the till's newest keys."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from terminal.errors import KeysUnusable, LinkNotSecure

if TYPE_CHECKING:
    from terminal.bank.batch_messages import BatchAnswer, BatchQuestion, LinesAnswer
    from terminal.bank.client import Refusal, VerifiedAnswer
    from terminal.bank.dialects import Client
    from terminal.bank.messages import Request
    from terminal.security.keys import TillKeys


class RenewingClient:
    """Asks through one client after the other: a new one whenever the keys are new.

    call() belongs to one thread; close() may come from any.
    """

    def __init__(self, open_one: Callable[[], Client], keys: Callable[[], TillKeys]) -> None:
        """Raises what opening a client raises."""
        self._open_one = open_one
        self._keys = keys
        self._lock = threading.Lock()
        self._is_closed = False
        self._held = keys()
        self._client = open_one()

    def call(
        self, request: Request, sending: Callable[[], None] | None = None
    ) -> VerifiedAnswer | Refusal:
        """Return the bank's decision, as terminal.bank.client.BankClient.call does."""
        self._renew()
        return self._client.call(request, sending)

    def settle(self, question: BatchQuestion) -> BatchAnswer | LinesAnswer | Refusal:
        """Return the bank's word on a batch, as terminal.bank.client.BankClient.settle does."""
        self._renew()
        return self._client.settle(question)

    def _renew(self) -> None:
        try:
            newest = self._keys()
            if newest is not self._held:
                self._open_again()
                self._held = newest
        except KeysUnusable as error:
            # Whatever became of the keys, nothing of this request has left.
            raise LinkNotSecure(str(error)) from error

    def close(self) -> None:
        """End the link for good; a call that waits ends at once."""
        with self._lock:
            self._is_closed = True
            self._client.close()

    def _open_again(self) -> None:
        with self._lock:
            # What close() has cut is not opened by a call that comes after it.
            if not self._is_closed:
                self._client.close()
                self._client = self._open_one()
