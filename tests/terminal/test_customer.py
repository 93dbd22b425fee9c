"""The customer's side: what it may show, and the socket it is published on."""

import socket
import stat
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terminal.customer import (
    CustomerPublisher,
    Phase,
    customer_view,
    decode,
    encode,
    follow,
)
from terminal.errors import NotAllowed
from terminal.messages import Message
from terminal.states import State
from terminal.view import (
    Kind,
    Medium,
    Notice,
    PaymentView,
    Readiness,
    ShopFacts,
    ShownCode,
    Stage,
    View,
)

SHOP = ShopFacts(
    name="Spring Tea",
    name_zh="春茶铺",
    till_name="Till 2",
    cashier="Lin Mei",
    currency="CNY",
    currency_symbol="¥",
    currency_digits=2,
    amount_max_minor=99_999_999,
    is_bench=True,
    wallets=("Alipay",),
)

SALE = PaymentView(
    id="01927f3a-0000-7000-8000-000000000001",
    number=1,
    kind=Kind.SALE,
    state=State.AUTHORISING,
    amount_minor=34560,
    currency="CNY",
    created_ms=0,
    updated_ms=0,
    medium=Medium.CARD,
    brand="Visa",
    masked_pan="424242******4242",
    reason=Message.NOT_ENOUGH_MONEY,
    response_code="51",
    authorisation="482913",
)

BUSY = View(
    stage=Stage.RESULT,
    payment=SALE,
    bank=Readiness.FAULTY,
    notices=(Notice(Message.NO_BANK), Notice(Message.TO_BE_SENT, 4, 31250)),
    recent=(SALE,),
)


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("stage", Stage)
def test_no_card_reason_queue_or_fault_reaches_the_customer(stage: Stage, state: State) -> None:
    view = replace(BUSY, stage=stage, payment=replace(SALE, state=state), hint=Message.READER_LOST)
    line = encode(customer_view(view, SHOP, 0.0)).decode()
    for secret in (
        "4242",
        "51",
        "482913",
        "not_enough",
        "312",
        "no_bank",
        "reader_lost",
        "Lin Mei",
    ):
        assert secret not in line


def test_a_sale_in_doubt_is_neither_paid_nor_refused() -> None:
    for state in (State.UNKNOWN, State.REVERSING, State.CLOSING, State.AUTHORISING):
        view = replace(BUSY, payment=replace(SALE, state=state))
        assert customer_view(view, SHOP, 0.0).phase is Phase.CHECKING


def test_the_code_and_its_time_are_shown_while_it_is_open() -> None:
    view = View(stage=Stage.CODE, payment=SALE, code=ShownCode("CODE", 90.0), deadline_at=90.0)
    shown = customer_view(view, SHOP, 30.0)
    assert (shown.code, shown.left_s, shown.phase) == ("CODE", 60, Phase.CODE)
    assert customer_view(replace(view, stage=Stage.CLOSING), SHOP, 30.0).code == ""


def test_money_that_goes_back_is_no_payment() -> None:
    refund = replace(SALE, kind=Kind.REFUND, state=State.APPROVED)
    assert customer_view(replace(BUSY, payment=refund), SHOP, 0.0).phase is Phase.REFUNDED


@pytest.mark.parametrize("stage", Stage)
def test_a_line_is_read_back(stage: Stage) -> None:
    view = customer_view(replace(BUSY, stage=stage, prompt=Message.SEE_PHONE), SHOP, 0.0)
    assert decode(encode(view)) == view


@given(st.binary(max_size=60))
@settings(max_examples=150)
def test_any_line_is_a_view_or_an_error(noise: bytes) -> None:
    with pytest.raises(ValueError):
        decode(noise)


@pytest.fixture
def publisher(tmp_path: Path) -> Iterator[CustomerPublisher]:
    made = CustomerPublisher(tmp_path / "customer.sock", lambda: SHOP, lambda: 0.0)
    yield made
    made.close()


def next_of(path: Path) -> Callable[[], Phase]:
    """A screen that has connected."""
    views = follow(path)
    return lambda: next(views).phase


def test_a_screen_gets_the_present_view_and_each_new_one(
    publisher: CustomerPublisher, tmp_path: Path
) -> None:
    publisher(View())
    phase = next_of(tmp_path / "customer.sock")
    assert phase() is Phase.IDLE
    publisher(View(stage=Stage.PRESENT, payment=SALE))
    assert phase() is Phase.PRESENT
    # What the customer cannot see is not sent again.
    publisher(View(stage=Stage.PRESENT, payment=SALE, bank=Readiness.FAULTY))
    publisher(View(stage=Stage.PROCESSING, payment=SALE))
    assert phase() is Phase.WAIT


def test_the_socket_is_for_this_user_alone(publisher: CustomerPublisher, tmp_path: Path) -> None:
    assert stat.S_IMODE((tmp_path / "customer.sock").stat().st_mode) == 0o600


def test_a_screen_that_goes_away_disturbs_nobody(
    publisher: CustomerPublisher, tmp_path: Path
) -> None:
    path = tmp_path / "customer.sock"
    publisher(View())
    with socket.socket(socket.AF_UNIX) as gone:
        gone.connect(str(path))
    phase = next_of(path)
    assert phase() is Phase.IDLE
    publisher(View(stage=Stage.PRESENT, payment=SALE))
    assert phase() is Phase.PRESENT


def test_a_second_till_is_refused_and_the_first_goes_on(
    publisher: CustomerPublisher, tmp_path: Path
) -> None:
    with pytest.raises(NotAllowed, match="Another till"):
        CustomerPublisher(tmp_path / "customer.sock", lambda: SHOP, lambda: 0.0)
    publisher(View())
    assert next_of(tmp_path / "customer.sock")() is Phase.IDLE


def test_a_socket_left_by_a_dead_till_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "customer.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    made = CustomerPublisher(path, lambda: SHOP, lambda: 0.0)
    made(View())
    assert next_of(path)() is Phase.IDLE
    made.close()
    made.close()
    assert not path.exists()


def test_what_is_in_the_way_and_no_socket_is_named(tmp_path: Path) -> None:
    path = tmp_path / "customer.sock"
    path.write_text("a file")
    with pytest.raises(NotAllowed, match=str(path)):
        CustomerPublisher(path, lambda: SHOP, lambda: 0.0)
    assert path.read_text() == "a file"
