"""A receipt printer through serial line, network and USB file, and all that goes wrong."""

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy
import pytest

from drivers.errors import DeviceLost, DeviceNotReady, DeviceTimeout, OptionRefused
from drivers.printer_escpos import EscposPrinter
from drivers.printer_links import FileLink
from drivers.protocols import Health
from drivers.symbols import ZXingSymbolReader
from simulators.printer import PrinterSimulator
from simulators.serial_line import Fault, SerialLine

RECEIPT = [
    "      测试商店 TEST SHOP",
    "金额 AMOUNT            CNY 12.50",
    "¥12.50",
    "交易成功 APPROVED",
]
CODE = "https://example.com/r/0123456789"


class Bench:
    """A printer driver and the printer it is plugged to."""

    def __init__(self, link: Path, simulator: PrinterSimulator, **options: Any) -> None:
        self.sim = simulator
        self.line = SerialLine(simulator, link)
        options = {"write_timeout_s": 0.5, "print_timeout_s": 2.0} | options
        self.printer = EscposPrinter(str(link), **options)

    def does(self, deed: Callable[[], bytes | None]) -> None:
        """Do something to the printer; what it answers goes down the line."""
        with self.line.changed:
            answer = deed()
        if answer:
            self.line.send(answer)

    def receipts(self) -> list[list[str]]:
        with self.line.changed:
            return [paper.lines for paper in self.sim.receipts]

    def close(self) -> None:
        self.printer.close()
        self.line.close()


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., Bench]]:
    benches: list[Bench] = []

    def make_bench(simulator: PrinterSimulator | None = None, **options: Any) -> Bench:
        link = tmp_path / f"printer{len(benches)}"
        benches.append(Bench(link, simulator or PrinterSimulator(), **options))
        return benches[-1]

    yield make_bench
    for bench in benches:
        bench.close()


def codes_in(picture: Any) -> list[bytes]:
    colour = cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR)
    return [symbol.data for symbol in ZXingSymbolReader(thorough=True).read(colour)]


def test_a_receipt_is_out_and_cut_when_printing_returns(make: Callable[..., Bench]) -> None:
    bench = make()
    bench.printer.print_lines(RECEIPT)
    [printed] = bench.receipts()
    assert printed == [*RECEIPT[:2], "￥12.50", RECEIPT[3]]
    assert bench.sim.unknown == []


@pytest.mark.parametrize("has_status", [True, False])
def test_a_receipt_has_begun_only_if_its_first_byte_left(
    make: Callable[..., Bench], has_status: bool
) -> None:
    """Whoever prints it again needs to know whether some of it may be on paper."""
    bench = make(has_status=has_status)
    begun: list[int] = []
    bench.line.unplug()
    with pytest.raises(DeviceLost):
        bench.printer.print_lines(RECEIPT, on_begin=lambda: begun.append(bench.line.came))
    assert begun == []

    bench.line.plug()
    bench.printer.print_lines(RECEIPT, on_begin=lambda: begun.append(bench.line.came))
    assert len(begun) == 1
    # The questions before it are no receipt yet.
    assert begun[0] <= 12


def test_a_qr_code_on_the_receipt_is_read_by_a_camera(make: Callable[..., Bench]) -> None:
    for codes in ("native", "raster"):
        bench = make(codes=codes)
        bench.printer.print_lines(RECEIPT, code=CODE)
        assert codes_in(bench.sim.picture()) == [CODE.encode()]


def test_a_printer_without_chinese_prints_it_as_dots(make: Callable[..., Bench]) -> None:
    """The paper of both ways looks the same to the eye."""
    by_letters, by_dots = make(), make(PrinterSimulator(has_chinese=False), chinese="raster")
    by_letters.printer.print_lines(RECEIPT)
    by_dots.printer.print_lines(RECEIPT)
    [paper] = by_dots.sim.receipts
    assert paper.lines == []
    for row, reference in zip(paper.rows, by_letters.sim.receipts[0].rows, strict=True):
        from simulators.paper import _glyph

        drawn = numpy.hstack([_glyph(character) for character in reference.text]) < 128
        dots = row.dots[: drawn.shape[0], : drawn.shape[1]]
        assert drawn.sum() > 100
        assert (dots != drawn).mean() < 0.08


def test_without_its_character_set_the_same_paper_would_be_garbled(
    make: Callable[..., Bench],
) -> None:
    bench = make(PrinterSimulator(has_chinese=False))
    bench.printer.print_lines(["中文 OK"])
    assert bench.receipts() == [["▒▒▒▒ OK"]]


def test_the_paper_is_a_png_that_opens(make: Callable[..., Bench]) -> None:
    bench = make()
    bench.printer.print_lines(RECEIPT)
    image = cv2.imdecode(numpy.frombuffer(bench.sim.png(), numpy.uint8), cv2.IMREAD_GRAYSCALE)
    assert image is not None
    assert image.shape[1] == 32 * 12 + 32
    assert (image < 128).sum() > 1000


