"""One examination of a till: group after group, whatever is broken."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from config.errors import ConfigError
from config.schema import Device, Settings
from drivers.protocols import FoundDevice
from drivers.registry import Drivers, Registry
from terminal.devices import configured_devices
from terminal.doctor import devices, link, memory, news, surroundings
from terminal.doctor.lines import Group, Line
from terminal.doctor.surroundings import Screen
from terminal.doctor.wording import Matter
from terminal.seams import Clock, Randomness
from terminal.view import Readiness

if TYPE_CHECKING:
    from terminal.doctor.trials import Chosen, Trial


@dataclass(frozen=True, slots=True)
class Doctor:
    """What an examination needs of the assembly. Nothing is opened before it is looked at."""

    home: Path
    """The till's own folder."""
    shop_file: Path
    load_settings: Callable[[], Settings]
    """Raises ConfigError."""
    drivers: Drivers
    find_devices: Callable[[], Sequence[FoundDevice]]
    is_meant: Callable[[FoundDevice, Device], bool]
    """Whether a device of the shop's file is one that was found."""
    versions: Callable[[], Mapping[str, str]]
    """Installed libraries; '' for one that is not."""
    clock: Clock
    random: Randomness
    has_bank: bool
    """The bank is there by itself; False for a simulated one that comes with the till."""

    def examine(
        self, screen: Screen | None, readiness: Callable[[str], Readiness | None] = lambda _: None
    ) -> Iterator[Line]:
        """Give line after line, as each is found.

        screen: None where there is none. readiness: how the till that runs has
        a device, by its name.
        """
        versions = self.versions()
        settings: Settings | None = None
        try:
            settings = self.load_settings()
        except ConfigError as error:
            facts = {"why": str(error)}
            yield Line(Group.SHOP, self.shop_file.name, Matter.SHOP_UNREADABLE, facts)
        if settings is not None:
            shop = settings.shop
            facts = {"file": str(self.shop_file), "name": shop.name, "mode": shop.mode}
            yield Line(Group.SHOP, self.shop_file.name, Matter.SHOP_READ, facts)
            yield from devices.configured(settings, self.drivers, self.home, readiness)
        yield from self._found(settings)
        is_bench = settings is not None and settings.shop.mode == "bench"
        if settings is not None:
            yield from self._bank(settings, versions)
            yield from news.parameters(settings, self.home)
            yield from news.push(settings, self.home / "keys")
        yield from memory.keys(self.home / "keys", self.clock.wall_ms(), is_bench=is_bench)
        yield from memory.journal(self.home)
        yield from memory.disk(self.home)
        yield from surroundings.screen(screen)
        yield from surroundings.software(versions)

    def trial(self, name: str, wanted: str, timeout_s: float) -> tuple[Chosen, Trial]:
        """Return the device that is meant, and the trial of it, not yet begun.

        name: 'tap', 'scan' or 'print'. wanted: a device as trials.choose() takes it.
        Raises NotAllowed if there is no such device.
        """
        from terminal.doctor import trials

        settings: Settings | None = None
        with contextlib.suppress(ConfigError):
            # A device can be tried before the shop's file is right.
            settings = self.load_settings()
        table: dict[str, tuple[str, Registry[Any], Callable[[Any], Trial]]] = {
            "tap": ("readers", self.drivers.readers, lambda it: trials.tap(it, timeout_s)),
            "scan": ("scanners", self.drivers.scanners, lambda it: trials.scan(it, timeout_s)),
            "print": ("printers", self.drivers.printers, trials.print_page),
        }
        role, registry, trial = table[name]
        named = getattr(settings.devices, role) if settings is not None else ()
        found = [each for each in self.find_devices() if each.role == role]
        chosen = trials.choose(wanted, registry, named, found)
        return chosen, trials.tried(registry, chosen, trial)

    def _found(self, settings: Settings | None) -> Iterator[Line]:
        named: list[Device] = []
        if settings is not None:
            named += (device for _, device in configured_devices(settings, self.drivers))
        yield from devices.unconfigured(self.find_devices(), named, self.is_meant)

    def _bank(self, settings: Settings, versions: Mapping[str, str]) -> Iterator[Line]:
        if settings.shop.mode == "live" or self.has_bank:
            yield from link.bank(settings, self.home / "keys", self.clock, self.random)
            yield from link.chains(settings, self.home, self.clock, self.random)
            return
        library, _ = surroundings.EXTRAS["bank"]
        code = Matter.BANK_SIMULATED if versions[library] else Matter.BANK_CANNOT_BE_SIMULATED
        yield Line(Group.BANK, "link", code, {"library": library})
