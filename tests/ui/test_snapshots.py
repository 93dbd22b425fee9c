"""Pictures of every screen, in both languages and both layouts.

After a wanted change: pytest tests/ui/test_snapshots.py --snapshot-update,
then look at each picture that changed.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from terminal.errors import ApprovalNeeded
from ui.app import TillApp
from ui.locale import LANGUAGES
from ui.still import CLOSES, SHOP, VIEWS, WANG_FANG, StillBench, StillTill

# Drawing each of them takes as long as all unit tests of the screen together.
pytestmark = pytest.mark.slow

SIZES = ((80, 24), (120, 36))
Compare = Callable[..., bool]


@pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", VIEWS)
def test_view(snap_compare: Compare, name: str, language: str, size: tuple[int, int]) -> None:
    app = TillApp(StillTill(VIEWS[name]), language)
    app.desk.entry.items = [28_800]
    app.desk.entry.digits = "5760"
    assert snap_compare(app, terminal_size=size)


OVERLAYS = {
    "help": ("f1",),
    "payments": ("f2", "escape", "down"),
    "trace": ("f3", "tab"),
    "story": ("f3", "shift+tab"),
    "refund": ("f5", "r"),
    "void": ("f4", "v"),
    "receipt": ("f6",),
    "more": ("f9",),
    "bench": ("b",),
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", OVERLAYS)
def test_page(snap_compare: Compare, name: str, language: str) -> None:
    shop = replace(SHOP, is_bench=True)
    app = TillApp(StillTill(VIEWS["sale"], shop, StillBench()), language)
    assert snap_compare(app, press=OVERLAYS[name], terminal_size=(80, 24))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ["sign-in", "approval", "people", "own-app"])
def test_people(snap_compare: Compare, name: str, language: str) -> None:
    till = StillTill(VIEWS["sale"])
    press: tuple[str, ...] = ()
    match name:
        case "sign-in":
            till.staff.signed_in = None
            press = ("l", "i", "n", "tab", "4", "8")
        case "approval":
            till.refusal = ApprovalNeeded("A supervisor must allow it: to give money back", "")
            press = ("f5", "r", "enter")
        case "people":
            press = ("f9", "0")
        case "own-app":
            till.staff.signed_in = replace(WANG_FANG, has_code=False)
    assert snap_compare(TillApp(till, language), press=press, terminal_size=(80, 24))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", [*CLOSES, "differences", "accept"])
def test_close_of_day(snap_compare: Compare, name: str, language: str) -> None:
    more = {"differences": "d", "accept": "a"}.get(name)
    view = CLOSES["close-differs" if more else name]
    press = ("f8", more) if more else ("f8", "tab") if name == "close-closed" else ("f8",)
    assert snap_compare(TillApp(StillTill(view), language), press=press, terminal_size=(80, 24))


@pytest.mark.parametrize("theme", ["light", "contrast"])
@pytest.mark.parametrize("name", ["sale", "present", "approved", "declined", "unknown", "stored"])
def test_theme(snap_compare: Compare, name: str, theme: str) -> None:
    app = TillApp(StillTill(VIEWS[name]), "en", theme)
    assert snap_compare(app, terminal_size=(80, 24))


def test_training(snap_compare: Compare) -> None:
    shop: Any = replace(SHOP, is_training=True)
    assert snap_compare(TillApp(StillTill(VIEWS["sale"], shop), "en"), terminal_size=(80, 24))


@pytest.mark.parametrize("name", ["present", "code", "declined"])
def test_customer_beside(snap_compare: Compare, name: str) -> None:
    assert snap_compare(TillApp(StillTill(VIEWS[name]), "en"), terminal_size=(160, 40))
