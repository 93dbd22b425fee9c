"""Kernel 5: JCB (J/Speedy) in EMV mode.

The common EMV mode, with the reader's terminal interchange profile, and the
card's word on its holder that comes with its cryptogram. The magnetic stripe
and legacy modes, torn recovery and issuer update are not here.

Source: EMV Contactless Book C-5. unsettled: public descriptions are thin. That
the card's verification status, tag 9F50, is coded as outcomes are (0 none, 1
signature, 2 online PIN, 3 device), is read from its likeness to them.
"""

from __future__ import annotations

from collections.abc import Mapping

from emv import bits, tags
from emv.bits import TerminalCapabilities
from emv.conversation import Kernel
from emv.entry_point import Activation, KernelFactory
from emv.kernels.cardholder import Verification, verify_by_list
from emv.kernels.choice import choose
from emv.kernels.emv_mode import Configuration, Scheme, Session, carry_out
from emv.outcome import CVM, Outcome

__all__ = ["Configuration", "kernel"]

KERNEL_ID = 5

# Terminal Compatibility Indicator, tag 9F52.
EMV_MODE = 0x02

# Terminal Interchange Profile, tag 9F53.
CVM_REQUIRED = 0x80_00_00
SIGNATURE = 0x40_00_00
ONLINE_PIN = 0x20_00_00
ON_DEVICE = 0x10_00_00
CONTACT = 0x02_00_00

_STATUSES = {
    0x0: CVM.NONE,
    0x1: CVM.SIGNATURE,
    0x2: CVM.ONLINE_PIN,
    0x3: CVM.CONFIRMATION_CODE_VERIFIED,
}
"""Cardholder Verification Status, tag 9F50, high nibble."""


def kernel(configurations: Mapping[bytes, Configuration]) -> KernelFactory:
    """Return the kernel, ready for the Entry Point to activate.

    configurations: by the AID of the reader's combination.
    """

    def activate(activation: Activation) -> Kernel[Outcome]:
        return carry_out(SCHEME, choose(configurations, activation, KERNEL_ID), activation)

    return activate


def tell(session: Session) -> dict[int, bytes]:
    """Return what the reader can do, and wants of this payment."""
    able = session.capabilities
    profile = ON_DEVICE
    if session.indicators.cvm_required_limit_exceeded:
        profile |= CVM_REQUIRED
    if TerminalCapabilities.SIGNATURE in able:
        profile |= SIGNATURE
    if TerminalCapabilities.ONLINE_PIN in able:
        profile |= ONLINE_PIN
    if TerminalCapabilities.CONTACT_CHIP in able:
        profile |= CONTACT
    return {
        tags.TAG_9F52_TERMINAL_COMPATIBILITY_INDICATOR: bytes((EMV_MODE,)),
        tags.TAG_9F53_TERMINAL_INTERCHANGE_PROFILE: profile.to_bytes(3, "big"),
    }


def verify(session: Session) -> Verification:
    """Walk the card's list where a CVM is required. Raises MalformedData."""
    if session.indicators.cvm_required_limit_exceeded:
        return verify_by_list(session.card, session.terminal)
    return Verification(CVM.NONE, bits.CVM_RESULTS_NOT_PERFORMED)


def reread(session: Session) -> CVM | None:
    """Return what the card said of its holder with its cryptogram, if it did."""
    status = session.card.get(tags.TAG_9F50_CARDHOLDER_VERIFICATION_STATUS, b"")
    return _STATUSES.get(status[0] >> 4) if len(status) == 1 else None


SCHEME = Scheme(
    KERNEL_ID,
    tell,
    verify,
    reread=reread,
    from_card=(tags.TAG_9F50_CARDHOLDER_VERIFICATION_STATUS,),
)
