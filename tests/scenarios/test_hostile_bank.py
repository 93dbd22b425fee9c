"""Whoever answers in the bank's place gets no approval out of the till."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from simulators.bank.trust.keys import Keys
from simulators.bank.trust.signatures import FieldLines, sign_answer
from terminal.messages import Message
from terminal.states import FINAL, State

DECLINED_CARD = "card:visa-do-not-honour"
"""A lie about this one would be goods for nothing."""


def forged(letter: Any) -> bytes:
    """Return the answer's body saying yes."""
    body = json.loads(letter.body)
    body |= {"state": "approved", "code": "00", "reference": "123456789012"}
    body |= {"authorisation": "123456"}
    return json.dumps(body).encode()


def digest_of(body: bytes) -> str:
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


def asked_headers(letter: Any) -> FieldLines:
    return FieldLines((n.decode("latin-1"), v.decode("latin-1")) for n, v in letter.request_headers)


def signed_by(key: Ed25519PrivateKey, letter: Any, body: bytes, asked: FieldLines | None) -> Any:
    """Return the letter with this body and a signature that is right in itself."""
    headers = sign_answer(200, body, asked, key, int(time.time()))
    lie = letter.with_body(body).with_headers(b"signature", b"signature-input", b"content-digest")
    for name, value in headers.items():
        lie = lie.with_headers(**{name.replace("-", "_"): value})
    return lie


def unsigned(letter: Any) -> Any:
    return letter.with_body(forged(letter)).with_headers(b"signature", b"signature-input")


def altered(letter: Any) -> Any:
    return letter.with_body(forged(letter))


def altered_with_its_digest(letter: Any) -> Any:
    lie = forged(letter)
    return letter.with_body(lie).with_headers(content_digest=digest_of(lie))


def by_another_key(letter: Any) -> Any:
    return signed_by(Ed25519PrivateKey.generate(), letter, forged(letter), asked_headers(letter))


def signature_repeated(letter: Any) -> Any:
    """Two signatures in one field, of which one may be anything."""
    old = dict(letter.headers)
    twice = old[b"signature"].decode() + ", second=:AAAA:"
    return letter.with_body(forged(letter)).with_headers(signature=twice)


def another_status(letter: Any) -> Any:
    return type(letter)(
        letter.path, letter.request_headers, 402, letter.headers, forged(letter)
    ).with_headers(content_length=str(len(forged(letter))))


def empty(letter: Any) -> Any:
    return letter.with_body(b"")


def cut_short(letter: Any) -> Any:
    return letter.with_body(letter.body[:-7])


def another_type(letter: Any) -> Any:
    return letter.with_body(forged(letter)).with_headers(content_type="text/html")


LIES: list[Callable[[Any], Any]] = [
    unsigned,
    altered,
    altered_with_its_digest,
    by_another_key,
    signature_repeated,
    another_status,
    empty,
    cut_short,
    another_type,
]


def resolve(counter: Any, city: Any, attempt: str) -> Any:
    """The real bank is back; return how the payment ended."""
    assert counter.till.payment(attempt).state in (State.UNKNOWN, State.REVERSING)
    city.doorman.alter = None
    return counter.until_final(attempt)


@pytest.mark.parametrize("lie", LIES, ids=[lie.__name__ for lie in LIES])
def test_a_lie_is_unknown_until_the_bank_itself_speaks(
    counter: Any, city: Any, lie: Callable[[Any], Any]
) -> None:
    city.doorman.alter = lie
    attempt = counter.begin(1500)
    counter.do(DECLINED_CARD)
    doubtful = counter.until_state(attempt, State.UNKNOWN, *FINAL)
    assert (doubtful.state, doubtful.reason) == (State.UNKNOWN, Message.UNKNOWN)

    end = resolve(counter, city, attempt)

    assert (end.state, end.response_code) == (State.DECLINED, "05")


@pytest.mark.parametrize("lie", [unsigned, altered, by_another_key, another_status])
def test_a_sale_that_the_bank_approved_is_no_approval_from_a_liar(
    counter: Any, city: Any, lie: Callable[[Any], Any]
) -> None:
    city.doorman.alter = lie
    attempt = counter.begin(1600)
    counter.do("card:visa-online")
    assert counter.until_state(attempt, State.UNKNOWN, *FINAL).state is State.UNKNOWN

    assert resolve(counter, city, attempt).state is State.APPROVED


def test_an_approval_replayed_for_another_sale_is_none(counter: Any, city: Any) -> None:
    """Signed by the bank, whole, and of the sale before."""
    city.doorman.seen.clear()
    counter.pay("card:visa-online", 1700)
    earlier = next(seen for seen in city.doorman.seen if seen.path == "/v1/payments")
    assert b"approved" in earlier.body

    city.doorman.alter = lambda _letter: earlier
    attempt = counter.begin(1700)
    counter.do(DECLINED_CARD)
    assert counter.until_state(attempt, State.UNKNOWN, *FINAL).state is State.UNKNOWN
    assert resolve(counter, city, attempt).state is State.DECLINED


