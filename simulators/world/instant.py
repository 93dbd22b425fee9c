"""A client of the signed link that is answered at once, or not at all.

For what no payment hangs on: keys and parameters. It is asked and judged as the
till's own client does it, through the same weather.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from simulators.bank.core import HttpAnswer
from simulators.world.wire import Network, Weather
from terminal.bank.batch_messages import BatchAnswer, BatchQuestion, LinesAnswer
from terminal.bank.exchange import Exchange, Question, Received, Refusal, VerifiedAnswer
from terminal.bank.messages import Request
from terminal.errors import AnswerLost, NeverLeft

T = TypeVar("T")

Deliver = Callable[[Question[Any], Mapping[str, str]], HttpAnswer | None]


class InstantClient:
    """Satisfies terminal.bank.dialects.SignedClient."""

    def __init__(self, exchange: Exchange, network: Network, deliver: Deliver) -> None:
        """deliver: gives a signed request to the bank; None if that is down."""
        self._exchange = exchange
        self._network = network
        self._deliver = deliver

    def call(
        self, request: Request, sending: Callable[[], None] | None = None
    ) -> VerifiedAnswer | Refusal:
        """Return the bank's verified answer. Raises NeverLeft, AnswerLost."""
        return self._asked(self._exchange.about_payment(request))

    def settle(self, question: BatchQuestion) -> BatchAnswer | LinesAnswer | Refusal:
        """Return the bank's verified answer. Raises NeverLeft, AnswerLost."""
        return self._asked(self._exchange.about_batch(question))

    def ask(self, path: str, content: Mapping[str, object]) -> Mapping[str, object] | Refusal:
        """Return the bank's verified answer. Raises NeverLeft, AnswerLost."""
        return self._asked(self._exchange.beside(path, content))

    def close(self) -> None:
        """Nothing is open."""

    def _asked(self, question: Question[T]) -> T | Refusal:
        fate = self._network.fate()
        if fate is Weather.REFUSED:
            raise NeverLeft("the bank does not accept connections")
        headers = self._exchange.signed(question)
        if fate in (Weather.CUT_BEFORE, Weather.SLOW_THERE):
            raise AnswerLost("the connection ended")
        answer = self._deliver(question, headers)
        if answer is None:
            raise NeverLeft("the bank does not accept connections")
        if fate in (Weather.CUT_AFTER, Weather.SLOW_BACK):
            raise AnswerLost("the connection ended before the answer")
        heard = self._network.twisted(fate, answer)
        told = {name.lower(): value for name, value in heard.headers.items()}
        received = Received(heard.status, told, heard.body)
        return self._exchange.judge(question, headers, received)
