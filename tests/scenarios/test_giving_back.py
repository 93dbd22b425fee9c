"""Refunds up to the sum and not beyond; voids, once."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import Any

import pytest

from terminal.errors import AlreadySettled, AmountRefused, NotAllowed, UnknownPayment
from terminal.messages import Message
from terminal.states import FINAL, State


def refund(counter: Any, sale: Any, amount_minor: int | None = None) -> Any:
    attempt = counter.till.refund(sale.id, amount_minor)
    return counter.until_state(attempt, *FINAL)


def void(counter: Any, sale: Any) -> Any:
    return counter.until_state(counter.till.void(sale.id), *FINAL)


WAYS = ["card:visa-online", "phone:phone-approved", "wallet:alipay-qr"]


@pytest.mark.parametrize("way", WAYS)
def test_a_whole_refund_leaves_nothing_to_give_back(counter: Any, way: str) -> None:
    sale = counter.pay(way, 5000)
    back = refund(counter, sale)

    assert (back.state, back.reason, back.amount_minor) == (State.APPROVED, Message.REFUNDED, 5000)
    assert (back.original, back.medium) == (sale.id, sale.medium)
    assert counter.booked.net_minor()[back.id] == -5000
    with pytest.raises(AlreadySettled, match="refunded in full"):
        counter.till.refund(sale.id)


def test_refunds_repeat_up_to_the_sum_and_not_a_cent_over(counter: Any) -> None:
    sale = counter.pay(amount_minor=1000)
    for part in (400, 599):
        assert refund(counter, sale, part).state is State.APPROVED
    with pytest.raises(AmountRefused, match=r"Only ¥0\.01 "):
        counter.till.refund(sale.id, 2)
    assert refund(counter, sale).amount_minor == 1
    with pytest.raises(AlreadySettled):
        counter.till.refund(sale.id, 1)

    assert counter.till.payment(sale.id).refunded_minor == 1000
    net = counter.booked.net_minor()
    assert sum(net[p.id] for p in counter.till.payments()) == 0


@pytest.mark.parametrize("amount_minor", [0, -1, -1000])
def test_a_refund_of_nothing_or_less_is_refused(counter: Any, amount_minor: int) -> None:
    sale = counter.pay(amount_minor=1000)
    with pytest.raises(AmountRefused, match="above zero"):
        counter.till.refund(sale.id, amount_minor)
    assert len(counter.till.payments()) == 1


def test_a_refund_over_the_sum_at_once_is_refused(counter: Any) -> None:
    sale = counter.pay(amount_minor=1000)
    with pytest.raises(AmountRefused, match=r"Only ¥10\.00 "):
        counter.till.refund(sale.id, 1001)


def test_a_code_that_was_paid_is_refunded_to_its_wallet(counter: Any) -> None:
    attempt = counter.begin(2500)
    counter.show_code()
    counter.do("show-code:alipay-qr")
    sale = counter.until_state(attempt, *FINAL)

    assert refund(counter, sale, 2499).state is State.APPROVED
    assert refund(counter, sale).amount_minor == 1


def test_a_void_undoes_the_whole_sale(counter: Any) -> None:
    sale = counter.pay(amount_minor=1500)
    undone = void(counter, sale)

    assert (undone.state, undone.reason) == (State.APPROVED, Message.VOIDED)
    assert counter.till.payment(sale.id).state is State.VOIDED
    net = counter.booked.net_minor()
    assert (net[sale.id], net[undone.id]) == (1500, -1500)


def test_nothing_is_voided_twice_or_refunded_after(counter: Any) -> None:
    sale = counter.pay(amount_minor=1500)
    void(counter, sale)
    for again in (counter.till.void, counter.till.refund):
        with pytest.raises(NotAllowed, match="voided"):
            again(sale.id)


def test_a_sale_with_refunds_is_not_voided(counter: Any) -> None:
    sale = counter.pay(amount_minor=1500)
    refund(counter, sale, 1)
    with pytest.raises(NotAllowed, match="has refunds"):
        counter.till.void(sale.id)


def test_what_was_not_paid_is_not_given_back(counter: Any) -> None:
    declined = counter.pay("card:visa-do-not-honour")
    for give in (counter.till.void, counter.till.refund):
        with pytest.raises(NotAllowed, match="declined"):
            give(declined.id)
    sale = counter.pay(amount_minor=1100)
    back = refund(counter, sale)
    for give in (counter.till.void, counter.till.refund):
        with pytest.raises(NotAllowed):
            give(back.id)
    with pytest.raises(UnknownPayment):
        counter.till.refund("9999")


def test_a_refund_that_never_left_can_be_made_again(counter: Any) -> None:
    sale = counter.pay(amount_minor=1000)
    counter.do("fault:bank-cut")
    assert refund(counter, sale, 600).state is State.NOT_SENT
    counter.do("fault:bank-cut")

    assert refund(counter, sale, 600).state is State.APPROVED
    assert counter.till.payment(sale.id).refunded_minor == 600


def test_a_refund_in_doubt_holds_its_part_back_until_it_is_known(counter: Any, city: Any) -> None:
    sale = counter.pay(amount_minor=1000)
    city.doorman.alter = lambda letter: letter.with_headers(b"signature")
    doubtful = counter.till.refund(sale.id, 600)
    counter.until_state(doubtful, State.UNKNOWN)
    counter.till.leave()
    with pytest.raises(AmountRefused, match=r"Only ¥4\.00 "):
        counter.till.refund(sale.id, 401)
    city.doorman.alter = None

    assert counter.until_state(doubtful, *FINAL).state is State.APPROVED
    assert refund(counter, sale).amount_minor == 400


def test_a_void_in_doubt_voids_the_sale_when_it_is_known(counter: Any, city: Any) -> None:
    sale = counter.pay(amount_minor=1000)
    city.doorman.alter = lambda letter: letter.with_headers(b"signature")
    attempt = counter.till.void(sale.id)
    counter.until_state(attempt, State.UNKNOWN)
    city.doorman.alter = None

    assert counter.until_final(attempt).state is State.APPROVED
    assert counter.till.payment(sale.id).state is State.VOIDED


def test_a_void_that_had_to_be_reversed_leaves_the_sale_standing(counter: Any, city: Any) -> None:
    sale = counter.pay(amount_minor=1000)
    city.doorman.alter = lambda letter: letter.with_headers(b"signature")
    attempt = counter.till.void(sale.id)
    counter.ask_until(attempt, State.REVERSING)
    city.doorman.alter = None

    assert counter.until_final(attempt).state is State.REVERSED
    assert counter.till.payment(sale.id).state is State.APPROVED
    assert counter.booked.state(sale.id) == "approved"
    assert refund(counter, sale).state is State.APPROVED


# --- two tills, or one till restored from an old copy, about one sale -----------------------


@pytest.fixture
def restored(open_counter: Any, city: Any) -> Any:
    """A till with one sale of 10.00, and a second one from a copy of its journal."""
    home, copy = city.new_home(), city.new_home()
    first = open_counter(home).until_ready()
    sale = first.pay(amount_minor=1000)
    first.till.close()
    shutil.rmtree(copy / "till")
    shutil.copytree(home / "till", copy / "till")
    return open_counter(home).until_ready(), open_counter(copy).until_ready(), sale


def test_the_bank_gives_no_more_back_than_it_took(restored: Any) -> None:
    """Each journal alone would allow it; the bank's does not."""
    first, second, sale = restored
    assert refund(first, sale, 700).state is State.APPROVED
    over = refund(second, sale, 700)

    assert (over.state, over.response_code) == (State.DECLINED, "13")
    assert over.reason is not None
    assert over.next_step is not None
    assert refund(second, sale, 300).state is State.APPROVED


def test_the_bank_voids_no_sale_that_has_a_refund(restored: Any) -> None:
    first, second, sale = restored
    refund(first, sale, 1)
    refused = void(second, sale)

    assert (refused.state, refused.response_code) == (State.DECLINED, "12")
    assert second.till.payment(sale.id).state is State.APPROVED


@pytest.mark.parametrize(
    "words", [("refund", "1", "2.50", "--as", "00"), ("void", "1", "--as", "00"), ("recover",)]
)
def test_money_goes_back_without_reader_and_camera(
    city: Any, open_counter: Any, words: tuple[str, ...]
) -> None:
    """Their libraries alone would take longer than the rest of it."""
    counter = open_counter()
    counter.until_ready().pay()
    counter.till.close()
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "terminal", "--home", counter.home, *words],
        env={**os.environ, "OPENTILL_BANK": city.url},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "terminal.bank.client" in loaded
    # Its receipt is printed, and simulated paper is drawn with numpy.
    assert "drivers.printer_escpos" in loaded
    assert not loaded & {"cv2", "drivers.scanner_camera"}
