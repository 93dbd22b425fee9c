"""The till's client of the other dialect at the bank's door: real TLS, a wire that fails."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from simulators.bank import bench
from simulators.bank.iso8583.core import Host
from simulators.bank.iso8583.door import Door
from simulators.bank.schema import payments
from simulators.bank.service import listen, tls_of
from simulators.faults import FaultProxy
from terminal.bank import messages
from terminal.bank.batch_messages import (
    BatchAnswer,
    BatchClose,
    BatchLine,
    BatchLines,
    BatchQuestion,
    BatchTotal,
    BatchTotals,
    LinesAnswer,
)
from terminal.bank.client import Refusal, VerifiedAnswer
from terminal.bank.iso8583.cards import CardSafe
from terminal.bank.iso8583.client import Iso8583Client
from terminal.bank.iso8583.kept import Originals
from terminal.bank.iso8583.link import Link
from terminal.bank.iso8583.session import Dialect, Session
from terminal.bank.iso8583.transactions import Till
from terminal.errors import AnswerLost, LinkNotSecure, NeverLeft
from terminal.seams import SystemClock
from terminal.security.enrolment import enrol
from terminal.security.keys import TillKeys

ME = Till("OPENTL01", "898310154110001")
CARD_KEY = bytes(range(32))


class Counter:
    """A till's folder, and the client of one run of its program."""

    def __init__(self, shop: Any, keys: TillKeys, folder: Path, port: int) -> None:
        self.shop, self.keys, self.folder, self.port = shop, keys, folder, port
        self.safe = CardSafe(CARD_KEY)
        self.number = 0
        self.client = self.start()

    def start(self, transport_key: bytes | None = None) -> Iso8583Client:
        """Begin anew, as after a power cut: what is not on disk is gone."""
        protection = transport_key or bench.transport_key(
            self.shop.place, self.keys.till_id, os.urandom
        )
        clock = SystemClock()
        link = Link("127.0.0.1", self.port, self.keys, clock.monotonic, answer_s=5.0)
        originals = Originals(self.folder, self.safe, clock.wall_ms)
        session = Session(Dialect(), ME, protection)
        self.client = Iso8583Client(session, link, originals, self.safe, clock)
        return self.client

    def sale(self, amount_minor: int, batch: int = 1) -> messages.Payment:
        attempt = str(uuid.uuid4())
        emv = bytes.fromhex(self.shop.card(amount_minor).emv())
        tender = messages.CardTender(self.safe.seal_card(attempt, emv))
        return self.payment("sale", amount_minor, attempt=attempt, tender=tender, batch=batch)

    def payment(self, kind: Any, amount_minor: int, **more: Any) -> messages.Payment:
        self.number += 1
        whole: dict[str, Any] = {"attempt": str(uuid.uuid4()), "number": self.number} | more
        return messages.Payment(
            kind=kind,
            amount_minor=amount_minor,
            currency="CNY",
            at=self.shop.at(),
            **whole,
        )

    def ask(self, request: messages.Request) -> messages.Answer:
        told = self.client.call(request)
        assert isinstance(told, VerifiedAnswer), told
        return told.answer

    def state(self, request: messages.Request) -> str | None:
        return self.ask(request).state


@pytest.fixture
def wire(shop: Any) -> Iterator[FaultProxy]:
    host = Host.open(shop.bank, shop.place, os.urandom, "retail")

    def clock() -> float:
        return float(shop.now_ms / 1000)

    with (
        Door(host, tls_of(shop.place), clock, os.urandom, listen(0)) as door,
        FaultProxy(door.address[1]) as wire,
    ):
        yield wire


@pytest.fixture
def counter(shop: Any, wire: FaultProxy, tmp_path: Path) -> Iterator[Counter]:
    code = bench.issue_enrolment_code(
        shop.place, "till", "till-1", shop.now_ms, os.urandom, merchant="corner-shop"
    )
    keys = enrol(tmp_path / "keys", code, lambda asked: bench.enrol(shop.place, asked, shop.now_ms))
    counter = Counter(shop, keys, tmp_path / "sent", int(wire.url.rpartition(":")[2]))
    yield counter
    counter.client.close()


def test_a_sale_is_approved_with_what_the_card_wants_back(shop: Any, counter: Counter) -> None:
    answer = counter.ask(counter.sale(1250))
    assert (answer.state, answer.code) == ("approved", "00")
    assert len(answer.reference or "") == 12
    assert (answer.emv or "").startswith("91")
    assert shop.taken() == 1250


def test_the_first_byte_of_a_payment_is_announced_once(counter: Counter) -> None:
    """Signing on is no part of it."""
    announced: list[bool] = []
    counter.client.call(counter.sale(100), lambda: announced.append(True))
    assert announced == [True]