def test_the_drawer_opens(make: Callable[..., Bench]) -> None:
    bench = make()
    bench.printer.open_drawer()
    assert bench.sim.drawer_openings == 1
    assert bench.receipts() == []


def test_no_text_of_a_card_opens_the_drawer_or_cuts(make: Callable[..., Bench]) -> None:
    bench = make()
    bench.printer.print_lines(["\x1bp\x00\x19\xfa VISA \x1dV\x00", "next"])
    assert bench.sim.drawer_openings == 0
    assert len(bench.receipts()) == 1


@pytest.mark.parametrize(
    ("state", "what"),
    [
        ("is_paper_out", "paper is out; put in a new roll"),
        ("is_cover_open", "cover is open; close it"),
        ("is_faulty", "faulty"),
    ],
)
def test_what_a_person_must_see_to_is_said_before_anything_is_sent(
    make: Callable[..., Bench], state: str, what: str
) -> None:
    bench = make()
    setattr(bench.sim, state, True)
    with pytest.raises(DeviceNotReady, match=what):
        bench.printer.print_lines(RECEIPT)
    assert bench.printer.diagnose().health is Health.FAULTY
    setattr(bench.sim, state, False)
    bench.printer.print_lines(["only this"])
    assert bench.receipts() == [["only this"]]
    assert bench.printer.diagnose().health is Health.READY


def test_paper_that_ends_in_mid_receipt_is_told_and_nothing_comes_out_later(
    make: Callable[..., Bench],
) -> None:
    bench = make()
    bench.sim.end_paper(after_lines=2)
    with pytest.raises(DeviceNotReady, match="paper is out"):
        bench.printer.print_lines(RECEIPT)
    bench.does(bench.sim.load_paper)
    bench.printer.print_lines(["COPY", *RECEIPT])
    [printed] = bench.receipts()
    assert printed[:2] == RECEIPT[:2]
    assert printed[2:] == ["COPY", *RECEIPT[:2], "￥12.50", RECEIPT[3]]


def test_low_paper_is_told_and_prints(make: Callable[..., Bench]) -> None:
    bench = make()
    bench.sim.is_paper_low = True
    bench.printer.print_lines(["x"])
    assert "paper is low" in bench.printer.diagnose().summary
    status = bench.printer.status()
    assert status is not None
    assert status.is_paper_low


def test_a_pulled_plug_is_told_and_the_printer_found_again(make: Callable[..., Bench]) -> None:
    bench = make()
    bench.printer.print_lines(["one"])
    bench.line.unplug()
    with pytest.raises(DeviceLost, match="unplugged"):
        bench.printer.print_lines(["two"])
    with pytest.raises(DeviceLost, match="plug it in"):
        bench.printer.print_lines(["two"])
    assert bench.printer.diagnose().health is Health.ABSENT
    bench.line.plug()
    bench.printer.print_lines(["three"])
    assert bench.receipts() == [["one"], ["three"]]


@pytest.mark.parametrize("after", [13, 20, 100, 2000])
def test_a_plug_pulled_in_mid_print_leaves_the_printer_usable(
    make: Callable[..., Bench], after: int
) -> None:
    bench = make(chinese="raster")
    bench.line.unplug_after(after)
    with pytest.raises(DeviceLost, match="unplugged"):
        bench.printer.print_lines(RECEIPT * 4)
    bench.line.plug()
    bench.printer.print_lines(["whole"])
    assert len(bench.receipts()) == 1
    assert bench.sim.unknown == []


def test_a_stuck_printer_ends_in_time(make: Callable[..., Bench]) -> None:
    bench = make(has_status=False)
    bench.line.break_with(Fault.STUCK)
    with pytest.raises(DeviceTimeout, match="stuck"):
        bench.printer.print_lines(RECEIPT * 2000)


def test_a_silent_printer_is_told_to_be_switched_on(make: Callable[..., Bench]) -> None:
    bench = make()
    bench.line.break_with(Fault.SILENCE)
    with pytest.raises(DeviceTimeout, match="switched on"):
        bench.printer.print_lines(RECEIPT)
    assert "says nothing" in bench.printer.diagnose().summary
    bench.line.break_with(Fault.NONE)
    bench.printer.print_lines(["x"])
    assert bench.receipts() == [["x"]]


def test_garbage_hints_at_the_speed(make: Callable[..., Bench]) -> None:
    bench = make()
    bench.line.break_with(Fault.GARBAGE)
    with pytest.raises(DeviceTimeout, match="speed"):
        bench.printer.print_lines(RECEIPT)


def test_a_printer_that_never_answers_is_printed_to_all_the_same(
    make: Callable[..., Bench],
) -> None:
    bench = make(has_status=False)
    bench.printer.print_lines(["x"])
    assert bench.line.wait_for(lambda: len(bench.sim.receipts) == 1, 5.0)
    assert bench.printer.status() is None
    assert "tells nothing" in bench.printer.diagnose().summary


