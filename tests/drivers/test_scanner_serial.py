"""A hand scanner through the real library, at a pty."""

import select
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.errors import DeviceLost, OptionRefused
from drivers.protocols import Health, Symbol, Symbology
from drivers.scanner_serial import CODE_BYTES_MAX, RAW_BYTES_MAX, Cutter, SerialScanner
from simulators.scanner import ScannerSimulator
from simulators.serial_line import Fault, SerialLine

CODE = "281234567890123456"


class Bench:
    """A scanner driver and what it is plugged to."""

    def __init__(self, link: Path, simulator: ScannerSimulator, **options: str) -> None:
        self.hand = simulator
        self.line = SerialLine(simulator, link)
        self.scanner = SerialScanner(str(link), **options)  # type: ignore[arg-type]

    def read(self, timeout_s: float = 5.0) -> list[Symbol]:
        return list(self.scanner.wait_for_symbols(timeout_s))

    def close(self) -> None:
        self.scanner.close()
        self.line.close()


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., Bench]]:
    benches: list[Bench] = []

    def make_bench(simulator: ScannerSimulator | None = None, **options: str) -> Bench:
        link = tmp_path / f"scanner{len(benches)}"
        benches.append(Bench(link, simulator or ScannerSimulator(), **options))
        benches[-1].scanner.start()
        return benches[-1]

    yield make_bench
    for bench in benches:
        bench.close()


def test_a_scan_is_one_symbol(make: Callable[..., Bench]) -> None:
    bench = make()
    bench.line.send(bench.hand.scan(CODE))
    assert bench.read() == [Symbol(Symbology.QR, CODE.encode())]


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n"])
def test_the_usual_ends_need_no_setting(make: Callable[..., Bench], end: bytes) -> None:
    bench = make(ScannerSimulator(suffix=end))
    bench.line.send(bench.hand.scan(CODE))
    assert [symbol.data for symbol in bench.read()] == [CODE.encode()]


def test_a_scanner_that_sends_aim_names_the_printed_form(make: Callable[..., Bench]) -> None:
    bench = make(ScannerSimulator(sends_aim=True))
    bench.line.send(bench.hand.scan(CODE, "code128"))
    assert bench.read() == [Symbol(Symbology.CODE_128, CODE.encode())]
    bench.line.send(bench.hand.scan(CODE, "qr"))
    assert bench.read() == [Symbol(Symbology.QR, CODE.encode())]


def test_a_price_tag_is_nobodys_payment(make: Callable[..., Bench]) -> None:
    """]E0 stands before an EAN-13; the scan behind it counts."""
    bench = make()
    bench.line.send(b"]E04006381333931\r\n" + bench.hand.scan(CODE))
    assert [symbol.data for symbol in bench.read()] == [CODE.encode()]


def test_prefix_and_suffix_are_as_the_shop_set_them(make: Callable[..., Bench]) -> None:
    bench = make(ScannerSimulator(b"\x02", b"\x03"), prefix="\x02", suffix="\x03")
    bench.line.send(b"noise\x03" + bench.hand.scan(CODE))
    assert [symbol.data for symbol in bench.read()] == [CODE.encode()]


def test_without_a_suffix_silence_ends_a_code(make: Callable[..., Bench]) -> None:
    bench = make(ScannerSimulator(suffix=b""), suffix="")
    bench.line.send(bench.hand.scan(CODE))
    assert [symbol.data for symbol in bench.read()] == [CODE.encode()]


def test_a_megabyte_without_an_end_leaves_the_next_scan_readable(
    make: Callable[..., Bench],
) -> None:
    bench = make()
    bench.line.send(bench.hand.endless() + b"\r\n" + bench.hand.scan(CODE))
    assert [symbol.data for symbol in bench.read(30.0)] == [CODE.encode()]


def test_a_flood_does_not_hold_up_whoever_waits(make: Callable[..., Bench]) -> None:
    bench = make()
    bench.line.send(bench.hand.endless())
    assert bench.read(0.05) == []


