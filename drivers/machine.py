"""What is plugged into this machine, and who may use it. Nothing is opened.

It reads /dev, /sys and /proc, and loads no vendor library: it has to work
where none is installed.
"""

from __future__ import annotations

import contextlib
import grp
import os
import pwd
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from drivers.protocols import Finding, FoundDevice, Symptom

RULES_FILE: Final = "/etc/udev/rules.d/60-opentill.rules"

NFC_READERS: Final[Mapping[tuple[str, str], str]] = {
    ("04cc", "0531"): "Philips PN531 or SCM SCL3710",
    ("04cc", "2533"): "NXP PN533",
    ("04e6", "5591"): "SCM SCL3711",
    ("04e6", "5593"): "SCM SCL3712",
    ("054c", "0193"): "Sony PN531",
    ("054c", "02e1"): "Sony RC-S330",
    ("054c", "06c1"): "Sony RC-S380",
    ("054c", "06c3"): "Sony RC-S380",
    ("072f", "2200"): "ACS ACR122U",
}
"""USB readers that nfcpy drives, by vendor and product. Source: nfcpy, supported devices."""

NFC_MODULES: Final = frozenset(("pn533_usb", "port100"))
"""Kernel modules that take such readers for themselves. Source: Linux, drivers/nfc."""

# Who is meant to use a kind of device file. Source: systemd, 50-udev-default.rules.
_GROUPS: Final = {"tty": "dialout", "video4linux": "video", "usbmisc": "lp", "usb": "plugdev"}


@dataclass(frozen=True, slots=True)
class UsbReader:
    """An NFC reader on USB."""

    vendor: str
    product: str
    name: str
    node: Path
    """The file through which programs talk to it."""
    module: str
    """The kernel module that has taken it; empty if none that stands in the way."""


