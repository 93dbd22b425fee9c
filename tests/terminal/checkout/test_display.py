"""What the customer reads on a pole, through the real driver onto a simulated display."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from config import BENCH, load_settings
from drivers.display_serial import SerialDisplay
from simulators.display import DisplaySimulator
from simulators.serial_line import Fault, SerialLine
from terminal import customer
from terminal.checkout import display as display_module
from terminal.checkout.display import PHASES, PROMPTS, DisplayWorker, lines_of
from terminal.customer import Phase, customer_view
from terminal.events import DeviceHealth, InboxEvent
from terminal.messages import Message
from terminal.opening import shop_facts
from terminal.states import State
from terminal.view import Kind, Notice, PaymentView, Readiness, Stage, View

SHOP = shop_facts(load_settings(BENCH))
SALE = PaymentView(
    id="018f0000-0000-7000-8000-000000000001",
    number=7,
    kind=Kind.SALE,
    state=State.AWAITING_TENDER,
    amount_minor=34_560,
    currency="CNY",
    created_ms=0,
    updated_ms=0,
)
PRESENT = View(stage=Stage.PRESENT, payment=SALE, prompt=Message.PRESENT, deadline_at=60.0)
WAIT_S = 20.0
COLUMNS = 20


def result(state: State, **facts: Any) -> View:
    return View(stage=Stage.RESULT, payment=replace(SALE, state=state, **facts))


@dataclass
class Pole:
    """A worker, the display on its line, and what the worker says of it."""

    line: SerialLine
    sim: DisplaySimulator
    worker: DisplayWorker
    told: list[DeviceHealth] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def post(self, event: InboxEvent) -> None:
        assert isinstance(event, DeviceHealth)
        with self.changed:
            self.told.append(event)
            self.changed.notify_all()

    def until_told(self, readiness: Readiness) -> DeviceHealth:
        with self.changed:
            assert self.changed.wait_for(
                lambda: self.told and self.told[-1].readiness is readiness, WAIT_S
            ), self.told
            return self.told[-1]

    def until_shown(self, upper: str, lower: str) -> None:
        shown = self.line.wait_for(lambda: self.sim.lines == (upper, lower), WAIT_S)
        assert shown, self.sim.lines


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Pole]]:
    monkeypatch.setattr(display_module, "TURN_S", 0.05)
    monkeypatch.setattr(display_module, "RETRY_S", 0.05)
    poles: list[Pole] = []

    def make_pole(*, chinese: str = "gb18030", languages: Any = "both") -> Pole:
        sim = DisplaySimulator(has_chinese=chinese != "none")
        line = SerialLine(sim, tmp_path / f"display{len(poles)}")
        pole: Pole
        worker = DisplayWorker(
            lambda: SerialDisplay(str(line.link), chinese=chinese),
            "Pole",
            lambda: SHOP,
            lambda: 0.0,
            lambda event: pole.post(event),
            languages=languages,
        )
        pole = Pole(line, sim, worker)
        poles.append(pole)
        worker.start()
        return pole

    yield make_pole
    for pole in poles:
        pole.line.break_with(Fault.NONE)
        pole.worker.close()
        pole.line.close()


def test_every_phase_and_prompt_has_words_that_fit() -> None:
    assert set(PHASES) == set(Phase)
    assert set(PROMPTS) >= customer._PROMPTS
    for chinese, english in (*PHASES.values(), *PROMPTS.values()):
        assert cell_len(chinese) <= COLUMNS, chinese
        assert cell_len(english) <= COLUMNS, english
        assert english.isascii()


def test_the_shops_own_welcome_stands_there_between_sales() -> None:
    shop = replace(SHOP, welcome="Open till ten", welcome_zh="营业到十点")

    def lower(view: View, *, is_chinese: bool) -> str:
        return lines_of(customer_view(view, shop, 0.0), is_chinese=is_chinese)[1]

    assert lower(View(), is_chinese=False) == "Open till ten"
    assert lower(View(), is_chinese=True) == "营业到十点"
    assert lower(PRESENT, is_chinese=False) == "Card, phone or code"


def test_a_sale_from_the_first_digit_to_the_thanks(make: Callable[..., Pole]) -> None:
    pole = make(languages="en")
    pole.until_shown("Bench Corner Shop", "Welcome")
    pole.worker(PRESENT)
    pole.until_shown("CNY 345.60", "Card, phone or code")
    pole.worker(replace(PRESENT, hint=Message.TAP_AGAIN))
    pole.until_shown("CNY 345.60", "Tap again")
    pole.worker(replace(PRESENT, stage=Stage.PROCESSING, prompt=Message.AUTHORISING))
    pole.until_shown("CNY 345.60", "Please wait")
    pole.worker(result(State.APPROVED))
    pole.until_shown("CNY 345.60", "Approved. Thank you")
    pole.worker.close()
    pole.until_shown("Bench Corner Shop", "Welcome")


def test_both_languages_take_turns_where_the_display_has_both(make: Callable[..., Pole]) -> None:
    pole = make()
    pole.worker(PRESENT)
    for _ in range(2):
        pole.until_shown("CNY 345.60", "请刷卡或出示付款码")
        pole.until_shown("CNY 345.60", "Card, phone or code")


def test_a_display_without_chinese_is_written_to_in_english(make: Callable[..., Pole]) -> None:
    pole = make(chinese="none", languages="zh")
    pole.worker(PRESENT)
    pole.until_shown("CNY 345.60", "Card, phone or code")


@pytest.mark.parametrize("plug_out", ["idle", "in mid-line"])
def test_a_lost_display_shows_the_present_moment_when_it_is_back(
    make: Callable[..., Pole], plug_out: str
) -> None:
    pole = make(languages="en")
    pole.until_told(Readiness.READY)
    if plug_out == "idle":
        pole.line.unplug()
    else:
        pole.line.unplug_after(10)
    pole.worker(PRESENT)
    assert pole.until_told(Readiness.FAULTY).trouble is Message.NO_DISPLAY
    pole.worker(result(State.APPROVED))
    pole.line.plug()
    pole.until_shown("CNY 345.60", "Approved. Thank you")
    assert pole.until_told(Readiness.READY).trouble is None


def test_a_display_that_was_switched_off_and_on_is_written_again(
    make: Callable[..., Pole],
) -> None:
    """It has forgotten its text, and no wire tells of it."""
    pole = make(languages="en")
    pole.until_shown("Bench Corner Shop", "Welcome")
    with pole.line.changed:
        pole.sim.receive(b"\x1b@")
        assert pole.sim.lines == ("", "")
    pole.until_shown("Bench Corner Shop", "Welcome")


def test_a_stuck_display_holds_up_nobody(make: Callable[..., Pole]) -> None:
    """Whoever publishes views returns at once, however long the display takes."""
    pole = make(languages="en")
    pole.until_told(Readiness.READY)
    pole.line.break_with(Fault.STUCK)
    for _ in range(1000):
        pole.worker(PRESENT)
        pole.worker(result(State.DECLINED))
    pole.line.break_with(Fault.NONE)
    pole.until_shown("CNY 345.60", "Declined")


@given(
    state=st.sampled_from(State),
    kind=st.sampled_from(sorted(set(Kind) - {Kind.BALANCE})),
    reason=st.sampled_from(Message),
    code=st.sampled_from(["05", "41", "43", "51"]),
    chinese=st.booleans(),
)
def test_nothing_that_is_the_shops_own_matter_stands_there(
    state: State, kind: Kind, reason: Message, code: str, chinese: bool
) -> None:
    facts: dict[str, Any] = {
        "kind": kind,
        "reason": reason,
        "response_code": code,
        "masked_pan": "411111******1111",
    }
    view = replace(
        result(state, **facts), prompt=reason, notices=(Notice(Message.TO_BE_SENT, count=41),)
    )
    upper, lower = lines_of(customer_view(view, SHOP, 0.0), is_chinese=chinese)
    assert upper == "CNY 345.60"
    assert lower in {words[0 if chinese else 1] for words in PHASES.values()}
    assert not any(character.isdigit() for character in lower)
