"""The table of drivers: closed, lazy, and clear about what is wrong."""

import subprocess
import sys
from pathlib import Path

import pytest

from drivers.errors import DeviceUnavailable, OptionRefused, UnknownDriver
from drivers.registry import Drivers, Entry, Registry

PROJECT = Path(__file__).parent.parent.parent


class Lamp:
    """The smallest device a table can hold."""

    def __init__(self, colour: str = "white") -> None:
        self.colour = colour


def lamps() -> Registry[Lamp]:
    return Registry(
        "lamp",
        {
            "desk": Entry(Lamp),
            "painted": Entry(lambda colour: Lamp(colour), simulated=True),
            "imported": Entry("decimal:Decimal"),
            "vendor": Entry("no_such_vendor.sdk:Lamp", extra="nfc"),
        },
    )


def test_a_device_is_opened_by_name_with_its_options() -> None:
    assert lamps().open("desk").colour == "white"
    assert lamps().open("desk", {"colour": "red"}).colour == "red"


def test_a_factory_given_as_text_is_imported_when_opened() -> None:
    assert str(lamps().open("imported", {"value": "1.50"})) == "1.50"


def test_an_unknown_name_is_refused_with_the_names_there_are() -> None:
    for ask in (lamps().open, lamps().is_simulated):
        with pytest.raises(UnknownDriver, match=r"'flood'.*desk, painted, imported, vendor"):
            ask("flood")


def test_an_option_the_driver_does_not_take_is_named() -> None:
    with pytest.raises(OptionRefused, match=r"'desk'.*'color'.*its options: colour"):
        lamps().open("desk", {"color": "red"})
    with pytest.raises(OptionRefused, match=r"'painted'.*missing.*'colour'"):
        lamps().open("painted")


def test_a_missing_library_names_the_extra_that_brings_it() -> None:
    with pytest.raises(DeviceUnavailable, match=r"no_such_vendor.*opentill\[nfc\]"):
        lamps().open("vendor")


def test_simulators_are_known_by_name() -> None:
    table = lamps()
    assert [name for name in table.names() if table.is_simulated(name)] == ["painted"]


def test_a_till_without_devices_has_empty_tables() -> None:
    with pytest.raises(UnknownDriver, match="no reader driver 'pcsc'; there is: none"):
        Drivers().readers.open("pcsc")


def test_the_table_loads_no_vendor_library() -> None:
    """A missing camera must never stop a card sale, nor slow the start."""
    heavy = "{'cv2', 'zxingcpp', 'numpy', 'smartcard', 'nfc'}"
    code = f"import sys, drivers.registry; print(sorted({heavy} & set(sys.modules)))"
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == "[]"
