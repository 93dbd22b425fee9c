"""The test accounts, and that every simulated card and wallet has one."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from simulators.bank.accounts import load_accounts
from simulators.bank.errors import BankFileWrong

SIMULATORS = Path(__file__).parents[3] / "simulators"


def numbers_in(folder: str) -> set[str]:
    found: set[str] = set()
    for path in (SIMULATORS / folder).glob("*.toml"):
        found |= set(re.findall(r'pan = "(\d+)"', path.read_text("utf-8")))
    return found


def test_every_simulated_card_banks_here() -> None:
    numbers = numbers_in("card/profiles") | numbers_in("phones")
    accounts = load_accounts()

    assert numbers
    assert [number for number in sorted(numbers) if accounts.card(number) is None] == []


def test_every_simulated_wallet_banks_here() -> None:
    profiles = [
        tomllib.loads(path.read_text("utf-8")) for path in (SIMULATORS / "wallets").glob("*.toml")
    ]
    accounts = load_accounts()

    assert profiles
    assert [p["name"] for p in profiles if accounts.wallet(p["account"]) is None] == []


def test_every_card_number_has_its_check_digit() -> None:
    """Source: ISO/IEC 7812-1, annex B."""
    for card in load_accounts().cards:
        doubled = [int(d) * (1 + i % 2) for i, d in enumerate(reversed(card.pan))]
        assert sum(n // 10 + n % 10 for n in doubled) % 10 == 0, card.id


def test_no_card_number_shows_in_a_repr() -> None:
    for card in load_accounts().cards:
        assert card.pan not in repr(card)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("cards = 1", "cards"),
        ("[[cards]]\nid = 'a'\npan = '4242424242424242'\nfund = 1", "fund"),
        ("broken = 1 2\n", "line 1"),
        (
            "[currencies]\n[[cards]]\nid = 'a'\npan = '4242424242424242'\n"
            "[[cards]]\nid = 'b'\npan = '4242424242424242'\n[[wallets]]\nid='w'\nbrand='W'\n"
            "prefix='28'\ndigits=18",
            "twice",
        ),
    ],
)
def test_a_wrong_file_is_named(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text)

    with pytest.raises(BankFileWrong, match=r"mine\.toml") as wrong:
        load_accounts(path)
    assert words in str(wrong.value)
