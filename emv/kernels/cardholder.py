"""The card's CVM list as a tap can use it: online PIN, signature, or nothing.

Source: EMV 4.4 Book 3, 10.5; EMV Contactless Book C-2, CVM selection.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from emv import bits, cvm, tags
from emv.bits import TVR, parse_cvm_list
from emv.cvm import Circumstances
from emv.outcome import CVM

_METHODS = {
    cvm.ONLINE_PIN: (CVM.ONLINE_PIN, 0x00),
    cvm.SIGNATURE: (CVM.SIGNATURE, 0x00),
    cvm.NO_CVM: (CVM.NONE, 0x02),
}
"""What a tap can take: what it comes to, and the result to write."""


@dataclass(frozen=True, slots=True)
class Verification:
    """How the cardholder is verified, and what is written of it."""

    cvm: CVM
    results: bytes
    """CVM Results, tag 9F34."""
    findings: TVR = TVR(0)  # noqa: RUF009 - a number, and nothing can change it


def verify_by_list(card: Mapping[int, bytes], terminal: Mapping[int, bytes]) -> Verification:
    """Walk the card's list to the first rule that can be used.

    card: may lack tag 8E; that is a finding. terminal: tag 9F33 says what
    the reader can do.
    Raises MalformedData for a list that is none.
    """
    if not card.get(tags.TAG_8E_CVM_LIST):
        return Verification(CVM.NONE, bits.CVM_RESULTS_NOT_PERFORMED, TVR.ICC_DATA_MISSING)
    cvm_list = parse_cvm_list(card[tags.TAG_8E_CVM_LIST])
    here = Circumstances.of(card, terminal)
    findings = TVR(0)
    for rule in cvm_list.rules:
        if not cvm.is_met(rule, cvm_list, here):
            continue
        code = rule.method | (bits.CVM_APPLY_NEXT if rule.applies_next else 0)
        if not cvm.is_recognised(rule.method):
            findings |= TVR.UNRECOGNISED_CVM
        elif rule.method in _METHODS and cvm.is_supported(rule.method, here.capabilities):
            found, result = _METHODS[rule.method]
            if found is CVM.ONLINE_PIN:
                findings |= TVR.ONLINE_CVM_CAPTURED
            return Verification(found, bytes((code, rule.condition, result)), findings)
        if rule.applies_next:
            continue
        if rule.method == cvm.FAIL:
            return _failed(bytes((code, rule.condition, 0x01)), findings)
        break
    return _failed(bits.CVM_RESULTS_NONE_SUCCEEDED, findings)


def _failed(results: bytes, findings: TVR) -> Verification:
    return Verification(CVM.NONE, results, findings | TVR.CARDHOLDER_VERIFICATION_FAILED)
