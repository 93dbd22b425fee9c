"""What stands on the counter of a simulated shop: a receipt printer and a customer display.

Each is on a serial line of its own, so that a till drives it with the driver
that drives a real one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from simulators.deeds import Deed, Group, NoSuchDeed
from simulators.display import DisplaySimulator
from simulators.printer import PrinterSimulator
from simulators.serial_line import SerialLine

RECEIPTS_MAX = 50
"""A shop that is open all day need not keep the paper of the morning."""

DEEDS = (
    Deed(
        "fault:paper-out",
        Group.FAULT,
        "Printer out of paper",
        "打印机缺纸",
        "paid all the same; the receipt waits for paper",
        "照常收款；有纸后再打印",
    ),
    Deed(
        "fault:printer-open",
        Group.FAULT,
        "Printer open",
        "打印机盖打开",
        "paid all the same; the receipt waits",
        "照常收款；合上后再打印",
    ),
    Deed(
        "fault:printer-unplugged",
        Group.FAULT,
        "Printer unplugged",
        "打印机断开",
        "paid all the same; the receipt waits",
        "照常收款；接上后再打印",
    ),
    Deed(
        "fault:display-unplugged",
        Group.FAULT,
        "Customer display unplugged",
        "顾客显示屏断开",
        "paid all the same; the display is named",
        "照常收款；提示显示屏",
    ),
    Deed("see:receipt", Group.SEE, "Last receipt, as a picture", "最近的小票（图片）"),
    Deed("see:display", Group.SEE, "Customer display", "顾客显示屏"),
)


class CounterTop:
    """Printer and display. Each is plugged in when a till first looks for it."""

    def __init__(self, folder: Path) -> None:
        """folder: where their lines lead to, and where pictures of receipts are put."""
        self._folder = folder
        self._lock = threading.Lock()
        self._lines: dict[str, SerialLine] = {}
        self._on: set[str] = set()
        self._printer = PrinterSimulator(receipts_max=RECEIPTS_MAX)
        self._display = DisplaySimulator()

    def printer_path(self) -> Path:
        """Return the path of the printer's line."""
        return self._line("printer").link

    def display_path(self) -> Path:
        """Return the path of the display's line."""
        return self._line("display").link

    def deeds(self) -> Sequence[Deed]:
        """List what can be done to them, and seen of them."""
        return [replace(deed, is_on=deed.id in self._on) for deed in DEEDS]

    def do(self, deed: str) -> str:
        """Break it, mend it, or look at it. Raises NoSuchDeed."""
        looks: dict[str, Callable[[], str]] = {
            "see:receipt": self._see_receipt,
            "see:display": lambda: " | ".join(self._display.lines),
        }
        if deed in looks:
            return looks[deed]()
        is_on = deed not in self._on
        match deed:
            case "fault:paper-out":
                self._at_printer(self._printer.end_paper if is_on else self._printer.load_paper)
            case "fault:printer-open":
                self._at_printer(self._printer.open_cover if is_on else self._printer.close_cover)
            case "fault:printer-unplugged" | "fault:display-unplugged":
                line = self._line(deed.removeprefix("fault:").removesuffix("-unplugged"))
                (line.unplug if is_on else line.plug)()
            case _:
                raise NoSuchDeed(f"Nothing here is called {deed!r}")
        (self._on.add if is_on else self._on.discard)(deed)
        return f"{deed} is {'on' if is_on else 'off'}"

    def close(self) -> None:
        """Take both away. Safe to call twice."""
        with self._lock:
            lines = list(self._lines.values())
        for line in lines:
            line.close()

    def _line(self, name: str) -> SerialLine:
        with self._lock:
            if name not in self._lines:
                device = self._printer if name == "printer" else self._display
                self._lines[name] = SerialLine(device, self._folder / name)
            return self._lines[name]

    def _at_printer(self, deed: Callable[[], bytes | None]) -> None:
        """Do something to the printer; what it answers goes down its line."""
        line = self._line("printer")
        with line.changed:
            answer = deed()
        line.send(answer or b"")

    def _see_receipt(self) -> str:
        line = self._line("printer")
        with line.changed:
            if not self._printer.receipts:
                raise NoSuchDeed("No receipt has come out yet")
            picture = self._printer.png()
        path = self._folder / "receipt.png"
        path.write_bytes(picture)
        return str(path)
