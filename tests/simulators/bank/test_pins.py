"""Online PINs at the bank's door: right, wrong, blocked, replayed, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psec.pinblock
import pytest

from emv.keys import dukpt

if TYPE_CHECKING:
    from tests.simulators.bank.conftest import Shop, Till

PAN = "4009348888881881"
PIN = "1234"
PAD = bytes.fromhex("0F7E570000000001")
BASE_KEY = bytes.fromhex("FEDCBA9876543210F1F1F1F1F1F1F1F1")
TAKEN = {0x9F34: bytes.fromhex("020000")}


class Pad:
    """Whoever holds the pad: its keys from the terminal's side, its blocks by psec."""

    def __init__(self, shop: Shop, *, base_key: bytes = BASE_KEY) -> None:
        shop.place.pin_base_key.parent.mkdir(exist_ok=True)
        shop.place.pin_base_key.write_text(BASE_KEY.hex())
        self._device = dukpt.Device.inject(dukpt.initial_key(base_key, PAD), PAD)

    def enter(self, pin: str, pan: str = PAN) -> dict[str, str]:
        """Return what goes under the seal."""
        ksn, transaction = self._device.next_key()
        key = dukpt.working_key(transaction, ksn, dukpt.Usage.PIN_ENCRYPTION)
        block = psec.pinblock.encipher_pinblock_iso_4(key, pin, pan)
        return {"pin_block": block.hex().upper(), "pin_ksn": ksn.hex().upper()}


@pytest.fixture
def pad(shop: Shop) -> Pad:
    return Pad(shop)


def pay(till: Till, sealed: dict[str, str], amount_minor: int = 6000, **changes: Any) -> str:
    body = till.sale(amount_minor, pan=PAN, sealed=sealed, changes=TAKEN, **changes)
    status, told = till.pay(body)
    assert status == 200
    return str(told["code"])


def test_the_right_pin_pays(shop: Shop, till: Till, pad: Pad) -> None:
    assert pay(till, pad.enter(PIN)) == "00"
    assert shop.taken() == 6000


def test_a_wrong_pin_does_not_and_the_next_try_may(shop: Shop, till: Till, pad: Pad) -> None:
    assert [pay(till, pad.enter(pin)) for pin in ("0000", "12345", PIN)] == ["55", "55", "00"]
    assert shop.taken() == 6000


def test_the_third_wrong_pin_blocks_it_until_a_day_is_over(
    shop: Shop, till: Till, pad: Pad
) -> None:
    entered = ("0000", "0000", "0000", PIN)
    assert [pay(till, pad.enter(pin)) for pin in entered] == ["55", "55", "75", "75"]
    shop.pass_s(24 * 3600)
    assert pay(till, pad.enter(PIN)) == "00"


def test_a_right_pin_gives_all_tries_back(till: Till, pad: Pad) -> None:
    entered = ("0000", "0000", PIN, "0000", "0000", PIN)
    assert [pay(till, pad.enter(pin)) for pin in entered] == ["55", "55", "00"] * 2


def test_a_wrong_pin_learns_nothing_of_the_account(till: Till, pad: Pad) -> None:
    """Not even that there is not enough money."""
    assert pay(till, pad.enter("0000"), 200_000_000) == "55"
    assert pay(till, pad.enter(PIN), 200_000_000) == "51"


def test_a_block_serves_once(shop: Shop, till: Till, pad: Pad) -> None:
    entered = pad.enter(PIN)
    assert [pay(till, entered), pay(till, entered)] == ["00", "86"]
    assert shop.taken() == 6000


def test_an_older_block_serves_no_more(till: Till, pad: Pad) -> None:
    older, newer = pad.enter(PIN), pad.enter(PIN)
    assert [pay(till, newer), pay(till, older)] == ["00", "86"]


