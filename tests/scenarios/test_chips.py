"""Chips in the slot of a whole shop: kernel, core, bank link, issuer, and back to the card."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

import config
from simulators.bank.schema import card_orders
from simulators.bank.store import reading
from simulators.card.contact import load_profiles, make_contact_card
from simulators.card.faults import with_faults
from simulators.responses import Answer, AnyCard, Response
from terminal.messages import Message
from terminal.states import FINAL, State
from terminal.view import Medium, Stage

PATIENCE_S = 20.0
ENDED = (*FINAL, State.STORED)


class Counted:
    """A card that counts its commands."""

    def __init__(self, card: AnyCard) -> None:
        self._card = card
        self.commands: list[bytes] = []
        self.answers: list[bytes] = []

    def power_up(self) -> None:
        self._card.power_up()

    def respond(self, command: bytes) -> Response:
        self.commands.append(command)
        response = self._card.respond(command)
        if isinstance(response, Answer):
            self.answers.append(response.data)
        return response

    def returns_after_s(self) -> float | None:
        return None


def chip(counter: Any, name: str) -> AnyCard:
    return make_contact_card(load_profiles()[name], counter.home)


def pay(counter: Any, name: str, amount_minor: int = 6_000) -> Any:
    attempt = counter.begin(amount_minor)
    counter.shop.slot.present(chip(counter, name))
    return counter.until_state(attempt, *ENDED)


def until_empty(slot: Any) -> None:
    """Wait until the till has found the slot empty: no card goes in before."""
    found_empty = threading.Event()
    look = slot.wait_for_card

    def wait_for_card(timeout_s: float) -> bool:
        is_there: bool = look(timeout_s)
        if not is_there:
            found_empty.set()
        return is_there

    slot.wait_for_card = wait_for_card
    assert found_empty.wait(PATIENCE_S)
    slot.wait_for_card = look


@pytest.mark.parametrize(
    ("name", "state", "reason"),
    [
        ("contact-cda-online", State.APPROVED, Message.APPROVED),
        ("contact-cvn10", State.APPROVED, Message.APPROVED),
        ("contact-online", State.APPROVED, Message.APPROVED_SIGN),
        ("contact-refuses-approval", State.REVERSED, Message.REVERSED),
        ("contact-script-sets-limits", State.APPROVED, Message.APPROVED),
        ("contact-wrong-cryptogram", State.DECLINED, Message.DECLINED_BY_BANK),
        ("contact-declined", State.DECLINED, Message.DECLINED_BY_CARD),
        ("contact-forged", State.DECLINED, Message.CARD_NOT_AUTHENTIC),
    ],
)
def test_a_chip_sale_ends_as_card_and_bank_agree(
    counter: Any, name: str, state: State, reason: Message
) -> None:
    end = pay(counter, name)

    assert (end.state, end.medium) == (state, Medium.CHIP)
    assert end.reason is reason


def test_a_sale_below_the_floor_limit_is_approved_by_the_card_and_booked_later(
    counter: Any,
) -> None:
    attempt = counter.begin(6_000)
    counter.shop.slot.present(chip(counter, "contact-cda-offline"))

    stored = counter.until_state(attempt, *ENDED)
    assert stored.medium is Medium.CHIP
    assert counter.until_state(attempt, State.APPROVED).response_code == "00"


def test_a_blocked_card_leaves_the_sale_open_for_another(counter: Any) -> None:
    attempt = counter.begin(6_000)
    counter.shop.slot.present(chip(counter, "contact-blocked"))
    counter.until(lambda view: view.hint is Message.CARD_BLOCKED)
    until_empty(counter.shop.slot)

    counter.shop.slot.present(chip(counter, "contact-cda-online"))

    assert counter.until_state(attempt, *ENDED).state is State.APPROVED


def test_the_issuers_script_is_carried_out_and_remembered(counter: Any) -> None:
    """The card is the whole run's: only this test may block it."""
    assert pay(counter, "contact-script-blocks-app").state is State.DECLINED
    attempt = counter.begin(6_000)
    until_empty(counter.shop.slot)
    counter.shop.slot.present(chip(counter, "contact-script-blocks-app"))

    counter.until(lambda view: view.hint is Message.CARD_NOT_ACCEPTED)
    counter.till.cancel()
    assert counter.until_state(attempt, *ENDED).state is State.CANCELLED


