"""Opens devices by name from a closed table that the assembly fills.

Which driver a name means is decided once, at assembly; nothing here searches
for plug-ins. A driver's module, and the vendor library behind it, is imported
when its device is opened and not before.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from drivers.errors import DeviceUnavailable, OptionRefused, UnknownDriver
from drivers.protocols import (
    CardReader,
    CustomerDisplay,
    Finding,
    PinPad,
    ReceiptPrinter,
    Scanner,
    SymbolReader,
    Symptom,
)

D = TypeVar("D")


@dataclass(frozen=True, slots=True)
class Entry(Generic[D]):
    """How one driver is opened, and whether it is a simulator."""

    factory: str | Callable[..., D]
    """A callable, or 'package.module:attribute' that is imported on demand.
    It is called with the device's options as keywords."""
    simulated: bool = False
    """A live shop refuses it."""
    typed: bool = False
    """It types like a keyboard: what it read comes with the till's own keys."""
    extra: str = ""
    """The installable extra that brings the vendor library: 'pcsc', 'nfc'."""
    inspector: str = ""
    """A function that looks closely at one device, by the same options; as factory."""


class Registry(Generic[D]):
    """The drivers of one kind: all readers, or all scanners."""

    def __init__(self, kind: str, entries: Mapping[str, Entry[D]] | None = None) -> None:
        """kind: what errors call such a device: 'reader', 'scanner'."""
        self.kind = kind
        self._entries = dict(entries or {})

    def names(self) -> Sequence[str]:
        """Return the names that open() takes, in the table's order."""
        return tuple(self._entries)

    def is_simulated(self, name: str) -> bool:
        """Say whether a name stands for a simulator. Raises UnknownDriver."""
        return self._entry(name).simulated

    def is_typed(self, name: str) -> bool:
        """Say whether a name stands for a device that types. Raises UnknownDriver."""
        return self._entry(name).typed

    def open(self, name: str, options: Mapping[str, Any] | None = None) -> D:
        """Return the device, opened with its options.

        options: the driver's own keywords, as config holds them.
        Raises UnknownDriver if the table has no such name, OptionRefused if
        the driver does not take an option, DeviceUnavailable if its library
        is not installed or the device cannot be opened.
        """
        entry = self._entry(name)
        factory = self._resolve(name, entry)
        self._check_options(name, factory, options or {})
        return factory(**(options or {}))

    def inspect(self, name: str, options: Mapping[str, Any] | None = None) -> Finding:
        """Look closely at one device: open it as open() would, and let it go.

        A simulated one is left alone. Raises what a driver did not foresee.
        """
        try:
            entry = self._entry(name)
        except UnknownDriver as error:
            return Finding(Symptom.UNKNOWN_DRIVER, {"why": str(error)})
        if entry.simulated:
            return Finding(Symptom.SIMULATED)
        try:
            self._check_options(name, self._resolve(name, entry), options or {})
        except OptionRefused as error:
            return Finding(Symptom.OPTION_REFUSED, {"why": str(error)})
        except DeviceUnavailable as error:
            cause = error.__cause__
            library = cause.name if isinstance(cause, ImportError) and cause.name else name
            package = f"opentill[{entry.extra}]" if entry.extra else "opentill"
            return Finding(Symptom.LIBRARY_MISSING, {"library": library, "package": package})
        if not entry.inspector:
            return Finding(Symptom.UNSEEN, {"what": name})
        look: Callable[..., Finding] = _load(entry.inspector)
        return look(**(options or {}))

    def _check_options(
        self, name: str, factory: Callable[..., D], options: Mapping[str, Any]
    ) -> None:
        signature = inspect.signature(factory)
        try:
            signature.bind(**options)
        except TypeError as error:
            takes = ", ".join(signature.parameters) or "none"
            raise OptionRefused(f"{self.kind} {name!r}: {error}; its options: {takes}") from None

    def _entry(self, name: str) -> Entry[D]:
        try:
            return self._entries[name]
        except KeyError:
            known = ", ".join(self._entries) or "none"
            raise UnknownDriver(f"no {self.kind} driver {name!r}; there is: {known}") from None

    def _resolve(self, name: str, entry: Entry[D]) -> Callable[..., D]:
        if not isinstance(entry.factory, str):
            return entry.factory
        try:
            factory: Callable[..., D] = _load(entry.factory)
        except ImportError as error:
            remedy = f"; install opentill[{entry.extra}]" if entry.extra else ""
            raise DeviceUnavailable(
                f"{self.kind} {name!r} needs a library that cannot be loaded: {error}{remedy}"
            ) from error
        return factory


def _load(place: str) -> Any:
    """Import what 'package.module:attribute' names. Raises ImportError."""
    module, _, attribute = place.partition(":")
    return getattr(importlib.import_module(module), attribute)


@dataclass(frozen=True, slots=True)
class Drivers:
    """Every table of this till, one per kind of device."""

    readers: Registry[CardReader] = field(default_factory=lambda: Registry("reader"))
    scanners: Registry[Scanner] = field(default_factory=lambda: Registry("scanner"))
    symbol_readers: Registry[SymbolReader] = field(
        default_factory=lambda: Registry("symbol reader")
    )
    printers: Registry[ReceiptPrinter] = field(default_factory=lambda: Registry("printer"))
    displays: Registry[CustomerDisplay] = field(default_factory=lambda: Registry("display"))
    pin_pads: Registry[PinPad] = field(default_factory=lambda: Registry("PIN pad"))
