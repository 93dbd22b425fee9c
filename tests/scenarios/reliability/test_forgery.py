"""Nobody but the till makes a request, nobody but the bank an answer.

In both directions: what a genuine message covers is altered, left out, doubled
or moved; its signature is made by another key, over less, or with other
parameters; it belongs to another message. The till signs and verifies with its
own code, the bank with an independent library. OPENTILL_SOAK=1 makes it
fifty thousand.
"""

from __future__ import annotations

import base64
import itertools
import random
import string
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from simulators.bank.errors import Refused
from simulators.bank.trust.signatures import (
    FieldLines,
    SignedRequest,
    sign_answer,
    verify_request,
)
from terminal.bank.signing import (
    BOUND,
    Ed25519Signer,
    Ed25519Verifier,
    content_digest,
    sign_request,
    signature_base,
    verify_answer,
)
from terminal.errors import UntrustedAnswer
from tests.soak import size

SEEDS = range(size(1, full=26))
FORGERIES = size(250, full=1000)
"""In each direction, for each seed."""

NOW_S = 1_795_507_200
HOST = "bank.example:8443"
CHARACTERS = [chr(code) for code in range(0x21, 0x7F)]

TILL = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
BANK = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
STRANGER = Ed25519PrivateKey.from_private_bytes(bytes(range(2, 34)))
TILL_PEM = TILL.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

Forger = Callable[[random.Random], "Message"]


@dataclass(frozen=True)
class Message:
    """A request or an answer on its way, in what a signature speaks of."""

    headers: Mapping[str, str]
    body: bytes
    method: str = "POST"
    path: str = "/v1/payments"
    query: str = ""
    status: int = 200
    asked: int = 0
    """Of an answer: which request it is given for."""
    doubled: str = ""
    """A header that stands there twice."""

    def with_header(self, name: str, value: str | None) -> Message:
        headers = {key: each for key, each in self.headers.items() if key != name}
        return replace(self, headers=headers if value is None else {**headers, name: value})


def request(number: int) -> Message:
    """Return a genuine request of the till."""
    body = b'{"attempt":"%d"}' % number
    signed = sign_request(
        authority=HOST,
        path="/v1/payments",
        body=body,
        idempotency_key=f"018f0000-0000-7000-8000-{number:012}",
        key=Ed25519Signer(TILL),
        key_id="till-1",
        created=NOW_S,
        nonce=number.to_bytes(16, "big"),
    )
    headers = {name.lower(): value for name, value in signed.items()}
    return Message({"host": HOST, **headers}, body)


REQUESTS = [request(number) for number in range(8)]


def answer(number: int) -> Message:
    """Return the bank's genuine answer to a request."""
    body = b'{"state":"approved","attempt":"%d"}' % number
    asked = FieldLines(REQUESTS[number].headers.items())
    return Message(sign_answer(200, body, asked, BANK, NOW_S), body, asked=number)


ANSWERS = [answer(number) for number in range(8)]


def is_request_accepted(message: Message) -> bool:
    lines = list(message.headers.items())
    if message.doubled:
        lines.append((message.doubled, message.headers[message.doubled]))
    url = f"https://{message.headers.get('host', '')}{message.path}{message.query}"
    try:
        verify_request(
            SignedRequest(message.method, url, FieldLines(lines)),
            message.body,
            key_id="till-1",
            key_pem=TILL_PEM,
            algorithm="ed25519",
            now_s=NOW_S,
        )
    except Refused:
        return False
    return True


def is_answer_accepted(message: Message) -> bool:
    headers = dict(message.headers)
    if message.doubled:
        headers[message.doubled] = ", ".join([headers[message.doubled]] * 2)
    asked = REQUESTS[message.asked].headers
    try:
        return verify_answer(
            message.status,
            headers,
            message.body,
            request_headers={
                "Signature": asked["signature"],
                "Idempotency-Key": asked["idempotency-key"],
            },
            key=Ed25519Verifier(BANK.public_key()),
        )
    except UntrustedAnswer:
        return False


# --- what a forger can do to either ---------------------------------------------------


def changed(text: str, chance: random.Random) -> str:
    """Return the text with one character altered, left out, put in or moved."""
    place = chance.randrange(len(text))
    match chance.randrange(4):
        case 0:
            return text[:place] + chance.choice(CHARACTERS) + text[place + 1 :]
        case 1:
            return text[:place] + text[place + 1 :]
        case 2:
            return text[:place] + chance.choice(CHARACTERS) + text[place:]
    return text[place:] + text[:place]


