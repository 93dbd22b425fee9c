"""One request sealed and signed and its answer verified, beside general libraries.

Wire and bank are left out: what is on the clock is the till's own work. Then with
both, over TLS, beside a bare POST.
"""

from __future__ import annotations

import datetime
import json
import os
import time
from contextlib import ExitStack, closing
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from http_message_signatures import (
    HTTPMessageSigner,
    HTTPMessageVerifier,
    HTTPSignatureKeyResolver,
    algorithms,
)
from joserfc import jwe
from joserfc.jwk import ECKey
from requests.structures import CaseInsensitiveDict

from benchmarks.bank_books import Counter
from benchmarks.harness import Bar, Row, in_turns, row
from benchmarks.served import Callers, Served
from simulators.bank.trust.signatures import FieldLines, sign_answer
from terminal.bank import messages, signing
from terminal.bank.client import BankClient
from terminal.bank.exchange import Refusal
from terminal.bank.sealing import ALGORITHMS, Sealer
from terminal.seams import SystemClock

ATTEMPT = "018f0000-0000-7000-8000-000000000001"
AUTHORITY = "bank.example:8443"
PATH = messages.Payment.path
RECORD = bytes(184)
"""As long as the record of a tap; sealing does not look into it."""
COVERED = (
    "@method",
    "@authority",
    "@path",
    "@query",
    "content-type",
    "content-digest",
    "idempotency-key",
)


def measure() -> list[Row]:
    """Measure both with the same keys, on the same card data and the same answer."""
    link = Link()
    samples = in_turns(link.with_the_till, link.with_libraries, rounds=21, batch=20)
    return [
        row(
            "till's CPU to seal and sign a request, and verify its answer",
            samples.scaled(1e3),
            "ms",
            "joserfc and http-message-signatures",
            Bar(2.5),
        ),
        _round_trip(),
    ]