def test_a_new_pin_is_set_once_and_the_bank_hears_that_it_was(
    counter: Any, booked_order: Callable[[], str | None]
) -> None:
    """Ordered until the card says, under its next cryptogram, that it has done it."""
    pays = (("1234", 1, "sent"), ("4321", 0, "done"), ("4321", 0, "done"))
    for pin, orders, state in pays:
        card = Counted(chip(counter, "contact-script-changes-pin"))
        attempt = counter.begin(6_000)
        until_empty(counter.shop.slot)
        counter.shop.slot.present(card)
        counter.until(lambda view: view.stage is Stage.PIN)
        counter.do(f"pin:{pin}")

        assert counter.until_state(attempt, *ENDED).state is State.APPROVED
        assert len([command for command in card.commands if command[1] == 0x24]) == orders
        assert booked_order() == state


@pytest.fixture
def booked_order(city: Any) -> Callable[[], str | None]:
    """How the bank has the order to the card that gets another PIN."""

    def state() -> str | None:
        where = card_orders.c.account == "card/contact-script-changes-pin"
        with reading(city.place.ledger) as connection:
            found: str | None = connection.scalar(select(card_orders.c.state).where(where))
            return found

    return state


def commands_of(counter: Any, name: str) -> list[bytes]:
    card = Counted(chip(counter, name))
    attempt = counter.begin(6_000)
    counter.shop.slot.present(card)
    counter.until_state(attempt, *ENDED)
    return card.commands


@pytest.mark.parametrize("verb", ["tear-before", "tear-after", "silence"])
def test_a_card_pulled_at_any_command_costs_nobody_anything(counter: Any, verb: str) -> None:
    """Before the request the sale stays open; after an approval the money goes back.

    The shop's own check at the end compares every journal with the bank's books.
    """
    counter.shop.slot._silence_s = 0.01
    name = "contact-cda-online"
    whole = commands_of(counter, name)
    first, second = (n for n, command in enumerate(whole, start=1) if command[1] == 0xAE)
    for at in (2, first - 1, first, first + 1, second):
        attempt = counter.begin(6_000)
        counter.shop.slot.present(with_faults(chip(counter, name), (f"{verb}:{at}",)))
        if at <= first:
            counter.until(lambda view: view.hint is Message.CARD_PULLED)
            counter.till.cancel()
            assert counter.until_state(attempt, *ENDED).state is State.CANCELLED
        else:
            assert counter.until_state(attempt, *ENDED).state is State.REVERSED


def test_a_bank_out_of_reach_ends_the_sale_and_the_card_declines(counter: Any) -> None:
    counter.do("fault:bank-cut")
    card = Counted(chip(counter, "contact-cda-online"))
    attempt = counter.begin(6_000)
    counter.shop.slot.present(card)

    assert counter.until_state(attempt, *ENDED).state is State.NOT_SENT
    last = [command for command in card.commands if command[1] == 0xAE][-1]
    assert last[2] == 0x00, "the card is asked to decline"
    counter.do("fault:bank-cut")


def test_a_card_left_in_the_slot_does_not_pay_again(counter: Any) -> None:
    card = chip(counter, "contact-cda-online")
    attempt = counter.begin(6_000)
    counter.shop.slot.present(card, stay=True)
    assert counter.until_state(attempt, *ENDED).state is State.APPROVED

    again = counter.begin(7_000)
    counter.until(lambda view: view.hint is Message.TAKE_CARD_OUT)
    assert counter.till.payment(again).state is State.AWAITING_TENDER

    counter.shop.slot.remove()
    until_empty(counter.shop.slot)
    counter.shop.slot.present(chip(counter, "contact-cvn10"))
    assert counter.until_state(again, *ENDED).state is State.APPROVED


