"""What the bank does with a message of this dialect: one plain function, bytes in, bytes out.

The books, the rules and the ledger are those of the signed link. A payment's
identity is made of what the dialect has instead: till, batch and trace number.
"""

from __future__ import annotations

import datetime
import hashlib
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, select

from emv import tlv
from emv.errors import MalformedData
from simulators.bank import batches
from simulators.bank import payments as books
from simulators.bank.bench import host_secret
from simulators.bank.core import Bank, Peer, desk_maker, identify
from simulators.bank.desk import Desk, RRow
from simulators.bank.errors import Refused
from simulators.bank.iso8583 import keys
from simulators.bank.iso8583.wire import Heard, NotAMessage, framed, hear, say
from simulators.bank.issuer.card import ARQC, TC
from simulators.bank.messages import PaymentRequest, ReversalRequest, moment
from simulators.bank.place import BankPlace
from simulators.bank.schema import terminals, traces
from simulators.bank.trust.sealing import SealedCard

Random = Callable[[int], bytes]
Fields = dict[int, str]

APPROVED = "00"
NO_RECORD = "25"
FORMAT_WRONG = "30"
NOT_SUPPORTED = "40"
NOT_THIS_TILL = "58"
DUPLICATE = "94"
CODE_WRONG = "A0"

# What an answer repeats of its request.
REPEATED = (2, 3, 4, 11, 25, 41, 42, 49, 60)

CHIP_IN_SLOT = "05"
"""How field 22 begins then."""

UPLOAD_ENDS = "202"
"""How field 60 ends in the last message of an upload."""


@dataclass(frozen=True, slots=True, repr=False)
class Host:
    """A bank that speaks this dialect."""

    bank: Bank
    secret: bytes
    """32 bytes that every key of every till is made from."""
    code: str = "retail"
    """Which message code its tills use: one of keys.CODES."""

    @classmethod
    def open(cls, bank: Bank, place: BankPlace, random: Random, code: str) -> Host:
        """Return the host of an open bank. Raises BankFileWrong."""
        return cls(bank, host_secret(place, random), code)


@dataclass(frozen=True, slots=True)
class _Asked:
    """One message in one transaction."""

    host: Host
    desk: Desk
    heard: Heard

    @property
    def till(self) -> str:
        return self.desk.caller

    @property
    def batch(self) -> str:
        return self.heard[60][2:8]

    @property
    def function(self) -> str:
        return self.heard[60][:2]

    @property
    def attempt(self) -> str:
        return identity(self.till, self.batch, self.heard[11])

    @property
    def named(self) -> RRow | None:
        """The payment that field 61 names by batch and trace number."""
        named = self.heard[61]
        return self.desk.payment(identity(self.till, named[:6], named[6:12]))

    @property
    def amount_minor(self) -> int:
        return int(self.heard[4] or 0)


def identity(till: str, batch: str, trace: str) -> str:
    """Return what the books call a payment of this dialect."""
    digest = hashlib.sha256(f"{till} {batch} {trace}".encode()).digest()
    return str(uuid.UUID(bytes=digest[:16]))


def answer(
    host: Host, routed: bytes, peer: Peer | None, now_ms: int, random: Random
) -> tuple[bytes, str]:
    """Return the answer, framed, and a line for the log.

    routed: TPDU and message, without the length. now_ms: Unix time.
    Raises NotAMessage, Refused or StoreBusy for what gets no answer: the line is
    cut. Of the last, nobody knows whether it was booked.
    """
    heard = hear(routed)
    if not (heard.kind.isdigit() and heard.kind[3] == "0" and heard.kind[2] in "02"):
        raise NotAMessage("not a request")
    caller = identify(host.bank, peer, now_ms)
    if caller.role != "till":
        raise Refused(401, "not_a_till", "only tills have this door")
    make_desk = desk_maker(host.bank, caller, now_ms, random)

    def work(connection: Connection) -> tuple[Fields, RRow | None]:
        desk = make_desk(connection, 0)
        try:
            # Refused, nothing of it stands.
            with connection.begin_nested():
                fields = _decide(_Asked(host, desk, heard))
        except Refused as refusal:
            fields = {39: _code_of(refusal)}
        return fields, _signed_on(connection, caller.id)

    fields, signed_on = host.bank.store.write(work)
    told = _written(host, heard, fields, signed_on, now_ms)
    return framed(told), f"{heard.kind} {heard[60][:2]} {fields[39]}"


