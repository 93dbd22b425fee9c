"""How the shop's devices stand, and what that means for each way to pay."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from config.schema import Device, Settings
from drivers.registry import Drivers, Registry
from terminal.messages import Message
from terminal.view import Readiness

_BEST_FIRST = (
    Readiness.READY,
    Readiness.OFF,
    Readiness.STARTING,
    Readiness.FAULTY,
    Readiness.ABSENT,
)


class Devices:
    """Every device of the shop by its name, each with its role and its readiness.

    Roles are 'reader' (an antenna), 'contact' (a slot), 'camera' (whatever scans),
    'printer' and 'display'.
    """

    def __init__(self) -> None:
        self._devices: dict[str, tuple[str, Readiness]] = {}
        self._troubles: dict[str, Message] = {}

    def begin(self, roles: Iterable[tuple[str, str]]) -> None:
        """Know the shop's devices; all of them are about to come up.

        roles: name and role of each.
        """
        self._devices = {name: (role, Readiness.STARTING) for name, role in roles}

    def note(
        self, name: str, role: str, readiness: Readiness, trouble: Message | None = None
    ) -> None:
        """Take in what a device says; what a reader is, only an open one can tell.

        trouble: what it wants of the cashier, beyond what its readiness says.
        """
        self._devices[name] = (role, readiness)
        self._troubles.pop(name, None)
        if trouble is not None:
            self._troubles[name] = trouble

    def troubles(self) -> frozenset[Message]:
        """Return what devices want of the cashier that no sale waits for."""
        return frozenset(self._troubles.values())

    def readiness(self, name: str) -> Readiness | None:
        """Return how one device stands; None if it has never been heard of. From any thread."""
        device = self._devices.get(name)
        return None if device is None else device[1]

    def standing(self, role: str) -> Readiness | None:
        """Return how the best device of a role stands; None if the shop has none."""
        alike = [readiness for has, readiness in self._devices.values() if has == role]
        return min(alike, key=_BEST_FIRST.index, default=None)

    def status(self, role: str) -> Readiness:
        """Return it for the status line; a role that nobody has is off, and no fault."""
        return self.standing(role) or Readiness.OFF

    def light(self, role: str, *, is_armed: bool) -> Readiness:
        """Return what a customer sees of one way to pay."""
        standing = self.standing(role)
        if standing is None:
            return Readiness.ABSENT
        return standing if is_armed else Readiness.OFF


def configured_devices(
    settings: Settings, drivers: Drivers
) -> Iterator[tuple[Registry[Any], Device]]:
    """Yield every device of the shop's file with the table its driver is in."""
    devices = settings.devices
    yield from ((drivers.readers, device) for device in devices.readers)
    yield from ((drivers.scanners, device) for device in devices.scanners)
    yield from ((drivers.printers, device) for device in devices.printers)
    yield from ((drivers.displays, device) for device in devices.displays)
    yield from ((drivers.pin_pads, device) for device in devices.pin_pads)
