"""A live shop refuses, by name and at its start, whatever only a bench may have."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import config
from terminal.__main__ import main
from terminal.assembly.devices import drivers
from terminal.assembly.simulated import Panel
from terminal.errors import LiveShopRefused
from terminal.opening import open_till
from terminal.people.staff import Staff
from terminal.seams import SystemClock

EXAMPLE = config.BENCH.with_name("live.example.toml")
SIMULATED_READER = '[[devices.readers]]\nname = "Left reader"\ndriver = "simulated"\n'
SIMULATED_CAMERA = '[[devices.scanners]]\nname = "Old camera"\ndriver = "simulated-camera"\n'

SCREEN_PIN_PAD = '[[devices.pin_pads]]\nname = "Keys"\ndriver = "pinpad-screen"\n'


def live(tmp_path: Path, more: str = "", home: Path | None = None) -> tuple[Path, list[str]]:
    """Write a live shop's file; return it, and how a command line begins."""
    shop = tmp_path / "live.toml"
    shop.write_text(EXAMPLE.read_text("utf-8") + "\n" + more, "utf-8")
    return shop, ["--home", str(home or tmp_path), "--shop", str(shop)]


def start(arguments: list[str], *command: str) -> Result:
    return CliRunner().invoke(main, [*arguments, *(command or ("run", "--plain"))], input="quit\n")


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (SIMULATED_READER, "A live shop has no simulators: reader 'Left reader' uses driver "),
        (SIMULATED_CAMERA, "A live shop has no simulators: scanner 'Old camera' uses driver "),
        (SCREEN_PIN_PAD, "A live shop has no simulators: PIN pad 'Keys' uses driver "),
        (
            '[files]\nca_keys = ["ca_keys.toml", "ca_keys_test.toml"]\n',
            "A live shop trusts no test keys: CA key A000000003",
        ),
    ],
    ids=["reader", "camera", "PIN on the screen", "test keys"],
)
@pytest.mark.parametrize("command", [("run", "--plain"), ("sale", "1.00"), ("recover",)])
def test_a_live_shop_refuses_by_name(
    tmp_path: Path, more: str, says: str, command: tuple[str, ...]
) -> None:
    _, arguments = live(tmp_path, more)
    if command == ("recover",):
        # There is something to recover in a folder that a till has worked in.
        from terminal.journal import Journal

        Journal(tmp_path / "till", SystemClock()).close()
    refused = start(arguments, *command)

    assert refused.exit_code == 30, refused.output
    assert says in " ".join(refused.stderr.split())


def test_a_live_shop_has_no_bench_panel(tmp_path: Path, city: object) -> None:
    from simulators.people import SimulatedPeople
    from simulators.shop import SimulatedShop

    shop_file, _ = live(tmp_path)
    settings = config.load_settings(shop_file)
    people = SimulatedPeople(tmp_path, os.urandom)
    simulated = SimulatedShop(tmp_path, lambda: 1_795_500_000_000, os.urandom, bank_url="x:1")
    try:
        with pytest.raises(LiveShopRefused, match="no bench panel"):
            open_till(
                settings,
                tmp_path / "till",
                drivers(None),
                SystemClock(),
                os.urandom,
                Staff(tmp_path / "till", SystemClock(), os.urandom, "", face="command"),
                bench=Panel(simulated, people, SystemClock().wall_ms),
            )
    finally:
        simulated.close()
    assert not (tmp_path / "till" / "journal.db").exists()


def test_nothing_is_presented_to_a_live_shop(tmp_path: Path) -> None:
    _, arguments = live(tmp_path)
    refused = start(arguments, "sale", "1.00", "--present", "card:visa-online")

    assert refused.exit_code == 2
    assert "this one is live" in " ".join(refused.stderr.split())


def test_no_pin_is_typed_for_a_live_shop(tmp_path: Path) -> None:
    _, arguments = live(tmp_path)
    refused = start(arguments, "sale", "1.00", "--pin", "1234")

    assert refused.exit_code == 2
    assert "this one is live" in " ".join(refused.stderr.split())


def test_a_live_till_that_was_never_enrolled_says_so(tmp_path: Path) -> None:
    _, arguments = live(tmp_path)
    refused = start(arguments)

    assert refused.exit_code == 30
    assert "enrol it at the bank first" in " ".join(refused.stderr.split())


def test_a_live_shop_starts_no_simulated_bank(tmp_path: Path) -> None:
    """Refused or not, nothing simulated is left in its folder."""
    for more in ("", SIMULATED_READER):
        _, arguments = live(tmp_path, more)
        start(arguments)
    assert not (tmp_path / "bank").exists()
    assert not (tmp_path / "cards").exists()
