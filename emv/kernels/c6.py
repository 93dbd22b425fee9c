"""Kernel 6: Discover and Diners (D-PAS) in EMV mode.

The common EMV mode, with the reader's transaction qualifiers, and the card's
own processing requirements as to how its holder is verified. The magnetic
stripe mode is not here.

Source: EMV Contactless Book C-6. unsettled: public descriptions are thin; of
the card processing requirements, tag 9F71, three bits are known.
"""

from __future__ import annotations

from collections.abc import Mapping

from emv import bits, tags
from emv.bits import TTQ, TVR
from emv.conversation import Kernel
from emv.entry_point import Activation, KernelFactory
from emv.errors import ConfigurationError
from emv.kernels.cardholder import Verification, verify_by_list
from emv.kernels.choice import choose
from emv.kernels.emv_mode import Configuration, Scheme, Session, carry_out
from emv.kernels.endings import CVM_RESULTS
from emv.outcome import CVM, Outcome

__all__ = ["Configuration", "kernel"]

KERNEL_ID = 6

# Card Processing Requirements, tag 9F71.
ONLINE_PIN_REQUIRED = 0x80_00
SIGNATURE_REQUIRED = 0x40_00
CDCVM_PERFORMED = 0x00_80

_WISHES = (
    (CDCVM_PERFORMED, TTQ.CDCVM, CVM.CONFIRMATION_CODE_VERIFIED),
    (ONLINE_PIN_REQUIRED, TTQ.ONLINE_PIN, CVM.ONLINE_PIN),
    (SIGNATURE_REQUIRED, TTQ.SIGNATURE, CVM.SIGNATURE),
)
"""What the card says, what the reader needs for it, and what it comes to."""


def kernel(configurations: Mapping[bytes, Configuration]) -> KernelFactory:
    """Return the kernel, ready for the Entry Point to activate.

    configurations: by the AID of the reader's combination.
    """

    def activate(activation: Activation) -> Kernel[Outcome]:
        return carry_out(SCHEME, choose(configurations, activation, KERNEL_ID), activation)

    return activate


def tell(session: Session) -> dict[int, bytes]:
    """Return the reader's qualifiers. Raises ConfigurationError if it has none."""
    ttq = session.indicators.ttq
    if ttq is None:
        raise ConfigurationError("kernel 6 needs tag 9F66 in its combination")
    return {tags.TAG_9F66_TTQ: ttq}


def verify(session: Session) -> Verification:
    """Do as the card requires; without requirements walk its list.

    Raises MalformedData for a list that is none.
    """
    requirements = session.card.get(tags.TAG_9F71_CARD_PROCESSING_REQUIREMENTS)
    is_required = session.indicators.cvm_required_limit_exceeded
    if requirements is None:
        if is_required:
            return verify_by_list(session.card, session.terminal)
        return Verification(CVM.NONE, bits.CVM_RESULTS_NOT_PERFORMED)
    wanted = int.from_bytes(requirements, "big")
    ttq = TTQ.decode(session.terminal[tags.TAG_9F66_TTQ])
    for bit, ability, cvm in _WISHES:
        if wanted & bit and ability in ttq:
            findings = TVR.ONLINE_CVM_CAPTURED if cvm is CVM.ONLINE_PIN else TVR(0)
            return Verification(cvm, CVM_RESULTS[cvm], findings)
    if is_required:
        failed = TVR.CARDHOLDER_VERIFICATION_FAILED
        return Verification(CVM.NONE, bits.CVM_RESULTS_NONE_SUCCEEDED, failed)
    return Verification(CVM.NONE, bits.CVM_RESULTS_NOT_PERFORMED)


SCHEME = Scheme(KERNEL_ID, tell, verify, from_card=(tags.TAG_9F71_CARD_PROCESSING_REQUIREMENTS,))
