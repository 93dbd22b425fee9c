"""What the reader would have, before the cryptogram and after it.

Source: EMV Contactless Book C-8, terminal action analysis and the
cardholder verification decision.
"""

from __future__ import annotations

from dataclasses import dataclass

from emv import bits, tags
from emv.actions import Reach, Rule, explain, reach_of
from emv.bits import AIP, TVR8
from emv.conversation import Kernel, note
from emv.kernels.c8.configuration import NO_CVM, ON_DEVICE, ONLINE_PIN, SIGNATURE
from emv.kernels.c8.session import SOURCE, Session
from emv.outcome import CVM


def manage_risk(session: Session) -> None:
    """Write limits and name into the TVR. A limit itself is not over.

    Source: Book C-8, before GENERATE AC.
    """
    if session.amount > session.configuration.floor_limit_minor:
        session.tvr |= TVR8.FLOOR_LIMIT_EXCEEDED
    name = session.fci[tags.TAG_84_DF_NAME]
    if not name.startswith(session.activation.combination.aid):
        session.tvr |= TVR8.AID_MISMATCH
    if not session.authenticates_locally:
        session.tvr |= TVR8.LOCAL_AUTHENTICATION_NOT_PERFORMED


def analyse_actions(session: Session) -> Kernel[None]:
    """Decide: approve, go online or decline. There is no default action code.

    Source: Book C-8, terminal action analysis.
    """
    session.decision, session.findings, rule = _decide(session)
    source = f"{SOURCE}, action analysis"
    yield from explain(session.decision, rule, session.findings, source)


def _decide(session: Session) -> tuple[int, TVR8, Rule]:
    """Return the decision, the findings that made it, and the rule."""
    nothing = TVR8(0)
    denied = session.tvr & session.configuration.action_denial
    if denied:
        return bits.CID_AAC, denied, Rule.DENIAL
    reach = reach_of(session.activation.terminal.terminal_type)
    wants_online = AIP.OFFLINE_CAPABLE not in session.aip
    if reach is Reach.ONLINE_ONLY:
        return bits.CID_ARQC, nothing, Rule.TERMINAL_ONLINE_ONLY
    if reach is Reach.OFFLINE_ONLY:
        if wants_online:
            return bits.CID_AAC, nothing, Rule.NEITHER_REACHES
        return bits.CID_TC, nothing, Rule.TERMINAL_OFFLINE_ONLY
    if wants_online:
        return bits.CID_ARQC, nothing, Rule.CARD_ONLINE_ONLY
    asked = session.tvr & session.configuration.action_online
    if asked:
        return bits.CID_ARQC, asked, Rule.ONLINE
    return bits.CID_TC, nothing, Rule.NONE_APPLIES


@dataclass(frozen=True, slots=True)
class _Method:
    """What one value of the decision means."""

    cvm: CVM
    results: bytes
    """CVM Results, tag 9F34."""
    needs: int = 0
    """What of the reader's ways it must be; 0 for none."""
    finding: TVR8 = TVR8(0)  # noqa: RUF009 - a number, and nothing can change it


_FAILED = _Method(
    CVM.NOT_APPLICABLE,
    bits.CVM_RESULTS_NONE_SUCCEEDED,
    finding=TVR8.CARDHOLDER_VERIFICATION_FAILED,
)
_METHODS = {
    0x00: _Method(CVM.NONE, bytes.fromhex("1F0002"), NO_CVM),
    0x01: _Method(CVM.SIGNATURE, bytes.fromhex("1E0000"), SIGNATURE),
    0x02: _Method(CVM.ONLINE_PIN, bytes.fromhex("020000"), ONLINE_PIN, TVR8.ONLINE_CVM_CAPTURED),
    0x03: _Method(CVM.CONFIRMATION_CODE_VERIFIED, bits.CVM_RESULTS_ON_DEVICE, ON_DEVICE),
    0x0F: _Method(CVM.NOT_APPLICABLE, bits.CVM_RESULTS_NOT_PERFORMED),
}
"""Cardholder Verification Decision, tag 9F8102."""


def follow_cardholder_decision(session: Session) -> Kernel[None]:
    """Do as the card decided on its holder, if the reader told it that it can.

    Source: Book C-8, state 29.
    """
    decision = session.card[tags.TAG_9F8102_CARDHOLDER_VERIFICATION_DECISION][0]
    method = _METHODS.get(decision, _FAILED)
    able = session.terminal[tags.TAG_9F1D_TERMINAL_RISK_MANAGEMENT_DATA][0]
    if method.needs & ~able:
        method = _FAILED
    session.cvm = method.cvm
    session.terminal[tags.TAG_9F34_CVM_RESULTS] = method.results
    session.tvr |= method.finding
    yield from note(
        "the card decided {decision} on its holder: {cvm}",
        f"{SOURCE}, state 29",
        decision=f"{decision:02X}",
        cvm=method.cvm.value,
    )