def altered_header(message: Message, chance: random.Random) -> Message:
    name = chance.choice(sorted(set(message.headers) - {"host", "content-length"}))
    return message.with_header(name, changed(message.headers[name], chance))


def header_left_out(message: Message, chance: random.Random) -> Message:
    return message.with_header(chance.choice(sorted(message.headers)), None)


def header_doubled(message: Message, chance: random.Random) -> Message:
    return replace(message, doubled=chance.choice(sorted(set(message.headers) - {"host"})))


def altered_body(message: Message, chance: random.Random) -> Message:
    body = changed(message.body.decode("latin-1"), chance).encode("latin-1")
    digest = content_digest(body)
    # Some forgers know of the digest.
    made = replace(message, body=body)
    return made.with_header("content-digest", digest) if chance.random() < 0.5 else made


def flipped_signature(message: Message, chance: random.Random) -> Message:
    raw = bytearray(base64.b64decode(message.headers["signature"].removeprefix("opentill=:")[:-1]))
    raw[chance.randrange(len(raw))] ^= 1 << chance.randrange(8)
    return message.with_header("signature", f"opentill=:{base64.b64encode(raw).decode()}:")


def altered_claim(message: Message, chance: random.Random) -> Message:
    """The signature is said to cover another list, or to have other parameters."""
    claim = message.headers["signature-input"]
    inner, _, end = claim.removeprefix("opentill=(").partition(")")
    covered, parameters = inner.split(" "), end.split(";")[1:]
    for each in (covered, parameters):
        place = chance.randrange(len(each))
        match chance.randrange(5):
            case 0:
                del each[place]
            case 1:
                each.insert(place, each[place])
            case 2:
                each.insert(place, chance.choice(['"x-more"', '"host"', '"@target-uri"', "x=1"]))
            case 3:
                each.append(each.pop(place))
    return message.with_header(
        "signature-input",
        f"opentill=({' '.join(covered)})" + "".join(f";{each}" for each in parameters),
    )


# --- what is signed again, as nobody may ----------------------------------------------

REQUEST_PARAMETERS = {
    "created": str(NOW_S),
    "expires": str(NOW_S + 60),
    "nonce": '"AAECAwQFBgcICQoLDA0ODw=="',
    "keyid": '"till-1"',
    "alg": '"ed25519"',
    "tag": '"opentill-req"',
}
ANSWER_PARAMETERS = {
    "created": str(NOW_S),
    "keyid": '"bank"',
    "alg": '"ed25519"',
    "tag": '"opentill-rsp"',
}


def signed(
    message: Message,
    values: Mapping[str, str],
    parameters: Mapping[str, str],
    key: Ed25519PrivateKey,
    label: str = "opentill",
) -> Message:
    """Return the message with a signature that is right in itself."""
    end = "".join(f";{name}={value}" for name, value in parameters.items())
    claim = f"({' '.join(values)}){end}"
    signature = base64.b64encode(key.sign(signature_base(list(values.items()), claim))).decode()
    return message.with_header("signature-input", f"{label}={claim}").with_header(
        "signature", f"{label}=:{signature}:"
    )


def covered_by_request(message: Message) -> dict[str, str]:
    derived = {
        '"@method"': "POST",
        '"@authority"': HOST,
        '"@path"': message.path,
        '"@query"': "?",
    }
    fields = ("content-type", "content-digest", "idempotency-key")
    return derived | {f'"{name}"': message.headers[name] for name in fields}


def covered_by_answer(message: Message) -> dict[str, str]:
    asked = REQUESTS[message.asked].headers
    values = (
        "200",
        message.headers["content-type"],
        message.headers["content-digest"],
        asked["signature"],
        asked["idempotency-key"],
    )
    return dict(zip(BOUND, values, strict=True))


def wrongly_signed_request(chance: random.Random) -> Message:
    message = chance.choice(REQUESTS)
    values, parameters, key, label = covered_by_request(message), dict(REQUEST_PARAMETERS), TILL, ""
    far_s = chance.choice([301, 302, 3600, 86_400, 315_360_000])
    match chance.randrange(9):
        case 0:
            del values[chance.choice(sorted(values))]
        case 1:
            del parameters[chance.choice(sorted(parameters))]
        case 2:
            parameters |= {"created": str(NOW_S - far_s), "expires": str(NOW_S - far_s + 60)}
        case 3:
            parameters |= {"created": str(NOW_S + far_s), "expires": str(NOW_S + far_s + 60)}
        case 4:
            parameters["expires"] = str(NOW_S + chance.choice([0, -1, 61, far_s]))
        case 5:
            parameters["alg"] = chance.choice(['"ecdsa-p256-sha256"', '"hmac-sha256"', '""'])
        case 6:
            parameters["keyid"] = chance.choice(['"till-2"', '"bank"', '""', '"TILL-1"'])
        case 7:
            parameters["tag"] = chance.choice(['"opentill-rsp"', '"other"', '""'])
        case 8:
            key, label = chance.choice([(STRANGER, ""), (BANK, ""), (TILL, "other")])
    return signed(message, values, parameters, key, label or "opentill")


