"""Each contradiction of card settings, and none in those that are shipped."""

from __future__ import annotations

import datetime
import json
from typing import Any

import msgspec
import pytest

import config
from config.cards import Application
from config.schema import Settings
from config.values import HexBytes
from terminal.commands.emv import as_plain
from terminal.decoding.card_settings import WORDINGS, Finding, examine
from terminal.doctor.wording import Level

TODAY = datetime.date(2026, 11, 24)
KERNELS = range(2, 9)
VISA, MASTERCARD = "A0000000031010", "A0000000041010"


@pytest.fixture(scope="module")
def shop() -> Settings:
    return config.load_settings(config.BENCH)


def found(settings: Settings) -> list[Finding]:
    return list(examine(settings, KERNELS, TODAY))


def of(settings: Settings, subject: str) -> list[str]:
    return [finding.code for finding in found(settings) if finding.subject == subject]


def changed(shop: Settings, aid: str, **changes: Any) -> Settings:
    """The shop with one application changed; what its schema checks is checked here too."""
    applications = []
    for one in shop.applications:
        if one.aid.hex().upper() == aid:
            one = msgspec.structs.replace(one, **changes)
            assert isinstance(one, Application)
        applications.append(one)
    return msgspec.structs.replace(shop, applications=tuple(applications))


def test_what_is_shipped_has_expired_keys_and_no_contradiction(shop: Settings) -> None:
    """Expired keys are in the schemes' lists still; a scheme of tests may have none."""
    assert {finding.code for finding in found(shop)} <= {"key-expired", "no-keys"}


@pytest.mark.parametrize(
    ("aid", "changes", "code", "text"),
    [
        (VISA, {"kernel": 9, "limit_sets": ()}, "kernel-unknown", "no kernel 9 is here"),
        (
            VISA,
            {"kernel": 7, "limit_sets": ()},
            "kernel-of-another-scheme",
            "kernel 7 is not this scheme's",
        ),
        (
            VISA,
            {"cvm_limit_minor": 5_000, "floor_limit_minor": 5_001},
            "floor-over-cvm",
            "floor limit 50.01 is above the CVM limit 50.00",
        ),
        (
            VISA,
            {"cvm_limit_minor": 100_000, "transaction_limit_minor": 100_000},
            "cvm-limit-never-reached",
            "CVM limit 1,000.00 is not below the transaction limit 1,000.00",
        ),
        (
            VISA,
            {"floor_limit_minor": 5_000_000},
            "floor-never-reached",
            "floor limit 50,000.00 is not below",
        ),
        (VISA, {"cvm_limit_minor": None}, "no-cvm-limit", "no CVM limit"),
        (VISA, {"ttq": HexBytes.fromhex("02004080")}, "no-emv-mode", "no EMV mode"),
        (VISA, {"ttq": HexBytes.fromhex("A2004080")}, "stripe-mode", "magnetic stripe"),
        (VISA, {"ttq": HexBytes.fromhex("2A004080")}, "offline-only", "offline only"),
    ],
)
def test_each_contradiction_is_named_with_its_step(
    shop: Settings, aid: str, changes: dict[str, Any], code: str, text: str
) -> None:
    before = of(shop, aid)
    [finding] = [
        each
        for each in found(changed(shop, aid, **changes))
        if each.subject == aid and each.code not in before and each.code == code
    ]

    assert finding.text.startswith(text) or text in finding.text
    assert finding.step


@pytest.mark.parametrize("floor", [4_999, 5_000])
def test_a_floor_at_the_cvm_limit_or_below_contradicts_nothing(shop: Settings, floor: int) -> None:
    within = changed(shop, VISA, cvm_limit_minor=5_000, floor_limit_minor=floor)

    assert "floor-over-cvm" not in of(within, VISA)


def test_without_pin_pad_and_signature_only_phones_pay_above_the_limit(shop: Settings) -> None:
    devices = msgspec.structs.replace(shop.devices, pin_pads=())
    bare = msgspec.structs.replace(shop, devices=devices)

    assert "no-way-to-verify" not in of(bare, VISA)
    assert "no-way-to-verify" in of(changed(bare, VISA, ttq=HexBytes.fromhex("20004080")), VISA)
    assert "no-way-to-verify" in of(changed(bare, MASTERCARD, signature=False), MASTERCARD)


def test_what_was_not_proved_must_not_stay_offline(shop: Settings) -> None:
    [mastercard] = [one for one in shop.applications if one.aid.hex().upper() == MASTERCARD]
    assert mastercard.action_codes is not None
    codes = msgspec.structs.replace(mastercard.action_codes, online=HexBytes(5))

    [fault] = [
        each
        for each in found(changed(shop, MASTERCARD, action_codes=codes))
        if each.level is Level.FAULT
    ]

    assert fault.code == "offline-unproved"
    assert fault.text.endswith("offline data authentication not performed, CDA failed")
    always_online = changed(shop, MASTERCARD, action_codes=codes, floor_limit_minor=0)
    assert "offline-unproved" not in of(always_online, MASTERCARD)


@pytest.mark.parametrize(
    ("expires", "code"),
    [
        (TODAY - datetime.timedelta(1), "key-expired"),
        (TODAY, "key-expires"),
        (TODAY + datetime.timedelta(90), "key-expires"),
        (TODAY + datetime.timedelta(91), None),
        (None, None),
    ],
)
def test_a_key_is_told_of_in_time(
    shop: Settings, expires: datetime.date | None, code: str | None
) -> None:
    """It is good on its last day."""
    key = msgspec.structs.replace(shop.ca_keys[0], expires=expires)
    one = msgspec.structs.replace(shop, ca_keys=(key,))

    assert of(one, f"CA key {key.name}") == ([] if code is None else [code])


def test_a_scheme_without_keys_and_keys_without_a_scheme(shop: Settings) -> None:
    bare = msgspec.structs.replace(shop, ca_keys=())
    assert "no-keys" in of(bare, VISA)
    visa_off = tuple(
        msgspec.structs.replace(one, enabled=not one.aid.hex().upper().startswith(VISA[:10]))
        for one in shop.applications
    )
    unused = {each.code for each in found(msgspec.structs.replace(shop, applications=visa_off))}
    assert "key-unused" in unused


def test_every_wording_can_be_said(shop: Settings) -> None:
    names = ("kernel", "known", "usual", "cvm", "floor", "transaction")
    facts = dict.fromkeys((*names, "bits", "rid", "expires", "days"), "1")
    for code in WORDINGS:
        finding = Finding("A0", code, facts)
        assert finding.text
        assert finding.step


def test_scripts_get_the_same(shop: Settings) -> None:
    plain = json.loads(json.dumps(as_plain(shop, found(shop))))

    assert plain["applications"][0]["aid"] == VISA
    assert plain["applications"][0]["cvm_limit_minor"] == 100_000
    assert {each["code"] for each in plain["findings"]} == {each.code for each in found(shop)}
