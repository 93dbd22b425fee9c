"""What a shop's settings make of the kernels."""

from __future__ import annotations

from pathlib import Path

import pytest

import config
from config.schema import Settings
from emv.authentication import CAKeyStore
from emv.bits import TVR
from emv.entry_point import Terminal
from emv.kernels import contact
from emv.risk import RiskLimits
from terminal.checkout.kernels import CONTACT_ACTION_CODES, contact_rules

VISA, MASTERCARD = bytes.fromhex("A0000000031010"), bytes.fromhex("A0000000041010")
OWN_CHIP = """
[applications.chip]
floor_limit_minor = 15_000
random_threshold_minor = 5_000
random_percent = 10
random_percent_max = 40
version = "0096"
action_codes = { denial = "0010000000", online = "F850ACF800", default = "F850ACA000" }
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A shop whose acquirer says more of Mastercard's chips than of the others."""
    table = (config.BENCH.parent / "applications.toml").read_text("utf-8")
    before, mastercard, after = table.partition("[applications.kernel_2]")
    (tmp_path / "applications.toml").write_text(before + OWN_CHIP + mastercard + after, "utf-8")
    (tmp_path / "shop.toml").write_text(config.BENCH.read_text("utf-8"), "utf-8")
    return config.load_settings(tmp_path / "shop.toml")


def in_a_slot(settings: Settings) -> dict[bytes, contact.Application]:
    terminal = Terminal(country=settings.shop.country)
    rules = contact_rules(settings, CAKeyStore(), terminal)
    return {application.aid: application for application in rules.configuration.applications}


def test_each_application_has_its_own_limits_and_action_codes_in_a_slot(
    settings: Settings,
) -> None:
    own = in_a_slot(settings)[MASTERCARD]

    assert own.limits == RiskLimits(15_000, 5_000, 10, 40)
    assert own.version == bytes.fromhex("0096")
    assert own.action_codes.online == TVR(0xF8_50_AC_F8_00)
    assert own.action_codes.default == TVR(0xF8_50_AC_A0_00)


def test_what_is_not_said_of_a_chip_is_as_for_a_tap(settings: Settings) -> None:
    """Visa's table is the common one, written out; JCB has none."""
    found = in_a_slot(settings)
    jcb = found[bytes.fromhex("A0000000651010")]

    assert found[VISA].action_codes == jcb.action_codes == CONTACT_ACTION_CODES
    assert jcb.limits == RiskLimits(20_000)
