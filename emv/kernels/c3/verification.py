"""5.7: how the cardholder is verified."""

from __future__ import annotations

from emv import bits, tags
from emv.bits import CTQ, TTQ
from emv.conversation import Kernel, note
from emv.kernels.c3.session import Session
from emv.outcome import CVM, Reason

_ABILITIES = {CVM.SIGNATURE: TTQ.SIGNATURE, CVM.ONLINE_PIN: TTQ.ONLINE_PIN}


def verify_cardholder(session: Session) -> Kernel[CVM]:
    """Decide how the cardholder is verified, or that it cannot be done.

    Source: Book C-3, 5.7.1.
    """
    ttq, ctq = session.ttq, session.ctq
    is_required = TTQ.CVM_REQUIRED in ttq
    cvm = CVM.NONE
    source = session.cite("5.7.1.2")
    if ctq is not None:
        # The card's wish counts also below the reader's own limit. Public
        # implementations look at the PIN before the device, as here.
        if CTQ.ONLINE_PIN_REQUIRED in ctq and TTQ.ONLINE_PIN in ttq:
            session.must_go_online = True
            cvm = CVM.ONLINE_PIN
        elif CTQ.CDCVM_PERFORMED in ctq and TTQ.CDCVM in ttq:
            if not _is_device_verification_proved(session):
                session.decline = Reason.DEVICE_NOT_TRUSTED
                yield from note("{reason}", source, reason=str(session.decline))
                return CVM.NONE
            cvm = CVM.CONFIRMATION_CODE_VERIFIED
        elif CTQ.SIGNATURE_REQUIRED in ctq and TTQ.SIGNATURE in ttq:
            cvm = CVM.SIGNATURE
    elif is_required:
        source = session.cite("5.7.1.1")
        able = [one for one in session.unasked_cvms if _ABILITIES[one] in ttq]
        if able:
            cvm = able[0]
            session.must_go_online |= cvm is CVM.ONLINE_PIN
    if cvm is CVM.NONE and is_required:
        wants_pin = ctq is not None and CTQ.ONLINE_PIN_REQUIRED in ctq
        session.decline = Reason.PIN_NOT_POSSIBLE if wants_pin else Reason.CVM_NOT_POSSIBLE
        yield from note("{reason}", session.cite("5.7.1.3"), reason=str(session.decline))
        return cvm
    yield from note("cardholder verification: {cvm}", source, cvm=cvm.value)
    return cvm


def _is_device_verification_proved(session: Session) -> bool:
    """True if what the phone says of its owner is under a signature or an ARQC.

    Where 9F69 is there, its copy of the CTQ was signed; without it the
    issuer sees the truth in the cryptogram, so it must be asked.

    Source: Book C-3, 5.7.1.2.
    """
    related = session.card.get(tags.TAG_9F69_CARD_AUTHENTICATION_RELATED_DATA)
    if related is not None:
        return related[5:7] == session.card[tags.TAG_9F6C_CTQ]
    return session.cryptogram == bits.CID_ARQC
