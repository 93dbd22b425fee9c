"""A pole display through the real library, at a pty whose far end shows two lines."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.display_serial import SerialDisplay
from drivers.errors import DeviceLost, DeviceTimeout, OptionRefused
from drivers.protocols import Health
from simulators.display import DisplaySimulator
from simulators.serial_line import Fault, SerialLine


class Bench:
    """A display driver and the display it is plugged to."""

    def __init__(self, link: Path, **options: Any) -> None:
        self.shown = DisplaySimulator(has_chinese=options.get("chinese") == "gb18030")
        self.line = SerialLine(self.shown, link)
        self.display = SerialDisplay(str(link), **options)

    def show(self, upper: str, lower: str, *, then: tuple[str, str]) -> None:
        self.display.show(upper, lower)
        assert self.line.wait_for(lambda: self.shown.lines == then, 5.0), self.shown.lines

    def close(self) -> None:
        self.display.close()
        self.line.close()


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., Bench]]:
    benches: list[Bench] = []

    def make_bench(**options: Any) -> Bench:
        benches.append(Bench(tmp_path / f"display{len(benches)}", **options))
        return benches[-1]

    yield make_bench
    for bench in benches:
        bench.close()


@pytest.mark.parametrize("commands", ["escpos", "cd5220"])
def test_both_command_sets_show_two_lines(make: Callable[..., Bench], commands: str) -> None:
    bench = make(commands=commands)
    bench.show("TOTAL", "CNY 12.50", then=("TOTAL", "CNY 12.50"))
    bench.show("THANK YOU", "", then=("THANK YOU", ""))
    assert bench.shown.unknown == []
    assert not bench.shown.is_cursor_on


@pytest.mark.parametrize("commands", ["escpos", "cd5220"])
def test_chinese_and_the_yen_sign_show_where_the_display_can(
    make: Callable[..., Bench], commands: str
) -> None:
    bench = make(commands=commands, chinese="gb18030")
    bench.show("应付金额", "¥12.50", then=("应付金额", "￥12.50"))
    assert bench.display.can_show_chinese


def test_where_the_display_cannot_nothing_else_is_spoilt(make: Callable[..., Bench]) -> None:
    bench = make()
    bench.show("金额 12.50", "OK", then=("?? 12.50", "OK"))
    assert not bench.display.can_show_chinese


def test_what_does_not_fit_is_cut_off_and_never_runs_over(make: Callable[..., Bench]) -> None:
    bench = make(chinese="gb18030")
    bench.show("1234567890123456789中", "x" * 40, then=("1234567890123456789", "x" * 20))


@pytest.mark.parametrize("commands", ["escpos", "cd5220"])
def test_a_text_from_outside_cannot_command_the_display(
    make: Callable[..., Bench], commands: str
) -> None:
    bench = make(commands=commands)
    bench.show("A\x0cB\x1b@C\rD", "second", then=("A?B?@C?D", "second"))
    assert bench.shown.unknown == []


@given(st.text(max_size=30), st.text(max_size=30), st.sampled_from(("none", "gb18030")))
@settings(max_examples=80, deadline=None)
def test_any_text_makes_lines_of_the_right_length(upper: str, lower: str, chinese: str) -> None:
    display = SerialDisplay("/nowhere", chinese=chinese)
    for text in (upper, lower):
        line = display._line(text)
        assert len(line) == 20
        assert all(byte >= 0x20 and byte != 0x7F for byte in line)


def test_a_display_that_was_off_shows_the_next_lines_right(make: Callable[..., Bench]) -> None:
    bench = make()
    bench.show("ONE", "TWO", then=("ONE", "TWO"))
    bench.shown.receive(b"\x1b@\x1f\x02garbled")
    bench.show("THREE", "FOUR", then=("THREE", "FOUR"))


def test_a_pulled_plug_is_told_and_the_display_found_again(make: Callable[..., Bench]) -> None:
    bench = make()
    bench.show("ONE", "", then=("ONE", ""))
    bench.line.unplug()
    with pytest.raises(DeviceLost, match="unplugged"):
        bench.display.show("TWO", "")
    assert bench.display.diagnose().health is Health.FAULTY
    assert "unplugged" in bench.display.diagnose().summary
    bench.line.plug()
    bench.show("THREE", "", then=("THREE", ""))
    assert bench.display.diagnose().health is Health.READY


def test_a_plug_pulled_in_mid_line_does_not_garble_the_next(make: Callable[..., Bench]) -> None:
    bench = make(commands="cd5220")
    bench.line.unplug_after(12)
    bench.display.show("HALF OF THIS", "x")
    assert bench.line.wait_for(lambda: not bench.line.is_plugged, 5.0)
    with pytest.raises(DeviceLost, match="unplugged"):
        bench.display.show("LOST", "x")
    bench.shown = DisplaySimulator()
    bench.line.close()
    bench.line = SerialLine(bench.shown, bench.line.link)
    bench.show("WHOLE", "y", then=("WHOLE", "y"))


def test_a_stuck_display_ends_in_time(make: Callable[..., Bench]) -> None:
    bench = make()
    bench.line.break_with(Fault.STUCK)

    def flood() -> None:
        for _ in range(2000):
            bench.display.show("TOTAL", "1.00")

    with pytest.raises(DeviceTimeout, match="stuck"):
        flood()


@pytest.mark.parametrize(
    "options", [{"commands": "vfd"}, {"chinese": "big5"}, {"columns": 4}, {"flow": "x"}]
)
def test_a_wrong_option_is_refused_by_name(options: dict[str, Any]) -> None:
    [name] = options
    with pytest.raises(OptionRefused, match=name):
        SerialDisplay("/nowhere", **options)
