"""The bank's messages: fetched from the real bank in order, and noted on disk when read."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import cast

import pytest

from simulators.bank import bench
from terminal.bank.dialects import SignedClient
from terminal.errors import AnswerLost
from terminal.news.bulletins import Bulletin, fetch, note_read, read_through
from tests.terminal.news.conftest import NOW_MS, Town


def write(town: Town, *texts: str, till: str = "till-1") -> None:
    for text in texts:
        bench.publish_bulletin(town.place, till, text, NOW_MS)


def test_what_the_bank_writes_comes_once_in_order_and_to_whom_it_is_meant(town: Town) -> None:
    write(town, "first", "second")
    write(town, "another's", till="till-2")
    with closing(town.client()) as client:
        assert fetch(client, 0) == (Bulletin(1, "first"), Bulletin(2, "second"))
        assert fetch(client, 1) == (Bulletin(2, "second"),)
        assert fetch(client, 2) == ()
        write(town, "no\x1b[2Jcommand")
        assert fetch(client, 2) == (Bulletin(3, "no [2Jcommand"),)


class Liar:
    """A bank whose answers are signed, and wrong."""

    def __init__(self, *told: object) -> None:
        self._told = {"bulletins": list(told)}

    def ask(self, _path: str, _content: object) -> object:
        return self._told


@pytest.mark.parametrize(
    "told",
    [
        [{"number": 1, "text": "\x1b[2J"}],
        [{"number": 1, "text": ""}],
        [{"number": 2, "text": "b"}, {"number": 1, "text": "a"}],
        [{"number": 7, "text": "read already"}],
        ["none"],
    ],
)
def test_what_is_no_list_of_messages_is_no_answer(told: list[object]) -> None:
    after = 7 if told == [{"number": 7, "text": "read already"}] else 0
    with pytest.raises(AnswerLost, match="messages"):
        fetch(cast("SignedClient", Liar(*told)), after)


def test_how_far_somebody_has_read_is_kept(tmp_path: Path) -> None:
    assert read_through(tmp_path) == 0
    note_read(tmp_path, 12)
    assert read_through(tmp_path) == 12
    (tmp_path / "bulletins-read").write_bytes(b"\xff\x00")
    assert read_through(tmp_path) == 0
