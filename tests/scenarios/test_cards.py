"""Cards that leave, fall silent or talk nonsense; readers and cameras that go."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from emv import tlv
from simulators.card import load_profiles, make_card
from simulators.responses import Answer, AnyCard, Response
from terminal.messages import Message
from terminal.states import FINAL, State
from terminal.view import Medium, Readiness, Stage

OFFLINE, ONLINE = "visa-offline", "visa-online"


class Altered:
    """A card between which and the reader somebody sits."""

    def __init__(self, card: AnyCard, change: Callable[[bytes, bytes], bytes]) -> None:
        """change: command and response to what the reader gets instead."""
        self._card = card
        self._change = change
        self.commands: list[bytes] = []

    def power_up(self) -> None:
        self._card.power_up()

    def respond(self, command: bytes) -> Response:
        self.commands.append(command)
        response = self._card.respond(command)
        if isinstance(response, Answer):
            return Answer(self._change(command, response.data), response.delay_us)
        return response

    def returns_after_s(self) -> float | None:
        return self._card.returns_after_s()


def card_of(counter: Any, profile: str) -> AnyCard:
    return make_card(load_profiles()[profile], counter.home)


def commands_of_a_tap(counter: Any, profile: str) -> int:
    """Take one sale; return how many commands its card has got."""
    card = Altered(card_of(counter, profile), lambda _command, response: response)
    attempt = counter.begin()
    counter.shop.reader.present(card)
    assert counter.until_state(attempt, *FINAL, State.STORED).state in (
        State.APPROVED,
        State.STORED,
    )
    return len(card.commands)


@pytest.mark.parametrize("verb", ["tear-before", "tear-after"])
@pytest.mark.parametrize("profile", [OFFLINE, ONLINE])
def test_a_card_torn_at_any_command_taps_again_and_pays(
    counter: Any, hold: Any, profile: str, verb: str
) -> None:
    """One sale, torn at each command in turn, then paid by the same card, once."""
    count = commands_of_a_tap(counter, profile)
    assert count >= 3
    attempt = counter.begin(2600)
    for number in range(1, count + 1):
        hold(counter, profile, f"{verb}:{number}")
        counter.until(lambda view: view.stage is Stage.READING)
        view = counter.until(lambda view: view.stage is not Stage.READING)
        assert (view.stage, view.hint) == (Stage.PRESENT, Message.TAP_AGAIN), number
    assert counter.booked.state(attempt) == ""
    counter.do(f"card:{profile}")
    end = counter.until_state(attempt, *FINAL)

    assert (end.state, end.medium) == (State.APPROVED, Medium.CARD)
    assert counter.booked.transfers_of(attempt) == ["sale"]


@pytest.mark.parametrize("profile", [OFFLINE, ONLINE])
def test_garbage_at_any_command_approves_nothing(counter: Any, hold: Any, profile: str) -> None:
    for number in range(1, commands_of_a_tap(counter, profile) + 1):
        attempt = counter.begin(2700)
        hold(counter, profile, f"garbage:{number}")
        counter.until(lambda view: view.stage is Stage.READING)
        view = counter.until(lambda view: view.stage is not Stage.READING)
        if view.stage is Stage.RESULT:
            assert counter.till.payment(attempt).state is State.DECLINED, number
            continue
        assert view.hint in (Message.CARD_UNREADABLE, Message.CARD_NOT_ACCEPTED), number
        counter.do(f"card:{profile}")
        assert counter.until_state(attempt, *FINAL).state is State.APPROVED


def test_a_silent_card_taps_again_and_pays(counter: Any, hold: Any) -> None:
    attempt = counter.begin(2800)
    hold(counter, ONLINE, "silence:3")
    counter.until(lambda view: view.hint is Message.TAP_AGAIN)
    counter.do("card:visa-online")

    assert counter.until_state(attempt, *FINAL).state is State.APPROVED


def _without(tag: int, response: bytes) -> bytes:
    return _rebuilt(response, lambda number, value: b"" if number == tag else _put(number, value))


def _twice(tag: int, response: bytes) -> bytes:
    return _rebuilt(
        response, lambda number, value: _put(number, value) * (2 if number == tag else 1)
    )


def _shorter(tag: int, response: bytes) -> bytes:
    return _rebuilt(
        response,
        lambda number, value: _put(number, value[: len(value) // 2] if number == tag else value),
    )


def _longer(tag: int, response: bytes) -> bytes:
    return _rebuilt(
        response, lambda number, value: _put(number, value * 3 if number == tag else value)
    )


def _put(tag: int, value: bytes) -> bytes:
    return tlv.encode(tag, value)


def _rebuilt(response: bytes, put: Callable[[int, bytes], bytes]) -> bytes:
    """Write the objects of a template anew, each as put says."""
    if response[:1] not in (b"\x70", b"\x77"):
        return response
    (template,) = tlv.decode(response[:-2])
    body = b"".join(put(node.tag, node.value) for node in template.children or ())
    return tlv.encode(template.tag, body) + response[-2:]


CARD_NEEDS = {0x57: "track 2", 0x82: "AIP", 0x9F26: "cryptogram", 0x9F36: "ATC", 0x9F10: "IAD"}


@pytest.mark.parametrize("damage", [_without, _twice, _shorter, _longer])
@pytest.mark.parametrize("tag", CARD_NEEDS, ids=list(CARD_NEEDS.values()))
def test_card_data_missing_doubled_or_of_wrong_length_never_pays(
    counter: Any, tag: int, damage: Callable[[int, bytes], bytes]
) -> None:
    """The till says so; or, where only the bank can tell, the bank refuses."""
    attempt = counter.begin(2900)
    touched = []

    def change(_command: bytes, response: bytes) -> bytes:
        changed = damage(tag, response)
        touched.append(changed != response)
        return changed

    counter.shop.reader.present(Altered(card_of(counter, ONLINE), change))
    counter.until(
        lambda view: (
            view.stage is Stage.RESULT or (view.stage is Stage.PRESENT and view.hint is not None)
        )
    )
    assert any(touched)
    payment = counter.till.payment(attempt)
    assert payment.state in (State.AWAITING_TENDER, State.DECLINED)
    if payment.state is State.AWAITING_TENDER:
        assert counter.till.view().hint is Message.CARD_UNREADABLE
        counter.do("card:visa-online")
        assert counter.until_state(attempt, *FINAL).state is State.APPROVED
    else:
        assert payment.reason is not None
        assert counter.booked.transfers_of(attempt) == []


# --- two cards, no reader, no camera ----------------------------------------------------


def test_two_cards_are_refused_and_one_of_them_pays(counter: Any) -> None:
    attempt = counter.begin()
    counter.do("fault:two-cards")
    counter.until(lambda view: view.hint is Message.ONE_CARD_ONLY)
    assert counter.booked.state(attempt) == ""
    counter.do("card:visa-online")

    assert counter.until_state(attempt, *FINAL).state is State.APPROVED


def test_without_its_reader_the_till_takes_codes_and_with_it_again_cards(counter: Any) -> None:
    attempt = counter.begin()
    counter.do("fault:reader-unplugged")
    view = counter.until(lambda view: view.hint is Message.READER_LOST)
    assert Message.NO_READER in [notice.message for notice in view.notices]
    counter.do("wallet:alipay-qr")
    assert counter.until_state(attempt, *FINAL).medium is Medium.PAYMENT_CODE

    counter.do("fault:reader-unplugged")
    counter.until(lambda view: view.reader is Readiness.READY)
    assert counter.pay().medium is Medium.CARD


def test_a_reader_pulled_in_the_middle_of_a_tap_takes_no_money(counter: Any, hold: Any) -> None:
    attempt = counter.begin()
    hold(counter, ONLINE, "delay:300")
    counter.until(lambda view: view.stage is Stage.READING)
    counter.do("fault:reader-unplugged")
    counter.until(lambda view: view.hint is Message.READER_LOST)
    counter.shop.reader.remove()
    counter.do("fault:reader-unplugged")
    counter.until(lambda view: view.tap is Readiness.READY)
    assert counter.booked.state(attempt) == ""
    counter.do("card:visa-online")

    assert counter.until_state(attempt, *FINAL).state is State.APPROVED


def test_a_camera_that_stands_still_is_named_and_comes_back(counter: Any) -> None:
    counter.until(lambda view: view.camera is Readiness.READY)
    counter.begin()
    counter.until(lambda view: view.scan is Readiness.READY)
    counter.do("fault:camera-stalled")
    view = counter.until(lambda view: view.camera in (Readiness.FAULTY, Readiness.ABSENT))
    assert Message.NO_CAMERA in [notice.message for notice in view.notices]
    counter.do("card:visa-online")
    counter.until(lambda view: view.stage is Stage.RESULT)
    attempt = counter.begin(1300)
    counter.do("fault:camera-stalled")
    counter.do("wallet:alipay-qr")

    assert counter.until_state(attempt, *FINAL).medium is Medium.PAYMENT_CODE


def test_the_first_medium_wins_and_the_second_is_not_heard(counter: Any, city: Any) -> None:
    """A code is before the camera while a card is tapped: one payment, one debit."""
    counter.do("wallet:alipay-qr")
    attempt = counter.begin()
    counter.do("card:visa-online")
    assert counter.until_state(attempt, *FINAL).state is State.APPROVED
    assert counter.booked.transfers_of(attempt) == ["sale"]
