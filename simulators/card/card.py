"""The contactless applet: selection, processing options, records.

Bytes in, a response out; it opens nothing, waits for nothing and reads no
clock. Its randomness is its own counter under its own key.
Source: EMV 4.4 Books 1 and 3; EMV Contactless Books B and C-3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from emv import apdu, tags, tlv
from emv.apdu import CommandAPDU
from emv.bits import CTQ, TTQ
from emv.dol import parse_dol
from emv.errors import MalformedData
from simulators.card.certificates import FORMAT_DYNAMIC, FORMAT_FDDA, sign_dynamic_data
from simulators.card.cryptogram import COVERED_TAGS, application_cryptogram, mac
from simulators.card.decision import Cryptogram, Nobody, Owner, decide
from simulators.card.personalisation import AIP_DDA, Personalisation
from simulators.responses import Answer, Response

PPSE = b"2PAY.SYS.DDF01"
KERNEL_3 = b"\x03"
LANGUAGES = b"enzh"
RECORDS_SFI = 2
SIGNATURE_IN_OPTIONS_MAX = 128
"""Bytes; a longer signature goes into the last record. Source: Book C-3, Annex C."""

FORM_FACTOR_CARD = bytes.fromhex("20700000")
FORM_FACTOR_PHONE = bytes.fromhex("21820000")

PDOL = b"".join(
    tlv.tag_bytes(tag) + bytes((length,))
    for tag, length in (
        (tags.TAG_9F66_TTQ, 4),
        (tags.TAG_9F02_AMOUNT_AUTHORISED, 6),
        (tags.TAG_9F03_AMOUNT_OTHER, 6),
        (tags.TAG_9F1A_TERMINAL_COUNTRY_CODE, 2),
        (tags.TAG_95_TVR, 5),
        (tags.TAG_5F2A_TRANSACTION_CURRENCY_CODE, 2),
        (tags.TAG_9A_TRANSACTION_DATE, 3),
        (tags.TAG_9C_TRANSACTION_TYPE, 1),
        (tags.TAG_9F37_UNPREDICTABLE_NUMBER, 4),
    )
)

STATUS_WRONG_DATA = 0x6A80
STATUS_WRONG_PARAMETERS = 0x6A86
STATUS_INSTRUCTION_UNKNOWN = 0x6D00
STATUS_CLASS_UNKNOWN = 0x6E00


class _Refused(Exception):
    """A command that is answered with a status word alone."""

    def __init__(self, status: int) -> None:
        super().__init__(f"{status:04X}")
        self.status = status


@dataclass(slots=True)
class _Session:
    """What the card remembers from one command to the next, until it loses power."""

    selected: Personalisation | None = None
    name: bytes = b""
    """By which name it was selected, for 'next occurrence'."""
    records: dict[int, bytes] = field(default_factory=dict)
    is_processed: bool = False


class Card:
    """A card with one or more qVSDC applications."""

    def __init__(
        self,
        applications: Sequence[Personalisation],
        *,
        owner: Owner | None = None,
        form_factor: bytes = FORM_FACTOR_CARD,
    ) -> None:
        """owner: for a device that can ask who holds it. form_factor: tag 9F6E."""
        self._applications = tuple(applications)
        self._owner = owner or Nobody()
        self._form_factor = form_factor
        self._session = _Session()

    def power_up(self) -> None:
        """Enter a field: nothing is selected, no transaction is open."""
        self._session = _Session()

    def returns_after_s(self) -> float | None:
        """A card never comes back by itself."""
        return None

    def respond(self, command: bytes) -> Response:
        """Answer one C-APDU.

        Raises KeysUnusable if the card's files cannot be used.
        """
        try:
            parsed = CommandAPDU.parse(command)
        except MalformedData:
            return Answer(_status(apdu.STATUS_WRONG_LENGTH))
        try:
            return Answer(self._answer(parsed) + _status(apdu.STATUS_OK))
        except _Refused as refused:
            return Answer(_status(refused.status))

    def _answer(self, command: CommandAPDU) -> bytes:
        """Return the data of a good answer, or raise _Refused."""
        handlers = {
            apdu.INS_SELECT: (0x00, self._select),
            apdu.INS_GET_PROCESSING_OPTIONS: (0x80, self._process),
            apdu.INS_READ_RECORD: (0x00, self._read_record),
        }
        if command.ins not in handlers:
            raise _Refused(STATUS_INSTRUCTION_UNKNOWN)
        cla, handler = handlers[command.ins]
        if command.cla != cla:
            raise _Refused(STATUS_CLASS_UNKNOWN)
        return handler(command)

    # Selection. Source: EMV 4.4 Book 1, 11.3; Book B, 3.3.

    def _select(self, command: CommandAPDU) -> bytes:
        if command.p1 != 0x04 or command.p2 not in (0x00, 0x02):
            raise _Refused(STATUS_WRONG_PARAMETERS)
        if command.data == PPSE and command.p2 == 0x00:
            self._session = _Session()
            return self._directory()
        known = [each for each in self._applications if each.aid.startswith(command.data)]
        if command.p2 == 0x02:
            known = self._after_selected(known, command.data)
        if not known or not command.data:
            raise _Refused(apdu.STATUS_FILE_NOT_FOUND)
        self._session = _Session(selected=known[0], name=command.data)
        return _fci(known[0])

    def _after_selected(self, known: list[Personalisation], name: bytes) -> list[Personalisation]:
        """Return those after the one that this name has selected before."""
        current = self._session.selected
        if current is None or self._session.name != name or current not in known:
            return []
        return known[known.index(current) + 1 :]

    def _directory(self) -> bytes:
        """Return the FCI of the proximity payment system environment."""
        entries = b"".join(
            tlv.encode(
                tags.TAG_61_APPLICATION_TEMPLATE,
                tlv.encode(tags.TAG_4F_ADF_NAME, each.aid)
                + tlv.encode(tags.TAG_50_APPLICATION_LABEL, each.application.label.encode())
                + tlv.encode(
                    tags.TAG_87_APPLICATION_PRIORITY_INDICATOR, bytes((each.application.priority,))
                )
                + tlv.encode(tags.TAG_9F2A_KERNEL_IDENTIFIER, KERNEL_3),
            )
            for each in self._applications
        )
        return _file_control(PPSE, tlv.encode(tags.TAG_BF0C_FCI_ISSUER_DISCRETIONARY_DATA, entries))

    # Processing options. Source: Book C-3, 5.2; EMV 4.4 Book 3, 6.5.8.

    def _process(self, command: CommandAPDU) -> bytes:
        session = self._session
        if command.p1 or command.p2:
            raise _Refused(STATUS_WRONG_PARAMETERS)
        if session.selected is None or session.is_processed:
            raise _Refused(apdu.STATUS_CONDITIONS_NOT_SATISFIED)
        given = _read_pdol(command.data)
        ttq = TTQ.decode(given[tags.TAG_9F66_TTQ])
        if TTQ.EMV_MODE not in ttq:
            raise _Refused(apdu.STATUS_CONDITIONS_NOT_SATISFIED)
        card = session.selected
        verdict = decide(card.profile, ttq, self._owner)
        if verdict is None:
            raise _Refused(apdu.STATUS_COMMAND_NOT_ALLOWED)
        counter = card.counter.next()
        if counter is None:
            raise _Refused(apdu.STATUS_CONDITIONS_NOT_SATISFIED)
        session.is_processed = True
        self._owner.paid()
        given |= {
            tags.TAG_82_AIP: AIP_DDA,
            tags.TAG_9F36_ATC: counter.to_bytes(2, "big"),
        }
        objects = _options(card, given, verdict.cryptogram, verdict.ctq)
        objects[tags.TAG_9F6E_FORM_FACTOR_INDICATOR] = self._form_factor
        is_signed = verdict.cryptogram is Cryptogram.TC or (
            verdict.cryptogram is Cryptogram.ARQC and TTQ.ODA_FOR_ONLINE in ttq
        )
        if is_signed:
            more, session.records = _prove(card, given, objects[tags.TAG_9F6C_CTQ])
            objects |= more
        return _template(tags.TAG_77_RESPONSE_FORMAT_2, *objects.items())

    # Records. Source: EMV 4.4 Book 1, 11.2.

    def _read_record(self, command: CommandAPDU) -> bytes:
        if command.p2 & 0x07 != 0x04:
            raise _Refused(STATUS_WRONG_PARAMETERS)
        if self._session.selected is None:
            raise _Refused(apdu.STATUS_CONDITIONS_NOT_SATISFIED)
        if command.p2 >> 3 != RECORDS_SFI:
            raise _Refused(apdu.STATUS_FILE_NOT_FOUND)
        if command.p1 not in self._session.records:
            raise _Refused(apdu.STATUS_RECORD_NOT_FOUND)
        return self._session.records[command.p1]


def _fci(card: Personalisation) -> bytes:
    """Return an application's file control information."""
    application = card.application
    proprietary = (
        tlv.encode(tags.TAG_50_APPLICATION_LABEL, application.label.encode())
        + tlv.encode(tags.TAG_87_APPLICATION_PRIORITY_INDICATOR, bytes((application.priority,)))
        + tlv.encode(tags.TAG_9F38_PDOL, PDOL)
        + tlv.encode(tags.TAG_5F2D_LANGUAGE_PREFERENCE, LANGUAGES)
    )
    return _file_control(card.aid, proprietary)


