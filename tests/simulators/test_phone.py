"""A phone pays like a card; above the reader's limit its owner comes first."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulators.card import Answer, find_card
from simulators.card.errors import UnknownProfile
from simulators.card.keys import CardKeys
from simulators.phone import Phone, find_phone, load_profiles, make_phone

SELECT = bytes.fromhex("00A4040007A000000003101000")
BELOW, ABOVE, NO_DEVICE_CHECK = "22004080", "22404080", "22400080"
ASKED = "6986"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("state")
    CardKeys(folder).prepare()
    return folder


def tap(phone: Phone, ttq: str = ABOVE) -> str:
    """Hold it to a reader once: the qualifiers it returns, or a status word.

    A decline by the phone is 'AAC'.
    """
    phone.power_up()
    phone.respond(SELECT)
    data = f"80A80000238321 {ttq} 000000200000 000000000000 0156 0000000000 0156 261124 00"
    response = phone.respond(bytes.fromhex(data + "7FBC4049 00"))
    assert isinstance(response, Answer)
    if response.data[-2:] != b"\x90\x00":
        return response.data[-2:].hex()
    answer = response.data.hex().upper()
    assert "9F6E0421820000" in answer, "not a mobile phone"
    if answer.partition("9F1007060112")[2][2:4] == "80":
        return "AAC"
    return answer.partition("9F6C02")[2][:4]


def test_an_unlocked_phone_says_so_at_any_amount(home: Path) -> None:
    phone = make_phone(load_profiles()["phone-approved"], home)

    assert tap(phone) == "0080"
    assert tap(phone, BELOW) == "0080"
    assert phone.returns_after_s() is None


def test_a_locked_phone_asks_its_owner_above_the_limit_and_pays_at_the_second_tap(
    home: Path,
) -> None:
    phone = make_phone(load_profiles()["phone-see-phone"], home)

    assert tap(phone) == ASKED
    assert phone.returns_after_s() == 1.5
    assert tap(phone) == "0080"
    assert phone.returns_after_s() is None


def test_a_locked_phone_pays_at_once_below_the_limit(home: Path) -> None:
    phone = make_phone(load_profiles()["phone-see-phone"], home)

    assert tap(phone, BELOW) == "0000"
    assert phone.returns_after_s() is None


def test_a_phone_locks_itself_after_each_payment(home: Path) -> None:
    phone = make_phone(load_profiles()["phone-see-phone"], home)

    assert [tap(phone) for _ in range(4)] == [ASKED, "0080", ASKED, "0080"]


def test_an_owner_may_unlock_beforehand(home: Path) -> None:
    phone = make_phone(load_profiles()["phone-see-phone"], home)
    phone.unlock()

    assert tap(phone) == "0080"
    assert tap(phone) == ASKED


def test_a_phone_whose_owner_cannot_be_verified_declines_at_the_second_tap(home: Path) -> None:
    phone = make_phone(load_profiles()["phone-refused"], home)

    assert [tap(phone) for _ in range(3)] == [ASKED, "AAC", ASKED]
    assert tap(phone, BELOW) == "0000"


def test_a_payment_between_the_taps_ends_the_asking(home: Path) -> None:
    phone = make_phone(load_profiles()["phone-refused"], home)

    assert [tap(phone), tap(phone, BELOW), tap(phone)] == [ASKED, "0000", ASKED]


def test_a_reader_that_cannot_trust_a_phone_is_told_nothing(home: Path) -> None:
    phone = make_phone(load_profiles()["phone-approved"], home)

    assert tap(phone, NO_DEVICE_CHECK) == "0000"


def test_asking_does_not_use_up_a_transaction_number(home: Path) -> None:
    phone = make_phone(load_profiles()["phone-see-phone"], home)
    counter = CardKeys(home).counter("phone-see-phone")
    before = counter.value()

    assert tap(phone) == ASKED
    assert counter.value() == before
    assert tap(phone) == "0080"
    assert counter.value() == before + 1


def test_phones_and_cards_are_two_lists() -> None:
    assert find_phone("phone-approved").name == "phone-approved"
    with pytest.raises(UnknownProfile, match="phone-approved"):
        find_phone("visa-online")
    with pytest.raises(UnknownProfile):
        find_card("phone-approved")