def _round_trip() -> Row:
    """Measure a sale from the till's wish to the verified answer; the bank's work is in it."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(TemporaryDirectory(prefix="opentill-bench-")))
        counter = stack.enter_context(closing(Counter(home, None)))
        bank = stack.enter_context(Served.bank(home))
        route = stack.enter_context(Served.empty_route(home))
        bare = stack.enter_context(Callers(route.url, counter.keys))
        client = stack.enter_context(
            closing(BankClient(bank.url, counter.keys[0], SystemClock(), os.urandom))
        )
        request = counter.request()

        def ask() -> None:
            answer = client.call(counter.sale())
            if isinstance(answer, Refusal) or answer.answer.state != "approved":
                raise ValueError(f"not approved: {answer}")

        samples = in_turns(
            ask, lambda: bare.post([[request]]), rounds=41, batch=5, clock=time.perf_counter
        )
    return row(
        "a sale's round trip, its card sealed and its answer verified",
        samples.scaled(1e3),
        "ms",
        "a bare POST of as many bytes to an empty route, the same TLS",
        Bar(20),
    )


def sealer_to(key: ECKey) -> Sealer:
    """Return what closes an envelope that this key opens."""
    public = key.as_dict(private=False)
    return Sealer({name: str(value) for name, value in public.items()})


class Link:
    """Both ends' keys, and an answer that the bank has given.

    The answer belongs to an earlier request: each new one would need another,
    and it is as much work to verify.
    """

    def __init__(self) -> None:
        till, bank = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
        self._signer = signing.Ed25519Signer(till)
        self._answer_key = signing.Ed25519Verifier(bank.public_key())
        self._sealing_key = ECKey.generate_key("P-256", private=True)
        self._sealer = sealer_to(self._sealing_key)
        algorithm = algorithms.ED25519
        self._library_signer = HTTPMessageSigner(
            signature_algorithm=algorithm, key_resolver=_Keys(till, bank)
        )
        self._library_verifier = HTTPMessageVerifier(
            signature_algorithm=algorithm, key_resolver=_Keys(till, bank)
        )
        self._payment, self._asked = self._ask()
        self._answer = json.dumps(
            {
                "at": messages.format_moment(time.time_ns() // 1_000_000),
                "attempt": ATTEMPT,
                "state": "approved",
                "code": "00",
                "reference": "012345678901",
                "authorisation": "123456",
                "emv": "910A01020304050607083030",
                "brand": "Visa",
            }
        ).encode()
        lines = FieldLines(self._asked.items())
        self._answered = sign_answer(200, self._answer, lines, bank, int(time.time()))

    def with_the_till(self) -> None:
        """Seal, sign, verify and decode, as the till's bank lane does."""
        self._ask()
        is_bound = signing.verify_answer(
            200,
            self._answered,
            self._answer,
            request_headers=self._asked,
            key=self._answer_key,
        )
        answer = messages.decode_answer(self._answer, self._payment)
        if not is_bound or answer.state != "approved":
            raise ValueError("the answer was not the bank's approval")

    def with_libraries(self) -> None:
        """Do the same with libraries for any use of both standards."""
        content = {"attempt": ATTEMPT, "entry": "contactless", "emv": RECORD.hex().upper()}
        sealed = jwe.encrypt_compact(
            {"alg": "ECDH-ES", "enc": "A256GCM"},
            json.dumps(content).encode(),
            self._sealing_key,
            algorithms=ALGORITHMS,
        )
        body = json.dumps(
            {
                "attempt": ATTEMPT,
                "number": 1,
                "kind": "sale",
                "amount_minor": 1250,
                "currency": "CNY",
                "at": messages.format_moment(time.time_ns() // 1_000_000),
                "tender": {"type": "card", "sealed": sealed},
            }
        ).encode()
        request = _message(
            {"Content-Type": signing.CONTENT_TYPE, "Idempotency-Key": ATTEMPT},
            method="POST",
            url=f"https://{AUTHORITY}{PATH}",
        )
        now = datetime.datetime.now(datetime.UTC)
        self._library_signer.sign(
            request,
            key_id="till",
            created=now,
            expires=now + datetime.timedelta(seconds=signing.LIFETIME_S),
            nonce=os.urandom(16).hex(),
            label=signing.LABEL,
            tag=signing.REQUEST_TAG,
            covered_component_ids=COVERED,
            body=body,
        )
        asked = _message(self._asked, method="POST", url=request.url)
        self._library_verifier.verify(
            _message(self._answered, status_code=200, request=asked),
            expect_tag=signing.ANSWER_TAG,
            expect_label=signing.LABEL,
            require_components=signing.BOUND,
            body=self._answer,
        )
        if json.loads(self._answer)["state"] != "approved":
            raise ValueError("the answer was not the bank's approval")

    def _ask(self) -> tuple[messages.Payment, dict[str, str]]:
        now_ms = time.time_ns() // 1_000_000
        payment = messages.Payment(
            attempt=ATTEMPT,
            number=1,
            kind="sale",
            amount_minor=1250,
            currency="CNY",
            at=messages.format_moment(now_ms),
            tender=messages.CardTender(sealed=self._sealer.seal_card(ATTEMPT, RECORD)),
        )
        headers = signing.sign_request(
            authority=AUTHORITY,
            path=PATH,
            body=messages.encode(payment),
            idempotency_key=ATTEMPT,
            key=self._signer,
            key_id="till",
            created=now_ms // 1000,
            nonce=os.urandom(16),
        )
        return payment, headers


class _Keys(HTTPSignatureKeyResolver):
    """The till's key signs, the bank's verifies."""

    def __init__(self, till: Ed25519PrivateKey, bank: Ed25519PrivateKey) -> None:
        self._till, self._bank = till, bank.public_key()

    def resolve_private_key(self, key_id: str) -> Any:
        return self._till

    def resolve_public_key(self, key_id: str) -> Any:
        return self._bank


def _message(headers: dict[str, str], **parts: object) -> Any:
    """Return a message as the library takes it: any object with these parts."""
    return SimpleNamespace(headers=CaseInsensitiveDict(headers), **parts)
