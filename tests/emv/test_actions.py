"""Action codes: every finding against every mask, and whom the terminal can ask."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emv.actions import (
    ANY_FINDING,
    AUTHENTICITY,
    NO_FINDING,
    ActionCodes,
    Reach,
    analyse,
    analyse_offline,
    issuer_action_codes,
    reach_of,
    reason_of,
)
from emv.bits import CID_AAC, CID_ARQC, CID_TC, TVR
from emv.errors import MalformedData
from emv.outcome import Reason

pytestmark = pytest.mark.spec("Book 3, 10.7", "Book 4, 6.3.6", "Book 4, Annex A1", source="ours")

NOTHING = ActionCodes(NO_FINDING, NO_FINDING, NO_FINDING)
BOTH = Reach.OFFLINE_WITH_ONLINE

findings = st.integers(0, (1 << 40) - 1).map(TVR)


@pytest.mark.parametrize("bit", TVR)
@pytest.mark.parametrize("side", ["issuer", "acquirer"])
def test_each_finding_is_answered_by_the_mask_that_names_it(bit: TVR, side: str) -> None:
    def codes(mask: ActionCodes) -> tuple[ActionCodes, ActionCodes]:
        return (mask, NOTHING) if side == "issuer" else (NOTHING, mask)

    denial = analyse(bit, *codes(ActionCodes(bit, NO_FINDING, NO_FINDING)), BOTH)
    online = analyse(bit, *codes(ActionCodes(NO_FINDING, bit, NO_FINDING)), BOTH)
    default = codes(ActionCodes(NO_FINDING, NO_FINDING, bit))

    assert (denial.cryptogram, denial.findings) == (CID_AAC, bit)
    assert (online.cryptogram, online.findings) == (CID_ARQC, bit)
    assert analyse(bit, *default, BOTH).cryptogram == CID_TC
    assert analyse(bit, *default, Reach.OFFLINE_ONLY).cryptogram == CID_AAC
    assert analyse_offline(bit, *default, BOTH).cryptogram == CID_AAC
    assert analyse_offline(NO_FINDING, *default, BOTH).cryptogram == CID_TC


@pytest.mark.parametrize("bit", TVR)
def test_no_mask_means_approval_offline(bit: TVR) -> None:
    assert analyse(bit, NOTHING, NOTHING, BOTH).cryptogram == CID_TC


def test_denial_goes_before_online() -> None:
    both = ActionCodes(TVR.EXPIRED, TVR.EXPIRED, NO_FINDING)

    assert analyse(TVR.EXPIRED, both, NOTHING, BOTH).cryptogram == CID_AAC


def test_an_online_only_terminal_always_asks_and_never_decides_alone() -> None:
    reach = Reach.ONLINE_ONLY

    assert analyse(NO_FINDING, NOTHING, NOTHING, reach).cryptogram == CID_ARQC
    assert analyse_offline(NO_FINDING, NOTHING, NOTHING, reach).cryptogram == CID_AAC


@pytest.mark.parametrize(
    ("terminal_type", "reach"),
    [
        *((number, Reach.ONLINE_ONLY) for number in (0x11, 0x14, 0x21, 0x24, 0x34)),
        *((number, Reach.OFFLINE_WITH_ONLINE) for number in (0x12, 0x15, 0x22, 0x25, 0x35)),
        *((number, Reach.OFFLINE_ONLY) for number in (0x13, 0x16, 0x23, 0x26, 0x36)),
    ],
)
def test_the_terminal_type_says_whom_it_can_ask(terminal_type: int, reach: Reach) -> None:
    assert reach_of(terminal_type) is reach


def test_masks_that_are_not_there_deny_nothing_and_ask_always() -> None:
    assert issuer_action_codes({}) == ActionCodes(NO_FINDING, ANY_FINDING, ANY_FINDING)
    assert ActionCodes() == ActionCodes(NO_FINDING, AUTHENTICITY, AUTHENTICITY)


def test_masks_on_the_card_are_read_from_their_tags() -> None:
    card = {0x9F0E: b"\x00\x40\x00\x00\x00", 0x9F0F: bytes(5), 0x9F0D: b"\x80\x00\x00\x00\x00"}

    assert issuer_action_codes(card) == ActionCodes(TVR.EXPIRED, NO_FINDING, TVR.ODA_NOT_PERFORMED)


def test_a_mask_of_a_wrong_length_is_refused() -> None:
    with pytest.raises(MalformedData):
        issuer_action_codes({0x9F0E: bytes(4)})


@given(findings, findings, findings, findings, st.sampled_from(Reach))
def test_a_denial_depends_on_the_masks_for_denial_alone(
    tvr: TVR, denial: TVR, online: TVR, default: TVR, reach: Reach
) -> None:
    codes = ActionCodes(denial, online, default)

    decision = analyse(tvr, codes, NOTHING, reach)

    if tvr & denial:
        assert decision.cryptogram == CID_AAC
    elif reach is not Reach.OFFLINE_ONLY:
        assert decision.cryptogram != CID_AAC
    assert decision.findings == tvr & decision.findings


@pytest.mark.parametrize(
    ("bits", "reason"),
    [
        (TVR.EXPIRED, Reason.EXPIRED),
        (TVR.EXPIRED | TVR.ON_EXCEPTION_FILE, Reason.EXCEPTION_FILE),
        (TVR.CDA_FAILED | TVR.FLOOR_LIMIT_EXCEEDED, Reason.NOT_AUTHENTIC),
        (TVR.PIN_TRY_LIMIT_EXCEEDED | TVR.CARDHOLDER_VERIFICATION_FAILED, Reason.PIN_BLOCKED),
        (TVR.FLOOR_LIMIT_EXCEEDED, Reason.ONLINE_NOT_POSSIBLE),
        (TVR.VERSIONS_DIFFER, Reason.TERMINAL_DECLINED),
        (NO_FINDING, Reason.TERMINAL_DECLINED),
    ],
)
def test_a_refusal_is_told_by_what_a_cashier_can_act_on(bits: TVR, reason: Reason) -> None:
    assert reason_of(bits) is reason
