"""One contactless application at a tap: what it decides, signs and returns.

Source: EMV Contactless Book C-3, 2 and Annexes A and C; VIS 1.6, Annex D.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from emv import apdu, tags, tlv
from emv.bits import CTQ, TTQ
from simulators.card import personalisation
from simulators.card.certificates import sign_dynamic_data
from simulators.card.cryptogram import COVERED_TAGS, application_cryptogram
from simulators.card.personalisation import PersonalisedApplication
from simulators.card.profile import Decision, Flaw, Method

CID_AAC = 0x00
CID_TC = 0x40
CID_ARQC = 0x80

# Issuer application data in the form of VIS 1.6: length, key index, version,
# then four bytes of card verification results.
KEY_INDEX = 0x01
CVR_LENGTH = 0x03
CVR_NO_SECOND_CRYPTOGRAM = 0x80  # byte 2, b8-7 = 10: the second was not asked for
CVR_TYPE_SHIFT = 2  # byte 2, b6-5: the cryptogram's type, b8-7 of tag 9F27

SIGNATURE_IN_REPLY_BYTES_MAX = 128
"""A longer signature no longer fits beside the cryptogram, and moves to a record."""
FDDA_VERSION_01 = 0x01
PHONE_FORM_FACTOR = bytes.fromhex("21800000")
"""Tag 9F6E: version 1, a mobile phone; passcode capable; ISO/IEC 14443."""


class Refused(Exception):
    """The card answers a command with nothing but a status word."""

    def __init__(self, status: int) -> None:
        super().__init__(f"{status:04X}")
        self.status = status


class Owner(Protocol):
    """Whoever can verify the cardholder on the device itself."""

    @property
    def is_verified(self) -> bool:
        """The device is unlocked for this payment."""

    def ask(self) -> bool:
        """Ask to be unlocked; False if that was in vain already."""

    def spend(self) -> None:
        """A cryptogram was made: one verification serves one payment."""


class NoOwner:
    """A card: it has no lock, and so nobody to ask."""

    is_verified = False

    def ask(self) -> bool:
        """Nobody is there to be asked."""
        return False

    def spend(self) -> None:
        """There is nothing to use up."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the card makes of a tap."""

    cryptogram_type: int
    qualifiers: CTQ


def decide(application: PersonalisedApplication, ttq: TTQ, owner: Owner) -> Verdict:
    """Return what the card wants of this tap.

    Raises Refused with 6985 where the reader has no EMV mode, 6986 where the
    owner has first to unlock the phone, 6984 where the contact chip can do
    what the tap cannot.

    Source: Book C-3, 2.4; VIS 1.6 and VCPS, card risk management of qVSDC.
    """
    profile = application.profile
    if not ttq & TTQ.EMV_MODE:
        raise Refused(apdu.STATUS_CONDITIONS_NOT_SATISFIED)

    qualifiers = CTQ.decode(bytes.fromhex(profile.qualifiers))
    if owner.is_verified and ttq & TTQ.CDCVM:
        qualifiers |= CTQ.CDCVM_PERFORMED
    elif ttq & TTQ.CVM_REQUIRED:
        method = _verification(application, ttq, owner)
        if method is None:
            return Verdict(CID_AAC, qualifiers)
        qualifiers |= method

    offline_only = bool(ttq & TTQ.OFFLINE_ONLY)
    must_go_online = bool(
        ttq & TTQ.ONLINE_CRYPTOGRAM_REQUIRED or qualifiers & CTQ.ONLINE_PIN_REQUIRED
    )
    if profile.decision is Decision.DECLINE:
        return Verdict(CID_AAC, qualifiers)
    if profile.decision is Decision.OFFLINE and not must_go_online:
        return Verdict(CID_TC, qualifiers)
    return Verdict(CID_AAC if offline_only else CID_ARQC, qualifiers)