def test_answers_swapped_between_two_tills_count_for_neither(open_counter: Any, city: Any) -> None:
    """Each gets the other's: one was approved, one declined, both for the same amount."""
    mine, theirs = open_counter().until_ready(), open_counter().until_ready()
    city.doorman.seen.clear()
    city.doorman.alter = unsigned
    attempts = []
    for counter, card in ((mine, "card:visa-online"), (theirs, DECLINED_CARD)):
        attempt = counter.begin(1800)
        counter.do(card)
        counter.until_state(attempt, State.UNKNOWN)
        attempts.append(attempt)
    honest = [seen for seen in city.doorman.seen if seen.path == "/v1/payments"]
    others = dict(zip(attempts, reversed(attempts), strict=True))

    def swap(letter: Any) -> Any:
        attempt = json.loads(letter.body).get("attempt")
        return next(
            (seen for seen in honest if others.get(attempt, "?").encode() in seen.body), letter
        )

    city.doorman.alter = swap
    mine.ask_until(attempts[0], State.REVERSING, *FINAL)
    assert mine.till.payment(attempts[0]).state is State.REVERSING
    assert theirs.till.payment(attempts[1]).state is State.UNKNOWN

    assert resolve(mine, city, attempts[0]).state is State.REVERSED
    assert theirs.until_final(attempts[1]).state is State.DECLINED


def test_an_answer_to_the_same_attempt_asked_otherwise_is_no_answer(
    counter: Any, city: Any
) -> None:
    """The bank's own signature, over this attempt, bound to no request at all."""
    key = Keys.load(city.place).answer
    city.doorman.alter = lambda letter: signed_by(key, letter, forged(letter), None)
    attempt = counter.begin(1900)
    counter.do(DECLINED_CARD)

    assert counter.until_state(attempt, State.UNKNOWN, *FINAL).state is State.UNKNOWN
    assert resolve(counter, city, attempt).state is State.DECLINED


def test_the_door_can_lie_well_enough(counter: Any, city: Any) -> None:
    """The control: with the bank's key and the request bound, the same lie is believed."""
    key = Keys.load(city.place).answer
    city.doorman.alter = lambda letter: signed_by(key, letter, letter.body, asked_headers(letter))
    assert counter.pay("card:visa-online", 2000).state is State.APPROVED


def test_a_refusal_that_is_a_lie_is_no_refusal(counter: Any, city: Any) -> None:
    """'Nothing was booked', says somebody; the bank has booked the sale."""

    def refuse(letter: Any) -> Any:
        body = json.dumps(
            {"error": "amount_differs", "detail": "no", "at": json.loads(letter.body)["at"]}
        ).encode()
        lie = letter.with_body(body).with_headers(content_digest=digest_of(body))
        return type(lie)(lie.path, lie.request_headers, 422, lie.headers, lie.body)

    city.doorman.alter = refuse
    attempt = counter.begin(2100)
    counter.do("card:visa-online")
    assert counter.until_state(attempt, State.UNKNOWN, *FINAL).state is State.UNKNOWN
    assert resolve(counter, city, attempt).state is State.APPROVED


def test_a_reversal_that_only_a_liar_confirms_goes_on(counter: Any, city: Any) -> None:
    def lie(letter: Any) -> Any:
        body = json.loads(letter.body) | {"state": "reversed"}
        return letter.with_body(json.dumps(body).encode()).with_headers(b"signature")

    city.doorman.alter = lie
    attempt = counter.begin(2200)
    counter.do("card:visa-online")
    counter.ask_until(attempt, State.REVERSING)
    counter.until(lambda view: view.next_ask_at is not None)
    assert counter.till.payment(attempt).state is State.REVERSING

    assert resolve(counter, city, attempt).state is State.REVERSED
    assert counter.booked.transfers_of(attempt) == ["sale", "reversal"]


@pytest.mark.parametrize("lie", [unsigned, altered_with_its_digest], ids=["unsigned", "altered"])
def test_a_code_that_is_paid_only_in_a_liars_words_is_not_paid(
    counter: Any, city: Any, lie: Callable[[Any], Any]
) -> None:
    attempt = counter.begin(2300)
    counter.show_code()
    city.doorman.seen.clear()
    city.doorman.alter = lie
    counter.till.check_now()
    counter.until(lambda _view: any(seen.path.endswith("/status") for seen in city.doorman.seen))
    counter.till.cancel()
    counter.until_state(attempt, State.CLOSING)
    counter.until(lambda view: view.next_ask_at is not None)
    assert counter.till.payment(attempt).state is State.CLOSING

    city.doorman.alter = None
    assert counter.until_final(attempt).state is State.CANCELLED