def test_a_void_and_a_refund_days_and_restarts_later(shop: Any, counter: Counter) -> None:
    first, second = counter.sale(1250), counter.sale(800)
    for sale in (first, second):
        assert counter.state(sale) == "approved"
    counter.start()
    void = counter.payment("void", 1250, original=first.attempt)
    refund = counter.payment("refund", 300, original=second.attempt)
    assert (counter.state(void), counter.state(refund)) == ("approved", "approved")
    assert shop.taken() == 500


@pytest.mark.parametrize("way", ["request", "answer"])
def test_cut_anywhere_a_sale_is_paid_once_or_not_at_all(
    shop: Any, counter: Counter, wire: FaultProxy, way: Any
) -> None:
    """The till restarts after each cut and brings the payment to an end."""
    counter.state(messages.Echo())
    ends = set()
    for place in (*range(0, 1600, 160), *range(1600, 3400, 60)):
        sale = counter.sale(100)
        wire.cut_after(way, place)
        try:
            end = str(counter.state(sale))
        except NeverLeft:
            end = "never left"
        except AnswerLost:
            end = "lost"
        wire.heal()
        if end == "lost":
            counter.start()
            assert counter.state(messages.StatusQuestion(sale.attempt)) == "not_found"
            assert counter.state(messages.Reversal(sale.attempt, "not_found")) == "reversed"
        elif end == "approved":
            assert counter.state(messages.Reversal(sale.attempt, "late")) == "reversed"
        assert shop.taken() == 0
        ends.add(end)
    assert ends == {"never left", "lost", "approved"}


def test_a_refund_whose_answer_was_lost_is_told_again_not_undone(
    shop: Any, counter: Counter, wire: FaultProxy
) -> None:
    sale = counter.sale(1250)
    counter.state(sale)
    refund = counter.payment("refund", 300, original=sale.attempt)
    lose_the_answer(counter, wire, refund)
    assert counter.state(messages.StatusQuestion(refund.attempt)) == "approved"
    assert shop.taken() == 950


def lose_the_answer(counter: Counter, wire: FaultProxy, request: messages.Payment) -> None:
    """Cut the wire where the bank has booked already."""
    client, cut = counter.client, False
    original: Callable[..., bytes] = client._link.exchange

    def exchange(sent: bytes, sending: Any = None) -> bytes:
        nonlocal cut
        told = original(sent, sending)
        if not cut:
            cut = True
            raise AnswerLost("the connection ended before the answer was whole")
        return told

    client._link.exchange = exchange  # type: ignore[method-assign]
    with pytest.raises(AnswerLost):
        client.call(request)


def test_a_question_about_a_payment_that_was_answered_needs_no_bank(
    counter: Counter, wire: FaultProxy
) -> None:
    sale = counter.sale(100)
    counter.state(sale)
    counter.start()
    wire.refuse()
    answer = counter.ask(messages.StatusQuestion(sale.attempt))
    assert (answer.state, answer.code) == ("approved", "00")


def test_what_was_never_sent_is_reversed_without_the_bank(
    counter: Counter, wire: FaultProxy
) -> None:
    wire.refuse()
    with pytest.raises(NeverLeft):
        counter.client.call(counter.sale(100))
    attempt = str(uuid.uuid4())
    assert counter.state(messages.StatusQuestion(attempt)) == "not_found"
    assert counter.state(messages.Reversal(attempt, "not_found")) == "reversed"
    assert list(counter.folder.iterdir()) == []


def test_keys_that_the_bank_has_replaced_are_fetched_again(shop: Any, counter: Counter) -> None:
    """Another program signed on as this till: the next answer cannot be believed."""
    sale = counter.sale(100)
    assert counter.state(counter.sale(50)) == "approved"
    shop.pass_s(1)
    other = Counter(shop, counter.keys, counter.folder, counter.port)
    assert other.state(messages.Echo()) is None
    with pytest.raises(AnswerLost, match="signing on again"):
        counter.client.call(sale)
    assert counter.state(messages.Reversal(sale.attempt, "no_answer")) == "reversed"
    assert counter.state(counter.sale(100)) == "approved"
    assert shop.taken() == 150


def test_a_till_with_another_transport_key_sends_nothing(shop: Any, counter: Counter) -> None:
    counter.start(bytes(32))
    with pytest.raises(LinkNotSecure, match="did not sign this till on"):
        counter.client.call(counter.sale(100))
    assert shop.taken() == 0


def test_what_the_dialect_does_not_have_is_refused_and_said(counter: Counter) -> None:
    attempt = str(uuid.uuid4())
    code = messages.CodeTender(counter.safe.seal_code(attempt, "284712345678901234"))
    for request in (
        counter.payment("sale", 100, attempt=attempt, tender=code),
        counter.payment("refund", 100, original=attempt),
    ):
        told = counter.client.call(request)
        assert isinstance(told, Refusal)
        assert told.error == "not_offered"


def test_neither_number_nor_track_stands_in_clear_and_the_track_not_at_all(
    counter: Counter,
) -> None:
    sale = counter.sale(100)
    counter.state(sale)
    files = [file.read_text() for file in counter.folder.iterdir()]
    assert len(files) == 1
    for needle in ("4761739001010119", "NDc2MTczOTAwMTAxMDExOQ"):
        assert needle not in files[0]
    content = counter.safe.open(sale.attempt, files[0])
    assert content["fields"]["2"] == "4761739001010119"
    assert not {"35", "52", "55"} & set(content["fields"])


