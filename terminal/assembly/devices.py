"""The drivers by name, the simulated ones among them, and what else opens a device."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from config.schema import Settings
from drivers.errors import DriverError
from drivers.registry import Drivers, Entry, Registry

if TYPE_CHECKING:
    from drivers.protocols import Camera
    from simulators.shop import SimulatedShop


PIN_PAD_ON_SCREEN = "pinpad-screen"


def drivers(shop: SimulatedShop | None) -> Drivers:
    """Return the closed table of drivers; simulated ones work in a simulated shop."""
    return Drivers(
        readers=Registry(
            "reader",
            {
                "pcsc": Entry(
                    "drivers.reader_pcsc:PcscReader",
                    extra="pcsc",
                    inspector="drivers.inspection:pcsc",
                ),
                "nfc": Entry(
                    "drivers.reader_nfc:NfcReader",
                    extra="nfc",
                    inspector="drivers.inspection:nfc",
                ),
                "simulated": Entry(partial(simulated_reader, shop), simulated=True),
                "simulated-slot": Entry(partial(simulated_slot, shop), simulated=True),
            },
        ),
        scanners=Registry(
            "scanner",
            {
                "camera": Entry(
                    "drivers.scanner_camera:CameraScanner", inspector="drivers.inspection:camera"
                ),
                "scanner-serial": Entry(
                    "drivers.scanner_serial:SerialScanner",
                    inspector="drivers.inspection:serial_scanner",
                ),
                "scanner-wedge": Entry(
                    "drivers.scanner_wedge:WedgeScanner",
                    typed=True,
                    inspector="drivers.inspection:wedge",
                ),
                "simulated-camera": Entry(partial(simulated_camera, shop), simulated=True),
            },
        ),
        symbol_readers=Registry(
            "symbol reader", {"zxing": Entry("drivers.symbols:ZXingSymbolReader")}
        ),
        printers=Registry(
            "printer",
            {
                "escpos": Entry(
                    "drivers.printer_escpos:EscposPrinter", inspector="drivers.inspection:escpos"
                ),
                "simulated": Entry(partial(simulated_printer, shop), simulated=True),
            },
        ),
        displays=Registry(
            "display",
            {
                "display-serial": Entry(
                    "drivers.display_serial:SerialDisplay",
                    inspector="drivers.inspection:serial_display",
                ),
                "simulated": Entry(partial(simulated_display, shop), simulated=True),
            },
        ),
        pin_pads=Registry(
            "PIN pad",
            {
                "pinpad-serial": Entry(
                    "drivers.pinpad_serial:SerialPinPad",
                    inspector="drivers.inspection:serial_pin_pad",
                ),
                PIN_PAD_ON_SCREEN: Entry(partial(screen_pin_pad, shop), simulated=True),
            },
        ),
    )


def no_shop() -> Any:
    """Refuse a simulated device where there is no simulated shop."""
    raise DriverError("simulated devices are there in a simulated shop only")


def simulated_reader(shop: SimulatedShop | None) -> Any:
    """Return the reader that the shop's cards are held to."""
    return shop.reader.open() if shop else no_shop()


def simulated_slot(shop: SimulatedShop | None) -> Any:
    """Return the reader that the shop's chip cards are put into."""
    return shop.slot.open() if shop else no_shop()


def simulated_camera(shop: SimulatedShop | None) -> Any:
    """Open the real camera driver on the simulated camera's stream."""
    from drivers.scanner_camera import CameraScanner

    return CameraScanner(shop.camera.url) if shop else no_shop()


def screen_pin_pad(shop: SimulatedShop | None) -> Any:
    """Return the PIN pad that is made of the till's own screen and keyboard."""
    return shop.pin_pad if shop else no_shop()


def simulated_printer(shop: SimulatedShop | None) -> Any:
    """Open the real printer driver on the simulated printer's line."""
    from drivers.printer_escpos import EscposPrinter

    return EscposPrinter(str(shop.counter_top.printer_path())) if shop else no_shop()


def simulated_display(shop: SimulatedShop | None) -> Any:
    """Open the real display driver on the simulated display's line."""
    from drivers.display_serial import SerialDisplay

    if shop is None:
        return no_shop()
    return SerialDisplay(str(shop.counter_top.display_path()), chinese="gb18030")


def has_pin_pad_on_screen(settings: Settings) -> bool:
    """Say whether the PIN pad that is asked is the till's own screen and keyboard."""
    return any(pad.driver == PIN_PAD_ON_SCREEN for pad in settings.devices.pin_pads[:1])


def load_image(path: Path) -> Any:
    """Return the pixels of a picture file. Raises DriverError."""
    from drivers.symbols import load_image as load

    return load(path)


def open_camera(source: int | str) -> Camera:
    """Return a camera by device number, path or address; it looks once it is started."""
    from drivers.scanner_camera import CameraScanner

    return CameraScanner(source)


def installed_versions() -> Mapping[str, str]:
    """Return the versions of our libraries by name; '' for one that is not installed."""
    from importlib.metadata import PackageNotFoundError, version

    from terminal.doctor.surroundings import CORE, EXTRAS

    def installed(name: str) -> str:
        try:
            return version(name)
        except PackageNotFoundError:
            return ""

    libraries = ("opentill", *CORE, *(library for library, _ in EXTRAS.values()))
    return {name: installed(name) for name in libraries}
