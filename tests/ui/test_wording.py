"""Signs and frames: green means approved, and nothing else does."""

import pytest

from terminal.states import State
from terminal.view import Kind
from ui.locale import translate
from ui.still import payment
from ui.wording import MARKS, how_text, result_frame, state_mark

IN_DOUBT = frozenset(State) - {
    State.APPROVED,
    State.DECLINED,
    State.STORED_REFUSED,
    State.REVERSED,
    State.VOIDED,
    State.CAPTURED,
    State.REVERSAL_REFUSED,
    State.STORED,
    State.DEFERRED,
    State.CANCELLED,
    State.NOT_SENT,
    State.SETTLED,
}


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("state", State)
def test_only_an_approval_is_green(state: State, kind: Kind) -> None:
    frame = result_frame(payment(state=state, kind=kind))
    assert (frame.field == "ok") == (state is State.APPROVED)


@pytest.mark.parametrize(("kind", "word"), [(Kind.REFUND, "refunded"), (Kind.VOID, "voided")])
def test_money_given_back_does_not_read_as_a_sale(kind: Kind, word: str) -> None:
    """The sale screen lists the last payments by amount and this word."""
    assert state_mark(payment(state=State.APPROVED, kind=kind)).word == word


@pytest.mark.parametrize("state", sorted(IN_DOUBT))
def test_whatever_is_not_settled_is_in_doubt(state: State) -> None:
    frame = result_frame(payment(state=state))
    assert (frame.field, frame.sign) == ("ask", "question")


def test_states_that_call_for_different_deeds_differ_without_colour() -> None:
    """Sign and word together tell them apart."""
    told = {(mark.sign, mark.word) for mark in MARKS.values()}
    assert len(told) == len(MARKS) == len(State)


def test_a_sale_given_back_whole_is_refunded_and_in_part_is_not() -> None:
    whole = payment(state=State.APPROVED, refunded_minor=34_560)
    part = payment(state=State.APPROVED, refunded_minor=34_559)
    assert (state_mark(whole).word, state_mark(part).word) == ("refunded", "approved")


def test_a_brand_has_its_chinese_name_and_a_card_its_last_four() -> None:
    zh = translate("zh")
    assert how_text(payment(brand="Alipay"), zh) == "支付宝"
    card = payment(brand="Visa", masked_pan="424242******4242")
    assert how_text(card, zh) == "Visa **** 4242"
    assert how_text(payment(), zh) == "-"
