"""What commands are handed by the assembly, and ask of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from config.schema import Settings
from drivers.protocols import Camera, ReceiptPrinter
from terminal.errors import TillError
from terminal.people.staff import Staff
from terminal.seams import Clock
from terminal.till import Till

if TYPE_CHECKING:
    from terminal.doctor.examination import Doctor
    from terminal.news.parameters import ParameterStore


@dataclass(frozen=True, slots=True)
class Place:
    """A shop's till as the command line finds it. Everything is opened on demand."""

    home: Path
    """The state directory; the till's own folder is home/till."""
    clock: Clock
    settings: Callable[[], Settings]
    card_settings: Callable[[], Settings]
    """Those that cards are read by: in a bench shop with the simulated scheme's key."""
    shop_file: Path
    parameters: Callable[[], ParameterStore]
    """What the bank has set here; raises KeysUnusable."""
    open_till: Callable[..., AbstractContextManager[Till]]
    """Opens the till, and in a bench shop the simulators around it; with
    at_once=False devices and bank link wait for the till's begin(), with
    with_counter=False no reader and no camera comes up at all. face: 'screen',
    'lines' or, if absent, 'command'."""
    open_staff: Callable[[], AbstractContextManager[Staff]]
    """Opens the register of people and its audit log alone."""
    show_screen: Callable[[Till, str, str | None], None]
    show_lines: Callable[[Till, str, TextIO, TextIO], None]
    show_customer: Callable[[Path, str], None]
    open_printer: Callable[[], ReceiptPrinter]
    """The shop's printer; raises NotAllowed if it has none."""
    open_symbol_reader: Callable[[], Any]
    load_image: Callable[[Path], Any]
    open_camera: Callable[[int | str], Camera]
    """By device number, path or address."""
    blocks_are_narrow: Callable[[], bool]
    """False only if the terminal says that it draws half blocks two columns wide."""
    doctor: Callable[[], Doctor]
    block_columns: Callable[[], int | None]
    """How many columns a half block takes; None if the terminal does not tell."""

    @property
    def till_folder(self) -> Path:
        """Where journal and keys are."""
        return self.home / "till"

    @property
    def key_folder(self) -> Path:
        """Where the till's keys are, once it is enrolled."""
        return self.till_folder / "keys"

    @property
    def customer_socket(self) -> Path:
        """Where the till publishes what the customer may see."""
        return self.home / "till" / "customer.sock"


class Refusal(click.ClickException):
    """The till said no; one line on standard error, exit status 30."""

    exit_code = 30


@contextmanager
def refusals() -> Iterator[None]:
    """Turn what the till refuses into one line and exit status 30."""
    try:
        yield
    except TillError as error:
        raise Refusal(str(error)) from error
