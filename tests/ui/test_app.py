"""Press keys and read the screen."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from textual.app import App
from textual.pilot import Pilot

from terminal.bench import Offer
from terminal.errors import AmountRefused, NotAllowed
from terminal.messages import Message
from terminal.states import State
from terminal.view import Notice, Readiness, Stage, StoryLine, View
from ui.app import TillApp
from ui.still import (
    CODE,
    PRESENT,
    PROCESSING,
    QUIET,
    RECENT,
    SHOP,
    VIEWS,
    StillBench,
    StillTill,
    ended,
)

Read = Callable[[App[Any]], str]


async def show(pilot: Pilot[None], till: StillTill, view: View) -> None:
    """Let the till move on, long enough ago that its result takes keys."""
    till.show(view)
    await pilot.pause()
    till.pass_time(1.0)


async def test_digits_make_the_amount_and_enter_takes_it(
    still: StillTill, read_screen: Read
) -> None:
    app = TillApp(still)
    async with app.run_test(size=(80, 24)) as pilot:
        assert "TOTAL   CNY" in read_screen(app)
        await pilot.press(*"34560", "enter")
        assert still.wishes == [("sale", 34560)]


async def test_enter_without_an_amount_says_what_to_do(still: StillTill, read_screen: Read) -> None:
    app = TillApp(still)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("enter")
        assert "Type the amount first" in read_screen(app)
        assert still.wishes == []


async def test_items_add_up_and_can_be_dropped(still: StillTill, read_screen: Read) -> None:
    app = TillApp(still)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(*"28800", "plus", *"5760", "plus")
        assert "Item 2" in read_screen(app)
        assert app.desk.entry.total_minor == 34560
        await pilot.press("minus", *"99", "backspace")
        assert app.desk.entry.total_minor == 28809
        await pilot.press("escape", "enter")
        assert still.wishes == []


async def test_a_point_is_answered_with_the_rule(still: StillTill, read_screen: Read) -> None:
    app = TillApp(still)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("1", "0", "full_stop")
        assert "1 0 9 9 is 10.99" in read_screen(app)
        assert app.desk.entry.total_minor == 10


async def test_a_hand_scanner_that_types_is_no_amount(still: StillTill, read_screen: Read) -> None:
    app = TillApp(still)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(*"281234567890123456")
        assert "scanner" in read_screen(app)
        assert app.desk.entry.total_minor == 0


async def test_a_whole_sale_by_keyboard(still: StillTill, read_screen: Read) -> None:
    """Amount, present, processing, approved, and the next digit begins the next sale."""
    app = TillApp(still)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(*"34560", "enter")
        await show(pilot, still, PRESENT)
        screen = read_screen(app)
        assert "Present card, phone or code" in screen
        # A tick may have come since: show() moved the clock on.
        assert "42 s" in screen or "41 s" in screen
        assert "Tap" in screen
        assert "Scan" in screen
        await show(pilot, still, PROCESSING)
        assert "Already sent" in read_screen(app)
        await show(pilot, still, VIEWS["approved"])
        screen = read_screen(app)
        assert "Hand over the goods" in screen
        assert "**** 4242" in screen
        await pilot.press("7")
        assert still.wishes == [("sale", 34560), ("leave",)]
        still.show(QUIET)
        await pilot.pause()
        assert app.desk.entry.total_minor == 7


async def test_escape_cancels_until_it_is_too_late(still: StillTill, read_screen: Read) -> None:
    app = TillApp(still)
    async with app.run_test(size=(80, 24)) as pilot:
        await show(pilot, still, PRESENT)
        await pilot.press("escape")
        assert still.wishes == [("cancel",)]
        await show(pilot, still, PROCESSING)
        still.refusal = NotAllowed("Already sent: cannot be cancelled now")
        await pilot.press("escape")
        assert "! Already sent: cannot be cancelled now" in read_screen(app)


async def test_what_the_till_refuses_is_said_in_the_cashier_s_language(
    still: StillTill, read_screen: Read
) -> None:
    app = TillApp(still, "zh")
    async with app.run_test(size=(80, 24)) as pilot:
        still.refusal = AmountRefused("The amount must be above zero")
        await pilot.press("5", "enter")
        assert "! 金额必须大于零" in read_screen(app)
        assert app.desk.entry.total_minor == 5
        await pilot.press("backspace")
        assert "金额必须大于零" not in read_screen(app)


async def test_a_result_is_deaf_until_it_can_have_been_seen(still: StillTill) -> None:
    app = TillApp(still)
    async with app.run_test(size=(80, 24)) as pilot:
        still.show(VIEWS["declined"])
        await pilot.pause()
        still.pass_time(0.39)
        await pilot.press("enter")
        assert still.wishes == []
        still.pass_time(0.02)
        await pilot.press("enter")
        assert still.wishes == [("leave",), ("sale", 34560)]


async def test_a_decline_names_reason_and_next_step(still: StillTill, read_screen: Read) -> None:
    app = TillApp(still)
    async with app.run_test(size=(80, 24)) as pilot:
        await show(pilot, still, VIEWS["declined"])
        screen = read_screen(app)
        assert "Not enough money   Another card or wallet." in screen
        assert "Nothing was charged." in screen
        assert "Code 51" in screen


async def test_unknown_is_checked_or_kept_and_never_closed(
    still: StillTill, read_screen: Read
) -> None:
    app = TillApp(still)
    async with app.run_test(size=(80, 24)) as pilot:
        await show(pilot, still, VIEWS["unknown"])
        assert "Do not charge again" in read_screen(app)
        await pilot.press("escape")
        assert "Not settled yet" in read_screen(app)
        assert still.wishes == []
        await pilot.press("enter", "n")
        assert still.wishes == [("check_now",), ("leave",)]


async def test_a_cancelled_sale_gives_its_amount_back(still: StillTill) -> None:
    app = TillApp(still)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(*"34560", "enter")
        await show(pilot, still, PRESENT)
        await show(pilot, still, VIEWS["cancelled"])
        await pilot.press("enter")
        await show(pilot, still, QUIET)
        assert app.desk.entry.total_minor == 34560


async def test_undo_voids_the_approved_sale(still: StillTill) -> None:
    app = TillApp(still)
    async with app.run_test(size=(80, 24)) as pilot:
        await show(pilot, still, VIEWS["approved"])
        await pilot.press("u")
        assert still.wishes == [("void", 415)]


async def test_an_approved_refund_is_not_called_a_sale(still: StillTill, read_screen: Read) -> None:
    app = TillApp(still)
    async with app.run_test(size=(80, 24)) as pilot:
        await show(pilot, still, VIEWS["refunded"])
        screen = read_screen(app)
        assert "The customer gets this money back." in screen
        assert "Hand over" not in screen
        assert "Undo" not in screen


async def test_f7_shows_our_code_at_once_or_as_soon_as_it_may(still: StillTill) -> None:
    app = TillApp(still)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(*"500", "f7")
        await show(pilot, still, replace(PRESENT, show=Readiness.STARTING))
        assert still.wishes == [("sale", 500)]
        await show(pilot, still, PRESENT)
        assert still.wishes == [("sale", 500), ("show_code",)]
        await show(pilot, still, CODE)
        await pilot.press("c", "escape")
        assert still.wishes[2:] == [("check_now",), ("cancel",)]


async def test_language_changes_at_once_and_the_amount_stays(
    still: StillTill, read_screen: Read
) -> None:
    app = TillApp(still)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(*"345", "f10")
        screen = read_screen(app)
        assert "应收金额" in screen
        assert "F10 English" in screen
        assert app.desk.entry.total_minor == 345
        await pilot.press("f10")
        assert "Take payment" in read_screen(app)


async def test_language_changes_in_the_middle_of_a_payment(
    still: StillTill, read_screen: Read
) -> None:
    app = TillApp(still)
    async with app.run_test(size=(80, 24)) as pilot:
        await show(pilot, still, PROCESSING)
        await pilot.press("f10")
        assert "正在授权" in read_screen(app)


async def test_f11_goes_through_the_themes(still: StillTill) -> None:
    app = TillApp(still)
    async with app.run_test(size=(80, 24)) as pilot:
        seen = [app.theme]
        for _ in range(3):
            await pilot.press("f11")
            seen.append(app.theme)
        assert seen == ["dark", "light", "contrast", "dark"]


async def test_mid_payment_no_list_opens(still: StillTill, read_screen: Read) -> None:
    app = TillApp(still)
    async with app.run_test(size=(80, 24)) as pilot:
        await show(pilot, still, PROCESSING)
        await pilot.press("f2")
        screen = read_screen(app)
        assert "A payment is in hand" in screen
        assert "PAYMENTS" not in screen


async def test_help_may_be_read_mid_payment_and_its_result_comes_through(
    still: StillTill, read_screen: Read
) -> None:
    app = TillApp(still)
    async with app.run_test(size=(80, 24)) as pilot:
        await show(pilot, still, PROCESSING)
        await pilot.press("f1")
        assert "KEYS" in read_screen(app)
        await show(pilot, still, VIEWS["approved"])
        assert "Hand over the goods" in read_screen(app)


async def test_a_payment_is_found_opened_and_refunded_in_part(
    still: StillTill, read_screen: Read
) -> None:
    app = TillApp(still)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("f2", *"0011", "enter")
        screen = read_screen(app)
        assert "0411" in screen
        assert "0414" not in screen
        await pilot.press("r")
        assert "Left to refund: ¥1,280.00" in read_screen(app)
        await pilot.press(*"5000", "enter")
        assert still.wishes == [("refund", 411, 5000)]


async def test_a_refund_is_prefilled_and_never_more_than_is_left(
    still: StillTill, read_screen: Read
) -> None:
    app = TillApp(still)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("f5", "r", *"9999999", "enter")
        assert "Only ¥36.00 is left to refund" in read_screen(app)
        await pilot.press("escape", "r", "enter")
        assert still.wishes == [("refund", 414, 3600)]


async def test_a_void_asks_once(still: StillTill, read_screen: Read) -> None:
    app = TillApp(still)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("f4", "v")
        assert "Void all of this?" in read_screen(app)
        assert still.wishes == []
        await pilot.press("enter")
        assert still.wishes == [("void", 414)]


async def test_what_cannot_be_given_back_is_refused_in_words(
    still: StillTill, read_screen: Read
) -> None:
    app = TillApp(still)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("f4", "down", "v")
        assert "cannot be voided" in read_screen(app)
        await pilot.press("r")
        assert "Nothing here to refund" in read_screen(app)
        assert still.wishes == []


async def test_the_detail_has_four_tabs(still: StillTill, read_screen: Read) -> None:
    app = TillApp(still)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("f3")
        assert "Alipay" in read_screen(app)
        await pilot.press("tab")
        assert "AUTHORISING written" in read_screen(app)
        await pilot.press("tab")
        assert "重打印" in read_screen(app)
        await pilot.press("tab")
        assert "amount 52.00 reaches the CVM limit" in read_screen(app)
        assert "Book B, 3.1.1" in read_screen(app)
        await pilot.press("tab")
        assert "Medium" in read_screen(app)
        await pilot.press("shift+tab")
        assert "kernel 3 chosen" in read_screen(app)


class LongStories(StillTill):
    """A chip's conversation has some fifty lines."""

    def story(self, payment_id: str) -> Sequence[StoryLine]:
        said = [
            StoryLine(n * 1000, "kernel {kernel_id} chosen", {"kernel_id": n}) for n in range(40)
        ]
        return [*said, StoryLine(50_000, "Outcome: {status}", {"status": "declined"})]


