"""The bank's answers in the other dialect, asked by the till's own session.

Till and bank share the codec library and nothing else: each has its own field
table and its own codes.
"""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from simulators.bank import bench
from simulators.bank.core import Peer
from simulators.bank.errors import BankError, Refused
from simulators.bank.iso8583 import keys, wire
from simulators.bank.iso8583.core import Host, answer
from simulators.bank.iso8583.wire import NotAMessage
from simulators.bank.schema import terminals
from terminal.bank.iso8583 import fields as f
from terminal.bank.iso8583 import transactions
from terminal.bank.iso8583.answers import Reply
from terminal.bank.iso8583.chip import read_card
from terminal.bank.iso8583.codec import Message, MessageCode
from terminal.bank.iso8583.fields import Encoding
from terminal.bank.iso8583.session import Dialect, Session
from terminal.bank.iso8583.transactions import Entry, Kind, Original, Reason, Till
from terminal.errors import AnswerLost

TILL = Till("till-1", "corner-shop")
OFFLINE = 0x40


class Line:
    """A till that has signed on, and a wire to the bank without a socket."""

    def __init__(self, shop: Any, dialect: Dialect, till: Any, me: Till = TILL) -> None:
        self.shop = shop
        self.peer: Peer = till.peer
        place, chance = shop.place, shop.chance.randbytes
        self.host = Host(shop.bank, bench.host_secret(place, chance), dialect.code.value)
        self.session = Session(dialect, me, bench.transport_key(place, me.terminal, chance))
        self.me = me
        self.stan = 0

    def next_stan(self) -> str:
        self.stan += 1
        return f"{self.stan:06}"

    def carry(self, wire_bytes: bytes) -> bytes:
        told, _ = answer(
            self.host, wire_bytes[2:], self.peer, self.shop.now_ms, self.shop.chance.randbytes
        )
        assert int.from_bytes(told[:2], "big") == len(told) - 2
        return told[2:]

    def sign_on(self) -> "Line":
        request, sent = self.session.sign_on(self.next_stan())
        self.session.take_keys(request, self.carry(sent))
        return self

    def ask(self, request: Message) -> Reply:
        return self.session.hear(request, self.carry(self.session.ask(request)))

    def card_message(
        self, amount_minor: int, asked: Kind = transactions.SALE, **changes: Any
    ) -> Message:
        card = read_card(bytes.fromhex(self.shop.card(amount_minor, **changes).emv()))
        stan = self.next_stan()
        return transactions.card_payment(
            self.me, asked, stan, amount_minor, card, Entry.CONTACTLESS
        )

    def reversal(self, of: Message) -> Message:
        kept = transactions.repeated_in_reversal(of)
        return transactions.reversal(self.me, kept, of.type, Reason.NO_ANSWER)

    def give_back(self, kind: Kind, sale: Message, reply: Reply, amount_minor: int) -> Message:
        original = Original(
            self.me.batch, sale.get(f.STAN), reply.date, reply.reference, reply.authorisation
        )
        pan = sale.get(f.PAN)
        return transactions.follow_up(self.me, kind, self.next_stan(), amount_minor, pan, original)


@pytest.fixture(
    params=[(encoding, code) for encoding in Encoding for code in MessageCode],
    ids=lambda way: f"{way[0].value}-{way[1].value}",
)
def dialect(request: pytest.FixtureRequest) -> Dialect:
    encoding, code = request.param
    return Dialect(encoding, code)


@pytest.fixture
def line(shop: Any) -> Line:
    return Line(shop, Dialect(), shop.till()).sign_on()


def test_a_sale_is_approved_and_booked(shop: Any, dialect: Dialect) -> None:
    line = Line(shop, dialect, shop.till()).sign_on()
    reply = line.ask(line.card_message(1250))
    assert reply.is_approved
    assert (len(reply.reference), len(reply.authorisation)) == (12, 6)
    assert reply.emv[:1] == b"\x91"
    assert shop.taken() == 1250


def test_a_reversal_gives_the_money_back_and_can_be_repeated(shop: Any, dialect: Dialect) -> None:
    line = Line(shop, dialect, shop.till()).sign_on()
    sale = line.card_message(1250)
    line.ask(sale)
    for _ in range(2):
        assert line.ask(line.reversal(sale)).is_approved
        assert shop.taken() == 0


def test_a_reversal_that_overtakes_its_sale_stops_it(shop: Any, line: Line) -> None:
    sale = line.card_message(1250)
    assert line.ask(line.reversal(sale)).is_approved
    assert not line.ask(sale).is_approved
    assert shop.taken() == 0


def test_a_sale_sent_twice_is_paid_once(shop: Any, line: Line) -> None:
    sale = line.card_message(1250)
    assert line.ask(sale).is_approved
    assert line.ask(sale).code == "94"
    assert shop.taken() == 1250


def test_a_declined_card_is_told_why(shop: Any, line: Line) -> None:
    assert line.ask(line.card_message(10**11)).code == "51"
    assert shop.taken() == 0


def test_a_void_and_a_refund_find_their_sale_by_its_reference(shop: Any, line: Line) -> None:
    first, second = line.card_message(1250), line.card_message(800)
    replies = [line.ask(first), line.ask(second)]
    assert line.ask(line.give_back(transactions.VOID, first, replies[0], 1250)).is_approved
    assert shop.taken() == 800
    refund = line.give_back(transactions.REFUND, second, replies[1], 300)
    for _ in range(2):
        assert line.ask(refund).is_approved
        assert shop.taken() == 500
    unknown = Original("000001", "000001", "1124", "999999999999")
    nothing = transactions.follow_up(
        TILL, transactions.VOID, line.next_stan(), 1, first.get(f.PAN), unknown
    )
    assert line.ask(nothing).code == "25"


