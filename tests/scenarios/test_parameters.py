"""What the bank sets reaches a till by itself, between sales, and outlives it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulators.bank import bench
from simulators.bank.parameters import ExceptionList
from terminal.errors import AmountRefused
from terminal.messages import Message
from terminal.people.audit import AuditLine
from terminal.states import State
from tests.scenarios.conftest import City, Counter
from tests.scenarios.test_close_of_day import opened


@pytest.fixture
def town(tmp_path: Path) -> Iterator[City]:
    """A bank for one test."""
    opened = City(tmp_path)
    yield opened
    opened.close()


TEXT = """
amount_max_minor = 1200
texts = { receipt = ["Parking is free here"], welcome = "Open till ten" }

[currencies.CNY]
numeric = 156
digits = 2
symbol = "元"
name = "Yuan"
name_zh = "人民币"
"""
LISTED = "4005519200000004"
"""Of the simulated card 'visa-offline', which would approve by itself."""


def publish(town: City, text: str) -> None:
    listed = ExceptionList(os.urandom(32), ((LISTED, None),))
    bench.publish_parameters(town.place, text, time.time_ns() // 1_000_000, exceptions=listed)


def set_by_bank(counter: Counter) -> list[AuditLine]:
    return [line for _, line in counter.till.staff.log.lines() if line.act == "parameters"]


def test_a_till_that_runs_takes_up_what_the_bank_sets(town: City) -> None:
    home = town.new_home()
    publish(town, TEXT)
    with opened(town, home) as counter:
        counter.until(lambda view: view.parameters == 1)
        with pytest.raises(AmountRefused, match=r"12\.00"):
            counter.till.sale(1300)
        assert counter.till.shop.currency_symbol == "元"
        paid = counter.pay("card:visa-online", 1100)
        assert paid.state is State.APPROVED
        assert counter.till.receipt(paid.id)[-1].strip() == "Parking is free here"
        refused = counter.pay("card:visa-offline", 1100)
        assert refused.reason is Message.CARD_ON_EXCEPTION_FILE
        assert set_by_bank(counter) == [
            AuditLine("parameters", is_granted=True, name="", face="bank", about="version 1")
        ]
    with opened(town, home) as counter:
        assert counter.till.shop.amount_max_minor == 1200
        assert counter.till.view().parameters == 1
        assert counter.till.shop.welcome == "Open till ten"
    files = [path for path in (home / "till").rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if LISTED.encode() in path.read_bytes()]
