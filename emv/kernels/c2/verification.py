"""How the cardholder is verified: on the device, or by the card's list.

Source: EMV Contactless Book C-2, CVM selection.
"""

from __future__ import annotations

from emv import bits, tags
from emv.bits import AIP
from emv.conversation import Kernel, note
from emv.kernels.c2.session import Session
from emv.kernels.cardholder import Verification, verify_by_list
from emv.outcome import CVM

NO_CVM_ON_DEVICE = bytes.fromhex("3F0002")


def verify_cardholder(session: Session) -> Kernel[None]:
    """Choose how the holder is verified, and write CVM Results and TVR.

    Raises MalformedData for a CVM list that is none.
    """
    if session.is_over_cvm_limit:
        yield from session.activation.transaction.note_limit(
            "amount {amount} is over the CVM limit {limit}: the cardholder must be verified",
            session.configuration.cvm_required_limit_minor,
            "Book C-2, reader CVM required limit",
        )
    chosen = _choose(session)
    session.cvm = chosen.cvm
    session.receipt |= chosen.cvm is CVM.SIGNATURE
    session.tvr |= chosen.findings
    session.terminal[tags.TAG_9F34_CVM_RESULTS] = chosen.results
    yield from note(
        "cardholder verification: {cvm}", "Book C-2, CVM selection", cvm=session.cvm.value
    )


def _choose(session: Session) -> Verification:
    if session.verifies_on_device:
        if session.is_over_cvm_limit:
            return Verification(CVM.CONFIRMATION_CODE_VERIFIED, bits.CVM_RESULTS_ON_DEVICE)
        return Verification(CVM.NONE, NO_CVM_ON_DEVICE)
    if AIP.CARDHOLDER_VERIFICATION not in session.aip:
        return Verification(CVM.NONE, bits.CVM_RESULTS_NOT_PERFORMED)
    return verify_by_list(session.card, session.terminal)
