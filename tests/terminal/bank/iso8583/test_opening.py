"""The dialect chosen in a shop's file, and its keys on disk."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import config
from config.errors import ConfigError
from config.schema import Settings
from emv.errors import ConfigurationError
from terminal.bank import dialects
from terminal.bank.iso8583 import opening
from terminal.bank.iso8583.cards import CardSafe
from terminal.errors import KeysUnusable, MalformedMessage
from terminal.opening import refuse_pin_pads

ADDRESS = "iso8583://bank.example:7001"
ATTEMPT = "018f0000-0000-7000-8000-000000000001"


def settings(url: str = ADDRESS, **more: object) -> Settings:
    return config.load_settings(overrides={"bank.url": url, **more})


def test_the_address_says_how_the_bank_speaks() -> None:
    assert dialects.speaks_iso8583(settings().bank)
    assert not dialects.speaks_iso8583(settings("https://bank.example").bank)


@pytest.mark.parametrize("url", ["iso8583://bank.example", "http://bank.example", "iso8583:7001"])
def test_an_address_that_is_none_is_named(url: str) -> None:
    with pytest.raises(ConfigError, match=r"bank\.url"):
        settings(url)


@pytest.mark.parametrize(
    ("key", "value"),
    [("encoding", "ebcdic"), ("code", "none"), ("tpdu", "60"), ("header", "6"), ("tdpu", "")],
)
def test_a_wrong_setting_of_the_dialect_is_named(key: str, value: str) -> None:
    with pytest.raises(ConfigError, match="iso8583"):
        config.load_settings(overrides={"bank.iso8583": {key: value}})


def test_a_pin_pad_is_refused_where_no_pin_can_be_told() -> None:
    with pytest.raises(ConfigurationError, match=r"devices\.pin_pads"):
        refuse_pin_pads(settings())
    refuse_pin_pads(settings("https://bank.example"))


def test_the_card_key_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    sealed = opening.open_safe(tmp_path, os.urandom).seal_card(ATTEMPT, b"\x9f\x36\x00")
    again = opening.open_safe(tmp_path, os.urandom)
    assert again.open(ATTEMPT, sealed) == {"entry": "contactless", "emv": "9F3600"}
    assert (tmp_path / opening.CARD_KEY).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("content", "mode", "why"),
    [
        ("00" * 32, 0o644, "others may read it"),
        ("not hex", 0o600, "not a key in hex"),
        ("00" * 16, 0o600, "not 32 bytes"),
    ],
)
def test_a_key_that_cannot_be_used_is_named(
    tmp_path: Path, content: str, mode: int, why: str
) -> None:
    file = tmp_path / opening.CARD_KEY
    file.write_text(content)
    file.chmod(mode)
    with pytest.raises(KeysUnusable, match=f"{opening.CARD_KEY}: {why}"):
        opening.open_safe(tmp_path, os.urandom)


def test_what_is_sealed_for_one_payment_opens_for_no_other() -> None:
    safe, other = CardSafe(bytes(32)), CardSafe(bytes(range(32)))
    sealed = safe.seal_code(ATTEMPT, "284712345678901234")
    with pytest.raises(MalformedMessage, match="another payment"):
        safe.open(ATTEMPT.replace("1", "2"), sealed)
    with pytest.raises(MalformedMessage, match="did not seal"):
        other.open(ATTEMPT, sealed)
    with pytest.raises(MalformedMessage, match="did not seal"):
        safe.open(ATTEMPT, "a.b.c.d.e")
