"""The devices a shop's file names, and those that are plugged in beside them."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from config.schema import Device, Settings
from drivers.protocols import FoundDevice, Symptom
from drivers.registry import Drivers
from terminal.devices import configured_devices
from terminal.doctor.lines import Group, Line
from terminal.doctor.wording import Matter
from terminal.view import Readiness

HELD = (Symptom.HELD, Symptom.SIMULATED)
"""What the till that runs knows better."""
UNUSABLE = (Readiness.FAULTY, Readiness.ABSENT)


def configured(
    settings: Settings,
    drivers: Drivers,
    home: Path,
    readiness: Callable[[str], Readiness | None],
) -> Iterator[Line]:
    """Look closely at each device of the shop's file."""
    if not (settings.devices.readers or settings.devices.scanners):
        yield Line(Group.DEVICES, "-", Matter.NO_DEVICES)
    ours = {str(os.getpid()), _running_till(home)}
    for registry, device in configured_devices(settings, drivers):
        found = registry.inspect(device.driver, device.options)
        code: str = found.symptom
        if code == Symptom.BUSY and found.facts["pid"] in ours:
            code = Symptom.HELD
        if code in HELD and readiness(device.name) in UNUSABLE:
            code = Matter.NOT_USABLE
        yield Line(Group.DEVICES, device.name, code, found.facts)


def unconfigured(
    found: Sequence[FoundDevice],
    devices: Sequence[Device],
    is_meant: Callable[[FoundDevice, Device], bool],
) -> Iterator[Line]:
    """Tell what is plugged in and no line of the shop's file means."""
    for each in found:
        if not any(is_meant(each, device) for device in devices):
            code = Matter.FOUND if each.role else Matter.FOUND_LINE
            what = " ".join(str(value) for value in each.options.values())
            yield Line(
                Group.FOUND, each.name, code, {"what": what, "driver": each.driver}, toml_of(each)
            )


def toml_of(found: FoundDevice) -> str:
    """Return the lines that name a device in a shop's file."""
    options = ", ".join(f"{key} = {_toml(value)}" for key, value in found.options.items())
    return (
        f"[[devices.{found.role or 'scanners'}]]\n"
        f"name = {_toml(found.name[:64])}\n"
        f"driver = {_toml(found.driver)}\n"
        f"options = {{ {options} }}"
    )


def _toml(value: object) -> str:
    """Return a value as TOML writes it; for text and numbers JSON writes the same."""
    return json.dumps(value, ensure_ascii=False)


def _running_till(home: Path) -> str:
    """Return the process that last had the journal open; '' if there is none."""
    try:
        written = (home / "journal.lock").read_text("ascii", "replace")
    except OSError:
        return ""
    found = re.match(r"\d+", written)
    return found[0] if found else ""
