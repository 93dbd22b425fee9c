"""10.9 and 10.10: the issuer's word, its proof, and its scripts."""

from __future__ import annotations

from emv import bits, scripts, tags
from emv.actions import analyse_offline, explain, issuer_action_codes
from emv.apdu import STATUS_OK, external_authenticate
from emv.bits import AIP, TSI, TVR
from emv.conversation import Kernel, ask_issuer, exchange, note
from emv.errors import LinkLost, MalformedData
from emv.kernels.contact.completion import data_record
from emv.kernels.contact.session import Session

RESPONSE_REFERRAL = frozenset({b"01", b"02"})
UNABLE_APPROVED = b"Y3"
UNABLE_DECLINED = b"Z3"
OFFLINE_APPROVED = b"Y1"
OFFLINE_DECLINED = b"Z1"
"""Codes the terminal gives itself. Source: EMV 4.4 Book 4, Annex A6."""


def go_online(session: Session) -> Kernel[int]:
    """Ask the issuer; return what to ask the card for in the end.

    An issuer that cannot be had leaves it to the default action codes.

    Source: EMV 4.4 Book 3, 10.9 and 10.11; Book 4, 12.2.1.
    """
    session.issuer = yield from ask_issuer(data_record(session), session.cvm)
    answer = session.issuer
    if answer is None:
        return (yield from decide_unable(session))
    session.terminal[tags.TAG_8A_AUTHORISATION_RESPONSE_CODE] = answer.response_code
    if answer.authentication_data:
        session.terminal[tags.TAG_91_ISSUER_AUTHENTICATION_DATA] = answer.authentication_data
        yield from authenticate_issuer(session)
    yield from run_scripts(session, tags.TAG_71_ISSUER_SCRIPT_TEMPLATE_1)
    is_approved = answer.is_approval
    yield from note("the issuer approves" if is_approved else "the issuer declines", "Book 3, 10.9")
    return bits.CID_TC if is_approved else bits.CID_AAC


def decide_unable(session: Session) -> Kernel[int]:
    """Decide without an issuer that should have been asked.

    Source: EMV 4.4 Book 3, 10.7; Book 4, 6.3.6.
    """
    decision = analyse_offline(
        session.tvr,
        issuer_action_codes(session.card),
        session.application.action_codes,
        session.reach,
    )
    is_approved = decision.cryptogram == bits.CID_TC
    code = UNABLE_APPROVED if is_approved else UNABLE_DECLINED
    session.terminal[tags.TAG_8A_AUTHORISATION_RESPONSE_CODE] = code
    yield from note("unable to go online", "Book 3, 10.7")
    yield from explain(decision.cryptogram, decision.rule, decision.findings, "Book 3, 10.7")
    return decision.cryptogram


def authenticate_issuer(session: Session) -> Kernel[None]:
    """Let the card check that the answer is its issuer's.

    A card that does not support the command hears of it in its CDOL2.

    Source: EMV 4.4 Book 3, 10.9 and 6.5.4.
    """
    if AIP.ISSUER_AUTHENTICATION not in session.aip:
        return
    data = session.terminal[tags.TAG_91_ISSUER_AUTHENTICATION_DATA]
    reply = yield from exchange(external_authenticate(data))
    session.tsi |= TSI.ISSUER_AUTHENTICATION_PERFORMED
    if reply.status != STATUS_OK:
        session.tvr |= TVR.ISSUER_AUTHENTICATION_FAILED
        yield from note(
            "issuer not authentic: {status}", "Book 3, 10.9", status=f"{reply.status:04X}"
        )


def run_scripts(session: Session, template: int) -> Kernel[None]:
    """Deliver the issuer's scripts of one kind; results are kept, failures in the TVR.

    template: 71 for those before the final GENERATE AC, 72 for those after.
    After it a card that leaves is a failed script and nothing more.

    Source: EMV 4.4 Book 3, 10.10.
    """
    is_early = template == tags.TAG_71_ISSUER_SCRIPT_TEMPLATE_1
    failure = TVR.SCRIPT_FAILED_BEFORE if is_early else TVR.SCRIPT_FAILED_AFTER
    data = session.issuer.scripts if session.issuer is not None else b""
    try:
        sent = [each for each in scripts.parse_scripts(data) if each.template == template]
    except MalformedData as error:
        if is_early:
            session.tvr |= failure
            session.script_results.append(scripts.UNREADABLE)
            yield from note(
                "issuer scripts cannot be read: {error}", "Book 3, 10.10", error=str(error)
            )
        return
    for script in sent:
        try:
            result = yield from scripts.deliver(script)
        except LinkLost:
            if is_early:
                raise
            result = scripts.ScriptResult(script.identifier, scripts.FAILED)
        session.tsi |= TSI.SCRIPT_PROCESSING_PERFORMED
        session.script_results.append(result)
        if result.outcome != scripts.SUCCESSFUL:
            session.tvr |= failure
            yield from note(
                "issuer script failed at command {failed_command}",
                "Book 3, 10.10",
                failed_command=result.failed_command,
            )
