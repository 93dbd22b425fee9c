"""Line mode: the same whole sale, one event a line."""

import io
import threading
from collections.abc import Callable
from dataclasses import replace

import pytest

from terminal.checkout.wedge import WedgeDetector
from terminal.errors import NotAllowed
from terminal.view import Readiness, Stage
from ui import plain
from ui.plain import HELP, LineTill
from ui.still import CODE, PRESENT, PROCESSING, QUIET, SHOP, VIEWS, StillBench, StillTill

MakeLines = Callable[[StillTill, str], tuple[LineTill, list[str]]]


@pytest.fixture
def make_lines() -> MakeLines:
    """A line till over a still one, and the list its lines go to."""

    def make(till: StillTill, language: str = "en") -> tuple[LineTill, list[str]]:
        told: list[str] = []
        lines = LineTill(till, language, told.append)
        till.subscribe(lines.saw)
        return lines, told

    return make


def test_a_whole_sale_reads_as_the_design_says(still: StillTill, make_lines: MakeLines) -> None:
    lines, told = make_lines(still, "en")
    lines.heard("34560\n")
    lines.heard("\n")
    still.show(PRESENT)
    still.show(PROCESSING)
    still.show(VIEWS["declined"])
    assert told == [
        "Amount 345.60 yuan. Enter to take payment.",
        "Ready. Present card, phone or code. 42 seconds.",
        "Authorising. Cannot be cancelled.",
        "Declined. Not enough money. Nothing was charged.",
        "Another card or wallet.",
        "Next: Enter, another way. cancel, close.",
    ]
    lines.heard("")
    assert still.wishes == [("sale", 34560), ("leave",), ("sale", 34560)]


def test_a_whole_sale_in_chinese(still: StillTill, make_lines: MakeLines) -> None:
    lines, told = make_lines(still, "zh")
    lines.heard("345.60")
    still.show(PRESENT)
    still.show(VIEWS["unknown"])
    still.show(VIEWS["approved"])
    assert told[:3] == [
        "金额 345.60 元。按 Enter 收款。",
        "就绪。请刷卡、碰手机或出示付款码。42 秒。",
        "未确定。345.60 元。请勿重复收款，正在向银行查询。"
        "顾客可以等待，也可先做下一笔：本笔已保留。",
    ]
    assert "已批准。345.60 元。可以交货。" in told


def test_digits_are_minor_units_and_a_point_is_a_point(
    still: StillTill, make_lines: MakeLines
) -> None:
    lines, told = make_lines(still, "en")
    for typed in ("1099", "10.99", "10.999", "0", "abc"):
        lines.heard(typed)
    assert told == [
        "Amount 10.99 yuan. Enter to take payment.",
        "Amount 10.99 yuan. Enter to take payment.",
        "Not an amount and not a command. help lists the commands.",
        "The amount is zero. Type the amount first.",
        "Not an amount and not a command. help lists the commands.",
    ]


def test_time_is_told_at_thirty_and_ten_seconds_only(
    still: StillTill, make_lines: MakeLines
) -> None:
    lines, told = make_lines(still, "en")
    still.show(PRESENT)
    told.clear()
    for _ in range(42):
        still.pass_time(1.0)
        lines.tick()
    assert told == ["30 seconds.", "10 seconds."]


def test_unknown_cannot_be_closed_only_checked_or_kept(
    still: StillTill, make_lines: MakeLines
) -> None:
    lines, told = make_lines(still, "en")
    still.show(VIEWS["unknown"])
    lines.heard("cancel")
    assert told[-1] == "Not settled yet. next keeps it and goes on."
    assert still.wishes == []
    lines.heard("")
    lines.heard("next")
    assert still.wishes == [("check_now",), ("leave",)]


def test_an_amount_typed_into_an_open_payment_is_refused(
    still: StillTill, make_lines: MakeLines
) -> None:
    lines, told = make_lines(still, "en")
    for view in (PRESENT, PROCESSING, VIEWS["unknown"]):
        still.show(view)
        lines.heard("500")
        assert told[-1] == "A payment is in hand. Finish or cancel it first."
    assert still.wishes == []


def test_a_refund_asks_before_it_is_done(still: StillTill, make_lines: MakeLines) -> None:
    lines, told = make_lines(still, "en")
    lines.heard("refund 0411 50.00")
    assert told[-1] == "Refund 50.00 yuan of 0411? Enter does it, cancel does not."
    assert still.wishes == []
    lines.heard("cancel")
    lines.heard("")
    assert still.wishes == []
    lines.heard("refund 411")
    lines.heard("yes")
    assert still.wishes == [("refund", 411, 128_000)]


