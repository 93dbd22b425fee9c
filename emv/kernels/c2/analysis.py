"""Terminal action analysis: which cryptogram the reader asks for.

Source: EMV Contactless Book C-2, terminal action analysis; EMV 4.4 Book 3, 10.7.
"""

from __future__ import annotations

from dataclasses import replace

from emv import tags
from emv.actions import ActionCodes, analyse, explain, issuer_action_codes, reach_of
from emv.bits import TVR
from emv.conversation import Kernel
from emv.kernels.c2.session import Session
from emv.restrictions import check_restrictions

IAC_ABSENT = TVR(0xFF_FF_FF_FF_FC)
"""Everything but relay resistance, where the card has no action code."""


def manage_risk(session: Session) -> Kernel[None]:
    """Write processing restrictions and floor limit into the TVR.

    Raises MalformedData if a date cannot be read.
    """
    session.tvr |= check_restrictions(
        session.card, session.terminal, session.activation.transaction.date
    )
    if session.amount > session.configuration.floor_limit_minor:
        session.tvr |= TVR.FLOOR_LIMIT_EXCEEDED
        yield from session.activation.transaction.note_limit(
            "amount {amount} is over the floor limit {limit}: the issuer is asked",
            session.configuration.floor_limit_minor,
            "Book C-2, terminal risk management",
        )


def analyse_actions(session: Session) -> Kernel[None]:
    """Decide which cryptogram to ask for: TC, ARQC or AAC."""
    decision = analyse(
        session.tvr,
        _issuer_codes(session),
        session.configuration.action_codes,
        reach_of(session.activation.terminal.terminal_type),
    )
    session.requested, session.findings = decision.cryptogram, decision.findings
    source = "Book C-2, terminal action analysis"
    yield from explain(decision.cryptogram, decision.rule, decision.findings, source)


def _issuer_codes(session: Session) -> ActionCodes:
    """Return the card's masks; one that is missing leaves relay resistance out."""
    codes = issuer_action_codes(session.card)
    if tags.TAG_9F0F_IAC_ONLINE not in session.card:
        codes = replace(codes, online=IAC_ABSENT)
    if tags.TAG_9F0D_IAC_DEFAULT not in session.card:
        codes = replace(codes, default=IAC_ABSENT)
    return codes
