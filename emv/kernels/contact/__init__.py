"""The contact kernel: a whole chip payment, from the directory to the last script.

The modules follow EMV 4.4 Book 3, chapter 10: initiate (10.1, 10.2),
authentication (10.3), verification (10.5), risk (10.6), cryptogram (10.7,
10.8), online (10.9, 10.10), completion (10.11). Selection is Book 1's, in
emv.selection; processing restrictions (10.4) are in emv.restrictions.

Source: EMV 4.4 Books 1 to 4. Uncertified.
"""

from __future__ import annotations

from collections.abc import Sequence

from emv import bits, tags
from emv.actions import Reach, analyse, explain, issuer_action_codes, reason_of
from emv.apdu import STATUS_FUNCTION_NOT_SUPPORTED
from emv.conversation import Kernel, note, note_refusal, show
from emv.entry_point import Terminal, Transaction
from emv.errors import Cancelled, CardRefused, DataMissing, LinkLost, MalformedData
from emv.kernels.contact.authentication import authenticate
from emv.kernels.contact.completion import (
    approved,
    broken_off,
    card_reason,
    declined,
)
from emv.kernels.contact.cryptogram import Answer, generate
from emv.kernels.contact.initiate import initiate_application, read_records
from emv.kernels.contact.online import (
    OFFLINE_APPROVED,
    OFFLINE_DECLINED,
    RESPONSE_REFERRAL,
    decide_unable,
    go_online,
    run_scripts,
)
from emv.kernels.contact.risk import manage_risk
from emv.kernels.contact.session import Application, Configuration, Session, code_tables
from emv.kernels.contact.verification import verify_cardholder
from emv.kernels.endings import end_application
from emv.kernels.objects import usable_objects
from emv.outcome import MessageId, Outcome, ReaderStatus, Reason, UserInterfaceRequest
from emv.restrictions import check_restrictions
from emv.selection import (
    Candidate,
    build_candidate_list,
    choose,
    preferred_language,
    select_final,
)

__all__ = ["Application", "Configuration", "Terminal", "Transaction", "process"]

NO_KERNEL_ID = 0
"""Contact has no kernel identifier: tags are read as the books' common part says."""


def process(
    configuration: Configuration,
    terminal: Terminal,
    transaction: Transaction,
    *,
    forced_online: bool = False,
) -> Kernel[Outcome]:
    """Carry out one payment with the card in the slot.

    forced_online: the cashier wants the issuer asked.
    Bad card data, refusals and a card that is pulled out are outcomes too.
    An outcome other than approved, after the issuer said yes, means that
    its approval must be reversed.
    """
    try:
        found = yield from build_candidate_list(configuration.applications)
    except CardRefused as refused:
        is_blocked = refused.status == STATUS_FUNCTION_NOT_SUPPORTED
        reason = Reason.CARD_BLOCKED if is_blocked else Reason.CARD_REFUSED
        return end_application(reason, refused.command, refused.status)
    except LinkLost as lost:
        return end_application(Reason.LINK_LOST, lost.kind)
    except MalformedData as error:
        return end_application(Reason.CARD_DATA_ERROR, str(error))
    left: Sequence[Candidate] = found.candidates
    tables = code_tables(terminal)
    while left:
        try:
            candidate = yield from choose(
                left,
                can_ask=configuration.asks_cardholder,
                code_tables=tables,
                language=preferred_language(found.language, configuration.languages) or "",
            )
        except LinkLost as lost:
            # The card was pulled out while its holder was asked.
            return end_application(Reason.LINK_LOST, lost.kind)
        if candidate is None and configuration.asks_cardholder:
            return end_application(Reason.CANCELLED, "choice of an application")
        if candidate is None:
            # All that is left needs a consent that nobody can be asked for.
            break
        left = [other for other in left if other is not candidate]
        outcome = yield from _pay(configuration, candidate, terminal, transaction, forced_online)
        if outcome is not None:
            return outcome
    reason = Reason.APPLICATION_BLOCKED if found.has_blocked else Reason.NO_APPLICATION
    return end_application(reason, "candidate list is empty")