def test_old_payments_are_let_go(counter: Counter) -> None:
    counter.state(counter.sale(100))
    counter.state(counter.sale(200))
    old, new = counter.folder.iterdir()
    os.utime(old, (0, 0))
    Originals(counter.folder, counter.safe, SystemClock().wall_ms).forget_old()
    assert list(counter.folder.iterdir()) == [new]


def test_a_payment_that_cannot_be_kept_is_not_sent(shop: Any, counter: Counter) -> None:
    counter.state(messages.Echo())
    counter.folder.rmdir()
    with pytest.raises(NeverLeft, match="cannot be kept"):
        counter.client.call(counter.sale(100))
    assert shop.taken() == 0


def test_closing_ends_a_call_that_waits(counter: Counter, wire: FaultProxy) -> None:
    counter.client.close()
    with pytest.raises(NeverLeft, match="closed its bank link"):
        counter.client.call(counter.sale(100))


# --- the end of the day -----------------------------------------------------------

BATCH = 16_600


def batch_total(kind: Any, count: int, amount_minor: int) -> BatchTotal:
    return BatchTotal(
        kind=kind,
        medium="card",
        brand="Visa",
        currency="CNY",
        count=count,
        amount_minor=amount_minor,
    )


def line_of(payment: messages.Payment) -> BatchLine:
    return BatchLine(
        attempt=payment.attempt,
        number=payment.number,
        kind="sale",
        medium="card",
        brand="Visa",
        currency="CNY",
        amount_minor=payment.amount_minor,
    )


def close_of(*totals: BatchTotal, accepted: bool = False) -> BatchClose:
    return BatchClose(BATCH, totals, "0" * 64, accepted=accepted)


def closed_by(counter: Counter, question: BatchQuestion) -> BatchAnswer:
    told = counter.client.settle(question)
    assert isinstance(told, BatchAnswer), told
    return told


def test_a_day_that_both_sides_have_alike_is_closed_and_stays_so(counter: Counter) -> None:
    first, second = (counter.sale(amount, batch=BATCH) for amount in (1250, 800))
    assert {counter.state(sale) for sale in (first, second)} == {"approved"}
    void = counter.payment("void", 800, original=second.attempt, batch=BATCH)
    refund = counter.payment("refund", 300, original=first.attempt, batch=BATCH)
    assert {counter.state(each) for each in (void, refund)} == {"approved"}
    totals = (
        batch_total("refund", 1, 300),
        batch_total("sale", 2, 2050),
        batch_total("void", 1, 800),
    )
    for _ in range(2):
        told = closed_by(counter, close_of(*totals))
        assert (told.state, told.totals) == ("closed", totals)
    # What comes for it later is refused, and booked nowhere.
    assert counter.state(counter.sale(100, batch=BATCH)) == "declined"
    assert counter.state(counter.sale(100, batch=BATCH + 1)) == "approved"


def test_a_day_that_differs_is_told_line_by_line_and_can_be_accepted(
    shop: Any, counter: Counter
) -> None:
    booked, undone = (counter.sale(amount, batch=BATCH) for amount in (1250, 800))
    assert {counter.state(sale) for sale in (booked, undone)} == {"approved"}
    undo = payments.update().where(payments.c.amount_minor == 800).values(state="reversed")
    shop.bank.store.write(lambda connection: connection.execute(undo))
    totals = (batch_total("sale", 2, 2050),)

    told = closed_by(counter, close_of(*totals))
    assert told.state == "differs"
    assert [(total.kind, total.count, total.amount_minor) for total in told.totals] == [
        ("sale", 1, 1250)
    ]

    lines = tuple(sorted(map(line_of, (booked, undone)), key=lambda line: line.attempt))
    compared = counter.client.settle(BatchLines(BATCH, "", lines, is_last=True))
    assert isinstance(compared, LinesAnswer)
    assert [one.attempt for one in compared.differences] == [undone.attempt]

    for _ in range(2):
        assert closed_by(counter, close_of(*totals, accepted=True)).state == "closed"


def test_a_close_whose_answer_is_cut_off_can_be_asked_for_again(
    counter: Counter, wire: FaultProxy
) -> None:
    assert counter.state(counter.sale(500, batch=BATCH)) == "approved"
    question = close_of(batch_total("sale", 1, 500))
    wire.cut_after("answer", 2200)
    with pytest.raises((AnswerLost, NeverLeft)):
        counter.client.settle(question)
    wire.heal()
    assert closed_by(counter, question).state == "closed"


def test_the_bank_tells_nothing_of_a_batch_before_its_close(counter: Counter) -> None:
    told = counter.client.settle(BatchTotals(BATCH))
    assert isinstance(told, Refusal)
    assert told.error == "not_offered"
