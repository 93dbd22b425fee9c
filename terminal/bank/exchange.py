"""What a till writes to its bank and how it reads what comes back; no wire in here.

The client carries it over TLS. A world in one process carries the same bytes
its own way.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from terminal.bank import batch_messages, messages, signing
from terminal.bank.batch_messages import BatchAnswer, BatchQuestion, LinesAnswer
from terminal.bank.messages import Answer, Request
from terminal.errors import AnswerLost, LinkNotSecure, MalformedMessage, UntrustedAnswer
from terminal.seams import Clock, Randomness, uuid7
from terminal.security.keys import TillKeys

SKEW_MAX_MS: Final = 300_000
"""The bank refuses requests whose clock is further off. Source: docs/bank-link.md."""

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class VerifiedAnswer:
    """A decision, proved to be the bank's and on this request."""

    answer: Answer
    skew_ms: int
    """How far the bank's clock is ahead of ours, give or take the way there."""

    @property
    def is_clock_wrong(self) -> bool:
        """True if the till's clock is so far off that the bank will refuse it."""
        return abs(self.skew_ms) > SKEW_MAX_MS


@dataclass(frozen=True, slots=True)
class Refusal:
    """The bank refused the request itself: nothing was or will be booked by it."""

    status: int
    error: str
    detail: str
    skew_ms: int

    @property
    def is_clock_wrong(self) -> bool:
        """True if the till's clock is so far off that the bank will refuse it."""
        return abs(self.skew_ms) > SKEW_MAX_MS


@dataclass(frozen=True, slots=True)
class Question(Generic[T_co]):
    """A request as it goes out, but for its signature."""

    path: str
    body: bytes
    identity: str
    """Its idempotency key."""
    decode: Callable[[bytes], T_co]
    """Reads a verified answer. Raises MalformedMessage."""


@dataclass(frozen=True, slots=True)
class Received:
    """What came off the wire."""

    status: int
    headers: Mapping[str, str]
    """By lower-case name."""
    body: bytes


class Exchange:
    """One till's side of the link's words."""

    def __init__(
        self, authority: str, keys: TillKeys, clock: Clock, randomness: Randomness
    ) -> None:
        """authority: the bank's host, in lower case, with the port unless it is 443."""
        self._authority = authority
        self._keys = keys
        self._clock = clock
        self._randomness = randomness

    # --- what is asked ------------------------------------------------------------

    def about_payment(self, request: Request) -> Question[VerifiedAnswer]:
        """Return the question about one payment. Raises MalformedMessage."""

        def decode(told: bytes) -> VerifiedAnswer:
            answer = messages.decode_answer(told, request)
            return VerifiedAnswer(answer, self._skew_ms(answer.at))

        body = messages.encode(request)
        if isinstance(request, messages.OWN_IDENTITY):
            identity = request.attempt
        else:
            identity = self._new_identity()
        return Question(request.path, body, identity, decode)

    def about_batch(self, question: BatchQuestion) -> Question[BatchAnswer | LinesAnswer]:
        """Return the question about a batch. Raises MalformedMessage."""

        def decode(told: bytes) -> BatchAnswer | LinesAnswer:
            return batch_messages.decode_batch_answer(told, question)

        body = messages.encode(question)
        return Question(question.path, body, self._new_identity(), decode)

    def beside(self, path: str, content: Mapping[str, object]) -> Question[Mapping[str, object]]:
        """Return a question that no payment hangs on."""
        body = json.dumps(content).encode("ascii")
        return Question(path, body, self._new_identity(), messages.decode_object)

    def check_certificate(self) -> None:
        """Raise LinkNotSecure if the bank cannot let this till in."""
        # In TLS 1.3 the bank's refusal of our certificate may come when the
        # request is out already. What can be known before is looked at before.
        if self._clock.wall_ms() > self._keys.expires_ms:
            raise LinkNotSecure(
                "the till's certificate has expired; check the clock, or enrol again"
            )

    def signed(self, question: Question[object]) -> dict[str, str]:
        """Return the header fields that go with it this time; each time has a nonce."""
        return signing.sign_request(
            authority=self._authority,
            path=question.path,
            body=question.body,
            idempotency_key=question.identity,
            key=self._keys.signer,
            key_id=self._keys.till_id,
            created=self._clock.wall_ms() // 1000,
            nonce=self._randomness(16),
            counter=self._number(),
        )

    def _new_identity(self) -> str:
        return uuid7(self._clock, self._randomness)

    def _number(self) -> int | None:
        try:
            return self._keys.counter.take()
        except (OSError, ValueError) as error:
            # It guards against copies of this till; a sale does not hang on it.
            log.warning("request without a number: %s", error)
            return None

    # --- what comes back ----------------------------------------------------------

    def judge(
        self, question: Question[T], headers: Mapping[str, str], received: Received
    ) -> T | Refusal:
        """Return what the bank verifiably said to a request with these header fields.

        Raises AnswerLost for whatever decides nothing.
        """
        status = received.status
        try:
            if not re.fullmatch(
                r"application/json(; ?charset=utf-8)?", received.headers.get("content-type", "")
            ):
                raise UntrustedAnswer("the answer is not JSON")
            is_bound = signing.verify_answer(
                status,
                received.headers,
                received.body,
                request_headers=headers,
                key=self._keys.answer_key,
            )
            if status == 200 and is_bound:
                return question.decode(received.body)
            fault = messages.decode_fault(received.body)
        except (UntrustedAnswer, MalformedMessage) as error:
            raise AnswerLost(f"{error} (status {status})") from None
        if not is_bound:
            # Anyone could have kept it from another day and played it back.
            raise AnswerLost(f"the bank could not read the request: {fault.error}")
        if fault.error == "replayed":
            # Something between delivered the request twice, and this answers the
            # second: what the first was taken for, only the bank knows.
            raise AnswerLost("the bank had this very request before")
        if 400 <= status < 500 and status != 429:
            return Refusal(status, fault.error, fault.detail, self._skew_ms(fault.at))
        raise AnswerLost(f"the bank answered {status}, {fault.error}, which decides nothing")

    def _skew_ms(self, moment: str) -> int:
        return messages.parse_moment(moment) - self._clock.wall_ms()