def _pay(
    configuration: Configuration,
    candidate: Candidate,
    terminal: Terminal,
    transaction: Transaction,
    forced_online: bool,
) -> Kernel[Outcome | None]:
    """Pay with one application; None if the card wants another to be tried."""
    session: Session | None = None
    try:
        fci = yield from select_final(candidate)
        if fci is None:
            return None
        session = Session.begin(
            configuration,
            _application(configuration, candidate),
            terminal,
            transaction,
            usable_objects(fci, NO_KERNEL_ID),
        )
        if session.language:
            yield from show(
                UserInterfaceRequest(
                    MessageId.PROCESSING, ReaderStatus.PROCESSING, language=session.language
                )
            )
        if not (yield from initiate_application(session)):
            return None
        yield from read_records(session)
        yield from authenticate(session)
        session.tvr |= check_restrictions(session.card, session.terminal, transaction.date)
        yield from verify_cardholder(session)
        yield from manage_risk(session, forced_online=forced_online)
        return (yield from _complete(session))
    except CardRefused as refused:
        yield from note_refusal(refused, "Book 3, 6.3.5")
        return broken_off(session, Reason.CARD_REFUSED, refused.command, refused.status)
    except DataMissing as error:
        yield from note("card data missing: tag {tag}", "Book 3, 7.2", tag=f"{error.tag:X}")
        return broken_off(session, Reason.CARD_DATA_MISSING, str(error))
    except MalformedData as error:
        yield from note("card data cannot be read: {error}", "Book 3, 7.5", error=str(error))
        return broken_off(session, Reason.CARD_DATA_ERROR, str(error))
    except LinkLost as lost:
        return broken_off(session, Reason.LINK_LOST, lost.kind)
    except Cancelled as cancelled:
        return broken_off(session, Reason.CANCELLED, str(cancelled))


def _application(configuration: Configuration, candidate: Candidate) -> Application:
    """Return the terminal's application that a candidate was matched with."""
    return next(
        each for each in configuration.applications if each.aid == candidate.application.aid
    )


def _complete(session: Session) -> Kernel[Outcome]:
    """Analyse, ask for cryptograms, ask the issuer, and conclude.

    Source: EMV 4.4 Book 3, 10.7 to 10.11.
    """
    decision = analyse(
        session.tvr,
        issuer_action_codes(session.card),
        session.application.action_codes,
        session.reach,
    )
    yield from explain(decision.cryptogram, decision.rule, decision.findings, "Book 3, 10.7")
    answer = yield from generate(session, decision.cryptogram)
    if answer.is_forged:
        return (yield from _refuse_forgery(session, answer.kind))
    if answer.kind == bits.CID_ARQC:
        return (yield from _finish(session))
    is_approved = answer.kind == bits.CID_TC
    code = OFFLINE_APPROVED if is_approved else OFFLINE_DECLINED
    session.terminal[tags.TAG_8A_AUTHORISATION_RESPONSE_CODE] = code
    if is_approved:
        return approved(session)
    if decision.cryptogram == bits.CID_AAC:
        return declined(session, reason_of(decision.findings))
    return declined(session, card_reason(session, answer.kind))


def _refuse_forgery(session: Session, kind: int) -> Kernel[Outcome]:
    """Decline after a combined signature that does not fit; close what is open.

    Source: EMV 4.4 Book 2, 6.6.2; Book 4, 6.3.2.
    """
    session.terminal[tags.TAG_8A_AUTHORISATION_RESPONSE_CODE] = OFFLINE_DECLINED
    if kind == bits.CID_ARQC:
        yield from generate(session, bits.CID_AAC, is_second=True)
    return declined(session, Reason.NOT_AUTHENTIC)


def _finish(session: Session) -> Kernel[Outcome]:
    """Take an ARQC to the issuer, and the issuer's answer to the card.

    Source: EMV 4.4 Book 3, 10.9 to 10.11.
    """
    ask = decide_unable if session.reach is Reach.OFFLINE_ONLY else go_online
    wanted = yield from ask(session)
    answer = yield from generate(session, wanted, is_second=True)
    yield from run_scripts(session, tags.TAG_72_ISSUER_SCRIPT_TEMPLATE_2)
    if answer.kind == bits.CID_TC and not answer.is_forged:
        return approved(session)
    return declined(session, _why(session, wanted, answer))


def _why(session: Session, wanted: int, answer: Answer) -> Reason:
    """Return the reason of a payment that ended without a good TC."""
    if answer.is_forged:
        return Reason.NOT_AUTHENTIC
    if session.issuer is None:
        if wanted == bits.CID_AAC:
            return Reason.ONLINE_NOT_POSSIBLE
        return card_reason(session, answer.kind)
    if session.issuer.is_approval:
        return Reason.REFUSED_AFTER_APPROVAL
    is_referral = session.issuer.response_code in RESPONSE_REFERRAL
    return Reason.REFERRAL if is_referral else Reason.ISSUER_DECLINED
