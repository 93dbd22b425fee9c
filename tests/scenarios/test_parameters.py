"""What the bank sets reaches a till by itself, between sales, and outlives it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulators.bank import bench
from terminal.errors import AmountRefused
from terminal.people.audit import AuditLine
from tests.scenarios.conftest import City, Counter
from tests.scenarios.test_close_of_day import opened


@pytest.fixture
def town(tmp_path: Path) -> Iterator[City]:
    """A bank for one test."""
    opened = City(tmp_path)
    yield opened
    opened.close()


def publish(town: City, text: str) -> int:
    return bench.publish_parameters(town.place, text, time.time_ns() // 1_000_000)


def set_by_bank(counter: Counter) -> list[AuditLine]:
    return [line for _, line in counter.till.staff.log.lines() if line.act == "parameters"]


def test_a_till_that_runs_takes_up_what_the_bank_sets(town: City) -> None:
    home = town.new_home()
    publish(
        town,
        "amount_max_minor = 1200\n[currencies.CNY]\nnumeric = 156\ndigits = 2\n"
        "symbol = '元'\nname = 'Yuan'\nname_zh = '人民币'\n",
    )
    with opened(town, home) as counter:
        counter.until(lambda view: view.parameters == 1)
        with pytest.raises(AmountRefused, match=r"12\.00"):
            counter.till.sale(1300)
        assert counter.till.shop.currency_symbol == "元"
        assert counter.pay("card:visa-online", 1100).state == "approved"
        assert set_by_bank(counter) == [
            AuditLine("parameters", is_granted=True, name="", face="bank", about="version 1")
        ]
    with opened(town, home) as counter:
        assert counter.till.shop.amount_max_minor == 1200
        assert counter.till.view().parameters == 1