class Machine:
    """One machine's device files. root: for tests; the machine itself is at '/'."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root

    def found(self) -> Sequence[FoundDevice]:
        """Return what is plugged in and could serve a till; PC/SC readers apart."""
        return [*self._cameras(), *self._nfc_found(), *self._printers(), *self._lines()]

    def usb_readers(self) -> Sequence[UsbReader]:
        """Return the NFC readers on USB that nfcpy knows."""
        readers = []
        for folder in self._folders("sys/bus/usb/devices"):
            vendor, product = _text(folder / "idVendor"), _text(folder / "idProduct")
            name = NFC_READERS.get((vendor, product))
            if name is None:
                continue
            bus, number = int(_text(folder / "busnum")), int(_text(folder / "devnum"))
            drivers = [
                (interface / "driver").resolve().name
                for interface in sorted(folder.glob(f"{folder.name}:*"))
                if (interface / "driver").exists()
            ]
            module = next((driver for driver in drivers if driver in NFC_MODULES), "")
            node = self._root / f"dev/bus/usb/{bus:03}/{number:03}"
            readers.append(UsbReader(vendor, product, name, node, module))
        return readers

    def _cameras(self) -> Sequence[FoundDevice]:
        cameras = []
        for folder in self._folders("sys/class/video4linux"):
            # A camera has a second file for its metadata, which gives no picture.
            if _text(folder / "index") in ("", "0"):
                name = _text(folder / "name") or folder.name
                cameras.append(
                    FoundDevice("scanners", name, "camera", {"source": f"/dev/{folder.name}"})
                )
        return cameras

    def _nfc_found(self) -> Sequence[FoundDevice]:
        return [
            FoundDevice(
                "readers", reader.name, "nfc", {"path": f"usb:{reader.vendor}:{reader.product}"}
            )
            for reader in self.usb_readers()
        ]

    def _printers(self) -> Sequence[FoundDevice]:
        return [
            FoundDevice("printers", f"USB printer {path.name}", "escpos", {"address": f"/{name}"})
            for path in sorted((self._root / "dev/usb").glob("lp*"))
            for name in [path.relative_to(self._root)]
        ]

    def _lines(self) -> Sequence[FoundDevice]:
        by_id = sorted((self._root / "dev/serial/by-id").glob("*"))
        named = {path.resolve() for path in by_id}
        others = [
            path
            for pattern in ("ttyUSB*", "ttyACM*")
            for path in sorted((self._root / "dev").glob(pattern))
            if path.resolve() not in named
        ]
        return [
            FoundDevice("", path.name, "scanner-serial", {"path": f"/{name}"})
            for path in (*by_id, *others)
            for name in [path.relative_to(self._root)]
        ]

    def _folders(self, name: str) -> Sequence[Path]:
        folder = self._root / name
        return sorted(folder.iterdir()) if folder.is_dir() else ()


def is_meant(found: FoundDevice, driver: str, options: Mapping[str, object]) -> bool:
    """Say whether a configured device is one that was found.

    options: as the shop's file has them.
    """
    mine = str(next(iter(found.options.values())))
    is_same_driver = driver == found.driver
    if is_same_driver and not options and driver in ("pcsc", "nfc"):
        # Without options these take the first there is.
        return True
    for value in options.values():
        named = f"/dev/video{value}" if driver == "camera" and isinstance(value, int) else value
        if not isinstance(named, str):
            continue
        if named == mine or (
            named.startswith("/") and Path(named).resolve() == Path(mine).resolve()
        ):
            return True
        if is_same_driver and driver == "pcsc" and named.casefold() in mine.casefold():
            return True
        if is_same_driver and driver == "nfc" and named == "usb":
            return True
    return False


def access(path: Path, subsystem: str, *, match: str = "") -> Finding | None:
    """Return what keeps this user from a device file; None if nothing does.

    subsystem: 'tty', 'video4linux', 'usbmisc' or 'usb'. match: the udev key
    that names the device; its file's name if empty.
    """
    try:
        status = path.stat()
    except PermissionError:
        return Finding(Symptom.FAILS, {"why": f"{path}: its folder cannot be read"})
    except OSError:
        return Finding(Symptom.ABSENT, {"path": str(path)})
    if not stat.S_ISCHR(status.st_mode):
        return Finding(Symptom.WRONG_FILE, {"path": str(path)})
    if not os.access(path, os.R_OK | os.W_OK):
        match = match or f'KERNEL=="{path.resolve().name}"'
        return _refused(path, status, subsystem, match)
    holder = holder_of(path)
    if holder is not None:
        pid, name = holder
        return Finding(Symptom.BUSY, {"path": str(path), "pid": str(pid), "program": name})
    return None


def _refused(path: Path, status: os.stat_result, subsystem: str, match: str) -> Finding:
    user = pwd.getpwuid(os.geteuid()).pw_name
    facts = {"path": str(path), "user": user}
    may_group = stat.S_IRGRP | stat.S_IWGRP
    if status.st_gid == 0 or status.st_mode & may_group != may_group:
        group = _GROUPS[subsystem]
        rule = f'SUBSYSTEM=="{subsystem}", {match}, GROUP="{group}", MODE="0660"'
        return Finding(
            Symptom.NO_RULE, {**facts, "group": group, "rule": rule, "rules_file": RULES_FILE}
        )
    try:
        owners = grp.getgrgid(status.st_gid)
    except KeyError:
        return Finding(Symptom.FAILS, {"why": f"{path}: its group {status.st_gid} has no name"})
    facts["group"] = owners.gr_name
    is_member = user in owners.gr_mem
    return Finding(Symptom.NOT_ALLOWED_YET if is_member else Symptom.NOT_ALLOWED, facts)


def holder_of(path: Path) -> tuple[int, str] | None:
    """Return process and program that have a device file open, as far as this user may see."""
    target = str(path.resolve())
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        held = _open_files(folder)
        # Whoever made a pseudo-terminal is its other end, and not in the way.
        is_other_end = target.startswith("/dev/pts/") and any("ptmx" in each for each in held)
        if target in held and not is_other_end:
            return int(folder.name), _text(folder / "comm")
    return None


def _open_files(process: Path) -> Sequence[str]:
    """Return what a process has open; nothing if it is another user's, or has ended."""
    files = []
    with contextlib.suppress(OSError):
        for each in (process / "fd").iterdir():
            # It may be closed by now, as the one is that lists them.
            with contextlib.suppress(OSError):
                files.append(os.readlink(each))  # noqa: PTH115
    return files


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace").strip()
    except OSError:
        return ""