def test_a_sale_that_the_card_approved_is_booked_once_however_often_it_is_told(
    shop: Any, line: Line
) -> None:
    advice = line.card_message(700, transactions.OFFLINE_SALE, kind=OFFLINE)
    for _ in range(2):
        assert line.ask(advice).is_approved
    assert shop.taken() == 700


def test_the_day_ends_with_totals_and_the_lines_that_differ(shop: Any, line: Line) -> None:
    sales = [line.card_message(amount) for amount in (1250, 800, 50)]
    replies = [line.ask(sale) for sale in sales]
    line.ask(line.give_back(transactions.REFUND, sales[1], replies[1], 300))
    line.ask(line.reversal(sales[2]))
    for debits, verdict in (((2100, 3), "2"), ((2050, 2), "1"), ((2050, 2), "1")):
        totals = transactions.totals_field(debits, (300, 1))
        request = transactions.settlement(TILL, line.next_stan(), totals)
        routed = line.carry(line.session.ask(request))
        assert wire.hear(routed)[48] == transactions.totals_field((2050, 2), (300, 1)) + verdict
    # Closed, it takes nothing more.
    assert line.ask(line.card_message(100)).code == "30"
    codes = [
        line.ask(
            transactions.upload(TILL, line.next_stan(), transactions.repeated_in_reversal(sale))
        ).code
        for sale in sales
    ]
    assert codes == ["00", "00", "25"]
    assert line.ask(transactions.upload_end(TILL, line.next_stan(), 3)).is_approved


def test_the_bank_says_what_it_does_not_offer(line: Line) -> None:
    assert line.ask(line.card_message(100, transactions.BALANCE)).code == "40"


def test_signing_on_again_makes_a_new_key_and_ends_the_old(shop: Any, line: Line) -> None:
    before = line.session.check_value
    old = line.session.ask(transactions.echo(TILL, line.next_stan()))
    shop.pass_s(1)
    line.sign_on()
    assert line.session.check_value != before
    heard = wire.hear(line.carry(old))
    assert heard[39] == "A0"
    assert line.ask(transactions.echo(TILL, line.next_stan())).is_approved


def test_an_altered_request_is_refused_and_nothing_booked(shop: Any, line: Line) -> None:
    sent = bytearray(line.session.ask(line.card_message(1250)))
    at = bytes(sent).index(bytes.fromhex("000000001250"))
    sent[at + 5] = 0x51
    assert wire.hear(line.carry(bytes(sent)))[39] == "A0"
    assert shop.taken() == 0


def test_a_till_is_the_one_that_signed_on(shop: Any, line: Line) -> None:
    """What it calls itself stays the same until it signs on again."""
    for me in (Till("till-9", "corner-shop"), Till("till-1", "other-shop")):
        assert line.ask(transactions.echo(me, line.next_stan())).code == "58"


def test_two_tills_have_numbers_of_their_own(shop: Any) -> None:
    """Both call themselves the same; their payments are two, and only their own are reversed."""
    lines = [Line(shop, Dialect(), shop.till(id)) for id in ("till-1", "till-2")]
    for each, id in zip(lines, ("till-1", "till-2"), strict=True):
        protection = bench.transport_key(shop.place, id, shop.chance.randbytes)
        each.session = Session(Dialect(), TILL, protection)
        each.sign_on()
    sales = [each.card_message(1250) for each in lines]
    assert [each.ask(sale).is_approved for each, sale in zip(lines, sales, strict=True)] == [
        True
    ] * 2
    lines[1].ask(lines[1].reversal(sales[1]))
    assert shop.taken() == 1250


def test_a_stranger_gets_no_answer_and_a_wallet_neither(shop: Any, line: Line) -> None:
    _, sent = line.session.sign_on("000001")
    for peer, why in ((Peer((), ""), "certificate_unknown"), (shop.wallet("alipay").peer, "not_a")):
        line.peer = peer
        with pytest.raises(Refused, match=why):
            line.carry(sent)


def test_before_a_sign_on_nothing_is_done(shop: Any) -> None:
    line = Line(shop, Dialect(), shop.till()).sign_on()
    shop.read(lambda connection: connection.exec_driver_sql("DELETE FROM terminals"))
    sale = line.card_message(100)
    with pytest.raises(AnswerLost, match="no code"):
        line.ask(sale)
    assert shop.taken() == 0


@given(noise=st.binary(max_size=120))
@settings(max_examples=150, deadline=None)
def test_any_bytes_are_a_message_or_end_the_line(noise: bytes) -> None:
    try:
        heard = wire.hear(noise)
    except NotAMessage:
        return
    assert heard.fields


@given(place=st.integers(0, 400), value=st.integers(0, 255))
@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_till_that_errs_or_lies_gets_an_answer_or_none_and_breaks_nothing(
    line: Line, place: int, value: int
) -> None:
    """One byte of a sale is changed before its code is made: the code is good."""
    sent = bytearray(line.session.ask(line.card_message(1)))
    covered = sent[7:-8]
    covered[place % len(covered)] = value
    signed_on = line.shop.read(lambda connection: connection.execute(select(terminals)).one())
    key = keys.message_key(line.host.secret, "till-1", signed_on.signed_on_ms)
    code = keys.code_of("retail", key, bytes(covered))
    try:
        told = wire.hear(line.carry(bytes(sent[:7] + covered) + code))
    except BankError:
        return
    assert told[39] in ("00", "05", "14", "25", "30", "40", "51", "54", "58", "94", "A0")


def test_no_key_or_card_number_is_in_a_repr(line: Line) -> None:
    sent = line.session.ask(line.card_message(100))
    shown = repr(wire.hear(sent[2:])) + repr(line.host)
    assert "4761739001010119" not in shown
    assert line.host.secret.hex() not in shown