def _file_control(name: bytes, proprietary: bytes) -> bytes:
    return _template(
        tags.TAG_6F_FCI_TEMPLATE,
        (tags.TAG_84_DF_NAME, name),
        (tags.TAG_A5_FCI_PROPRIETARY_TEMPLATE, proprietary),
    )


def _read_pdol(data: bytes) -> dict[int, bytes]:
    """Split the reader's data as the PDOL asked for it."""
    try:
        nodes = tlv.decode(data)
    except MalformedData as error:
        raise _Refused(STATUS_WRONG_DATA) from error
    if len(nodes) != 1 or nodes[0].tag != tags.TAG_83_COMMAND_TEMPLATE:
        raise _Refused(STATUS_WRONG_DATA)
    values, rest = {}, nodes[0].value
    for tag, length in parse_dol(PDOL):
        values[tag], rest = rest[:length], rest[length:]
        if len(values[tag]) != length:
            raise _Refused(apdu.STATUS_WRONG_LENGTH)
    if rest:
        raise _Refused(apdu.STATUS_WRONG_LENGTH)
    return values


def _options(
    card: Personalisation, given: dict[int, bytes], cryptogram: Cryptogram, ctq: CTQ
) -> dict[int, bytes]:
    """Return what every answer to GET PROCESSING OPTIONS holds."""
    version = card.profile.cryptogram_version
    # Card verification results: 3 bytes follow; no second cryptogram was
    # asked for (bits 8-7 = 10), the first is of this type (bits 6-5).
    # Source: VIS 1.6, Annex A.
    results = bytes((0x03, 0x80 | cryptogram << 4, 0x00, 0x00))
    issuer_data = bytes((0x06, 0x01, version)) + results
    counter = given[tags.TAG_9F36_ATC]
    covered = b"".join(given[tag] for tag in COVERED_TAGS)
    made = application_cryptogram(
        version, card.card_key, int.from_bytes(counter, "big"), covered, issuer_data
    )
    return {
        tags.TAG_82_AIP: given[tags.TAG_82_AIP],
        tags.TAG_57_TRACK_2_EQUIVALENT_DATA: card.identity.track_2,
        tags.TAG_5F34_PAN_SEQUENCE_NUMBER: card.identity.pan_sequence_number,
        tags.TAG_9F10_ISSUER_APPLICATION_DATA: issuer_data,
        tags.TAG_9F26_APPLICATION_CRYPTOGRAM: made,
        tags.TAG_9F36_ATC: counter,
        tags.TAG_9F6C_CTQ: ctq.encoded,
    }


def _prove(
    card: Personalisation, given: dict[int, bytes], ctq: bytes
) -> tuple[dict[int, bytes], dict[int, bytes]]:
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
        records.append(_template(tags.TAG_70_RECORD_TEMPLATE, *last.items()))
    options[tags.TAG_94_AFL] = bytes((RECORDS_SFI << 3, 1, len(records), 1))
    return options, dict(enumerate(records, start=1))


def _template(tag: int, *objects: tuple[int, bytes]) -> bytes:
    return tlv.encode(tag, b"".join(tlv.encode(each, value) for each, value in objects))


def _status(status: int) -> bytes:
    return status.to_bytes(2, "big")
