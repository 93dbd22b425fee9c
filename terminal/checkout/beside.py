"""What stands beside the counter: printer, customer display, the keyboard's scanner."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from config.schema import Settings
from drivers.protocols import TypedScanner
from drivers.registry import Drivers
from terminal.checkout.display import DisplayWorker
from terminal.events import InboxEvent
from terminal.receipts.desk import ReceiptDesk
from terminal.receipts.receipt import ReceiptWriter
from terminal.seams import Clock
from terminal.view import ShopFacts

Post = Callable[[InboxEvent], None]


def receipt_desk(
    settings: Settings, drivers: Drivers, writer: ReceiptWriter, post: Post
) -> ReceiptDesk | None:
    """Return what prints receipts; None in a shop without a printer."""
    for device in settings.devices.printers:
        return ReceiptDesk(
            partial(drivers.printers.open, device.driver, device.options),
            device.name,
            writer,
            post,
            prints=settings.receipts.print,
            has_codes=settings.receipts.qr,
        )
    return None


def keyboard_scanner(settings: Settings, drivers: Drivers) -> TypedScanner | None:
    """Return the scanner that types on the till's own keyboard; None without one.

    It is a queue between the keys and whoever looks for codes: it opens at once.
    Raises OptionRefused.
    """
    for device in settings.devices.scanners:
        if drivers.scanners.is_typed(device.driver):
            scanner = drivers.scanners.open(device.driver, device.options)
            if isinstance(scanner, TypedScanner):
                return scanner
    return None


def display_worker(
    settings: Settings, drivers: Drivers, shop: Callable[[], ShopFacts], clock: Clock, post: Post
) -> DisplayWorker | None:
    """Return what the customer reads; None in a shop without a display."""
    for device in settings.devices.displays:
        return DisplayWorker(
            partial(drivers.displays.open, device.driver, device.options),
            device.name,
            shop,
            clock.monotonic,
            post,
            languages=settings.shop.customer_languages,
        )
    return None