async def test_a_story_longer_than_the_screen_is_read_to_its_end(read_screen: Read) -> None:
    app = TillApp(LongStories(), "zh")
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("f3", "shift+tab")
        assert "选择内核 0" in read_screen(app)
        assert "declined" not in read_screen(app)
        await pilot.press("enter", "pagedown", "pagedown", "pagedown")
        assert "结果：" in read_screen(app)
        await pilot.press("escape")
        assert "选择内核 0" in read_screen(app)


class NoCards(StillTill):
    """Its customers pay by codes alone."""

    def story(self, payment_id: str) -> Sequence[StoryLine]:
        return ()


async def test_a_payment_without_a_card_says_so(read_screen: Read) -> None:
    app = TillApp(NoCards())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("f3", "shift+tab")
        assert "No card was read" in read_screen(app)


async def test_the_copy_of_the_last_receipt_says_that_it_is_one(
    still: StillTill, read_screen: Read
) -> None:
    app = TillApp(still)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("f6")
        assert "COPY" in read_screen(app)
        await pilot.press("escape")
        assert "TOTAL" in read_screen(app)


class WordyBench(StillBench):
    """One of its offers ends in many ways."""

    def offers(self) -> Sequence[Offer]:
        expect = "declined by the till where the card approves offline, else by the bank (54)"
        first, *others = super().offers()
        return [replace(first, expect=expect), *others]


