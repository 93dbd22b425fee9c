"""A close look at one device by each driver's own options, for the doctor.

What stands in the way is looked for first, without the device: its file, its
service, its library. Then it is opened as a till would open it, and let go.
Vendor libraries are loaded inside, by the drivers.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import socket
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from drivers.errors import (
    DeviceGarbled,
    DeviceLost,
    DeviceNotReady,
    DeviceTimeout,
    DriverError,
    OptionRefused,
    ServiceLost,
)
from drivers.lane import Lane
from drivers.machine import Machine, access
from drivers.protocols import Diagnosis, Finding, FoundDevice, Health, PrinterStatus, Symptom

PCSC_SERVICE: Final = "pcscd"
PCSC_SOCKET: Final = "/run/pcscd/pcscd.comm"
PCSC_SOCKET_VARIABLE: Final = "PCSCLITE_CSOCK_NAME"
PCSC_LIBRARY: Final = "libpcsclite.so.1"
PCSC_S: Final = 3.0
"""pcscd answers at once or not at all."""
CAMERA_S: Final = 4.0
"""A camera's first picture may take as long as its exposure takes to settle."""
LOOK_S: Final = 0.05
LINE_BAUD: Final = 9600
PIN_PAD_BAUD: Final = 115200
"""What lines run at where the shop's file says nothing."""


def pcsc(**options: Any) -> Finding:
    """Look at a reader of pcscd, and at pcscd itself."""
    trouble = pcsc_service()
    if trouble is not None:
        return trouble
    from drivers.reader_pcsc import PcscReader

    try:
        reader = PcscReader(**options)
    except ServiceLost as error:
        return _fails(error)
    except DeviceLost:
        there = ", ".join(found.name for found in pcsc_readers())
        wanted = options.get("name") or options.get("interface")
        return Finding(Symptom.NO_READER, {"wanted": wanted or "-", "there": there or "-"})
    except DeviceTimeout:
        return Finding(Symptom.SERVICE_SILENT, {"service": PCSC_SERVICE})
    except DriverError as error:
        return _fails(error)
    return _diagnosed(reader.diagnose, reader.close)


def pcsc_readers() -> Sequence[FoundDevice]:
    """Return the readers that pcscd has now; none where it cannot be asked."""
    if pcsc_service() is not None:
        return ()
    # A pcscd that waits for one of its readers answers nobody.
    lane = Lane("pcsc-names", lambda: None)
    try:
        from drivers.reader_pcsc import reader_names

        names = lane.call(reader_names, PCSC_S)
    except (ImportError, DriverError):
        # Whoever named such a reader in the shop's file is told what is missing.
        return ()
    finally:
        lane.end()
    return [FoundDevice("readers", name, "pcsc", {"name": name}) for name in names]


def pcsc_service() -> Finding | None:
    """Return what keeps this user from pcscd; None if nothing does."""
    try:
        ctypes.CDLL(PCSC_LIBRARY)
    except OSError:
        return Finding(Symptom.SYSTEM_LIBRARY_MISSING, {"library": PCSC_LIBRARY})
    path = os.environ.get(PCSC_SOCKET_VARIABLE) or PCSC_SOCKET
    facts = {"service": PCSC_SERVICE, "path": path}
    try:
        with socket.socket(socket.AF_UNIX) as door:
            door.connect(path)
    except PermissionError:
        return Finding(Symptom.SERVICE_NOT_ALLOWED, facts)
    except OSError:
        program = shutil.which("pcscd") or shutil.which("pcscd", path="/usr/sbin:/sbin")
        return Finding(Symptom.SERVICE_STOPPED if program else Symptom.SERVICE_MISSING, facts)
    return None


def nfc(path: str = "usb", **options: Any) -> Finding:
    """Look at a reader that nfcpy drives."""
    trouble = nfc_trouble(path, Machine())
    if trouble is not None:
        return trouble
    from drivers.reader_nfc import NfcReader

    try:
        reader = NfcReader(path, **options)
    except OptionRefused as error:
        return _refused(error)
    except DriverError as error:
        line = _nfc_line(path)
        return _fails(error) if line is None else Finding(Symptom.SILENT, {"path": str(line)})
    if path.startswith("udp"):
        # The link is open as soon as it has an address; nobody answers on it yet.
        reader.close()
        return Finding(Symptom.UNSEEN, {"what": path})
    return _diagnosed(reader.diagnose, reader.close)


def nfc_trouble(path: str, machine: Machine) -> Finding | None:
    """Return what keeps this user from a reader of nfcpy; None if nothing is seen to."""
    line = _nfc_line(path)
    if line is not None:
        return access(line, "tty")
    if not path.startswith("usb"):
        return None
    wanted = path.split(":")[1:]
    readers = [
        reader
        for reader in machine.usb_readers()
        if wanted in ([], [reader.vendor], [reader.vendor, reader.product])
    ]
    if not readers:
        # A path by bus and number is nfcpy's own to find.
        is_by_place = bool(wanted) and all(len(part) == 3 for part in wanted)
        return None if is_by_place else Finding(Symptom.NO_READER, {"wanted": path, "there": "-"})
    for reader in readers:
        if reader.module:
            return Finding(Symptom.KERNEL_HOLDS_IT, {"what": reader.name, "module": reader.module})
        ids = f'ATTR{{idVendor}}=="{reader.vendor}", ATTR{{idProduct}}=="{reader.product}"'
        trouble = access(reader.node, "usb", match=ids)
        if trouble is not None:
            return trouble
    return None


