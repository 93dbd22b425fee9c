"""What a till keeps of a card: phone or plastic, as each scheme says it."""

from __future__ import annotations

import pytest

from emv.outcome import CVM, Outcome, Status
from terminal.checkout.card_facts import facts_of
from terminal.view import Medium

VISA, MASTERCARD, AMEX, DISCOVER = "A000000003", "A000000004", "A000000025", "A000000152"
PLASTIC, PHONE = Medium.CARD, Medium.PHONE


@pytest.mark.parametrize(
    ("scheme", "tag", "value", "medium"),
    [
        # Form factor indicator: byte 1, bits 5 to 1.
        (VISA, 0x9F6E, "20700000", PLASTIC),
        (VISA, 0x9F6E, "21820000", PHONE),
        # Third party data: a country, not a form factor, stands first.
        (MASTERCARD, 0x9F6E, "0156 0001 3030 00", PLASTIC),
        (MASTERCARD, 0x9F6E, "0156 0001 3031 00", PHONE),
        (MASTERCARD, 0x9F6E, "0156 8001 3031 00", PLASTIC),
        (MASTERCARD, 0x9F6E, "0156 0001", PLASTIC),
        # Only a phone has mobile CVM results; Discover's tag is another.
        (AMEX, 0x9F71, "3F0000", PHONE),
        (AMEX, 0x9F70, "0000", PLASTIC),
        (DISCOVER, 0x9F71, "0080", PLASTIC),
    ],
)
def test_a_card_tells_what_it_is_as_its_scheme_does(
    scheme: str, tag: int, value: str, medium: Medium
) -> None:
    record = {0x84: bytes.fromhex(f"{scheme}1010"), tag: bytes.fromhex(value)}
    outcome = Outcome(Status.ONLINE_REQUEST, data_record=record)

    assert facts_of(outcome, "Brand").medium is medium


def test_a_device_that_verified_its_holder_is_one() -> None:
    outcome = Outcome(
        Status.ONLINE_REQUEST,
        cvm=CVM.CONFIRMATION_CODE_VERIFIED,
        data_record={0x84: bytes.fromhex("A0000000041010")},
    )

    assert facts_of(outcome, "Mastercard").medium is PHONE
