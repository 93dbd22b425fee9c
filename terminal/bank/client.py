"""One request to the bank and its verified answer, or the exact kind of silence.

A client belongs to one worker thread. It never decides what silence means
for a payment: it says whether the request can have left, and the payment's
table does the rest.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar
from urllib.parse import urlsplit

import requests
import urllib3.exceptions

from terminal.bank import batch_messages, messages, signing, silence, trust
from terminal.bank.batch_messages import BatchAnswer, BatchQuestion, LinesAnswer
from terminal.bank.messages import Answer, Request
from terminal.errors import (
    AnswerLost,
    LinkNotSecure,
    MalformedMessage,
    NeverLeft,
    UntrustedAnswer,
)
from terminal.seams import Clock, Randomness, uuid7
from terminal.security.keys import TillKeys

SKEW_MAX_MS: Final = 300_000
"""The bank refuses requests whose clock is further off. Source: docs/bank-link.md."""

IDLE_MAX_S: Final = 25.0
"""A connection unused for longer is not used again: a router between may have
forgotten it without telling anyone, and a request into it would be unknown."""

T = TypeVar("T")

log = logging.getLogger(__name__)

_LOST = (requests.RequestException, urllib3.exceptions.HTTPError, OSError)


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
class _Received:
    status: int
    headers: Mapping[str, str]
    body: bytes


class BankClient:
    """Asks one bank, over one connection that it keeps between requests."""

    def __init__(
        self,
        url: str,
        keys: TillKeys,
        clock: Clock,
        randomness: Randomness,
        *,
        server_name: str | None = None,
        connect_s: float = 5.0,
        answer_s: float = 30.0,
    ) -> None:
        """url: scheme, host and port, without a path. Opens no connection yet.

        server_name: what the bank's certificate is for, if not the url's host.
        connect_s: longest wait for connection and TLS handshake, in seconds.
        answer_s: longest wait from the first byte out to the last one in.
        Raises KeysUnusable if the keys cannot be used.
        """
        parts = urlsplit(url)
        if parts.scheme != "https" or not parts.hostname or parts.path.strip("/"):
            raise ValueError("the bank's address is https://, a host, and a port if it is not 443")
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        self._authority = host if parts.port in (None, 443) else f"{host}:{parts.port}"
        self._host, self._port = parts.hostname, parts.port or 443
        self._keys = keys
        self._clock = clock
        self._randomness = randomness
        self._connect_s = connect_s
        self._answer_s = answer_s
        self._line = trust.Line(clock.monotonic)
        context = trust.client_context(keys, self._line)
        self._adapter = trust.BankAdapter(context, keys.bank_ca, server_name)
        self._used_at = clock.monotonic()

    def call(
        self, request: Request, sending: Callable[[], None] | None = None
    ) -> VerifiedAnswer | Refusal:
        """Return the bank's verified answer to the request.

        sending: called once, just before the first byte leaves.
        Raises NeverLeft if provably nothing of the request was written
        (LinkNotSecure where a certificate is the reason),
        AnswerLost if it was and no verified answer came, MalformedMessage if
        the request itself cannot be sent to anyone.
        """
        body = messages.encode(request)
        if isinstance(request, messages.OWN_IDENTITY):
            identity = request.attempt
        else:
            identity = self._new_identity()

        def decode(told: bytes) -> VerifiedAnswer:
            answer = messages.decode_answer(told, request)
            return VerifiedAnswer(answer, self._skew_ms(answer.at))

        return self._verified(request.path, body, identity, sending, decode)

    def settle(self, question: BatchQuestion) -> BatchAnswer | LinesAnswer | Refusal:
        """Return the verified answer to a question about a batch.

        Raises as call does.
        """

        def decode(told: bytes) -> BatchAnswer | LinesAnswer:
            return batch_messages.decode_batch_answer(told, question)

        body = messages.encode(question)
        return self._verified(question.path, body, self._new_identity(), None, decode)

    def ask(self, path: str, content: Mapping[str, str]) -> Mapping[str, object] | Refusal:
        """Return the verified answer to a question about keys, which no payment hangs on.

        Raises NeverLeft, AnswerLost.
        """
        body = json.dumps(content).encode("ascii")
        return self._verified(path, body, self._new_identity(), None, messages.decode_object)

    def _new_identity(self) -> str:
        return uuid7(self._clock, self._randomness)

    def _verified(
        self,
        path: str,
        body: bytes,
        identity: str,
        sending: Callable[[], None] | None,
        decode: Callable[[bytes], T],
    ) -> T | Refusal:
        self._check_certificate()
        if self._clock.monotonic() - self._used_at > IDLE_MAX_S:
            self._adapter.close()
        headers, received = self._exchange(path, body, identity, sending)
        self._used_at = self._clock.monotonic()
        return self._judge(decode, headers, received)

    def close(self) -> None:
        """End the link for good; a call that waits ends at once. From any thread.

        Only a look-up of the bank's name, which the system does not let go,
        is waited for.
        """
        self._line.cut()

    def _check_certificate(self) -> None:
        # In TLS 1.3 the bank's refusal of our certificate may come when the
        # request is out already. What can be known before is looked at before.
        if self._clock.wall_ms() > self._keys.expires_ms:
            raise LinkNotSecure(
                "the till's certificate has expired; check the clock, or enrol again"
            )

    def _exchange(
        self, path: str, body: bytes, identity: str, sending: Callable[[], None] | None
    ) -> tuple[dict[str, str], _Received]:
        """Post the body; return the header fields it was sent with, and what came."""
        line = self._line
        line.prepare(self._connect_s, self._answer_s, sending)
        headers = self._signed(path, body, identity)
        try:
            return headers, self._post(path, headers, body)
        except _LOST as error:
            if not self._is_stale(error):
                raise self._silence(error, had_left=False) from None
        # The kept connection had died under us, which a busy bank does to idle
        # tills all day. The same request may go again: its key and body are
        # the same, and the bank pays one attempt once. Yet from now on it has
        # left, whatever happens.
        line.prepare(self._connect_s, self._answer_s)
        headers = self._signed(path, body, identity)
        try:
            received = self._post(path, headers, body)
        except _LOST as error:
            raise self._silence(error, had_left=True) from None
        if received.status >= 400:
            raise AnswerLost(
                f"the bank refused a repetition with status {received.status}; "
                "it may have taken the first"
            )
        return headers, received

    def _signed(self, path: str, body: bytes, identity: str) -> dict[str, str]:
        return signing.sign_request(
            authority=self._authority,
            path=path,
            body=body,
            idempotency_key=identity,
            key=self._keys.signer,
            key_id=self._keys.till_id,
            created=self._clock.wall_ms() // 1000,
            nonce=self._randomness(16),
            counter=self._number(),
        )

    def _number(self) -> int | None:
        try:
            return self._keys.counter.take()
        except (OSError, ValueError) as error:
            # It guards against copies of this till; a sale does not hang on it.
            log.warning("request without a number: %s", error)
            return None

    def _post(self, path: str, headers: Mapping[str, str], body: bytes) -> _Received:
        sent = {**headers, "Accept": signing.CONTENT_TYPE, "Accept-Encoding": "identity"}
        response = self._adapter.post(f"https://{self._authority}{path}", sent, body)
        try:
            # One byte more than allowed tells a full body from an endless one.
            content = response.raw.read(messages.BODY_BYTES_MAX + 1, decode_content=False)
            if len(content) > messages.BODY_BYTES_MAX:
                raise requests.exceptions.ContentDecodingError("the answer does not end")
            if response.raw.length_remaining:
                raise ConnectionError("the answer ends before its announced length")
        except BaseException:
            # What is left on this connection belongs to no later request.
            response.close()
            self._adapter.close()
            raise
        response.raw.release_conn()
        fields = {name.lower(): value for name, value in response.headers.items()}
        return _Received(response.status_code, fields, content)

    def _is_stale(self, error: BaseException) -> bool:
        line = self._line
        is_timeout = any(isinstance(cause, TimeoutError) for cause in trust.causes(error))
        return (
            line.has_written
            and not line.is_fresh
            and not line.has_heard
            and not line.is_cut
            and not is_timeout
        )

    def _silence(self, error: BaseException, *, had_left: bool) -> NeverLeft | AnswerLost:
        self._adapter.close()
        return silence.meaning(error, self._line, self._host, self._port, had_left=had_left)

    def _judge(
        self, decode: Callable[[bytes], T], headers: Mapping[str, str], received: _Received
    ) -> T | Refusal:
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
                return decode(received.body)
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
