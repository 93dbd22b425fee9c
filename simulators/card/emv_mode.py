"""The applets of kernels 4, 5 and 6: one signed cryptogram, each scheme's own questions.

Their issuer writes its data as VIS has them, cryptogram version 18. unsettled:
how these schemes make cryptograms is not public.

Source: EMV 4.4 Book 3; EMV Contactless Books C-4, C-5 and C-6 as public
descriptions give them.
"""

from __future__ import annotations

from emv import apdu, tags
from simulators.card.applet import Refused
from simulators.card.cryptogram import VERSION_18, application_cryptogram
from simulators.card.decision import Cryptogram
from simulators.card.mchip import KEY_INDEX, MChip
from simulators.card.profile import Method
from simulators.card.qvsdc import card_results
from simulators.card.static_data import data_list


class EMVMode(MChip):
    """What the three have in common: the issuer's data, and nothing to interact."""

    def _make(self, kind: Cryptogram, covered: bytes) -> tuple[bytes, bytes]:
        issuer_data = bytes((0x06, KEY_INDEX, VERSION_18)) + card_results(kind)
        key = self.card.card_key
        made = application_cryptogram(VERSION_18, key, self._counter, covered, issuer_data)
        return issuer_data, made

    def _more_answers(self, interaction: bytes) -> list[tuple[int, bytes]]:
        return []

    def _has_verified_holder(self, *, is_required: bool) -> bool:
        """Return whether a device knows its holder; have him look at it where he must."""
        if Method.DEVICE not in self.card.profile.cvm:
            return False
        if is_required and not self._owner.is_verified():
            is_asked = self._owner.ask()
            raise Refused(
                apdu.STATUS_COMMAND_NOT_ALLOWED
                if is_asked
                else apdu.STATUS_CONDITIONS_NOT_SATISFIED
            )
        return self._owner.is_verified()


class AmericanExpress(EMVMode):
    """A card, or a phone that says how it verified its holder."""

    pdol = data_list(
        (tags.TAG_9F6D_CONTACTLESS_READER_CAPABILITIES, 1),
        (tags.TAG_9F6E_ENHANCED_READER_CAPABILITIES, 4),
    )
    CVM_REQUIRED = 0x40
    """Enhanced Contactless Reader Capabilities, byte 3."""
    VERIFIED = bytes.fromhex("010302")
    NOT_VERIFIED = bytes.fromhex("3F0000")
    """Mobile CVM Results."""

    def _more_options(self) -> dict[int, bytes]:
        """Have a phone's owner look at it, where somebody must be verified."""
        if Method.DEVICE not in self.card.profile.cvm:
            return {}
        told = self._told[tags.TAG_9F6E_ENHANCED_READER_CAPABILITIES]
        is_verified = self._owner.is_verified()
        if not is_verified and told[2] & self.CVM_REQUIRED and not self._owner.ask():
            raise Refused(apdu.STATUS_CONDITIONS_NOT_SATISFIED)
        results = self.VERIFIED if is_verified else self.NOT_VERIFIED
        return {tags.TAG_9F71_MOBILE_CVM_RESULTS: results}


class JCB(EMVMode):
    """A card that says with its cryptogram how its holder is verified: by a device, or not."""

    pdol = data_list(
        (tags.TAG_9F52_TERMINAL_COMPATIBILITY_INDICATOR, 1),
        (tags.TAG_9F53_TERMINAL_INTERCHANGE_PROFILE, 3),
    )
    CVM_REQUIRED = 0x80
    """Terminal Interchange Profile, byte 1."""
    ON_DEVICE = b"\x30"
    """Cardholder Verification Status."""

    def _more_options(self) -> dict[int, bytes]:
        told = self._told[tags.TAG_9F53_TERMINAL_INTERCHANGE_PROFILE]
        self._is_on_device = self._has_verified_holder(
            is_required=bool(told[0] & self.CVM_REQUIRED)
        )
        return {}

    def _more_answers(self, interaction: bytes) -> list[tuple[int, bytes]]:
        if not self._is_on_device:
            return []
        return [(tags.TAG_9F50_CARDHOLDER_VERIFICATION_STATUS, self.ON_DEVICE)]


class Discover(EMVMode):
    """A card that says with its options what it requires."""

    pdol = data_list((tags.TAG_9F66_TTQ, 4))
    CVM_REQUIRED = 0x40
    """Terminal Transaction Qualifiers, byte 2."""
    REQUIREMENTS = {
        Method.DEVICE: bytes.fromhex("0080"),
        Method.ONLINE_PIN: bytes.fromhex("8000"),
        Method.SIGNATURE: bytes.fromhex("4000"),
    }
    """Card Processing Requirements, by what the card takes first."""

    def _more_options(self) -> dict[int, bytes]:
        is_required = bool(self._told[tags.TAG_9F66_TTQ][1] & self.CVM_REQUIRED)
        is_on_device = self._has_verified_holder(is_required=is_required)
        wanted = self.card.profile.cvm[0] if is_required else None
        if is_on_device:
            wanted = Method.DEVICE
        requirements = self.REQUIREMENTS[wanted] if wanted is not None else bytes(2)
        return {tags.TAG_9F71_CARD_PROCESSING_REQUIREMENTS: requirements}