def test_an_amount_after_a_question_is_no_yes(still: StillTill, make_lines: MakeLines) -> None:
    """Whoever types the next sale has not confirmed the refund."""
    lines, _ = make_lines(still, "en")
    lines.heard("refund 411")
    lines.heard("500")
    lines.heard("")
    assert still.wishes == [("sale", 500)]


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("refund 411 99999.00", "Only 1,280.00 yuan is left to refund."),
        ("refund 411 many", "Only 1,280.00 yuan is left to refund."),
        ("refund 412", "Nothing here to refund."),
        ("void 412", "This payment cannot be voided."),
        ("void 9999", "No payment has the number 9999."),
        ("receipt", "Say which: receipt NUMBER."),
        ("card", "Say which: card NUMBER."),
        ("bench", "This shop has no bench."),
    ],
)
def test_what_cannot_be_done_is_answered(
    still: StillTill, make_lines: MakeLines, typed: str, answer: str
) -> None:
    lines, told = make_lines(still, "en")
    lines.heard(typed)
    assert told == [answer]
    assert still.wishes == []


def test_payments_are_listed_found_and_shown(still: StillTill, make_lines: MakeLines) -> None:
    lines, told = make_lines(still, "en")
    lines.heard("list 0011")
    assert told == ["0411, 14:09:24, 1,280.00 yuan, UnionPay **** 0011, approved"]
    lines.heard("show 0414")
    assert "+3.291 AUTHORISING written" in told
    lines.heard("receipt 414")
    assert "COPY / 重打印" in told
    assert not any("424242" in line for line in told)


def test_a_card_is_told_of_in_both_languages(still: StillTill, make_lines: MakeLines) -> None:
    lines, told = make_lines(still, "en")
    lines.heard("card 414")
    assert told[2] == "14.2 ms kernel 3 chosen (Book B, 3.4.1.1)"
    chinese, told = make_lines(still, "zh")
    chinese.heard("卡片 414")
    assert told[2] == "14.2 ms 选择内核 3 (Book B, 3.4.1.1)"
    assert told[-1] == "82.7 ms 结果：请求联机，持卡人验证：签名"


def test_receipts_are_printed_and_the_drawer_opened_by_word(
    still: StillTill, make_lines: MakeLines
) -> None:
    lines, told = make_lines(still, "en")
    lines.heard("print 0414")
    lines.heard("print")
    lines.heard("drawer")
    assert told == ["The receipt goes to the printer."] * 2 + ["The cash drawer opens."]
    [(_, first), (_, last), drawer] = still.wishes
    assert (still.payment("414").id, drawer) == (first, ("drawer",))
    assert last == still.payments(limit=1)[0].id


@pytest.mark.parametrize(
    ("detector", "line"),
    [
        (WedgeDetector(), "281234567890123456"),
        (WedgeDetector(), "hQVDUFYwMWETTwegAAADMwEB"),
        (WedgeDetector(prefix="~"), "~281234567890123456"),
    ],
    ids=["digits", "letters", "prefix"],
)
def test_a_scanned_line_is_a_code_and_no_amount(
    still: StillTill, make_lines: MakeLines, detector: WedgeDetector, line: str
) -> None:
    still.detector = detector
    lines, told = make_lines(still, "en")
    lines.heard(line)
    assert told == ["That was a scanner. Take payment first, then scan."]
    still.wants_codes = True
    lines.heard(line)
    assert still.wishes == [("code", line.removeprefix("~"))]


@pytest.mark.parametrize("line", ["123456789", "9999999.99", "refund 411 99999.00", "language"])
def test_what_a_person_types_is_no_scan(line: str) -> None:
    assert WedgeDetector().code_in(line) == ""
    assert WedgeDetector(prefix="~").code_in(line) == ""


def test_a_code_may_be_shown_from_the_amount(still: StillTill, make_lines: MakeLines) -> None:
    lines, told = make_lines(still, "en")
    lines.heard("500")
    lines.heard("code")
    assert still.wishes == [("sale", 500)]
    still.show(PRESENT)
    assert still.wishes == [("sale", 500), ("show_code",)]
    still.show(CODE)
    assert told[-1].startswith("Our code is on the customer's screen.")
    lines.heard("check")
    assert still.wishes[-1] == ("check_now",)