def _verification(application: PersonalisedApplication, ttq: TTQ, owner: Owner) -> CTQ | None:
    """Return the first method that card and reader share; None to decline."""
    profile = application.profile
    for method in profile.cvm:
        if method is Method.DEVICE and ttq & TTQ.CDCVM and owner.ask():
            # The reader says 'see phone' and waits for the next tap.
            raise Refused(apdu.STATUS_COMMAND_NOT_ALLOWED)
        if method is Method.ONLINE_PIN and (ttq & TTQ.ONLINE_PIN or profile.insists_on_cvm):
            return CTQ.ONLINE_PIN_REQUIRED
        if method is Method.SIGNATURE and (ttq & TTQ.SIGNATURE or profile.insists_on_cvm):
            return CTQ.SIGNATURE_REQUIRED
    if ttq & TTQ.CONTACT_CHIP and not profile.is_phone:
        raise Refused(apdu.STATUS_DATA_INVALIDATED)
    return None


class Applet:
    """One selected application, from its SELECT to the end of the tap."""

    def __init__(
        self,
        application: PersonalisedApplication,
        owner: Owner,
        random: Callable[[int], bytes],
    ) -> None:
        self.application = application
        self._owner = owner
        self._random = random
        self._readable: Mapping[tuple[int, int], bytes] = {}
        self._is_initiated = False

    def initiate(self, pdol_data: bytes) -> bytes:
        """Answer GET PROCESSING OPTIONS: the whole transaction in one reply.

        pdol_data: what personalisation.PDOL asked for, joined.
        Returns a 77 template. Raises Refused.
        """
        if self._is_initiated:
            raise Refused(apdu.STATUS_CONDITIONS_NOT_SATISFIED)
        values = _split(pdol_data)
        ttq = TTQ.decode(values[tags.TAG_9F66_TTQ])
        verdict = decide(self.application, ttq, self._owner)
        atc = self.application.counter.next()
        if atc is None:
            # Its counter is used up: the card is at the end of its life.
            raise Refused(apdu.STATUS_CONDITIONS_NOT_SATISFIED)
        self._is_initiated = True
        reply = self._reply(values, ttq, verdict, atc)
        self._owner.spend()
        return tlv.encode(tags.TAG_77_RESPONSE_FORMAT_2, reply)

    def _reply(self, values: Mapping[int, bytes], ttq: TTQ, verdict: Verdict, atc: int) -> bytes:
        """Put the reply together, and the records that go with it."""
        application = self.application
        counter = atc.to_bytes(2, "big")
        issuer_data = self._issuer_data(verdict.cryptogram_type)
        known = {**values, tags.TAG_82_AIP: application.aip, tags.TAG_9F36_ATC: counter}
        cryptogram = application_cryptogram(
            application.profile.cryptogram_version,
            application.card_key,
            atc,
            b"".join(known[tag] for tag in COVERED_TAGS),
            issuer_data,
        )
        if application.profile.flaw is Flaw.CRYPTOGRAM:
            cryptogram = bytes(byte ^ 0xFF for byte in cryptogram)

        locator, signature = self._authentication(known, ttq, verdict)
        form_factor = PHONE_FORM_FACTOR if application.profile.is_phone else b""
        objects = (
            (tags.TAG_82_AIP, application.aip),
            (tags.TAG_94_AFL, locator),
            (tags.TAG_57_TRACK_2_EQUIVALENT_DATA, application.track_2),
            (tags.TAG_5F34_PAN_SEQUENCE_NUMBER, bytes.fromhex(self._sequence)),
            (tags.TAG_9F10_ISSUER_APPLICATION_DATA, issuer_data),
            (tags.TAG_9F26_APPLICATION_CRYPTOGRAM, cryptogram),
            (tags.TAG_9F27_CRYPTOGRAM_INFORMATION_DATA, bytes((verdict.cryptogram_type,))),
            (tags.TAG_9F36_ATC, counter),
            (tags.TAG_9F4B_SIGNED_DYNAMIC_APPLICATION_DATA, signature),
            (tags.TAG_9F6C_CTQ, verdict.qualifiers.encoded),
            (tags.TAG_9F6E_FORM_FACTOR_INDICATOR, form_factor),
        )
        return b"".join(tlv.encode(tag, value) for tag, value in objects if value)

    @property
    def _sequence(self) -> str:
        return f"{self.application.profile.sequence:02}"

    def _issuer_data(self, cryptogram_type: int) -> bytes:
        """Return tag 9F10."""
        version = self.application.profile.cryptogram_version
        results = CVR_NO_SECOND_CRYPTOGRAM | cryptogram_type >> CVR_TYPE_SHIFT
        content = bytes((KEY_INDEX, version, CVR_LENGTH, results, 0x00, 0x00))
        return bytes((len(content),)) + content

    def _authentication(
        self, known: Mapping[int, bytes], ttq: TTQ, verdict: Verdict
    ) -> tuple[bytes, bytes]:
        """Return AFL and signature for the reply, each empty where not there.

        Source: Book C-3, Annex C (fast DDA).
        """
        wanted = verdict.cryptogram_type == CID_TC or (
            verdict.cryptogram_type == CID_ARQC and ttq & TTQ.ODA_FOR_ONLINE
        )
        if not wanted:
            return b"", b""
        terminal_data = known[tags.TAG_9F37_UNPREDICTABLE_NUMBER]
        at_tap = b""
        if self.application.profile.fdda and ttq & TTQ.FDDA_VERSION_01:
            related = bytes((FDDA_VERSION_01,)) + self._random(4) + verdict.qualifiers.encoded
            terminal_data += (
                known[tags.TAG_9F02_AMOUNT_AUTHORISED]
                + known[tags.TAG_5F2A_TRANSACTION_CURRENCY_CODE]
                + related
            )
            at_tap = tlv.encode(tags.TAG_9F69_CARD_AUTHENTICATION_RELATED_DATA, related)
        counter = known[tags.TAG_9F36_ATC]
        dynamic_data = bytes((len(counter),)) + counter
        signature = sign_dynamic_data(self.application.icc_key, dynamic_data, terminal_data)
        if len(signature) > SIGNATURE_IN_REPLY_BYTES_MAX:
            at_tap += tlv.encode(tags.TAG_9F4B_SIGNED_DYNAMIC_APPLICATION_DATA, signature)
            signature = b""

        records = dict(self.application.records)
        if at_tap:
            place = (personalisation.DATA_SFI, personalisation.SIGNATURE_RECORD)
            records[place] = tlv.encode(tags.TAG_70_RECORD_TEMPLATE, at_tap)
        self._readable = records
        return personalisation.file_locator(has_signature_record=bool(at_tap)), signature

    def read_record(self, sfi: int, number: int) -> bytes:
        """Answer READ RECORD with a 70 template. Raises Refused.

        Nothing can be read before the transaction has begun, nor in one that
        named no records: a card number is not for everyone who asks.
        """
        if not self._is_initiated:
            raise Refused(apdu.STATUS_CONDITIONS_NOT_SATISFIED)
        record = self._readable.get((sfi, number))
        if record is None:
            known_file = any(file == sfi for file, _ in self._readable)
            raise Refused(
                apdu.STATUS_RECORD_NOT_FOUND if known_file else apdu.STATUS_FILE_NOT_FOUND
            )
        return record

    def get_data(self, tag: int) -> bytes:
        """Answer GET DATA with the one object that is free to read, the ATC.

        Raises Refused.
        """
        if tag != tags.TAG_9F36_ATC:
            raise Refused(apdu.STATUS_DATA_NOT_FOUND)
        return tlv.encode(tag, self.application.counter.value().to_bytes(2, "big"))


def _split(pdol_data: bytes) -> dict[int, bytes]:
    """Take the reader's data apart. Raises Refused if it is not what was asked for."""
    if len(pdol_data) != sum(length for _, length in personalisation.PDOL):
        raise Refused(apdu.STATUS_WRONG_LENGTH)
    values = {}
    at = 0
    for tag, length in personalisation.PDOL:
        values[tag] = pdol_data[at : at + length]
        at += length
    return values
