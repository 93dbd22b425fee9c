"""The applet of kernel 3: qVSDC, one command, then records.

Source: EMV 4.4 Book 3; EMV Contactless Book C-3.
"""

from __future__ import annotations

from dataclasses import replace

from emv import apdu, tags, tlv
from emv.apdu import CommandAPDU
from emv.bits import AIP, CTQ, TTQ
from simulators.card.applet import (
    CLA_SECURE,
    INS_APPLICATION_BLOCK,
    INS_APPLICATION_UNBLOCK,
    STATUS_WRONG_PARAMETERS,
    Handlers,
    Refused,
    application_control,
    command_template,
    handled,
    record_of,
    split,
    template,
)
from simulators.card.certificates import FORMAT_DYNAMIC, FORMAT_FDDA, sign_dynamic_data
from simulators.card.cryptogram import COVERED_TAGS, application_cryptogram, mac
from simulators.card.decision import Cryptogram, Owner, Verdict, decide
from simulators.card.personalisation import Personalisation
from simulators.card.static_data import TRANSACTION, data_list
from simulators.card.updates import Updates

RECORDS_SFI = 2
SIGNATURE_IN_OPTIONS_MAX = 128
"""Bytes; a longer signature goes into the last record. Source: Book C-3, Annex C."""

KEY_INDEX = 0x01

FORM_FACTOR_CARD = bytes.fromhex("20700000")
FORM_FACTOR_PHONE = bytes.fromhex("21820000")

PDOL = data_list((tags.TAG_9F66_TTQ, 4), *TRANSACTION)


class QVSDC:
    """One qVSDC application of a card or a phone."""

    pdol = PDOL

    def __init__(self, card: Personalisation, owner: Owner, *, is_phone: bool) -> None:
        self.card = card
        self._owner = owner
        self._form_factor = FORM_FACTOR_PHONE if is_phone else FORM_FACTOR_CARD
        self._records: dict[tuple[int, int], bytes] = {}
        self._is_processed = False
        self._updates = Updates(card.profile.cryptogram_version, card.card_key)

    def select(self) -> bytes:
        """Begin anew, and return the file control information."""
        self._records, self._is_processed = {}, False
        program = self.card.profile.program
        if program is None:
            return application_control(self.card, self.pdol)
        tag = tags.TAG_9F5A_APPLICATION_PROGRAM_IDENTIFIER
        named = tlv.encode(tag, bytes.fromhex(program))
        return application_control(self.card, self.pdol, named)

    def delay_us(self) -> int:
        """It answers as fast as it can."""
        return 0

    def answer(self, command: CommandAPDU) -> bytes:
        """Return the data of a good answer. Raises Refused or KeysUnusable."""
        return handled(command, self._handlers())

    def _handlers(self) -> Handlers:
        """Return what it answers to."""
        handlers: Handlers = {
            apdu.INS_READ_RECORD: (0x00, self._read_record),
            apdu.INS_GET_PROCESSING_OPTIONS: (0x80, self._process),
        }
        if not self.card.profile.is_updated:
            return handlers
        return {
            **handlers,
            apdu.INS_EXTERNAL_AUTHENTICATE: (0x00, self._updates.authenticate),
            INS_APPLICATION_BLOCK: (CLA_SECURE, self._updates.carry_out),
            INS_APPLICATION_UNBLOCK: (CLA_SECURE, self._updates.carry_out),
        }

    def _read_record(self, command: CommandAPDU) -> bytes:
        return record_of(command, (RECORDS_SFI,), self._records)

    # Processing options. Source: Book C-3, 5.2; EMV 4.4 Book 3, 6.5.8.

    def _process(self, command: CommandAPDU) -> bytes:
        if command.p1 or command.p2:
            raise Refused(STATUS_WRONG_PARAMETERS)
        if self._is_processed or self._updates.is_blocked:
            raise Refused(apdu.STATUS_CONDITIONS_NOT_SATISFIED)
        given = split(self.pdol, command_template(command.data))
        if self.card.profile.is_msd:
            return self._offer_stripe()
        ttq = TTQ.decode(given[tags.TAG_9F66_TTQ])
        if TTQ.EMV_MODE not in ttq:
            raise Refused(apdu.STATUS_CONDITIONS_NOT_SATISFIED)
        card = self.card
        verdict = self._decide(ttq, given)
        if verdict is None:
            raise Refused(apdu.STATUS_COMMAND_NOT_ALLOWED)
        counter = card.counter.next()
        if counter is None:
            raise Refused(apdu.STATUS_CONDITIONS_NOT_SATISFIED)
        self._is_processed = True
        self._owner.paid()
        given |= {
            tags.TAG_82_AIP: card.aip,
            tags.TAG_9F36_ATC: counter.to_bytes(2, "big"),
        }
        if self.card.profile.is_updated:
            verdict = replace(verdict, ctq=verdict.ctq | CTQ.ISSUER_UPDATE)
        objects = self._options(given, verdict)
        self._updates.asked(counter, objects[tags.TAG_9F26_APPLICATION_CRYPTOGRAM])
        objects[tags.TAG_9F6E_FORM_FACTOR_INDICATOR] = self._form_factor
        is_signed = verdict.cryptogram is Cryptogram.TC or (
            verdict.cryptogram is Cryptogram.ARQC and TTQ.ODA_FOR_ONLINE in ttq
        )
        if is_signed:
            more, self._records = _prove(card, given, objects[tags.TAG_9F6C_CTQ])
            objects |= more
        return template(tags.TAG_77_RESPONSE_FORMAT_2, *objects.items())

    def _offer_stripe(self) -> bytes:
        """Answer as cards do that were issued before qVSDC: a stripe, and no cryptogram."""
        self._is_processed = True
        track = (tags.TAG_57_TRACK_2_EQUIVALENT_DATA, self.card.identity.track_2)
        self._records = {(RECORDS_SFI, 1): template(tags.TAG_70_RECORD_TEMPLATE, track)}
        options = AIP.EMV_MODE.encoded + bytes((RECORDS_SFI << 3, 1, 1, 0))
        return tlv.encode(tags.TAG_80_RESPONSE_FORMAT_1, options)

    def _decide(self, ttq: TTQ, given: dict[int, bytes]) -> Verdict | None:
        """Return the verdict on what the reader can do; None if the owner has to look."""
        return decide(self.card.profile, ttq, self._owner)

    def _options(self, given: dict[int, bytes], verdict: Verdict) -> dict[int, bytes]:
        """Return what every answer to GET PROCESSING OPTIONS holds."""
        issuer_data, made = self._cryptogram(verdict.cryptogram, given)
        return {
            tags.TAG_82_AIP: given[tags.TAG_82_AIP],
            tags.TAG_57_TRACK_2_EQUIVALENT_DATA: self.card.identity.track_2,
            tags.TAG_5F34_PAN_SEQUENCE_NUMBER: self.card.identity.pan_sequence_number,
            tags.TAG_9F10_ISSUER_APPLICATION_DATA: issuer_data,
            tags.TAG_9F26_APPLICATION_CRYPTOGRAM: made,
            tags.TAG_9F36_ATC: given[tags.TAG_9F36_ATC],
            tags.TAG_9F6C_CTQ: verdict.ctq.encoded,
        }

    def _cryptogram(self, kind: Cryptogram, given: dict[int, bytes]) -> tuple[bytes, bytes]:
        """Return issuer application data, and the cryptogram over it."""
        version = self.card.profile.cryptogram_version
        issuer_data = bytes((0x06, KEY_INDEX, version)) + card_results(kind)
        counter = int.from_bytes(given[tags.TAG_9F36_ATC], "big")
        covered = b"".join(given[tag] for tag in COVERED_TAGS)
        made = application_cryptogram(version, self.card.card_key, counter, covered, issuer_data)
        return issuer_data, made