def test_what_no_pad_of_the_bank_made_is_no_try(shop: Shop, till: Till, pad: Pad) -> None:
    stranger = Pad(shop, base_key=bytes(16))
    of_another_card = pad.enter(PIN, "4111111111111111")
    foreign = [stranger.enter(PIN) for _ in range(6)]
    codes = [pay(till, entered) for entered in (*foreign, of_another_card)]
    assert codes == ["86"] * 7
    assert pay(till, pad.enter(PIN)) == "00"


def test_without_the_pads_keys_no_pin_is_checked(shop: Shop, till: Till, pad: Pad) -> None:
    shop.place.pin_base_key.unlink()
    assert pay(till, pad.enter(PIN)) == "86"


def test_an_account_without_a_pin_pays_with_none(till: Till, pad: Pad) -> None:
    entered = pad.enter(PIN, "4761739001010119")
    _, told = till.pay(till.sale(100, pan="4761739001010119", sealed=entered, changes=TAKEN))
    assert told["code"] == "86"


def test_a_replayed_tap_uses_no_try(shop: Shop, till: Till, pad: Pad) -> None:
    card = shop.card(6000, pan=PAN, changes=TAKEN)
    codes = []
    for _ in range(4):
        body = till.sale(6000, card=card, sealed=pad.enter("0000"))
        codes.append(till.pay(body)[1]["code"])
    assert codes == ["55", "05", "05", "05"]
    assert pay(till, pad.enter(PIN)) == "00"


def test_the_same_request_again_is_the_same_try(till: Till, pad: Pad) -> None:
    body = till.sale(6000, pan=PAN, sealed=pad.enter("0000"), changes=TAKEN)
    assert [till.pay(body)[1]["code"] for _ in range(4)] == ["55"] * 4
    assert pay(till, pad.enter("0000")) == "55"


@pytest.mark.parametrize(
    ("sealed", "results", "word"),
    [
        ({}, "020000", "pin_missing"),
        ({}, "420300", "pin_missing"),
        ({"pin_block": "0" * 32, "pin_ksn": "0" * 24}, "1F0000", "pin_unfit"),
        ({"pin_block": "0" * 32, "pin_ksn": "0" * 24}, None, "pin_unfit"),
        ({"pin_block": "0" * 32}, "020000", "pin_malformed"),
        ({"pin_ksn": "0" * 24}, "020000", "pin_malformed"),
        ({"pin_block": "0" * 30, "pin_ksn": "0" * 24}, "020000", "seal_broken"),
        ({"pin": PIN}, "020000", "seal_broken"),
        ({}, "02", "card_data_malformed"),
    ],
)
def test_a_till_that_contradicts_itself_is_refused(
    shop: Shop, till: Till, sealed: dict[str, str], results: str | None, word: str
) -> None:
    changes = {} if results is None else {0x9F34: bytes.fromhex(results)}
    status, told = till.pay(till.sale(6000, pan=PAN, sealed=sealed, changes=changes))
    assert (status, told["error"]) == (422, word)
    assert shop.taken() == 0


def test_no_stored_sale_has_a_pin(shop: Shop, till: Till, pad: Pad) -> None:
    card = shop.card(100, pan=PAN, kind=0x40, changes=TAKEN)
    status, told = till.advise(till.sale(100, card=card, sealed=pad.enter(PIN)))
    assert (status, told["error"]) == (422, "pin_unfit")


def test_nothing_of_a_pin_is_kept(shop: Shop, till: Till, pad: Pad) -> None:
    """Neither the block nor the PIN; the serial number's counter is."""
    entered = [pad.enter("90817263"), pad.enter(PIN)]
    assert [pay(till, one) for one in entered] == ["55", "00"]
    shop.close()
    kept = b"".join(path.read_bytes() for path in shop.place.folder.glob("ledger*"))
    assert b"visa-pin-required" in kept
    for one in entered:
        block = one["pin_block"]
        assert bytes.fromhex(block) not in kept
        assert block.encode() not in kept.upper()
    assert b"90817263" not in kept