@pytest.mark.parametrize(("pin", "state"), [("1234", State.APPROVED), ("0000", State.DECLINED)])
def test_a_pin_for_the_bank_travels_with_the_chip(counter: Any, pin: str, state: State) -> None:
    attempt = counter.begin(6_000)
    counter.shop.slot.present(chip(counter, "contact-pin-online"))
    counter.until(lambda view: view.stage is Stage.PIN)
    counter.do(f"pin:{pin}")

    end = counter.until_state(attempt, *ENDED)
    assert (end.state, end.pin) == (state, True)


def test_a_cancelled_pin_lets_the_chip_go(counter: Any) -> None:
    attempt = counter.begin(6_000)
    card = Counted(chip(counter, "contact-pin-online"))
    counter.shop.slot.present(card)
    counter.until(lambda view: view.stage is Stage.PIN)
    counter.do("pin:cancel")
    counter.until(lambda view: view.stage is Stage.PRESENT)
    until_empty(counter.shop.slot)

    counter.shop.slot.present(chip(counter, "contact-cvn10"))

    assert counter.until_state(attempt, *ENDED).state is State.APPROVED
    assert [command[2] for command in card.commands if command[1] == 0xAE][-1] == 0x00


# --- what the card asks its holder --------------------------------------------------


def asked_again(counter: Any, tries: int) -> None:
    counter.until(
        lambda view: (
            view.stage is Stage.PIN and (view.hint, view.tries_left) == (Message.WRONG_PIN, tries)
        )
    )


@pytest.mark.parametrize("name", ["contact-pin", "contact-pin-enciphered"])
def test_the_card_checks_the_pin_and_a_wrong_one_may_be_tried_again(
    counter: Any, name: str
) -> None:
    card = Counted(chip(counter, name))
    attempt = counter.begin(6_000)
    counter.shop.slot.present(card)
    counter.until(lambda view: view.stage is Stage.PIN and view.tries_left == 3)
    counter.do("pin:0000")
    asked_again(counter, 2)
    assert counter.till.view().card_stays
    counter.do("pin:1234")

    end = counter.until_state(attempt, *ENDED)
    assert (end.state, end.pin, end.signature) == (State.APPROVED, True, False)
    assert end.tvr[4:6] == "00"
    assert any("VERIFIED BY PIN" in line for line in counter.till.receipt(end.id))
    verified = [command for command in card.commands if command[1] == 0x20]
    clear = [command for command in verified if b"\x24\x12\x34" in command]
    assert len(verified) == 2
    assert bool(clear) is (name == "contact-pin"), "in clear only inside the slot's own housing"


def test_a_pin_that_was_wrong_once_too_often_is_blocked_and_the_bank_is_told(
    counter: Any,
) -> None:
    """The card falls back to nothing; its bank hears that the tries are used up."""
    attempt = counter.begin(6_000)
    counter.shop.slot.present(chip(counter, "contact-pin-last-try"))
    counter.until(lambda view: view.stage is Stage.PIN and view.tries_left == 1)
    counter.do("pin:0000")

    end = counter.until_state(attempt, *ENDED)
    assert int(end.tvr[4:6], 16) & 0xA0 == 0xA0, "not verified, and no try is left"
    assert not end.pin


def test_a_card_pulled_while_its_pin_is_asked_for_ends_the_question(counter: Any) -> None:
    attempt = counter.begin(6_000)
    counter.shop.slot.present(chip(counter, "contact-pin"), stay=True)
    counter.until(lambda view: view.stage is Stage.PIN)
    counter.shop.slot.remove()

    counter.until(lambda view: view.stage is Stage.PRESENT and view.hint is Message.CARD_PULLED)
    counter.shop.slot.present(chip(counter, "contact-cda-online"))
    assert counter.until_state(attempt, *ENDED).state is State.APPROVED


@pytest.mark.parametrize("how", ["customer", "cashier"])
def test_a_pin_can_be_given_up_by_either_side(counter: Any, how: str) -> None:
    attempt = counter.begin(6_000)
    counter.shop.slot.present(chip(counter, "contact-pin"))
    counter.until(lambda view: view.stage is Stage.PIN)
    if how == "customer":
        counter.do("pin:cancel")
        counter.until(lambda view: view.hint is Message.PIN_CANCELLED)
    counter.till.cancel()

    assert counter.until_state(attempt, *ENDED).state is State.CANCELLED


