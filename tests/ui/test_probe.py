"""Asking a terminal how wide a half block is, over a real pseudo-terminal."""

import os
import pty
import threading

import pytest

from ui import probe


@pytest.mark.parametrize(("column", "is_narrow"), [(2, True), (3, False)])
def test_the_terminal_s_answer_decides(
    monkeypatch: pytest.MonkeyPatch, column: int, is_narrow: bool
) -> None:
    ours, theirs = pty.openpty()

    def answer() -> None:
        heard = b""
        while b"\x1b[6n" not in heard:
            heard += os.read(ours, 64)
        os.write(ours, f"\x1b[1;{column}R".encode())

    terminal = threading.Thread(target=answer, daemon=True)
    terminal.start()
    with os.fdopen(os.dup(theirs), "r") as stdin, os.fdopen(os.dup(theirs), "w") as stdout:
        monkeypatch.setattr("sys.stdin", stdin)
        monkeypatch.setattr("sys.stdout", stdout)
        monkeypatch.setattr(probe, "ANSWER_S", 5.0)
        assert probe.blocks_are_narrow("zh") is is_narrow
    terminal.join(5)
    os.close(ours)
    os.close(theirs)


def test_a_terminal_that_says_nothing_is_taken_as_narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = pty.openpty()
    with os.fdopen(os.dup(theirs), "r") as stdin, os.fdopen(os.dup(theirs), "w") as stdout:
        monkeypatch.setattr("sys.stdin", stdin)
        monkeypatch.setattr("sys.stdout", stdout)
        assert probe.blocks_are_narrow("zh")
    os.close(ours)
    os.close(theirs)


def test_only_terminals_that_may_be_wide_are_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LC_ALL", "LC_CTYPE", "LANG"):
        monkeypatch.delenv(name, raising=False)
    assert not probe.may_be_wide("en")
    assert probe.may_be_wide("zh")
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    assert probe.may_be_wide("en")