def card_results(kind: Cryptogram) -> bytes:
    """Return card verification results, with their length before them.

    No second cryptogram was asked for (byte 2, bits 8-7 = 10), the first is
    of this type (bits 6-5).

    Source: VIS 1.6, Annex A.
    """
    return bytes((0x03, 0x80 | kind << 4, 0x00, 0x00))


def _prove(
    card: Personalisation, given: dict[int, bytes], ctq: bytes
) -> tuple[dict[int, bytes], dict[tuple[int, int], bytes]]:
    """Sign the transaction: return what joins the options, and the records by number.

    Source: Book C-3, 5.6.2 and Annex C.
    """
    credentials = card.credentials
    counter = given[tags.TAG_9F36_ATC]
    last: dict[int, bytes] = {}
    covered, format_ = given[tags.TAG_9F37_UNPREDICTABLE_NUMBER], FORMAT_DYNAMIC
    # A reader that does not know version 01 would refuse its signature.
    is_known = TTQ.FDDA_VERSION_01 in TTQ.decode(given[tags.TAG_9F66_TTQ])
    if card.profile.fdda and is_known:
        # The card's own unpredictable number: its key over a counter that
        # never repeats.
        number = mac(card.card_key, b"9F69".ljust(6, b"\x00") + counter)[:4]
        related = bytes((card.profile.fdda,)) + number + ctq
        last[tags.TAG_9F69_CARD_AUTHENTICATION_RELATED_DATA] = related
        covered += (
            given[tags.TAG_9F02_AMOUNT_AUTHORISED]
            + given[tags.TAG_5F2A_TRANSACTION_CURRENCY_CODE]
            + related
        )
        format_ = FORMAT_FDDA
    dynamic_data = bytes((len(counter),)) + counter
    signature = sign_dynamic_data(credentials.key, dynamic_data, covered, format_)
    options: dict[int, bytes] = {}
    signed = options if len(signature) <= SIGNATURE_IN_OPTIONS_MAX else last
    signed[tags.TAG_9F4B_SIGNED_DYNAMIC_APPLICATION_DATA] = signature
    records = list(credentials.records)
    if last:
        records.append(template(tags.TAG_70_RECORD_TEMPLATE, *last.items()))
    options[tags.TAG_94_AFL] = bytes((RECORDS_SFI << 3, 1, len(records), 1))
    return options, {
        (RECORDS_SFI, number): record for number, record in enumerate(records, start=1)
    }