async def test_what_to_expect_of_an_offer_is_read_whole(read_screen: Read) -> None:
    app = TillApp(StillTill(PRESENT, replace(SHOP, is_bench=True), WordyBench()))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("b")
        screen = " ".join(read_screen(app).split())
        assert "Expect: declined by the till where the card" in screen
        assert "else by the bank (54)" in screen


class LongReceipts(StillTill):
    """A card receipt has some thirty lines."""

    def receipt(self, payment_id: str, copy: bool = True) -> Sequence[str]:
        return [*(f"line {number}" for number in range(1, 30)), "the end of it"]


async def test_a_receipt_longer_than_the_screen_is_read_to_its_end(read_screen: Read) -> None:
    """The tab in a payment's detail shows only its beginning, and says which key has it all."""
    app = TillApp(LongReceipts())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("f3", "tab", "tab")
        assert "line 1" in read_screen(app)
        assert "the end of it" not in read_screen(app)
        assert "P  Whole receipt" in read_screen(app)
        await pilot.press("p", "pagedown", "pagedown")
        assert "the end of it" in read_screen(app)
        await pilot.press("escape")
        assert "Summary" in read_screen(app)


async def test_the_first_receipt_is_no_copy(still: StillTill, read_screen: Read) -> None:
    app = TillApp(still)
    async with app.run_test(size=(80, 24)) as pilot:
        await show(pilot, still, VIEWS["approved"])
        await pilot.press("p")
        screen = read_screen(app)
        assert "RECEIPT   0415" in screen
        assert "COPY" not in screen


