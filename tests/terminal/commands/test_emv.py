"""`till emv config check` as an installer runs it."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner, Result

import config
from terminal.__main__ import main


def check(home: Path, *words: str, shop: Path | None = None) -> Result:
    where = ["--home", str(home)] + (["--shop", str(shop)] if shop else [])
    return CliRunner().invoke(main, [*where, "emv", "config", "check", *words])


def test_the_shipped_settings_are_listed_and_can_work(tmp_path: Path) -> None:
    result = check(tmp_path)

    lines = result.stdout.splitlines()
    assert result.exit_code == 0
    assert lines[0] == "A0000000031010   Visa, kernel 3"
    assert "    tap: online above 200.00, verified from 1,000.00, refused from 50,000.00" in lines
    program = "    tap, program 4F50454E54494C4C: online above 50.00, verified from 100.00"
    assert f"{program}, refused from 5,000.00" in lines
    assert lines[-1].endswith("faults: 0")


def test_a_limit_says_whether_it_is_over_itself(tmp_path: Path) -> None:
    """Kernel 2 compares all of its limits itself, kernel 8 all but the one for a tap at all."""
    lines = check(tmp_path).stdout.splitlines()
    told = {
        line.split()[0]: lines[at + 1]
        for at, line in enumerate(lines)
        if line.startswith(("A0000000041010", "F00000000801"))
    }

    limits = "    tap: online above 200.00, verified above 1,000.00, refused"
    assert told["A0000000041010"] == f"{limits} above 50,000.00"
    assert told["F00000000801"] == f"{limits} from 50,000.00"


def test_what_cannot_work_is_an_exit_status(tmp_path: Path) -> None:
    """Qualifiers without EMV mode: no Visa card could pay."""
    shipped = (config.BENCH.parent / "applications.toml").read_text("utf-8")
    (tmp_path / "applications.toml").write_text(
        shipped.replace('ttq = "22004080"', 'ttq = "02004080"'), "utf-8"
    )
    shop = tmp_path / "shop.toml"
    shop.write_text(config.BENCH.read_text("utf-8"), "utf-8")

    result = check(tmp_path / "home", shop=shop)
    plain = json.loads(check(tmp_path / "home", "--json", shop=shop).stdout)

    assert result.exit_code == 1
    assert "✗ A0000000031010: the qualifiers offer no EMV mode: no card can pay" in result.stdout
    assert "    › Set byte 1, bit 6 of ttq" in result.stdout
    assert {"level": "fault", "subject": "A0000000031010", "code": "no-emv-mode"}.items() <= (
        plain["findings"][0].items()
    )