def _nfc_line(path: str) -> Path | None:
    if path.startswith("/"):
        return Path(path)
    if path.startswith("tty:"):
        return Path(f"/dev/tty{path.split(':')[1]}")
    return None


def camera(source: int | str, **options: Any) -> Finding:
    """Look through a camera."""
    path = Path(f"/dev/video{source}" if isinstance(source, int) else source)
    if str(path).startswith("/dev/"):
        trouble = access(path, "video4linux")
        if trouble is not None:
            return trouble
    elif "://" not in str(source) and not path.is_file():
        return Finding(Symptom.ABSENT, {"path": str(path)})
    try:
        import cv2  # noqa: F401
    except ImportError:
        return Finding(
            Symptom.LIBRARY_MISSING, {"library": "opencv-python-headless", "package": "opentill"}
        )
    from drivers.scanner_camera import CameraScanner

    scanner = CameraScanner(source, **options)
    try:
        scanner.start()
        deadline = time.monotonic() + CAMERA_S
        while (seen := scanner.diagnose()).health is Health.STARTING:
            if time.monotonic() > deadline:
                break
            time.sleep(LOOK_S)
    finally:
        scanner.close()
    if seen.health is Health.READY:
        return Finding(Symptom.WORKS, {"what": seen.summary.removesuffix(", on")})
    return Finding(Symptom.NO_PICTURE, {"what": seen.summary})


def serial_scanner(path: str, **options: Any) -> Finding:
    """Look at a hand scanner's line. A scanner says nothing until it scans."""
    from drivers.scanner_serial import SerialScanner

    return access(Path(path), "tty") or _line(lambda: SerialScanner(path, **options), path)


def serial_display(path: str, **options: Any) -> Finding:
    """Look at a display's line. A display never says anything."""
    from drivers.display_serial import SerialDisplay

    return access(Path(path), "tty") or _line(lambda: SerialDisplay(path, **options), path)


def wedge(**options: Any) -> Finding:
    """Look at a scanner that types: a keyboard cannot be asked."""
    from drivers.scanner_wedge import WedgeScanner

    try:
        WedgeScanner(**options)
    except OptionRefused as error:
        return _refused(error)
    return Finding(Symptom.UNSEEN, {"what": "keyboard"})


def escpos(address: str, **options: Any) -> Finding:
    """Ask a receipt printer how it is."""
    is_network = address.startswith("tcp:")
    subsystem = "usbmisc" if address.startswith("/dev/usb/") else "tty"
    trouble = None if is_network else access(Path(address), subsystem)
    if trouble is not None:
        return trouble
    from drivers.printer_escpos import EscposPrinter

    try:
        printer = EscposPrinter(address, **options)
    except OptionRefused as error:
        return _refused(error)
    except DriverError as error:
        return _fails(error)
    try:
        status = printer.status()
    except DriverError as error:
        return _unheard(error, address, options.get("baud", LINE_BAUD))
    finally:
        printer.close()
    if status is None:
        return Finding(Symptom.UNSEEN, {"what": address})
    return Finding(_symptom_of(status), {"what": address})


def _symptom_of(status: PrinterStatus) -> Symptom:
    if status.is_faulty:
        return Symptom.DAMAGED
    if status.is_cover_open:
        return Symptom.COVER_OPEN
    if status.is_paper_out:
        return Symptom.PAPER_OUT
    if not status.is_online:
        return Symptom.OFFLINE
    return Symptom.PAPER_LOW if status.is_paper_low else Symptom.WORKS


def serial_pin_pad(path: str, **options: Any) -> Finding:
    """Ask a PIN pad whose keys it has."""
    trouble = access(Path(path), "tty")
    if trouble is not None:
        return trouble
    from drivers.pinpad_serial import SerialPinPad

    try:
        pad = SerialPinPad(path, **options)
    except OptionRefused as error:
        return _refused(error)
    try:
        keys = pad.identify()
    except DeviceNotReady as error:
        return Finding(Symptom.NO_KEYS, {"what": path, "why": str(error)})
    except DriverError as error:
        return _unheard(error, path, options.get("baud", PIN_PAD_BAUD))
    finally:
        pad.close()
    return Finding(Symptom.WORKS, {"what": f"{path}, keys {keys.hex().upper()}"})


def _line(make: Callable[[], Any], path: str) -> Finding:
    """Open a line with the driver's own settings; nothing answers on it."""
    from drivers.serial_port import SerialPort

    try:
        make()
        port = SerialPort(path)
    except OptionRefused as error:
        return _refused(error)
    try:
        port.open()
    except DriverError as error:
        return _fails(error)
    finally:
        port.close()
    return Finding(Symptom.UNSEEN, {"what": path})


def _unheard(error: DriverError, path: str, baud: int) -> Finding:
    facts = {"path": path, "baud": str(baud)}
    if isinstance(error, DeviceGarbled):
        return Finding(Symptom.GARBLED, facts)
    if isinstance(error, DeviceTimeout):
        return Finding(Symptom.SILENT, facts)
    return _fails(error)


def _diagnosed(diagnose: Callable[[], Diagnosis], close: Callable[[], None]) -> Finding:
    try:
        diagnosis = diagnose()
    finally:
        close()
    if diagnosis.health is Health.READY:
        return Finding(Symptom.WORKS, {"what": diagnosis.summary})
    return Finding(
        Symptom.FAILS, {"why": "; ".join(filter(None, (diagnosis.summary, diagnosis.remedy)))}
    )


def _refused(error: DriverError) -> Finding:
    return Finding(Symptom.OPTION_REFUSED, {"why": str(error)})


def _fails(error: DriverError) -> Finding:
    return Finding(Symptom.FAILS, {"why": str(error)})
