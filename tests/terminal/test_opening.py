"""What a shop may be opened with, before anything is opened."""

from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

import config
from config.schema import Receipts, Settings
from drivers.errors import UnknownDriver
from drivers.registry import Drivers, Entry, Registry
from terminal.errors import LiveShopRefused
from terminal.opening import claim, refuse_bench_things, refuse_unknown_drivers, shop_facts

ROLES = {
    "readers": "reader",
    "scanners": "scanner",
    "printers": "printer",
    "displays": "display",
    "pin_pads": "PIN pad",
}


def shop_with(role: str) -> Settings:
    """A shop that has one device only, in this role, with the driver 'toy'."""
    devices = {role: [{"name": "Left one", "driver": "toy"}]}
    return config.load_settings(
        config.BENCH.with_name("live.example.toml"), overrides={"devices": devices}
    )


@pytest.mark.parametrize(("role", "kind"), ROLES.items())
def test_a_driver_nobody_knows_is_named_at_start(role: str, kind: str) -> None:
    with pytest.raises(UnknownDriver, match=f"no {kind} driver 'toy'"):
        refuse_unknown_drivers(shop_with(role), Drivers())


@pytest.mark.parametrize(("role", "kind"), ROLES.items())
def test_a_live_shop_refuses_a_simulator_in_any_role(role: str, kind: str) -> None:
    toys: Any = {
        name: Registry(word, {"toy": Entry(partial(dict), simulated=True)})
        for name, word in ROLES.items()
    }
    with pytest.raises(LiveShopRefused, match=f"{kind} 'Left one' uses driver 'toy'"):
        refuse_bench_things(shop_with(role), Drivers(**toys), None)


@pytest.mark.parametrize(("first", "second"), [("bench", "live"), ("live", "bench")])
def test_a_folder_never_changes_sides(tmp_path: Path, first: str, second: str) -> None:
    claim(tmp_path / "till", first)
    claim(tmp_path / "till", first)
    with pytest.raises(LiveShopRefused, match=f"is a {first} shop's, and this shop is {second}"):
        claim(tmp_path / "till", second)


@pytest.mark.parametrize(
    ("receipts", "has_printer", "has_drawer"),
    [
        ({}, True, False),
        ({"print": "never", "drawer": True}, False, True),
        ({"print": "on-request", "drawer": True}, True, True),
    ],
)
def test_a_screen_knows_what_the_printer_is_for(
    receipts: dict[str, Any], has_printer: bool, has_drawer: bool
) -> None:
    facts = shop_facts(
        msgspec.structs.replace(shop_with("printers"), receipts=Receipts(**receipts))
    )
    assert (facts.has_printer, facts.has_drawer) == (has_printer, has_drawer)


def test_a_shop_without_a_printer_opens_no_drawer() -> None:
    bare = msgspec.structs.replace(shop_with("readers"), receipts=Receipts(drawer=True))
    facts = shop_facts(bare)
    assert (facts.has_printer, facts.has_drawer) == (False, False)