def _written(
    host: Host, heard: Heard, fields: Fields, signed_on: RRow | None, now_ms: int
) -> bytes:
    now = datetime.datetime.fromtimestamp(now_ms // 1000, datetime.UTC)
    repeated = {number: heard[number] for number in REPEATED if number in heard.fields}
    whole = repeated | {12: f"{now:%H%M%S}", 13: f"{now:%m%d}"} | fields
    if heard.kind == "0800" or signed_on is None:
        route, message = say(heard, whole)
        return route + message
    route, message = say(heard, whole | {64: "00" * 8})
    return route + message + keys.code_of(host.code, _key(host, signed_on), message)


def _decide(asked: _Asked) -> Fields:
    """Return the fields of the answer beyond those repeated. Raises Refused."""
    heard = asked.heard
    if heard.kind == "0800":
        return _sign_on(asked)
    signed_on = _signed_on(asked.desk.connection, asked.till)
    if signed_on is None:
        return {39: CODE_WRONG}
    key = _key(asked.host, signed_on)
    if not keys.is_code(asked.host.code, key, heard.covered, heard.code):
        return {39: CODE_WRONG}
    if (heard[41], heard[42]) != (signed_on.terminal, signed_on.merchant):
        return {39: NOT_THIS_TILL}
    does = _DEEDS.get((heard.kind, asked.function))
    return does(asked) if does else {39: NOT_SUPPORTED}


def _code_of(refusal: Refused) -> str:
    return DUPLICATE if refusal.word == "attempt_settled" else FORMAT_WRONG


# ---- keys ------------------------------------------------------------------


def _sign_on(asked: _Asked) -> Fields:
    """Make a new message key; the one before opens nothing from now on."""
    connection, heard = asked.desk.connection, asked.heard
    connection.execute(terminals.delete().where(terminals.c.till == asked.till))
    row = {
        "till": asked.till,
        "terminal": heard[41],
        "merchant": heard[42],
        "signed_on_ms": asked.desk.now_ms,
    }
    connection.execute(terminals.insert(), row)
    key = keys.message_key(asked.host.secret, asked.till, asked.desk.now_ms)
    protection = keys.transport_key(asked.host.secret, asked.till)
    block = keys.key_block(key, asked.host.code, protection, asked.desk.random)
    return {39: APPROVED, 62: block}


def _sign_off_or_echo(_asked: _Asked) -> Fields:
    return {39: APPROVED}


def _signed_on(connection: Connection, till: str) -> RRow | None:
    return connection.execute(select(terminals).where(terminals.c.till == till)).first()


def _key(host: Host, signed_on: RRow) -> bytes:
    return keys.message_key(host.secret, signed_on.till, signed_on.signed_on_ms)


# ---- payments --------------------------------------------------------------


def _sale(asked: _Asked) -> Fields:
    return _charge(asked, ARQC)


def _hold(asked: _Asked) -> Fields:
    return _charge(asked, ARQC, "preauth")


def _advice(asked: _Asked) -> Fields:
    return _again(asked) or _charge(asked, TC)


def _charge(asked: _Asked, cryptogram_type: int, kind: str = "sale") -> Fields:
    request = _request(asked, kind)
    is_chip_in_slot = asked.heard[22].startswith(CHIP_IN_SLOT)
    entry = "contact" if is_chip_in_slot else "contactless"
    sealed = SealedCard(asked.attempt, entry, _card_data(asked.heard))
    told = books.charge_card(asked.desk, request, sealed, cryptogram_type)
    return _tell(asked, told.state or "", told.emv or "")


def _follow(asked: _Asked) -> Fields:
    """Do what follows a payment, which batch, trace number and reference name."""
    kind = _FOLLOWING[asked.function]
    again = _again(asked) if kind == "refund" else None
    if again is not None:
        return again
    original = asked.named
    if original is None or original.reference != asked.heard[37]:
        return {39: NO_RECORD}
    told = books.pay(asked.desk, _request(asked, kind, original.attempt))
    return _tell(asked, told.state or "")


def _reverse(asked: _Asked) -> Fields:
    books.reverse(asked.desk, ReversalRequest(asked.attempt, "no_answer"))
    return {39: APPROVED}


def _again(asked: _Asked) -> Fields | None:
    """Return the decision on an advice that was sent before; its answer got lost."""
    found = asked.desk.payment(asked.attempt)
    if found is None or found.state == "reversed":
        return None
    if found.amount_minor != asked.amount_minor:
        return {39: DUPLICATE}
    return _decided(found)


def _tell(asked: _Asked, state: str, emv: str = "") -> Fields:
    """Note the payment's trace and tell what was decided."""
    found = asked.desk.payment(asked.attempt)
    if found is None:
        raise LookupError("a payment was decided and is not there")
    where = traces.c.attempt == asked.attempt
    if asked.desk.connection.execute(select(traces).where(where)).first() is None:
        row = {
            "attempt": asked.attempt,
            "till": asked.till,
            "batch": asked.batch,
            "trace": asked.heard[11],
        }
        asked.desk.connection.execute(traces.insert(), row)
    if state == "declined" and found.state == "reversed":
        return {39: NO_RECORD}
    return _decided(found) | ({55: emv} if emv else {})


def _decided(found: RRow) -> Fields:
    fields = {39: found.code or FORMAT_WRONG}
    if found.reference:
        fields |= {37: found.reference, 38: found.authorisation}
    return fields


def _request(asked: _Asked, kind: str, original: str | None = None) -> PaymentRequest:
    currencies = asked.desk.accounts.currencies.items()
    letters = next((name for name, known in currencies if f"{known:03}" == asked.heard[49]), "")
    if not asked.amount_minor or not letters:
        raise Refused(422, "amount_malformed", "no amount, or in a currency unknown here")
    return PaymentRequest(
        attempt=asked.attempt,
        number=int(asked.heard[11] or 0),
        kind=kind,  # type: ignore[arg-type]  # one of three, by the callers above
        amount_minor=asked.amount_minor,
        currency=letters,
        at=moment(asked.desk.now_ms),
        original=original,
        batch=int(asked.batch),
    )


def _card_data(heard: Heard) -> str:
    """Return what the message says of its card as the books read it: hex of BER-TLV."""
    try:
        tlv.decode(bytes.fromhex(heard[55]))
    except (ValueError, MalformedData):
        raise Refused(422, "card_data_malformed", "field 55 is not BER-TLV") from None
    track = heard[35].replace("=", "D")
    objects = {
        0x5A: heard[2] + "F" * (len(heard[2]) % 2),
        0x57: track + "F" * (len(track) % 2),
        0x5F34: heard[23][1:],
        # The dialect does not tell the day.
        0x5F24: heard[14] and heard[14] + "01",
    }
    told = [tlv.encode(tag, bytes.fromhex(value)) for tag, value in objects.items() if value]
    return heard[55] + b"".join(told).hex()


# ---- the end of the day ----------------------------------------------------


def _settle(asked: _Asked) -> Fields:
    """Compare a batch's totals, and close it if they are alike."""
    told = asked.heard[48]
    return {39: APPROVED, 48: batches.close_by_columns(asked.desk, int(asked.batch), told)}


def _upload(asked: _Asked) -> Fields:
    """Compare one payment of a batch; the end of them all closes it, whatever differed."""
    batch = int(asked.batch)
    if asked.heard[60][8:] == UPLOAD_ENDS:
        batches.close_by_columns(asked.desk, batch, None)
        return {39: APPROVED}
    named = asked.heard[61]
    attempt = identity(asked.till, named[:6], named[6:12])
    is_booked = batches.has_line(asked.desk, batch, attempt, asked.amount_minor)
    return {39: APPROVED if is_booked else NO_RECORD}


_FOLLOWING = {"11": "release", "20": "completion", "21": "void", "23": "void", "25": "refund"}
"""What field 60 asks for, in the books' words."""

# By message type, and by field 60's first two digits where they tell. The rest
# of the dialect, balances, this bank does not offer.
_DEEDS: dict[tuple[str, str], Callable[[_Asked], Fields]] = {
    ("0820", "00"): _sign_off_or_echo,
    ("0200", "22"): _sale,
    ("0100", "10"): _hold,
    ("0100", "11"): _follow,
    ("0200", "20"): _follow,
    ("0200", "21"): _follow,
    ("0200", "23"): _follow,
    ("0220", "25"): _follow,
    ("0220", "30"): _advice,
    ("0500", "00"): _settle,
    ("0320", "00"): _upload,
} | {
    (kind, what): _reverse for kind in ("0400", "0420") for what in ("22", "30", "10", *_FOLLOWING)
}
