"""One request to the bank and its verified answer, or the exact kind of silence.

A client belongs to one worker thread. It never decides what silence means
for a payment: it says whether the request can have left, and the payment's
table does the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeVar
from urllib.parse import urlsplit

import requests
import urllib3.exceptions

from terminal.bank import messages, signing, silence, trust
from terminal.bank.batch_messages import BatchAnswer, BatchQuestion, LinesAnswer
from terminal.bank.exchange import Exchange, Question, Received, Refusal, VerifiedAnswer
from terminal.bank.messages import Request
from terminal.errors import AnswerLost, KeyModuleLost, NeverLeft
from terminal.seams import Clock, Randomness
from terminal.security.keys import TillKeys

__all__ = ["BankClient", "Refusal", "VerifiedAnswer"]

IDLE_MAX_S: Final = 25.0
"""A connection unused for longer is not used again: a router between may have
forgotten it without telling anyone, and a request into it would be unknown."""

T = TypeVar("T")

_LOST = (requests.RequestException, urllib3.exceptions.HTTPError, OSError)


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
        self._words = Exchange(self._authority, keys, clock, randomness)
        self._clock = clock
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
        return self._verified(self._words.about_payment(request), sending)

    def settle(self, question: BatchQuestion) -> BatchAnswer | LinesAnswer | Refusal:
        """Return the verified answer to a question about a batch.

        Raises as call does.
        """

        return self._verified(self._words.about_batch(question))

    def ask(self, path: str, content: Mapping[str, object]) -> Mapping[str, object] | Refusal:
        """Return the verified answer to a question that no payment hangs on.

        Raises NeverLeft, AnswerLost.
        """
        return self._verified(self._words.beside(path, content))

    def _verified(
        self, question: Question[T], sending: Callable[[], None] | None = None
    ) -> T | Refusal:
        self._words.check_certificate()
        if self._clock.monotonic() - self._used_at > IDLE_MAX_S:
            self._adapter.close()
        headers, received = self._exchange(question, sending)
        self._used_at = self._clock.monotonic()
        return self._words.judge(question, headers, received)

    def close(self) -> None:
        """End the link for good; a call that waits ends at once. From any thread.

        Only a look-up of the bank's name, which the system does not let go,
        is waited for.
        """
        self._line.cut()

    def _exchange(
        self, question: Question[object], sending: Callable[[], None] | None
    ) -> tuple[dict[str, str], Received]:
        """Post the body; return the header fields it was sent with, and what came."""
        line = self._line
        line.prepare(self._connect_s, self._answer_s, sending)
        headers = self._words.signed(question)
        try:
            return headers, self._post(question, headers)
        except _LOST as error:
            if not self._is_stale(error):
                raise self._silence(error, had_left=False) from None
        # The kept connection had died under us, which a busy bank does to idle
        # tills all day. The same request may go again: its key and body are
        # the same, and the bank pays one attempt once. Yet from now on it has
        # left, whatever happens.
        line.prepare(self._connect_s, self._answer_s)
        try:
            headers = self._words.signed(question)
        except KeyModuleLost as error:
            raise AnswerLost(f"{error}; the request had left before") from None
        try:
            received = self._post(question, headers)
        except _LOST as error:
            raise self._silence(error, had_left=True) from None
        if received.status >= 400:
            raise AnswerLost(
                f"the bank refused a repetition with status {received.status}; "
                "it may have taken the first"
            )
        return headers, received

    def _post(self, question: Question[object], headers: Mapping[str, str]) -> Received:
        sent = {**headers, "Accept": signing.CONTENT_TYPE, "Accept-Encoding": "identity"}
        url = f"https://{self._authority}{question.path}"
        response = self._adapter.post(url, sent, question.body)
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
        return Received(response.status_code, fields, content)

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
