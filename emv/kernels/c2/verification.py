"""How the cardholder is verified: on the device, or by the card's list.

Source: EMV Contactless Book C-2, CVM selection; EMV 4.4 Book 3, 10.5.
"""

from __future__ import annotations

from emv import bits, cvm, tags
from emv.bits import AIP, TVR, parse_cvm_list
from emv.conversation import Kernel, note
from emv.cvm import Circumstances
from emv.kernels.c2.session import Session
from emv.outcome import CVM

SOURCE = "Book C-2, CVM selection"

_METHODS = {
    cvm.ONLINE_PIN: (CVM.ONLINE_PIN, 0x00),
    cvm.SIGNATURE: (CVM.SIGNATURE, 0x00),
    cvm.NO_CVM: (CVM.NONE, 0x02),
}
"""What a tap can take: what it comes to, and the result to write."""

NO_CVM_ON_DEVICE = bytes.fromhex("3F0002")


def verify_cardholder(session: Session) -> Kernel[None]:
    """Choose how the holder is verified, and write CVM Results and TVR."""
    if session.verifies_on_device:
        session.cvm = CVM.NONE
        results = NO_CVM_ON_DEVICE
        if session.is_over_cvm_limit:
            session.cvm, results = CVM.CONFIRMATION_CODE_VERIFIED, bits.CVM_RESULTS_ON_DEVICE
    elif AIP.CARDHOLDER_VERIFICATION not in session.aip:
        session.cvm, results = CVM.NONE, bits.CVM_RESULTS_NOT_PERFORMED
    elif not session.card.get(tags.TAG_8E_CVM_LIST):
        session.tvr |= TVR.ICC_DATA_MISSING
        session.cvm, results = CVM.NONE, bits.CVM_RESULTS_NOT_PERFORMED
    else:
        results = _by_list(session)
    session.terminal[tags.TAG_9F34_CVM_RESULTS] = results
    yield from note(f"cardholder verification: {session.cvm.value}", SOURCE)


def _by_list(session: Session) -> bytes:
    """Walk the card's list to the first rule that can be used; return CVM Results.

    Raises MalformedData for a list that is none.
    """
    cvm_list = parse_cvm_list(session.card[tags.TAG_8E_CVM_LIST])
    here = Circumstances.of(session.card, session.terminal)
    for rule in cvm_list.rules:
        if not cvm.is_met(rule, cvm_list, here):
            continue
        code = rule.method | (bits.CVM_APPLY_NEXT if rule.applies_next else 0)
        if not cvm.is_recognised(rule.method):
            session.tvr |= TVR.UNRECOGNISED_CVM
        elif rule.method in _METHODS and cvm.is_supported(rule.method, here.capabilities):
            session.cvm, result = _METHODS[rule.method]
            if session.cvm is CVM.ONLINE_PIN:
                session.tvr |= TVR.ONLINE_CVM_CAPTURED
            session.receipt |= session.cvm is CVM.SIGNATURE
            return bytes((code, rule.condition, result))
        if rule.applies_next:
            continue
        if rule.method == cvm.FAIL:
            return _failed(session, bytes((code, rule.condition, 0x01)))
        break
    return _failed(session, bits.CVM_RESULTS_NONE_SUCCEEDED)


def _failed(session: Session, results: bytes) -> bytes:
    session.tvr |= TVR.CARDHOLDER_VERIFICATION_FAILED
    session.cvm = CVM.NONE
    return results
