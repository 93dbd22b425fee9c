"""A client with two addresses of one bank: the second is for when the first is not reached."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeVar

from terminal.errors import NeverLeft
from terminal.seams import Clock

if TYPE_CHECKING:
    from terminal.bank.batch_messages import BatchAnswer, BatchQuestion, LinesAnswer
    from terminal.bank.client import Refusal, VerifiedAnswer
    from terminal.bank.dialects import Client
    from terminal.bank.messages import Request

T = TypeVar("T")

RETURN_S: Final = 60.0
"""How long the standby is asked first, before the first address is tried again."""


class StandbyClient:
    """Asks the standby only what provably never left for the other address.

    Whatever may have been heard at one address is not said at another: it is
    asked about, like any payment in doubt. call() belongs to one thread.
    """

    def __init__(self, first: Client, standby: Client, clock: Clock) -> None:
        self._first = first
        self._standby = standby
        self._clock = clock
        self._returns_at = 0.0

    def call(
        self, request: Request, sending: Callable[[], None] | None = None
    ) -> VerifiedAnswer | Refusal:
        """Return the bank's decision, as terminal.bank.client.BankClient.call does."""
        return self._nearer(lambda client: client.call(request, sending))

    def settle(self, question: BatchQuestion) -> BatchAnswer | LinesAnswer | Refusal:
        """Return the bank's word on a batch, as terminal.bank.client.BankClient.settle does."""
        return self._nearer(lambda client: client.settle(question))

    def _nearer(self, ask: Callable[[Client], T]) -> T:
        is_away = self._clock.monotonic() < self._returns_at
        nearer, other = (self._standby, self._first) if is_away else (self._first, self._standby)
        try:
            return ask(nearer)
        except NeverLeft as error:
            try:
                answer = ask(other)
            except NeverLeft:
                # Neither is reached; what the nearer one said is what to mend.
                raise error from None
        self._returns_at = 0.0 if is_away else self._clock.monotonic() + RETURN_S
        return answer

    def close(self) -> None:
        """End both links for good; a call that waits ends at once. From any thread."""
        self._first.close()
        self._standby.close()
