"""Kernel 4: American Express, cards and phones, in EMV mode.

The common EMV mode, with the reader capabilities that only this kernel tells
its card, and mobile CVM results instead of a list where the card is a phone.
No second cryptogram: this is "partial online". The magnetic stripe mode is not
here.

Source: EMV Contactless Book C-4. unsettled: public descriptions are thin;
dynamic reader limits are among what they leave open, and are not here.
"""

from __future__ import annotations

from collections.abc import Mapping

from emv import bits, tags
from emv.bits import TVR, TerminalCapabilities
from emv.conversation import Kernel
from emv.dol import parse_dol
from emv.entry_point import Activation, KernelFactory
from emv.kernels.cardholder import Verification, verify_by_list
from emv.kernels.choice import choose
from emv.kernels.emv_mode import Configuration, Scheme, Session, carry_out
from emv.kernels.endings import see_phone
from emv.outcome import CVM, Outcome

__all__ = ["Configuration", "kernel"]

KERNEL_ID = 4

# Contactless Reader Capabilities, tag 9F6D: EMV mode, with and without a CVM.
EMV_MODE = 0xC0
EMV_MODE_CVM_REQUIRED = 0xC8

# Enhanced Contactless Reader Capabilities, tag 9F6E.
CONTACT = 0x80_00_00_00
PARTIAL_ONLINE = 0x10_00_00_00
MOBILE = 0x08_00_00_00
MOBILE_CVM = 0x80_00_00
ONLINE_PIN = 0x40_00_00
SIGNATURE = 0x20_00_00
CVM_REQUIRED = 0x40_00
KERNEL_VERSION = 0x03

# Mobile CVM Results, tag 9F71.
PERFORMED = 0x01
SUCCESSFUL = 0x02
RESULTS_BYTES = 3


def kernel(configurations: Mapping[bytes, Configuration]) -> KernelFactory:
    """Return the kernel, ready for the Entry Point to activate.

    configurations: by the AID of the reader's combination.
    """

    def activate(activation: Activation) -> Kernel[Outcome]:
        return carry_out(SCHEME, choose(configurations, activation, KERNEL_ID), activation)

    return activate


def tell(session: Session) -> dict[int, bytes]:
    """Return the reader's capabilities as this card asks for them.

    Older cards ask for the terminal type alone; it then carries them too.
    Raises MalformedData if the card's PDOL is broken.
    """
    is_required = session.indicators.cvm_required_limit_exceeded
    capabilities = EMV_MODE_CVM_REQUIRED if is_required else EMV_MODE
    told = {
        tags.TAG_9F6D_CONTACTLESS_READER_CAPABILITIES: bytes((capabilities,)),
        tags.TAG_9F6E_ENHANCED_READER_CAPABILITIES: enhanced(session).to_bytes(4, "big"),
    }
    asked = {tag for tag, _ in parse_dol(session.fci.get(tags.TAG_9F38_PDOL, b""))}
    if tags.TAG_9F35_TERMINAL_TYPE in asked and not asked & told.keys():
        kind = session.activation.terminal.terminal_type
        told[tags.TAG_9F35_TERMINAL_TYPE] = bytes((kind | capabilities,))
    return told


def enhanced(session: Session) -> int:
    """Return what the reader can do, for newer cards and phones."""
    able = session.capabilities
    found = PARTIAL_ONLINE | MOBILE | MOBILE_CVM | KERNEL_VERSION
    if TerminalCapabilities.CONTACT_CHIP in able:
        found |= CONTACT
    if TerminalCapabilities.ONLINE_PIN in able:
        found |= ONLINE_PIN
    if TerminalCapabilities.SIGNATURE in able:
        found |= SIGNATURE
    if session.indicators.cvm_required_limit_exceeded:
        found |= CVM_REQUIRED
    return found


def verify(session: Session) -> Verification | Outcome:
    """Believe a phone that has verified its holder; walk a card's list.

    Raises MalformedData for a list or results that are none.
    """
    is_required = session.indicators.cvm_required_limit_exceeded
    mobile = session.card.get(tags.TAG_9F71_MOBILE_CVM_RESULTS)
    if mobile is None:
        if is_required:
            return verify_by_list(session.card, session.terminal)
        return Verification(CVM.NONE, bits.CVM_RESULTS_NOT_PERFORMED)
    if len(mobile) == RESULTS_BYTES and mobile[0] == PERFORMED:
        if mobile[2] == SUCCESSFUL:
            return Verification(CVM.CONFIRMATION_CODE_VERIFIED, bits.CVM_RESULTS_ON_DEVICE)
        failed = TVR.CARDHOLDER_VERIFICATION_FAILED
        return Verification(CVM.NONE, bits.CVM_RESULTS_NONE_SUCCEEDED, failed)
    if is_required:
        return see_phone()
    return Verification(CVM.NONE, bits.CVM_RESULTS_NOT_PERFORMED)


SCHEME = Scheme(KERNEL_ID, tell, verify, from_card=(tags.TAG_9F71_MOBILE_CVM_RESULTS,))