PAPER = replace(SHOP, has_printer=True, has_drawer=True)


async def test_where_there_is_a_printer_receipts_come_on_paper(read_screen: Read) -> None:
    """P on a result, in the list and on the whole receipt; F6 for the last."""
    till = StillTill(VIEWS["approved"], PAPER)
    app = TillApp(till)
    async with app.run_test(size=(80, 24)) as pilot:
        till.pass_time(1)
        await pilot.press("p")
        assert "The receipt goes to the printer" in read_screen(app)
        assert "RECEIPT" not in read_screen(app)
        await show(pilot, till, VIEWS["sale"])
        await pilot.press("f6")
        await pilot.press("f3", "p")
        assert "P  Print" in read_screen(app)
        await pilot.press("tab", "tab", "enter")
        assert "RECEIPT   0414" in read_screen(app)
        await pilot.press("p")
        assert "RECEIPT   0414" in read_screen(app)
    first, *others = till.wishes
    assert first == ("print", ended(State.APPROVED).payment.id)  # type: ignore[union-attr]
    assert others == [("print", RECENT[0].id)] * 3


async def test_a_receipt_that_waits_says_what_for(read_screen: Read) -> None:
    view = replace(VIEWS["approved"], notices=(Notice(Message.NO_PAPER),))
    till = StillTill(view, PAPER)
    app = TillApp(till)
    async with app.run_test(size=(80, 24)) as pilot:
        assert "No paper. Payment is safe" in read_screen(app)
        till.pass_time(1)
        await pilot.press("p")
        assert "! No paper. Payment is safe" in read_screen(app)
        assert "APPROVED" in read_screen(app) or "Paid" in read_screen(app)
    assert till.wishes == [("print", till.view().payment.id)]  # type: ignore[union-attr]


@pytest.mark.parametrize("has_drawer", [True, False])
async def test_the_cash_drawer_is_opened_from_the_list(read_screen: Read, has_drawer: bool) -> None:
    till = StillTill(VIEWS["sale"], replace(SHOP, has_drawer=has_drawer))
    app = TillApp(till)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("f9")
        assert ("Open the cash drawer" in read_screen(app)) is has_drawer
        await pilot.press("0")
        assert ("The cash drawer opens" in read_screen(app)) is has_drawer
    assert (("drawer",) in till.wishes) is has_drawer


