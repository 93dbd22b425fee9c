"""The link's promises: who is let in, what is believed, what is remembered."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulators.bank.core import HttpRequest, Peer
from simulators.bank.trust.signatures import FieldLines

if TYPE_CHECKING:
    from tests.simulators.bank.conftest import Shop, Till

ECHO = "/v1/echo"
ALL = ("@method", "@authority", "@path", "@query", "content-type", "content-digest")


def with_header(request: HttpRequest, name: str, value: str | None) -> HttpRequest:
    lines = [line for line in request.headers.items() if line[0] != name]
    if value is not None:
        lines.append((name, value))
    return HttpRequest(
        request.method, request.target, FieldLines(lines), request.body, request.peer
    )


def header(request: HttpRequest, name: str) -> str:
    value = request.headers.single(name)
    assert value is not None
    return value


def test_an_echo_tells_the_banks_time(till: Till) -> None:
    status, told = till.ask(ECHO, {})

    assert (status, told["state"], told["at"]) == (200, None, "2026-11-24T08:00:00.000Z")


@pytest.mark.parametrize(
    ("claim", "changes"),
    [
        ("too old", {"created_s": -301}),
        ("from the future", {"created_s": 301}),
        ("lives too long", {"life_s": 61}),
        ("has no life", {"life_s": 0}),
        ("another tag", {"tag": "opentill-rsp"}),
        ("another label", {"label": "pyhms"}),
        ("another algorithm", {"alg": "ecdsa-p256-sha256"}),
        ("another keyid", {"keyid": "till-2"}),
        ("a short nonce", {"nonce": "abcdefghijklmno"}),
        ("no alg", {"leave_out": ["alg"]}),
        ("no tag", {"leave_out": ["tag"]}),
        ("no nonce", {"leave_out": ["nonce"]}),
        ("no created", {"leave_out": ["created"]}),
        ("no expires", {"leave_out": ["expires"]}),
        ("no keyid", {"leave_out": ["keyid"]}),
        ("another host", {"host": "bank.example"}),
        ("key uncovered", {"components": ALL}),
        ("digest uncovered", {"components": (*ALL[:5], "idempotency-key")}),
        ("query uncovered", {"components": (*ALL[:3], *ALL[4:], "idempotency-key")}),
    ],
)
def test_a_signature_that_says_too_little_is_refused(
    shop: Shop, till: Till, claim: str, changes: dict[str, Any]
) -> None:
    if "created_s" in changes:
        changes = {"created_s": shop.now_ms // 1000 + changes["created_s"]}

    status, told = till.ask(ECHO, {}, **changes)

    assert status == 401, f"{claim}: {told}"


@pytest.mark.parametrize("created_s", [-300, 300])
def test_a_clock_that_is_five_minutes_off_is_borne(shop: Shop, till: Till, created_s: int) -> None:
    assert till.ask(ECHO, {}, created_s=shop.now_ms // 1000 + created_s)[0] == 200


def test_a_body_unlike_its_digest_is_refused(shop: Shop, till: Till) -> None:
    request = till.request(ECHO, {})
    altered = HttpRequest("POST", ECHO, request.headers, b'{"attempt":1}', request.peer)

    assert till.check(altered, shop.send(altered))[0] == 401


@pytest.mark.parametrize("name", ["content-digest", "idempotency-key", "content-type"])
def test_a_covered_header_cannot_be_changed(shop: Shop, till: Till, name: str) -> None:
    other = {
        "content-digest": header(till.request(ECHO, {"a": 1}), "content-digest"),
        "idempotency-key": shop.uuid(),
        "content-type": "application/json;charset=utf-8",
    }
    request = with_header(till.request(ECHO, {}), name, other[name])

    status, _ = till.check(request, shop.send(request))

    assert status in (400, 401)


def test_a_digest_of_another_form_is_refused(shop: Shop, till: Till) -> None:
    """Each is true to the body, and signed."""
    body = b"{}"
    short, longer = (
        base64.b64encode(kind(body).digest()).decode() for kind in (hashlib.sha256, hashlib.sha512)
    )

    for digest in (f"sha-512=:{longer}:", f"sha-256=:{short}:, sha-512=:{longer}:"):
        assert till.ask(ECHO, body, digest=digest)[1]["error"] == "digest_invalid"
    missing = with_header(till.request(ECHO, body), "content-digest", None)
    assert till.check(missing, shop.send(missing))[0] == 401


@pytest.mark.parametrize("name", ["created", "expires", "nonce", "keyid", "alg", "tag"])
def test_a_parameter_named_twice_is_refused(shop: Shop, till: Till, name: str) -> None:
    """Two texts for one signature: what stands twice was never signed."""
    request = till.request(ECHO, {})
    claim = header(request, "signature-input")
    (value,) = re.findall(rf";{name}=[^;]*", claim)
    doubled = with_header(request, "signature-input", claim.replace(value, value * 2))

    assert till.check(doubled, shop.send(doubled))[0] == 401


def test_base64_without_its_padding_is_refused(shop: Shop, till: Till) -> None:
    request = till.request(ECHO, {})
    loose = header(request, "signature").replace("==:", ":")

    changed = with_header(request, "signature", loose)
    assert till.check(changed, shop.send(changed))[0] == 401


def test_a_nonce_is_good_once(shop: Shop, till: Till) -> None:
    request = till.request(ECHO, {})

    assert till.check(request, shop.send(request))[0] == 200
    status, told = till.check(request, shop.send(request))
    assert (status, told["error"]) == (401, "replayed")


def test_a_refused_requests_nonce_is_remembered_too(shop: Shop, till: Till) -> None:
    """Else it could be sent again once its time has come."""
    order = till.order(100)
    sale = till.sale(100, attempt=order["attempt"])
    request = till.request("/v1/payments", sale, key=sale["attempt"])
    assert till.check(request, shop.send(request))[1]["error"] == "order_open"
    till.close(order["attempt"])

    assert till.check(request, shop.send(request))[1]["error"] == "replayed"


def test_a_nonce_outlives_every_signature_it_could_come_with(shop: Shop, till: Till) -> None:
    """From the fastest clock that is borne, to the last second it is borne."""
    request = till.request(ECHO, {}, created_s=shop.now_ms // 1000 + 300)
    assert shop.send(request).status == 200
    shop.pass_s(600)

    assert till.check(request, shop.send(request))[1]["error"] == "replayed"


def test_two_tills_may_use_the_same_nonce(shop: Shop, till: Till) -> None:
    second = shop.till("till-2")
    nonce = "AAAAAAAAAAAAAAAAAAAAAA=="

    assert till.ask(ECHO, {}, nonce=nonce)[0] == 200
    assert second.ask(ECHO, {}, nonce=nonce)[0] == 200


def test_one_tills_key_does_not_speak_for_another(shop: Shop, till: Till) -> None:
    """The second till's certificate, the first till's signature."""
    second = shop.till("till-2")

    assert till.ask(ECHO, {}, peer=second.peer)[0] == 401
    assert till.ask(ECHO, {}, peer=second.peer, keyid="till-2")[0] == 401


@pytest.mark.parametrize(
    "peer",
    [
        None,
        Peer((), "00" * 32),
        Peer(("urn:opentill:till:till-1",), "00" * 32),
        Peer(("urn:opentill:till:till-1", "urn:opentill:till:till-2"), "00" * 32),
        Peer(("urn:opentill:bank:till-1",), "00" * 32),
    ],
)
def test_a_certificate_that_was_not_enrolled_is_refused(
    shop: Shop, till: Till, peer: Peer | None
) -> None:
    request = till.request(ECHO, {})
    request = HttpRequest("POST", ECHO, request.headers, request.body, peer)

    status, told = till.check(request, shop.send(request))

    assert (status, told["error"]) == (401, "certificate_unknown")


def test_enrolled_again_the_old_certificate_opens_nothing(shop: Shop, till: Till) -> None:
    newer = shop.till("till-1")

    assert till.ask(ECHO, {})[1]["error"] == "certificate_unknown"
    assert newer.ask(ECHO, {})[0] == 200


def test_a_wallet_cannot_use_the_tills_door(shop: Shop, till: Till) -> None:
    wallet = shop.wallet("alipay")
    from_wallet = Peer(("urn:opentill:wallet:alipay",), till.peer.fingerprint)

    assert till.ask(ECHO, {}, peer=from_wallet)[0] == 401
    assert wallet.ask("../../v1/echo")[0] == 404


@pytest.mark.parametrize("missing", ["signature", "signature-input", "idempotency-key"])
def test_an_unsigned_request_is_refused(shop: Shop, till: Till, missing: str) -> None:
    request = with_header(till.request(ECHO, {}), missing, None)

    told = shop.send(request)

    # What cannot be named cannot be bound to.
    status, _ = till.check(request, told, bound=missing == "signature-input")
    assert status in (400, 401)


def test_two_signature_headers_are_refused(shop: Shop, till: Till) -> None:
    request = till.request(ECHO, {})
    doubled = FieldLines([*request.headers.items(), ("signature", header(request, "signature"))])
    request = HttpRequest("POST", ECHO, doubled, request.body, request.peer)

    assert till.check(request, shop.send(request), bound=False)[0] == 401


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/v1/nothing", "POST", 404),
        ("/wallet", "POST", 404),
        (ECHO, "GET", 405),
        ("/v1/echo?a=1", "POST", 400),
    ],
)
def test_wrong_doors_are_answered_and_signed(
    till: Till, path: str, method: str, status: int
) -> None:
    assert till.ask(path, {}, method=method)[0] == status


def test_too_large_a_body_is_refused(till: Till) -> None:
    assert till.ask(ECHO, b"{" + b" " * 65_536 + b"}")[0] == 413


def test_an_unknown_field_is_named(till: Till) -> None:
    status, told = till.ask(ECHO, {"colour": "red"})

    assert (status, told["error"]) == (400, "malformed")
    assert "colour" in told["detail"]


@pytest.mark.parametrize("field", ["kind", "4761739001010119"])
def test_a_card_number_in_the_wrong_place_does_not_come_back(
    shop: Shop, till: Till, field: str
) -> None:
    sale = till.sale(100) | {field: "4761739001010119"}
    request = till.request("/v1/payments", sale, key=sale["attempt"])

    told = shop.send(request)

    assert told.status == 400
    assert "4761739001010119" not in told.body.decode() + told.summary


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("amount_minor", 0),
        ("amount_minor", -1),
        ("amount_minor", 10**12),
        ("amount_minor", 1.5),
        ("amount_minor", "100"),
        ("currency", "cny"),
        ("currency", "CNYX"),
        ("at", "2026-02-30T00:00:00.000Z"),
        ("at", "2026-11-24T08:00:00Z"),
        ("attempt", "11111111-1111-1111-1111-11111111111A"),
        ("kind", "loan"),
        ("tender", {"type": "cash"}),
        ("number", -1),
    ],
)
def test_each_wrong_field_is_refused(till: Till, field: str, value: Any) -> None:
    sale = till.sale(100)

    status, told = till.ask("/v1/payments", sale | {field: value}, key=sale["attempt"])

    assert (status, told["error"]) == (400, "malformed")


def test_a_sale_needs_a_tender_and_a_refund_an_original(shop: Shop, till: Till) -> None:
    sale = till.sale(100)

    assert till.pay(sale | {"tender": None})[0] == 422
    assert till.pay(sale | {"original": shop.uuid()})[0] == 422
    assert till.pay(sale | {"kind": "refund"})[0] == 422


# ---- idempotency --------------------------------------------------------------


def test_the_same_request_again_gets_the_stored_answer(shop: Shop, till: Till) -> None:
    sale = till.sale(100)

    first, second = till.pay(sale), till.pay(sale)

    assert first == second
    assert shop.taken() == 100


def test_the_same_key_with_another_body_is_refused(shop: Shop, till: Till) -> None:
    sale = till.sale(100)
    till.pay(sale)

    status, told = till.pay(sale | {"number": 8})

    assert (status, told["error"]) == (409, "key_used")
    assert shop.taken() == 100


def test_the_same_key_on_another_path_is_refused(shop: Shop, till: Till) -> None:
    key, body = shop.uuid(), {"attempt": shop.uuid()}

    assert till.ask("/v1/payments/status", body, key=key)[0] == 200
    assert till.ask("/v1/payments/close", body, key=key)[0] == 409


def test_a_payments_key_is_its_attempt(till: Till) -> None:
    assert till.ask("/v1/payments", till.sale(100))[1]["error"] == "key_differs"


def test_a_refused_request_may_be_sent_again(shop: Shop, till: Till) -> None:
    """Nothing was booked under the attempt, so nothing stands in its way."""
    sale = till.sale(100)
    assert till.pay(sale, created_s=shop.now_ms // 1000 - 1000)[0] == 401

    assert till.pay(sale)[1]["state"] == "approved"


def test_keys_are_each_tills_own(shop: Shop, till: Till) -> None:
    second = shop.till("till-2")
    key = shop.uuid()

    assert till.ask(ECHO, {}, key=key)[0] == 200
    assert second.ask("/v1/payments/status", {"attempt": shop.uuid()}, key=key)[0] == 200


def test_another_till_cannot_take_an_attempt_over(shop: Shop, till: Till) -> None:
    sale = till.sale(100)
    till.pay(sale)
    second = shop.till("till-2")

    assert second.pay(sale)[1]["error"] == "attempt_elsewhere"


# ---- noise --------------------------------------------------------------------

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
fields = st.sampled_from(
    [
        "attempt",
        "number",
        "kind",
        "amount_minor",
        "currency",
        "at",
        "tender",
        "original",
        "order",
        "reason",
        "valid_s",
    ]
)
paths = st.sampled_from(
    [
        "/v1/payments",
        "/v1/advices",
        "/v1/orders",
        "/v1/payments/status",
        "/v1/payments/reverse",
        "/v1/payments/close",
        ECHO,
    ]
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    path=paths,
    noise=st.binary(max_size=60)
    | st.dictionaries(fields, json_values, max_size=5).map(lambda body: json.dumps(body).encode()),
)
def test_any_signed_body_is_answered_or_refused(
    shop: Shop, till: Till, path: str, noise: bytes
) -> None:
    status, _ = till.ask(path, noise)

    assert status in (200, 400, 422)
    assert shop.taken() == 0


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    changes=st.dictionaries(
        st.sampled_from(
            sorted(
                [
                    "attempt",
                    "number",
                    "kind",
                    "amount_minor",
                    "currency",
                    "at",
                    "tender",
                    "original",
                ]
            )
        ),
        json_values,
        min_size=1,
        max_size=2,
    )
)
def test_any_mutated_sale_is_answered_or_refused(
    shop: Shop, till: Till, changes: dict[str, Any]
) -> None:
    sale = till.sale(100)

    status, _ = till.ask("/v1/payments", sale | changes, key=sale["attempt"])

    assert status in (200, 400, 422)


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    name=st.sampled_from(
        ["signature", "signature-input", "content-digest", "host", "idempotency-key"]
    ),
    value=st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=80),
)
def test_any_header_is_refused_and_answered(shop: Shop, till: Till, name: str, value: str) -> None:
    request = with_header(till.request(ECHO, {}), name, value)

    assert shop.send(request).status in (400, 401)


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_any_altered_signature_input_is_refused(
    shop: Shop, till: Till, data: st.DataObject
) -> None:
    request = till.request(ECHO, {})
    sound = header(request, "signature-input")
    at = data.draw(st.integers(0, len(sound) - 1))
    other = data.draw(
        st.characters(min_codepoint=32, max_codepoint=126).filter(lambda c: c != sound[at])
    )

    altered = with_header(request, "signature-input", sound[:at] + other + sound[at + 1 :])

    assert shop.send(altered).status in (400, 401)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    token=st.text(max_size=80)
    | st.binary(max_size=60).map(
        lambda b: base64.urlsafe_b64encode(b).decode().replace("=", "") + "..a.b.c"
    )
)
def test_any_seal_opens_or_is_refused(shop: Shop, till: Till, token: str) -> None:
    sale = till.sale(100)
    sale["tender"]["sealed"] = token

    status, told = till.pay(sale)

    assert (status, told["error"]) in ((422, "seal_broken"), (400, "malformed"))


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    content=json_values
    | st.fixed_dictionaries(
        {
            "attempt": st.just("A"),
            "entry": st.text(max_size=12),
            "emv": st.binary(max_size=40).map(bytes.hex),
        }
    )
)
def test_any_sealed_content_is_refused(shop: Shop, till: Till, content: Any) -> None:
    sale = till.sale(100)
    if isinstance(content, dict) and content.get("attempt") == "A":
        content = content | {"attempt": sale["attempt"], "entry": "contactless"}
    sale["tender"]["sealed"] = till.seal(content)

    assert till.pay(sale)[0] == 422


HEADERS = [
    {"alg": "dir", "enc": "A256GCM"},
    {"alg": "RSA1_5", "enc": "A256GCM"},
    {"alg": "ECDH-ES", "enc": "A128CBC-HS256"},
    {"alg": "ECDH-ES", "enc": "A256GCM", "zip": "DEF"},
    {"alg": "ECDH-ES", "enc": "A256GCM", "crit": ["exp"], "exp": 1},
    {
        "alg": "ECDH-ES",
        "enc": "A256GCM",
        "epk": {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"},
    },
    {"alg": "ECDH-ES", "enc": "A256GCM", "epk": "P-256"},
    ["alg", "enc"],
    None,
]


@pytest.mark.parametrize("protected", HEADERS)
def test_a_seal_of_another_kind_is_refused(shop: Shop, till: Till, protected: Any) -> None:
    encoded = base64.urlsafe_b64encode(json.dumps(protected).encode()).decode().rstrip("=")
    sale = till.sale(100)
    sale["tender"]["sealed"] = f"{encoded}..AAAAAAAAAAAAAAAA.AAAA.AAAAAAAAAAAAAAAAAAAAAA"

    assert till.pay(sale)[1]["error"] == "seal_broken"
