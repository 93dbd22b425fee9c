"""What the bank sets, and its push broker, as the doctor sees them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from config import load_settings
from config.schema import Parameters, Settings
from simulators.bank import bench
from simulators.bank.mosquitto import PrivateBroker
from terminal.doctor import news
from terminal.doctor.wording import Matter
from terminal.news.parameters import REFUSED
from terminal.security.enrolment import enrol

NOW_MS = 1_795_500_000_000


def with_push(url: str) -> Settings:
    return load_settings(overrides={"bank.push_url": url})


def test_a_till_whose_bank_sets_nothing_hears_nothing_of_it(tmp_path: Path) -> None:
    settings = load_settings()
    assert list(news.parameters(settings, tmp_path)) == []
    assert list(news.push(settings, tmp_path)) == []


def test_what_holds_and_what_was_refused_is_said(tmp_path: Path) -> None:
    (tmp_path / REFUSED).write_text('{"why": "offline: unknown key"}', "ascii")
    settings = load_settings(parameters=Parameters(version=3))
    holds, refused = news.parameters(settings, tmp_path)

    assert (holds.code, holds.facts) == (Matter.PARAMETERS_HOLD, {"version": "3"})
    assert refused.code == Matter.PARAMETERS_REFUSED
    assert "offline: unknown key" in refused.text
    assert "till config show" in refused.step


@pytest.mark.wire
def test_the_broker_is_knocked_at(tmp_path: Path) -> None:
    place = bench.prepare(tmp_path, NOW_MS)
    code = bench.issue_enrolment_code(place, "till", "till-1", NOW_MS, os.urandom, merchant="m")
    keys = tmp_path / "till" / "keys"
    enrol(keys, code, lambda request: bench.enrol(place, request, NOW_MS))
    with PrivateBroker(place) as broker:
        [line] = news.push(with_push(broker.tills_url), keys)
        assert (line.code, line.facts) == (Matter.PUSH_LISTENS, {"url": broker.tills_url})
    [line] = news.push(with_push(broker.tills_url), keys)
    assert line.code == Matter.PUSH_UNAVAILABLE
    assert "in its own time" in line.text
