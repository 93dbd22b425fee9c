"""No screen cuts anything, in any language, size or state.

Screens are drawn on a canvas that remembers what did not fit: no picture is
needed to see that a word lost its last letter.
"""

import re
from dataclasses import replace

import pytest
from rich.cells import cell_len

from terminal.messages import Message
from terminal.states import State
from terminal.view import Medium, Notice, Readiness, ShownCode, View
from ui.desk import Desk
from ui.follow_ups import FOLLOW_UPS
from ui.locale import LANGUAGES
from ui.screens import page_for
from ui.screens.bench import BenchPage
from ui.screens.follow_up import FollowUpPage
from ui.screens.help import HelpPage
from ui.screens.page import Key, Page
from ui.screens.payments import PaymentsPage
from ui.screens.receipt import ReceiptPage
from ui.screens.story import StoryPage
from ui.still import CODE, PRESENT, QUIET, RECENT, SHOP, VIEWS, StillBench, StillTill, ended
from ui.widgets.canvas import Canvas
from ui.widgets.chrome import (
    FUNCTIONS,
    paint_actions,
    paint_functions,
    paint_header,
    paint_notice,
)

SIZES = ((80, 24), (80, 36), (100, 30), (110, 34), (120, 24), (120, 36), (200, 50))
AMOUNTS = (1, 34_560, 999_999, 9_999_999, 999_999_999)


def desk_for(view: View, language: str, size: tuple[int, int], **facts: object) -> Desk:
    """A cashier's side of a still till."""
    bench = StillBench()
    shop = replace(SHOP, **{"is_bench": True, **facts})  # type: ignore[arg-type]
    desk = Desk(StillTill(view, shop, bench), language)
    desk.fit(*size)
    return desk


def clipped(desk: Desk, page: Page, size: tuple[int, int]) -> list[str]:
    """What a whole screen cuts."""
    cut = []
    body = Canvas(size[0] - 4, desk.body_rows)
    page.paint(body)
    cut += body.clipped
    for row in range(4):
        line = Canvas(size[0], 1)
        if row == 0:
            paint_header(line, desk)
        elif row == 1:
            paint_notice(line, desk)
        elif row == 2:
            paint_actions(line, page.actions(), desk.words)
        else:
            paint_functions(line, desk)
        cut += line.clipped
    return cut


@pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", VIEWS)
def test_every_view_fits_with_every_amount(name: str, language: str, size: tuple[int, int]) -> None:
    for amount in AMOUNTS:
        view = VIEWS[name]
        if view.payment:
            view = replace(
                view, payment=replace(view.payment, amount_minor=amount, brand="Mastercard")
            )
        desk = desk_for(view, language, size)
        desk.entry.items = [amount] * 6
        assert not clipped(desk, page_for(desk), size), amount


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("message", Message)
def test_every_message_fits_wherever_it_may_stand(message: Message, language: str) -> None:
    size = (80, 24)
    notice = Notice(message, count=12, amount_minor=99_999_999, age_s=86_000.0)
    views = (
        replace(PRESENT, hint=message),
        replace(CODE, hint=None, notices=(notice, notice)),
        ended(State.DECLINED, reason=message, next_step=Message.DO_NOT_CHARGE_AGAIN),
        ended(State.UNKNOWN, reason=Message.UNKNOWN, next_step=message, asked=12),
        ended(State.STORED, reason=message, next_step=Message.SENT_LATER),
    )
    for view in views:
        desk = desk_for(view, language, size)
        assert not clipped(desk, page_for(desk), size), view.stage


@pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_over_the_sale_fits(language: str, size: tuple[int, int]) -> None:
    desk = desk_for(QUIET, language, size)
    sale = RECENT[0]
    payments = PaymentsPage(desk)
    searching = PaymentsPage(desk, is_searching=True)
    for letter in "a very long search that no field can show":
        searching.press(Key("x", letter))
    assert desk.till.bench
    bench = BenchPage(desk, desk.till.bench)
    pages = [
        HelpPage(desk),
        *(FollowUpPage(desk, sale, one) for one in FOLLOW_UPS),
        ReceiptPage(desk, sale, is_copy=True),
        StoryPage(desk, sale),
        payments,
        searching,
        bench,
    ]
    for page in pages:
        assert not clipped(desk, page, size), page.name
    for _ in range(4):
        payments.press(Key("tab"))
        assert not clipped(desk, payments, size)


@pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_header_says_simulation_and_training_in_every_size(
    language: str, size: tuple[int, int]
) -> None:
    desk = desk_for(VIEWS["stored"], language, size, is_training=True)
    line = Canvas(size[0], 1)
    paint_header(line, desk)
    words = desk.words
    assert words("SIMULATED") in line.lines()[0]
    assert words("TRAINING") in line.lines()[0]
    assert words("Bank") in line.lines()[0]
    assert "14:32" in line.lines()[0]
    assert not line.clipped


@pytest.mark.parametrize("language", LANGUAGES)
def test_long_names_of_a_shop_push_nothing_out(language: str) -> None:
    size = (80, 24)
    desk = desk_for(QUIET, language, size, till_name="Till of the long counter", cashier="M" * 60)
    assert not clipped(desk, page_for(desk), size)


def test_a_large_code_is_not_drawn_where_its_border_does_not_fit() -> None:
    """Shrinking the quiet zone would make it unreadable; the screen says what to do."""
    long = replace(CODE, code=ShownCode("https://pay.example/" + "x" * 120, 96.0))
    desk = desk_for(long, "en", (80, 24))
    canvas = Canvas(76, desk.body_rows)
    page_for(desk).paint(canvas)
    assert "▀" not in "".join(canvas.lines())
    assert "too small" in " ".join(canvas.lines())
    assert not canvas.clipped


def test_words_are_plain_where_half_blocks_are_wide() -> None:
    desk = desk_for(VIEWS["approved"], "en", (80, 24))
    desk.has_blocks = False
    canvas = Canvas(76, desk.body_rows)
    page_for(desk).paint(canvas)
    text = "\n".join(canvas.lines())
    assert "✓ APPROVED" in text
    assert not set(text) & set("▀▄█")


def test_a_list_longer_than_the_screen_scrolls_with_its_cursor() -> None:
    many = tuple(replace(RECENT[0], id=f"id-{n}", number=n) for n in range(200, 100, -1))
    desk = desk_for(replace(QUIET, recent=many), "en", (80, 24))
    page = PaymentsPage(desk)
    page.press(Key("end"))
    canvas = Canvas(76, desk.body_rows)
    page.paint(canvas)
    text = "\n".join(canvas.lines())
    assert "0101" in text
    assert "0200" not in text
    assert not canvas.clipped


@pytest.mark.parametrize("language", LANGUAGES)
def test_function_keys_keep_their_places_in_both_languages(language: str) -> None:
    line = Canvas(80, 1)
    paint_functions(line, desk_for(QUIET, language, (80, 24)))
    places, x = {}, 0
    for run, _ in line.runs(0):
        places[run] = x
        x += cell_len(run)
    keys = {text: place for text, place in places.items() if re.fullmatch(r"F\d", text)}
    assert keys == {key: column for key, _, column in FUNCTIONS}


def test_a_broken_camera_is_named_where_the_code_would_be_held() -> None:
    view = replace(PRESENT, scan=Readiness.FAULTY)
    desk = desk_for(view, "en", (80, 24))
    canvas = Canvas(76, desk.body_rows)
    page_for(desk).paint(canvas)
    assert "Camera does not answer" in "\n".join(canvas.lines())


@pytest.mark.parametrize("code", ["41", "43"])
def test_nobody_sees_that_a_card_is_stolen(code: str) -> None:
    """The same sentence for everyone; the code stays with the supervisor."""
    view = ended(
        State.DECLINED,
        reason=Message.DECLINED_PLAINLY,
        next_step=Message.ANOTHER_CARD,
        response_code=code,
        medium=Medium.CARD,
    )
    desk = desk_for(view, "en", (120, 36))
    canvas = Canvas(116, desk.body_rows)
    page_for(desk).paint(canvas)
    assert f"Code {code}" not in "\n".join(canvas.lines())