def test_without_a_cutter_the_paper_comes_out_to_the_edge(make: Callable[..., Bench]) -> None:
    bench = make(has_cutter=False)
    bench.printer.print_lines(["x"])
    assert bench.receipts() == []
    assert bench.sim.paper.lines == ["x", "", "", "", ""]


# ---- network and USB -----------------------------------------------------------


class NetworkPrinter:
    """The simulated printer behind a socket of this machine."""

    def __init__(self, simulator: PrinterSimulator) -> None:
        self.sim = simulator
        self._server = socket.create_server(("127.0.0.1", 0))
        self.address = f"tcp:127.0.0.1:{self._server.getsockname()[1]}"
        self._connection: socket.socket | None = None
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                self._connection, _ = self._server.accept()
                while data := self._connection.recv(4096):
                    self._connection.sendall(self.sim.receive(data))
            except OSError:
                if self._server.fileno() < 0:
                    return

    def hang_up(self) -> None:
        if self._connection is not None:
            self._connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self.hang_up()
        self._thread.join(5.0)


@pytest.fixture
def network() -> Iterator[NetworkPrinter]:
    printer = NetworkPrinter(PrinterSimulator())
    yield printer
    printer.close()


def test_a_network_printer_prints_the_same(network: NetworkPrinter) -> None:
    printer = EscposPrinter(network.address)
    printer.print_lines(RECEIPT, code=CODE)
    [paper] = network.sim.receipts
    assert paper.lines == [*RECEIPT[:2], "￥12.50", RECEIPT[3], ""]
    assert paper.codes == [CODE]
    printer.close()


def test_a_network_printer_that_hangs_up_is_called_again(network: NetworkPrinter) -> None:
    printer = EscposPrinter(network.address)
    printer.print_lines(["one"])
    network.hang_up()
    with pytest.raises(DeviceLost):
        printer.print_lines(["two"])
    printer.print_lines(["three"])
    assert [paper.lines for paper in network.sim.receipts] == [["one"], ["three"]]
    printer.close()


def test_a_network_printer_that_is_off_names_the_remedy() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"tcp:127.0.0.1:{server.getsockname()[1]}"
    printer = EscposPrinter(address, write_timeout_s=0.5)
    with pytest.raises(DeviceLost, match="see that the printer is on"):
        printer.print_lines(["x"])


def test_a_usb_printer_is_a_file_that_answers(tmp_path: Path) -> None:
    """The kernel's printer file behaves as this one does: bytes both ways."""
    sim = PrinterSimulator()
    with SerialLine(sim, tmp_path / "lp0") as line:
        link = FileLink(str(tmp_path / "lp0"), 0.5)
        link.write(b"\x10\x04\x01")
        assert link.read(1, 5.0) == b"\x12"
        line.unplug()
        with pytest.raises(DeviceLost, match="unplugged"):
            link.read(1, 5.0)
        with pytest.raises(DeviceLost, match="plug it in"):
            link.write(b"x")
        line.plug()
        line.break_with(Fault.STUCK)
        with pytest.raises(DeviceTimeout, match="stuck"):
            link.write(bytes(1 << 20))
        link.close()
        link.close()


# ---- options --------------------------------------------------------------------


def test_a_model_that_python_escpos_knows_sets_what_it_can_do(tmp_path: Path) -> None:
    printer = EscposPrinter("/nowhere", model="POS-5890")
    assert printer.columns == 32
    assert not printer._is_native_qr
    assert not printer._has_cutter
    assert EscposPrinter("/nowhere", model="TM-T88V").columns == 42


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"model": "TM-T88"}, "TM-T88"),
        ({"chinese": "big5"}, "chinese"),
        ({"codes": "png"}, "codes"),
        ({"drawer_pin": 3}, "drawer_pin"),
        ({"columns": 3}, "columns"),
        ({"parity": "mark"}, "parity"),
    ],
)
def test_a_wrong_option_is_refused_by_name(options: dict[str, Any], what: str) -> None:
    with pytest.raises(OptionRefused, match=what):
        EscposPrinter("/nowhere", **options)


def test_a_serial_option_of_a_network_printer_is_refused() -> None:
    with pytest.raises(OptionRefused, match="baud: for serial lines"):
        EscposPrinter("tcp:127.0.0.1", baud=9600)
    for address in ("tcp:", "tcp:host:port"):
        with pytest.raises(OptionRefused, match="address"):
            EscposPrinter(address)


def test_a_code_too_long_for_the_paper_is_refused_before_anything_is_sent(
    make: Callable[..., Bench],
) -> None:
    bench = make(codes="raster")
    with pytest.raises(ValueError, match="too long"):
        bench.printer.print_lines(["x"], code="x" * 3000)
    assert bench.line.came == 0