def wrongly_signed_answer(chance: random.Random) -> Message:
    message = chance.choice(ANSWERS)
    values, parameters, key, label = covered_by_answer(message), dict(ANSWER_PARAMETERS), BANK, ""
    match chance.randrange(5):
        case 0:
            del values[chance.choice(sorted(values))]
        case 1:
            parameters["alg"] = chance.choice(['"ecdsa-p256-sha256"', '"hmac-sha256"', '""'])
        case 2:
            parameters["tag"] = chance.choice(['"opentill-req"', '"other"', '""'])
        case 3:
            del parameters[chance.choice(["alg", "tag"])]
        case 4:
            key, label = chance.choice([(STRANGER, ""), (TILL, ""), (BANK, "other")])
    return signed(message, values, parameters, key, label or "opentill")


def of_another_request(chance: random.Random) -> Message:
    """A genuine answer, given for a request it was not made for."""
    number, other = chance.sample(range(len(ANSWERS)), 2)
    return replace(ANSWERS[number], asked=other)


def altered_line(chance: random.Random) -> Message:
    """Another method, path or query."""
    message = chance.choice(REQUESTS)
    return chance.choice(
        [
            replace(message, method=chance.choice(["GET", "PUT", "post"])),
            replace(message, path=chance.choice(["/v1/advices", "/v1/payments/reverse", "/v1"])),
            replace(message, query=f"?{chance.choice(string.ascii_letters)}"),
        ]
    )


def altered_status(chance: random.Random) -> Message:
    return replace(chance.choice(ANSWERS), status=chance.randrange(201, 600))


def signature_of_another(chance: random.Random) -> Message:
    message, other = chance.sample(REQUESTS, 2)
    return message.with_header("signature", other.headers["signature"]).with_header(
        "signature-input", other.headers["signature-input"]
    )


Alteration = Callable[[Message, random.Random], Message]
ALTERATIONS: list[Alteration] = [
    altered_header,
    header_left_out,
    header_doubled,
    altered_body,
    flipped_signature,
    altered_claim,
]


def forgeries(genuine: list[Message], forgers: list[Forger], seed: int) -> Iterator[Message]:
    """Give as many forgeries as asked, of every kind, none of which is a genuine message."""
    chance = random.Random(seed)

    def altered(alter: Alteration, _chance: random.Random) -> Message:
        return alter(chance.choice(genuine), chance)

    makers: list[Forger] = [*(partial(altered, alter) for alter in ALTERATIONS), *forgers]
    made = (forge(chance) for forge in itertools.cycle(makers))
    made = (message for message in made if message not in genuine)
    return itertools.islice(made, FORGERIES)


@pytest.mark.parametrize("seed", SEEDS)
def test_no_forged_request_is_accepted(
    seed: int, record_property: Callable[[str, object], None]
) -> None:
    assert all(is_request_accepted(message) for message in REQUESTS)
    forgers: list[Forger] = [wrongly_signed_request, signature_of_another, altered_line]

    accepted = [each for each in forgeries(REQUESTS, forgers, seed) if is_request_accepted(each)]

    assert accepted == []
    record_property("forgeries", FORGERIES)


@pytest.mark.parametrize("seed", SEEDS)
def test_no_forged_answer_is_accepted(
    seed: int, record_property: Callable[[str, object], None]
) -> None:
    assert all(is_answer_accepted(message) for message in ANSWERS)
    forgers: list[Forger] = [wrongly_signed_answer, of_another_request, altered_status]

    accepted = [each for each in forgeries(ANSWERS, forgers, seed) if is_answer_accepted(each)]

    assert accepted == []
    record_property("forgeries", FORGERIES)


def test_what_is_signed_again_as_it_should_be_is_accepted() -> None:
    """So the forger's own hand is not what gives him away."""
    for message in REQUESTS:
        assert is_request_accepted(
            signed(message, covered_by_request(message), REQUEST_PARAMETERS, TILL)
        )
    for message in ANSWERS:
        assert is_answer_accepted(
            signed(message, covered_by_answer(message), ANSWER_PARAMETERS, BANK)
        )
