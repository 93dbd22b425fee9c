"""What the bank sets reaches a till by itself, between sales, and outlives it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from simulators.bank import bench
from simulators.bank.mosquitto import PrivateBroker
from simulators.bank.parameters import ExceptionList
from simulators.bank.push import Nudger
from terminal.assembly.parts import Assembly
from terminal.commands.watch import watching
from terminal.errors import AmountRefused
from terminal.messages import Message
from terminal.news.bulletins import read_through
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
    # A bench shop keeps what its simulated cards said; nothing else has the number.
    files = [path for path in (home / "till").rglob("*") if path.is_file()]
    holding = {path.parent.name for path in files if LISTED.encode() in path.read_bytes()}
    assert holding <= {"traces"}


@contextmanager
def opened_with_push(town: City, home: Path, url: str) -> Iterator[Counter]:
    file = town.shop_file(home)
    text = file.read_text("utf-8").replace("[bank]\n", f"[bank]\npush_url = '{url}'\n")
    file.write_text(text, "utf-8")
    with Assembly(home, file, town.url).open_bench() as (till, shop), watching(till) as watch:
        till.staff.let_in("00")
        yield Counter(home, till, shop, watch, town.booked).until_ready()


@pytest.mark.wire
def test_a_nudge_brings_the_banks_news_at_once(town: City) -> None:
    """Without it the till asks every 20 seconds; after it, within moments."""
    home = town.new_home()
    now_ms = time.time_ns() // 1_000_000
    with PrivateBroker(town.place) as broker, Nudger(broker.bank_url) as bank:
        with opened_with_push(town, home, broker.tills_url) as counter:
            publish(town, TEXT)
            bench.publish_bulletin(town.place, "till-1", "Paper is on its way", now_ms)
            assert bank.hand_over("all")
            view = counter.until(lambda view: view.parameters == 1 and bool(view.bulletins))
            assert [each.text for each in view.bulletins] == ["Paper is on its way"]
        # Nobody has read it: it is there again after a start, and gone once somebody has.
        broker.stop()
        with opened_with_push(town, home, broker.tills_url) as counter:
            counter.until(lambda view: bool(view.bulletins))
            counter.till.read_bulletins(1)
            assert counter.till.view().bulletins == ()
        assert read_through(home / "till") == 1