async def test_the_list_by_number_reaches_what_function_keys_do(
    still: StillTill, read_screen: Read
) -> None:
    """Some terminals keep F1, F10 and F11 for themselves."""
    app = TillApp(still)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("asterisk")
        assert "Language: English / Chinese" in read_screen(app)
        await pilot.press("6")
        assert "应收金额" in read_screen(app)
        await pilot.press("f9", "7")
        assert app.theme == "light"


async def test_a_live_shop_has_no_bench(still: StillTill, read_screen: Read) -> None:
    app = TillApp(still)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("b")
        screen = read_screen(app)
        assert "BENCH" not in screen
        assert "SIMULATED" not in screen
        assert "This key does nothing here" in screen


@pytest.fixture
def bench_till() -> StillTill:
    return StillTill(PRESENT, replace(SHOP, is_bench=True), StillBench())


async def test_one_key_opens_the_bench_and_one_presents(
    bench_till: StillTill, read_screen: Read
) -> None:
    app = TillApp(bench_till)
    async with app.run_test(size=(80, 24)) as pilot:
        assert "SIMULATED" in read_screen(app)
        await pilot.press("b")
        assert "Visa, approved online" in read_screen(app)
        await pilot.press("1")
        bench = bench_till.bench
        assert isinstance(bench, StillBench)
        assert bench.done == ["card:visa-online"]
        assert "Present card, phone or code" in read_screen(app)


async def test_a_fault_keeps_the_bench_open_and_shows_that_it_is_on(
    bench_till: StillTill, read_screen: Read
) -> None:
    app = TillApp(bench_till)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("b", "tab", "tab", "tab", "1")
        screen = read_screen(app)
        assert "Cut the bank" in screen
        assert "ON" in screen
        await pilot.press("f10")
        assert "切断银行" in read_screen(app)
        await pilot.press("Z")
        assert "这个键上没有" in read_screen(app)


async def test_the_bench_shows_one_group_at_a_time_where_four_do_not_fit(
    bench_till: StillTill, read_screen: Read
) -> None:
    app = TillApp(bench_till)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("b")
        assert "Cut the bank" not in read_screen(app)
        await pilot.press("tab", "tab", "tab")
        screen = read_screen(app)
        assert "1 Cut the bank" in screen
        assert "Visa, approved online" not in screen
        await pilot.resize_terminal(120, 36)
        await pilot.pause()
        screen = read_screen(app)
        assert "1 Cut the bank" in screen
        assert "1 Visa, approved online" not in screen
        assert "Visa, approved online" in screen


async def test_views_from_another_thread_are_shown(still: StillTill, read_screen: Read) -> None:
    """The core posts its views on its own thread and does not wait for the screen."""
    app = TillApp(still)
    async with app.run_test(size=(80, 24)) as pilot:
        poster = threading.Thread(target=still.show, args=(PRESENT,))
        poster.start()
        await asyncio.to_thread(poster.join)
        await pilot.pause()
        assert "Present card, phone or code" in read_screen(app)


async def test_time_passes_on_the_screen(still: StillTill, read_screen: Read) -> None:
    app = TillApp(still)
    async with app.run_test(size=(80, 24)) as pilot:
        await show(pilot, still, PRESENT)
        still.pass_time(11.0)
        app._tick()
        await pilot.pause()
        assert "30 s" in read_screen(app)


async def test_an_idle_till_draws_nothing_until_the_minute_changes(still: StillTill) -> None:
    app = TillApp(still)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        app._tick()
        drawn = app._last_drawn
        still.pass_time(30.0)
        app._tick()
        assert app._last_drawn is drawn
        still.pass_time(30.0)
        app._tick()
        assert app._last_drawn != drawn


async def test_a_result_that_changes_under_the_fingers_is_deaf_again(still: StillTill) -> None:
    """The bank's late answer turns unknown into approved; Enter meant 'check'."""
    app = TillApp(still)
    async with app.run_test(size=(80, 24)) as pilot:
        await show(pilot, still, VIEWS["unknown"])
        still.show(VIEWS["approved"])
        await pilot.pause()
        await pilot.press("enter")
        assert still.wishes == []


