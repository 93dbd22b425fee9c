"""A till's printer: it has paper or none, and what it printed stays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from drivers.errors import DeviceNotReady
from drivers.protocols import Diagnosis, Health, PrinterStatus


@dataclass(frozen=True, slots=True)
class Slip:
    """One piece of paper."""

    attempt: str
    """Of the payment it is about; '' for another kind of slip."""
    text: str


class WorldPrinter:
    """Satisfies drivers.protocols.ReceiptPrinter."""

    columns = 32

    def __init__(self) -> None:
        self.has_paper = True
        self.slips: list[Slip] = []

    def print_lines(
        self, lines: Sequence[str], *, code: str = "", on_begin: Callable[[], None] | None = None
    ) -> None:
        """Print a slip. code: the payment's identity. Raises DeviceNotReady without paper."""
        if not self.has_paper:
            raise DeviceNotReady("no paper")
        if on_begin is not None:
            on_begin()
        self.slips.append(Slip(code, "\n".join(lines)))

    def refill(self) -> None:
        """Somebody puts paper in."""
        self.has_paper = True

    def open_drawer(self) -> None:
        """There is none."""

    def status(self) -> PrinterStatus:
        """Say whether there is paper."""
        return PrinterStatus(is_paper_out=not self.has_paper)

    def diagnose(self) -> Diagnosis:
        """Say how the printer is."""
        return Diagnosis(Health.READY, "a printer of a world")

    def close(self) -> None:
        """Let the printer go."""