def test_a_customer_may_go_on_without_where_the_shop_allows_it(
    city: Any, open_counter: Any
) -> None:
    home = city.new_home()
    lines = config.BENCH.read_text("utf-8").replace("[shop]", "[shop]\npin_may_be_skipped = true")
    (home / "shop.toml").write_text(lines, "utf-8")
    counter = open_counter(home=home, file=home / "shop.toml").until_ready()
    attempt = counter.begin(6_000)
    counter.shop.slot.present(chip(counter, "contact-pin"))
    counter.until(lambda view: view.stage is Stage.PIN)
    counter.do("pin:skip")

    end = counter.until_state(attempt, *ENDED)
    assert end.signature, "the list goes on"
    assert int(end.tvr[4:6], 16) & 0x08, "the bank is told that no PIN was entered"


@pytest.mark.parametrize(("place", "label"), [(0, "VISA CREDIT"), (1, "VISA DEBIT")])
def test_the_holder_chooses_the_application(counter: Any, place: int, label: str) -> None:
    attempt = counter.begin(6_000)
    counter.shop.slot.present(chip(counter, "contact-two-applications"))
    view = counter.until(lambda view: view.stage is Stage.CHOOSE)
    assert list(view.choices) == ["VISA CREDIT", "VISA DEBIT"]
    assert view.language == "en", "the card likes English first"
    counter.till.choose(place)

    end = counter.until_state(attempt, *ENDED)
    assert (end.state, end.application_label) == (State.APPROVED, label)


def test_a_holder_who_does_not_agree_may_pay_otherwise(counter: Any) -> None:
    attempt = counter.begin(6_000)
    counter.shop.slot.present(chip(counter, "contact-confirm"))
    counter.until(lambda view: view.prompt is Message.CONFIRM_APPLICATION)
    counter.till.choose(None)
    counter.until(lambda view: view.hint is Message.NOTHING_CHOSEN)
    until_empty(counter.shop.slot)

    counter.shop.slot.present(chip(counter, "contact-confirm"))
    counter.until(lambda view: view.stage is Stage.CHOOSE)
    counter.till.choose(0)
    assert counter.until_state(attempt, *ENDED).state is State.APPROVED


def test_a_signature_that_the_cashier_refuses_gives_the_money_back(counter: Any) -> None:
    end = pay(counter, "contact-online")
    assert (end.state, end.signature) == (State.APPROVED, True)
    counter.till.refuse_signature()

    assert counter.until_state(end.id, State.REVERSED).reason is Message.REVERSED
    assert counter.booked.transfers_of(end.id) == ["sale", "reversal"]


def test_a_tap_and_a_chip_at_once_pay_once(counter: Any, hold: Callable[..., None]) -> None:
    attempt = counter.begin(6_000)
    counter.shop.slot.present(chip(counter, "contact-cda-online"))
    hold(counter, "visa-online")

    end = counter.until_state(attempt, *ENDED)
    assert end.state is State.APPROVED
    assert end.medium in (Medium.CHIP, Medium.CARD)


def test_no_card_number_of_a_chip_is_left_in_the_till(counter: Any) -> None:
    """Approved, reversed and refused: neither as text nor packed, in no file of the till."""
    names = ("contact-cda-online", "contact-refuses-approval", "contact-declined")
    said = []
    for name in names:
        attempt = counter.begin(6_000)
        until_empty(counter.shop.slot)
        counter.shop.slot.present(chip(counter, name))
        end = counter.until_state(attempt, *ENDED)
        said += [repr(end), repr(counter.till.view()), *counter.till.receipt(end.id)]

    # Traces of a simulated slot are whole; tests/scenarios/test_secrets.py has more.
    content = b"".join(
        path.read_bytes()
        for path in (counter.home / "till").rglob("*")
        if path.is_file() and path.parent.name != "traces"
    )
    assert b"awaiting_tender" in content
    for name in names:
        pan = load_profiles()[name].pan
        assert pan.encode() not in content
        assert bytes.fromhex(pan) not in content
        assert not [text for text in said if pan in text]
