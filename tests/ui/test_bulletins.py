"""The bank's messages on the screen and in lines: there until they are read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from terminal.messages import Message
from terminal.news.bulletins import Bulletin
from terminal.view import Notice
from ui.app import TillApp
from ui.plain import LineTill
from ui.still import QUIET, StillTill

Read = Callable[[TillApp], str]

WRITTEN = replace(
    QUIET,
    bulletins=(Bulletin(4, "Paper is on its way"), Bulletin(5, "Closed on Friday")),
    notices=(Notice(Message.BULLETIN, count=2),),
)


async def test_they_are_read_under_more(still: StillTill, read_screen: Read) -> None:
    app = TillApp(still)
    async with app.run_test(size=(80, 24)) as pilot:
        still.show(WRITTEN)
        await pilot.pause()
        assert "The bank has written. Look under F9: 2" in read_screen(app)
        await pilot.press("f9", "1")
        screen = read_screen(app)
        assert "Paper is on its way" in screen
        assert "Closed on Friday" in screen
        await pilot.press("escape")
        assert still.wishes == []
        await pilot.press("f9", "1", "enter")
        assert still.wishes == [("read_bulletins", 5)]
        still.show(QUIET)
        await pilot.press("enter")
        assert "Closed on Friday" not in read_screen(app)


def test_in_lines_they_are_told_once_and_read_by_a_word(still: StillTill) -> None:
    said: list[str] = []
    lines = LineTill(still, "en", said.append)
    lines.saw(WRITTEN)
    lines.saw(replace(WRITTEN, parameters=1))
    assert said == ["The bank writes: Paper is on its way", "The bank writes: Closed on Friday"]

    lines.heard("read")
    assert still.wishes == [("read_bulletins", 5)]
    lines.saw(QUIET)
    lines.heard("已读")
    assert said[-2:] == ["Noted.", "The bank has no message for you."]
