"""5.6: fast dynamic or static authentication of the card."""

from __future__ import annotations

from emv import tags
from emv.authentication import (
    FORMAT_SIGNED_DYNAMIC,
    FORMAT_SIGNED_DYNAMIC_FDDA,
    verify_dynamic_data,
    verify_static_data,
)
from emv.bits import AIP, CTQ, TTQ
from emv.conversation import Kernel, note
from emv.errors import AuthenticationFailed
from emv.kernels.c3.session import Session
from emv.kernels.endings import try_contact
from emv.kernels.evidence import Evidence
from emv.outcome import Outcome, Reason

FDDA_VERSION_00 = 0x00
FDDA_VERSION_01 = 0x01


def authenticate_offline(session: Session) -> Kernel[Outcome | None]:
    """Prove the card genuine where its cryptogram alone must be believed.

    Offline that is fDDA, always. For an online authorisation it is done
    only where reader and card both support it: fDDA, or else the static
    signature.
    Returns the outcome if the card wants another interface after a failure.

    Source: Book C-3, 5.6.
    """
    if session.decline is not None:
        return None
    profile = AIP.decode(session.card[tags.TAG_82_AIP])
    is_for_online = session.must_go_online
    if is_for_online and not (TTQ.ODA_FOR_ONLINE in session.ttq and profile & (AIP.DDA | AIP.SDA)):
        return None
    try:
        if is_for_online and AIP.DDA not in profile:
            authenticate_static(session)
        else:
            authenticate_fast_dynamic(session)
    except AuthenticationFailed as failure:
        yield from note("card not authentic: {failure}", session.cite("5.6"), failure=str(failure))
        ctq = session.ctq or CTQ(0)
        if not is_for_online:
            if CTQ.ONLINE_IF_ODA_FAILS in ctq and session.is_online_capable:
                session.must_go_online = True
                return None
            if CTQ.SWITCH_IF_ODA_FAILS in ctq and TTQ.CONTACT_CHIP in session.ttq:
                return try_contact(Reason.NOT_AUTHENTIC)
        # unsettled: what a failure means for an online authorisation. A
        # reader that asks for it lets people through before the issuer
        # answers, so it must not pass.
        session.decline = Reason.NOT_AUTHENTIC
        return None
    yield from note("card is authentic", session.cite("5.6"))
    return None


def authenticate_fast_dynamic(session: Session) -> None:
    """Check the card's signature over this transaction.

    Raises AuthenticationFailed, naming the check, MalformedData for a
    record that cannot be read.

    Source: Book C-3, 5.6.2 and Annex C.
    """
    evidence = _evidence(session)
    key = evidence.icc_key()
    related = session.card.get(tags.TAG_9F69_CARD_AUTHENTICATION_RELATED_DATA)
    # unsettled: how version 00 shows itself. Public descriptions give 9F69
    # to version 01 only, so a card without it is read as version 00.
    version = FDDA_VERSION_00 if related is None else related[0]
    terminal = session.terminal
    signed = evidence.required(tags.TAG_9F4B_SIGNED_DYNAMIC_APPLICATION_DATA)
    number = terminal[tags.TAG_9F37_UNPREDICTABLE_NUMBER]
    if version == FDDA_VERSION_01 and related is not None:
        covered = (
            number
            + terminal[tags.TAG_9F02_AMOUNT_AUTHORISED]
            + terminal[tags.TAG_5F2A_TRANSACTION_CURRENCY_CODE]
            + related
        )
        verify_dynamic_data(signed, key, covered, (FORMAT_SIGNED_DYNAMIC_FDDA,))
    elif version == FDDA_VERSION_00 and session.configuration.accepts_fdda_version_00:
        # unsettled: whether format 95 came before or with version 01. Cards
        # of version 00 may also sign as plain DDA does: 05.
        formats = (FORMAT_SIGNED_DYNAMIC_FDDA, FORMAT_SIGNED_DYNAMIC)
        verify_dynamic_data(signed, key, number, formats)
    else:
        raise AuthenticationFailed(f"fDDA version {version:02X} is not supported")


def authenticate_static(session: Session) -> None:
    """Check the issuer's signature over the card's static data.

    Raises as authenticate_fast_dynamic.

    Source: EMV 4.4 Book 2, 5.
    """
    evidence = _evidence(session)
    signed = evidence.required(tags.TAG_93_SIGNED_STATIC_APPLICATION_DATA)
    verify_static_data(signed, evidence.issuer_key(), evidence.static_data())


def _evidence(session: Session) -> Evidence:
    activation = session.activation
    return Evidence(
        session.card,
        session.records,
        session.configuration.ca_keys,
        # The scheme is the reader's AID's: a card must not choose whose key counts.
        activation.combination.rid,
        session.pan,
        activation.transaction.date,
    )
