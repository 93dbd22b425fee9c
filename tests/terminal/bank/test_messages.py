"""What the link's messages are, to the byte, and what they refuse."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terminal.bank.messages import (
    Advice,
    Answer,
    CardTender,
    Closing,
    CodeTender,
    Echo,
    Order,
    Payment,
    Request,
    Reversal,
    StatusQuestion,
    decode_answer,
    decode_fault,
    encode,
    format_moment,
    parse_moment,
)
from terminal.errors import MalformedMessage

ATTEMPT = "018f0000-0000-7000-8000-000000000001"
OTHER = "018f0000-0000-7000-8000-000000000002"
AT = "2026-11-24T08:00:00.000Z"
SEALED = "eyJh..aXY.Y2lwaGVy.dGFn"

SALE = Payment(
    attempt=ATTEMPT,
    number=1,
    kind="sale",
    amount_minor=100,
    currency="CNY",
    at=AT,
    tender=CardTender(SEALED),
)


def test_a_sale_is_these_bytes() -> None:
    assert encode(SALE) == (
        b'{"attempt":"018f0000-0000-7000-8000-000000000001","number":1,"kind":"sale",'
        b'"amount_minor":100,"currency":"CNY","at":"2026-11-24T08:00:00.000Z",'
        b'"tender":{"type":"card","sealed":"eyJh..aXY.Y2lwaGVy.dGFn"}}'
    )


def test_a_refund_names_the_original_and_has_no_tender() -> None:
    refund = msgspec.structs.replace(SALE, kind="refund", tender=None, original=OTHER)

    assert json.loads(encode(refund)) == {
        "attempt": ATTEMPT,
        "number": 1,
        "kind": "refund",
        "amount_minor": 100,
        "currency": "CNY",
        "at": AT,
        "original": OTHER,
    }


@pytest.mark.parametrize(
    ("request_", "content"),
    [
        (
            Advice(
                attempt=ATTEMPT,
                number=2,
                kind="sale",
                amount_minor=5,
                currency="EUR",
                at=AT,
                tender=CardTender(SEALED),
            ),
            {
                "attempt": ATTEMPT,
                "number": 2,
                "kind": "sale",
                "amount_minor": 5,
                "currency": "EUR",
                "at": AT,
                "tender": {"type": "card", "sealed": SEALED},
            },
        ),
        (StatusQuestion(attempt=ATTEMPT), {"attempt": ATTEMPT}),
        (Reversal(attempt=ATTEMPT, reason="late"), {"attempt": ATTEMPT, "reason": "late"}),
        (Closing(attempt=ATTEMPT), {"attempt": ATTEMPT}),
        (
            Order(
                order=OTHER,
                attempt=ATTEMPT,
                number=3,
                amount_minor=9,
                currency="CNY",
                at=AT,
                valid_s=120,
            ),
            {
                "order": OTHER,
                "attempt": ATTEMPT,
                "number": 3,
                "amount_minor": 9,
                "currency": "CNY",
                "at": AT,
                "valid_s": 120,
            },
        ),
        (Echo(), {}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_every_request_is_the_object_the_contract_has(request_: Request, content: object) -> None:
    assert json.loads(encode(request_)) == content


def test_a_code_is_told_from_a_card() -> None:
    paid_by_code = msgspec.structs.replace(SALE, tender=CodeTender(SEALED))

    assert json.loads(encode(paid_by_code))["tender"] == {"type": "payment_code", "sealed": SEALED}


@pytest.mark.parametrize(
    "change",
    [
        {"attempt": ATTEMPT.upper()},
        {"attempt": ATTEMPT + "\n"},
        {"amount_minor": 0},
        {"amount_minor": -1},
        {"currency": "cny"},
        {"at": "2026-11-24T08:00:00Z"},
        {"tender": CardTender("4111111111111111")},
        {"kind": "gift", "tender": None, "original": OTHER},
    ],
)
def test_a_request_out_of_its_bounds_is_not_encoded(change: dict[str, object]) -> None:
    with pytest.raises(MalformedMessage) as caught:
        encode(msgspec.structs.replace(SALE, **change))
    assert "4111111111111111" not in str(caught.value)


@pytest.mark.parametrize(
    "change",
    [
        {"tender": None},
        {"original": OTHER},
        {"kind": "refund"},
        {"kind": "void", "original": OTHER},
        {"kind": "refund", "tender": None},
    ],
)
def test_a_tender_belongs_to_a_sale_and_an_original_to_the_others(
    change: dict[str, object],
) -> None:
    with pytest.raises(MalformedMessage, match="a sale"):
        msgspec.structs.replace(SALE, **change)


def test_a_tender_does_not_show_what_is_sealed() -> None:
    assert SEALED not in repr(SALE)


ANSWER = {
    "attempt": ATTEMPT,
    "state": "approved",
    "code": "00",
    "reference": "012345678901",
    "authorisation": "123456",
    "emv": "910A",
    "brand": "Alipay",
    "shown_code": None,
    "expires_at": None,
    "at": AT,
}


def test_the_example_of_the_contract_is_read() -> None:
    answer = decode_answer(json.dumps(ANSWER).encode(), SALE)

    assert answer == Answer(
        at=AT,
        attempt=ATTEMPT,
        state="approved",
        code="00",
        reference="012345678901",
        authorisation="123456",
        emv="910A",
        brand="Alipay",
    )


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"attempt": OTHER}, "another attempt"),
        ({"attempt": None}, "another attempt"),
        ({"state": "open"}, "state open"),
        ({"state": None}, "state None"),
        ({"code": "51"}, "approved, with response code 51"),
        ({"state": "declined"}, "declined, with response code 00"),
        ({"code": "000"}, "code"),
        ({"emv": "91 0A"}, "emv"),
        ({"emv": "910"}, "emv"),
        ({"at": "yesterday"}, "at"),
        ({"at": "2026-13-24T08:00:00.000Z"}, "calendar"),
        ({"approved_minor": 50}, "unknown field"),
        ({"reference": 12}, "reference"),
    ],
)
def test_an_answer_that_does_not_fit_is_refused(change: dict[str, object], why: str) -> None:
    with pytest.raises(MalformedMessage, match=why):
        decode_answer(json.dumps(ANSWER | change).encode(), SALE)


def test_an_open_order_has_a_code_and_an_end() -> None:
    order = Order(
        order=OTHER,
        attempt=ATTEMPT,
        number=3,
        amount_minor=9,
        currency="CNY",
        at=AT,
        valid_s=120,
    )
    body = json.dumps(ANSWER | {"state": "open", "code": None}).encode()
    with pytest.raises(MalformedMessage, match="without its code"):
        decode_answer(body, order)


def test_an_echo_is_answered_with_a_time_only() -> None:
    assert decode_answer(json.dumps({"at": AT}).encode(), Echo()).at == AT
    with pytest.raises(MalformedMessage):
        decode_answer(json.dumps(ANSWER).encode(), Echo())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
NOISE = st.one_of(
    st.binary(max_size=80),
    JSON.map(lambda value: json.dumps(value).encode()),
    st.dictionaries(st.sampled_from(sorted(ANSWER)), JSON | st.just(AT)).map(
        lambda changes: json.dumps(ANSWER | changes).encode()
    ),
)
REQUESTS = st.sampled_from([SALE, Echo(), StatusQuestion(attempt=ATTEMPT)])


@given(NOISE, REQUESTS)
def test_any_bytes_are_an_answer_or_malformed(noise: bytes, request_: Request) -> None:
    try:
        answer = decode_answer(noise, request_)
    except MalformedMessage:
        return
    assert isinstance(request_, Echo) or answer.attempt == ATTEMPT


@given(NOISE)
def test_any_bytes_are_a_refusal_or_malformed(noise: bytes) -> None:
    try:
        fault = decode_fault(noise)
    except MalformedMessage:
        return
    assert fault.error


def test_deep_nesting_is_malformed() -> None:
    with pytest.raises(MalformedMessage):
        decode_fault(b'{"error":' + b"[" * 60_000)
    with pytest.raises(MalformedMessage, match="65536"):
        decode_fault(b" " * 70_000)


@given(st.integers(0, 253_402_300_799_999))
def test_a_moment_reads_back_to_the_millisecond(unix_ms: int) -> None:
    assert parse_moment(format_moment(unix_ms)) == unix_ms


@given(st.text(max_size=30) | st.from_regex(r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}T.{13}\Z"))
def test_any_text_is_a_moment_or_malformed(text: str) -> None:
    try:
        unix_ms = parse_moment(text)
    except MalformedMessage:
        return
    assert format_moment(unix_ms) == text


def test_a_clock_outside_the_calendar_is_said() -> None:
    with pytest.raises(MalformedMessage, match="calendar"):
        format_moment(10**18)