async def test_the_till_does_not_go_off_mid_payment(still: StillTill, read_screen: Read) -> None:
    app = TillApp(still)
    async with app.run_test(size=(80, 24)) as pilot:
        await show(pilot, still, PROCESSING)
        await pilot.press("ctrl+q")
        assert "A payment is in hand" in read_screen(app)
        await pilot.press("ctrl+c")
        seen = [app.return_code]
        await show(pilot, still, QUIET)
        await pilot.press("ctrl+q")
        assert [*seen, app.return_code] == [None, 0]


async def test_the_layout_follows_the_window(still: StillTill, read_screen: Read) -> None:
    app = TillApp(still)
    async with app.run_test(size=(80, 24)) as pilot:
        seen = [app.desk.is_wide]
        for size in ((120, 36), (120, 24), (110, 34), (109, 34)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
            seen.append(app.desk.is_wide)
        assert seen == [False, True, False, True, False]


async def test_the_customer_s_screen_stands_beside_a_wide_till(
    still: StillTill, read_screen: Read
) -> None:
    app = TillApp(still)
    async with app.run_test(size=(160, 40)) as pilot:
        await show(pilot, still, PRESENT)
        screen = read_screen(app)
        assert "春茶铺" in screen
        assert "请刷卡、碰手机或出示付款码" in screen
        await show(pilot, still, VIEWS["approved"])
        assert "Paid. Thank you" in read_screen(app)


async def test_the_customer_s_screen_can_be_put_beside_a_narrower_till(
    still: StillTill, read_screen: Read
) -> None:
    app = TillApp(still)
    async with app.run_test(size=(120, 36)) as pilot:
        assert "春茶铺" not in read_screen(app)
        await pilot.press("f9", "8")
        assert "春茶铺" in read_screen(app)
        assert "TOTAL" in read_screen(app)


async def test_no_whole_card_number_is_on_any_screen(still: StillTill, read_screen: Read) -> None:
    app = TillApp(still)
    async with app.run_test(size=(160, 40)) as pilot:
        for name in VIEWS:
            await show(pilot, still, VIEWS[name])
            assert "424242" not in read_screen(app), name


async def test_nothing_is_cut_on_the_real_screen(still: StillTill) -> None:
    app = TillApp(still, "zh")
    async with app.run_test(size=(80, 24)) as pilot:
        for name in VIEWS:
            await show(pilot, still, VIEWS[name])
            await pilot.pause()
            assert not [part.clipped for part in app._parts.values() if part.clipped], name


async def test_a_search_takes_letters_that_are_commands_elsewhere(
    bench_till: StillTill, read_screen: Read
) -> None:
    bench_till.show(replace(QUIET, recent=RECENT))
    app = TillApp(bench_till)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("f2", *"bpvr")
        assert "/ bpvr" in read_screen(app)
        assert "No payment matches" in read_screen(app)
        await pilot.press("escape", "escape")
        assert "TOTAL" in read_screen(app)


async def test_a_stored_sale_says_whose_risk_it_is(still: StillTill, read_screen: Read) -> None:
    app = TillApp(still)
    async with app.run_test(size=(80, 24)) as pilot:
        await show(pilot, still, VIEWS["stored"])
        screen = read_screen(app)
        assert "Not yet approved by the bank: the shop's risk" in screen
        assert "oldest 11 min ago" in screen


@pytest.mark.parametrize("state", [State.CODE_OPEN, State.AWAITING_TENDER])
async def test_a_state_without_a_result_never_looks_settled(
    still: StillTill, read_screen: Read, state: State
) -> None:
    app = TillApp(still)
    async with app.run_test(size=(80, 24)) as pilot:
        await show(pilot, still, ended(state, reason=None, next_step=None))
        assert "Do not charge again" in read_screen(app)


async def test_a_hint_says_why_the_last_card_did_not_count(
    still: StillTill, read_screen: Read
) -> None:
    app = TillApp(still)
    async with app.run_test(size=(80, 24)) as pilot:
        await show(pilot, still, replace(PRESENT, hint=Message.TWO_CODES))
        assert "Two codes seen. Show one" in read_screen(app)
        await show(pilot, still, replace(PRESENT, prompt=Message.SEE_PHONE))
        assert "follow the phone" in read_screen(app)
        assert app.desk.view.stage is Stage.PRESENT
