"""Signing on, asking, and which answers are believed. The host here is a few lines of the test."""

import psec.des
import pytest

from emv.keys.key_block import Key, build
from emv.keys.key_block_header import Header
from terminal.bank.iso8583 import fields as f
from terminal.bank.iso8583 import transactions
from terminal.bank.iso8583.answers import UNDECIDED, read_reply
from terminal.bank.iso8583.codec import Codec, Message, MessageCode
from terminal.bank.iso8583.fields import Encoding
from terminal.bank.iso8583.framing import Routing
from terminal.bank.iso8583.session import PURPOSES, Dialect, Session
from terminal.bank.iso8583.transactions import Original, Till
from terminal.errors import AnswerLost, MalformedMessage, UntrustedAnswer

TILL = Till("till-1", "corner-shop")
TRANSPORT = bytes(range(32))
MESSAGE_KEY = bytes(range(16))
REQUEST = transactions.follow_up(
    TILL,
    transactions.VOID,
    "000042",
    1250,
    "4761739001010119",
    Original("000001", "000041", "1124", "123456789012"),
)
BACK = Routing(bytes.fromhex("6000000003"))


def key_block(usage: str = "M3", exportability: str = "N", key: bytes = MESSAGE_KEY) -> str:
    header = Header(usage, "T", "C", exportability)
    return build(Key(header, key), TRANSPORT, lambda count: bytes(count))


def reply(request: Message, **more: str) -> dict[int, str]:
    kept = (f.PROCESSING_CODE, f.AMOUNT, f.STAN, f.TERMINAL, f.MERCHANT)
    fields = {number: request.get(number) for number in kept if request.get(number)}
    return fields | {f.RESPONSE: "00"} | {getattr(f, name): text for name, text in more.items()}


def wire(kind: str, fields: dict[int, str], dialect: Dialect, key: bytes | None) -> bytes:
    """A host's answer as it comes off the line, without its length."""
    return BACK.wrap(Codec(dialect.encoding, dialect.code).encode(Message(kind, fields), key))[2:]


def signed_on(dialect: Dialect | None = None) -> Session:
    dialect = dialect or Dialect()
    session = Session(dialect, TILL, TRANSPORT)
    request, _ = session.sign_on("000001")
    block = key_block(PURPOSES[dialect.code].usage)
    session.take_keys(request, wire("0810", reply(request, KEYS=block), dialect, None))
    return session


@pytest.mark.parametrize("encoding", Encoding)
@pytest.mark.parametrize("code", MessageCode)
def test_a_request_and_its_answer_in_each_dialect(encoding: Encoding, code: MessageCode) -> None:
    dialect = Dialect(encoding, code)
    session = signed_on(dialect)
    sent = session.ask(REQUEST)
    heard = Codec(encoding, code).decode(Routing().unwrap(turned(sent[2:])), MESSAGE_KEY)
    assert heard.get(f.STAN) == "000042"
    answer = reply(REQUEST, REFERENCE="000000000007", AUTHORISATION="654321", DATE="1124")
    decided = session.hear(REQUEST, wire("0210", answer, dialect, MESSAGE_KEY))
    assert (decided.is_approved, decided.reference, decided.authorisation, decided.date) == (
        True,
        "000000000007",
        "654321",
        "1124",
    )


def turned(routed: bytes) -> bytes:
    return routed[:1] + routed[3:5] + routed[1:3] + routed[5:]


def test_the_check_value_is_the_keys_own_and_nothing_else_is_shown() -> None:
    session = signed_on()
    block = psec.des.encrypt_tdes_ecb(MESSAGE_KEY, bytes(8))
    assert session.check_value == block[:3].hex().upper()
    assert MESSAGE_KEY.hex() not in repr(session.__dict__).lower()


def test_without_a_sign_on_nothing_is_asked_and_nothing_believed() -> None:
    session = Session(Dialect(), TILL, TRANSPORT)
    with pytest.raises(MalformedMessage, match="sign on first"):
        session.ask(REQUEST)
    with pytest.raises(AnswerLost):
        session.hear(REQUEST, b"")


@pytest.mark.parametrize(
    ("block", "why"),
    [
        ("", "header"),
        (key_block("P0"), "usage is P0"),
        (key_block(exportability="E"), "exportability is E"),
        (key_block()[:-1] + "0", "altered|upper-case"),
        (key_block().replace("M3", "M1"), "usage is M1"),
    ],
)
def test_a_key_that_is_not_a_message_key_of_this_bank_is_refused(block: str, why: str) -> None:
    session = Session(Dialect(), TILL, TRANSPORT)
    request, _ = session.sign_on("000001")
    fields = reply(request) | ({f.KEYS: block} if block else {})
    with pytest.raises(UntrustedAnswer, match=why):
        session.take_keys(request, wire("0810", fields, Dialect(), None))
    assert not session.is_signed_on


def test_a_refused_sign_on_gives_no_key() -> None:
    session = signed_on()
    request, _ = session.sign_on("000002")
    fields = reply(request, RESPONSE="03", KEYS=key_block())
    with pytest.raises(UntrustedAnswer, match="code 03"):
        session.take_keys(request, wire("0810", fields, Dialect(), None))
    assert not session.is_signed_on


@pytest.mark.parametrize(
    "change",
    [
        {f.STAN: "000043"},
        {f.AMOUNT: "000000001251"},
        {f.PROCESSING_CODE: "000000"},
        {f.TERMINAL: "till-2  "},
        {f.RESPONSE: "--"},
        {f.REFERENCE: "1\n2         "},
        {f.CHIP: "91"},
    ],
)
def test_an_answer_to_something_else_leaves_the_payment_unknown(change: dict[int, str]) -> None:
    session = signed_on()
    fields = reply(REQUEST) | change
    with pytest.raises(AnswerLost):
        session.hear(REQUEST, wire("0210", fields, Dialect(), MESSAGE_KEY))
    assert session.is_signed_on


def test_an_answer_of_another_type_leaves_it_unknown_too() -> None:
    with pytest.raises(MalformedMessage, match="answered with 0410"):
        read_reply(REQUEST, Message("0410", reply(REQUEST)))


@pytest.mark.parametrize("key", [None, bytes(16)])
def test_an_answer_without_a_good_code_is_no_answer_and_the_keys_are_forgotten(
    key: bytes | None,
) -> None:
    session = signed_on()
    with pytest.raises(AnswerLost, match="signing on again"):
        session.hear(REQUEST, wire("0210", reply(REQUEST), Dialect(), key))
    assert not session.is_signed_on


@pytest.mark.parametrize("code", sorted(UNDECIDED))
def test_codes_that_decide_nothing_leave_it_unknown(code: str) -> None:
    """A partial approval among them: the shop asked for the whole amount."""
    session = signed_on()
    fields = reply(REQUEST, RESPONSE=code)
    with pytest.raises(AnswerLost, match=code):
        session.hear(REQUEST, wire("0210", fields, Dialect(), MESSAGE_KEY))


def test_a_decline_is_an_answer() -> None:
    fields = reply(REQUEST, RESPONSE="51")
    decided = signed_on().hear(REQUEST, wire("0210", fields, Dialect(), MESSAGE_KEY))
    assert (decided.is_approved, decided.code) == (False, "51")
