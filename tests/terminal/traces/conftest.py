"""A bench shop's rules, simulated cards before its reader, and what is written of them."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path

import pytest

import config
from emv import entry_point
from emv.conversation import Kernel
from emv.outcome import Outcome
from simulators.card import find_card, keys, make_card
from simulators.readers.in_process import InProcessReader
from terminal.checkout.cards import CardRules
from terminal.checkout.media import card_rules
from terminal.checkout.pump import Answers, converse
from terminal.traces.recording import Recording, witnessed

NOW = datetime.datetime(2026, 11, 24, 14, 32, tzinfo=datetime.UTC)
ATTEMPT = "01a20e6a-eebe-7fdd-8ef5-8caa47bda1aa"

Tap = Callable[..., Recording]


def sale(amount_minor: int) -> entry_point.Transaction:
    return entry_point.Transaction(
        amount_minor, 156, 2, NOW.date(), time=NOW.time().replace(microsecond=0)
    )


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cards")


@pytest.fixture(scope="session")
def settings(home: Path) -> config.Settings:
    return config.load_settings(config.BENCH, more_ca_keys=[keys.prepare(home, NOW.date())])


@pytest.fixture
def rules(settings: config.Settings) -> CardRules:
    """Fresh ones: kernel 2 remembers torn transactions."""
    return card_rules(settings)


def record(kernel: Kernel[Outcome], reader: InProcessReader, recording: Recording) -> Recording:
    """Carry a conversation to its end, written down as it passes."""
    told: list[Recording] = []
    answers = Answers(
        lambda count: bytes(range(count)), lambda pan, number: False, lambda _: None, lambda _: None
    )
    converse(witnessed(kernel, recording, told.append), reader, answers)
    assert told == [recording]
    return recording


@pytest.fixture
def tap(home: Path, rules: CardRules) -> Tap:
    """Hold a simulated card before the reader; return what passed."""

    def run(name: str, *, amount_minor: int = 5_200, whole: bool = True) -> Recording:
        reader = InProcessReader()
        reader.present(make_card(find_card(name), home))
        assert reader.wait_for_card(0)
        transaction = sale(amount_minor)
        kernel = entry_point.run(rules.config, transaction, rules.kernels)
        recording = Recording(
            ATTEMPT,
            "Counter reader",
            "contactless",
            round(NOW.timestamp() * 1000),
            transaction,
            whole,
        )
        return record(kernel, reader, recording)

    return run