def test_refusals_are_told(still: StillTill, make_lines: MakeLines) -> None:
    lines, told = make_lines(still, "zh")
    still.show(PROCESSING)
    still.refusal = NotAllowed("Already sent: cannot be cancelled now")
    lines.heard("取消")
    assert told[-1] == "已发送银行，现在不能取消。"


def test_language_changes_by_a_word(still: StillTill, make_lines: MakeLines) -> None:
    lines, told = make_lines(still, "en")
    lines.heard("language")
    lines.heard("语言")
    assert told == ["现在使用中文。", "The till speaks English now."]


def test_status_and_help_are_lines(still: StillTill, make_lines: MakeLines) -> None:
    still.show(replace(QUIET, camera=Readiness.FAULTY))
    lines, told = make_lines(still, "en")
    lines.heard("status")
    assert told == ["Bank: ready", "Reader: ready", "Camera: fault"]
    told.clear()
    lines.heard("help")
    assert len(told) == len(HELP)


def test_notices_are_told_once(still: StillTill, make_lines: MakeLines) -> None:
    _, told = make_lines(still, "en")
    noted = replace(QUIET, notices=VIEWS["processing"].notices)
    still.show(noted)
    still.show(noted)
    assert told == ["Payment being checked 1."]


def test_the_bench_is_a_numbered_list(make_lines: MakeLines) -> None:
    bench = StillBench()
    till = StillTill(PRESENT, replace(SHOP, is_bench=True), bench)
    lines, told = make_lines(till, "en")
    lines.heard("bench")
    assert told[0] == "1 Visa, approved online"
    lines.heard("bench 1")
    lines.heard("bench fault:bank-cut")
    assert bench.done == ["card:visa-online", "fault:bank-cut"]
    lines.heard("bench 99")
    assert told[-1] == "The bench has no 99."


@pytest.mark.parametrize("verb", ["show", "refund", "void", "bench"])
def test_a_command_without_its_number_asks_for_it(make_lines: MakeLines, verb: str) -> None:
    till = StillTill(PRESENT, replace(SHOP, is_bench=True), StillBench())
    lines, told = make_lines(till, "en")
    lines.heard(verb)
    assert told[-1] == f"Say which: {verb} NUMBER."


def test_no_line_holds_control_codes(still: StillTill, make_lines: MakeLines) -> None:
    for language in ("en", "zh"):
        _, told = make_lines(still, language)
        for view in VIEWS.values():
            still.show(view)
        assert all(line.isprintable() for line in told)


def test_the_loop_ends_with_its_input_and_lets_go_of_the_till(still: StillTill) -> None:
    out = io.StringIO()
    plain.run(still, "en", io.StringIO("1099\n\n"), out)
    assert still.wishes == [("sale", 1099)]
    assert out.getvalue().splitlines()[0] == "OpenTill. Spring Tea. Till 2."
    before = out.getvalue()
    still.show(PRESENT)
    assert out.getvalue() == before


def test_a_payment_in_hand_outlives_the_input(still: StillTill) -> None:
    """Lines from a pipe end long before the customer has paid."""
    out = io.StringIO()
    still.show(PRESENT)
    running = threading.Thread(
        target=plain.run, args=(still, "en", io.StringIO("status\n"), out), daemon=True
    )
    running.start()
    while "Camera: ready" not in out.getvalue():
        running.join(0.01)
    assert running.is_alive()
    still.show(VIEWS["approved"])
    running.join(10)
    assert not running.is_alive()
    assert "Approved. 345.60 yuan. Hand over the goods." in out.getvalue()


class Typist:
    """An input whose lines come when the test lets them."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.may_go_on = threading.Semaphore(0)

    def type(self, line: str) -> None:
        """Hand a line over."""
        self.lines.append(line)
        self.may_go_on.release()

    def __iter__(self) -> "Typist":
        return self

    def __next__(self) -> str:
        self.may_go_on.acquire()
        return self.lines.pop(0)


def test_quit_waits_for_the_payment(still: StillTill) -> None:
    """The loop serves lines and views in the order they come."""
    typist, out = Typist(), io.StringIO()
    still.show(PRESENT)
    running = threading.Thread(
        target=plain.run,
        args=(still, "en", typist, out),
        daemon=True,
    )
    running.start()
    typist.type("quit\n")
    typist.type("language\n")
    # The answer to the second line proves that the first was heard.
    while "现在使用中文" not in out.getvalue():
        running.join(0.01)
    assert "A payment is in hand" in out.getvalue()
    still.show(replace(QUIET, stage=Stage.IDLE))
    typist.type("退出\n")
    running.join(10)
    assert not running.is_alive()