@given(st.lists(st.binary(max_size=6000), max_size=8), st.sampled_from((b"\n", b"\r\r", b"")))
@settings(max_examples=60, deadline=None)
def test_memory_is_bounded_whatever_comes(chunks: list[bytes], suffix: bytes) -> None:
    cutter = Cutter(b"", suffix)
    for chunk in chunks:
        for code in cutter.feed(chunk):
            assert 0 < len(code) <= CODE_BYTES_MAX
            assert not suffix or suffix not in code
        assert cutter.held_bytes <= RAW_BYTES_MAX + len(suffix)
    cutter.pause()
    assert cutter.held_bytes == 0


@given(st.lists(st.binary(min_size=1, max_size=30), min_size=1, max_size=5), st.data())
@settings(max_examples=60, deadline=None)
def test_codes_are_the_same_however_they_are_split(codes: list[bytes], data: st.DataObject) -> None:
    codes = [code.replace(b"\r", b"x").replace(b"\n", b"x") for code in codes]
    stream = b"".join(code + b"\r\n" for code in codes)
    cutter, found = Cutter(b"", b"\r\n"), []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        found += cutter.feed(stream[:size])
        stream = stream[size:]
    assert found == codes


def test_a_scan_before_the_sale_counts_for_nothing(make: Callable[..., Bench]) -> None:
    bench = make()
    bench.read(0.01)
    bench.scanner.stop()
    bench.line.send(bench.hand.scan("111111111111111111"))
    assert select.select([bench.scanner._port._line.fileno()], [], [], 5.0)[0]
    bench.scanner.start()
    bench.line.send(bench.hand.scan(CODE))
    assert [symbol.data for symbol in bench.read()] == [CODE.encode()]


def test_a_code_cut_off_does_not_spoil_the_next(make: Callable[..., Bench]) -> None:
    bench = make()
    bench.line.send(b"2812")
    assert bench.read(0.6) == []
    bench.line.send(bench.hand.scan(CODE))
    assert [symbol.data for symbol in bench.read()] == [CODE.encode()]


def test_a_pulled_plug_is_told_and_the_scanner_found_again(make: Callable[..., Bench]) -> None:
    bench = make()
    bench.read(0.01)
    bench.line.unplug()
    with pytest.raises(DeviceLost, match="unplugged"):
        bench.read()
    assert bench.scanner.diagnose().health is Health.ABSENT
    with pytest.raises(DeviceLost, match="plug it in"):
        bench.read()
    bench.line.plug()
    assert bench.read(0.01) == []
    bench.line.send(bench.hand.scan(CODE))
    assert [symbol.data for symbol in bench.read()] == [CODE.encode()]
    assert bench.scanner.diagnose().health is Health.READY


def test_a_plug_pulled_while_idle_is_found_at_the_next_sale(make: Callable[..., Bench]) -> None:
    bench = make()
    bench.read(0.01)
    bench.scanner.stop()
    bench.line.unplug()
    bench.scanner.start()
    assert "plug" in bench.scanner.diagnose().summary + bench.scanner.diagnose().remedy
    bench.line.plug()
    bench.read(0.01)
    bench.line.send(bench.hand.scan(CODE))
    assert [symbol.data for symbol in bench.read()] == [CODE.encode()]


def test_garbage_is_no_code(make: Callable[..., Bench]) -> None:
    bench = make()
    bench.read(0.01)
    bench.line.break_with(Fault.GARBAGE)
    bench.line.send(bench.hand.scan(CODE))
    assert bench.read(0.5) == []
    bench.line.break_with(Fault.NONE)
    bench.line.send(bench.hand.scan(CODE))
    assert [symbol.data for symbol in bench.read()] == [CODE.encode()]


def test_stopping_ends_a_wait_at_once(make: Callable[..., Bench]) -> None:
    bench = make()
    bench.read(0.01)
    timer = threading.Timer(0.05, bench.scanner.stop)
    timer.start()
    assert bench.read(60.0) == []
    timer.join()


@pytest.mark.parametrize(
    "options", [{"symbology": "ean"}, {"prefix": "中"}, {"parity": "always"}, {"suffix": "’"}]
)
def test_a_wrong_option_is_refused_by_name(options: dict[str, str]) -> None:
    [name] = options
    with pytest.raises(OptionRefused, match=name):
        SerialScanner("/nowhere", **options)  # type: ignore[arg-type]
