"""One application in the slot: from GET PROCESSING OPTIONS to the last script.

Source: EMV 4.4 Book 3, 6.5 and 9; what is left to the card there follows
VIS 1.6 in its simplest form.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from hashlib import sha1

from emv import apdu, tags, tlv
from emv.apdu import CommandAPDU
from simulators.card.applet import (
    CLA_SECURE,
    INS_APPLICATION_BLOCK,
    INS_APPLICATION_UNBLOCK,
    STATUS_NOT_VERIFIED,
    STATUS_SECURE_MESSAGING_WRONG,
    STATUS_SECURITY_NOT_SATISFIED,
    STATUS_WRONG_DATA,
    STATUS_WRONG_PARAMETERS,
    Refused,
    command_template,
    handled,
    record_of,
    split,
    template,
)
from simulators.card.certificates import FORMAT_DYNAMIC, sign_dynamic_data
from simulators.card.contact.memory import CardMemory, Remembered
from simulators.card.contact.personalise import CDOL1, CDOL2, DDOL, Issued
from simulators.card.contact.profile import Authentication, Flaw
from simulators.card.contact.secure_messaging import (
    MAC_BYTES,
    is_issuers_answer,
    is_issuers_script,
    new_pin,
    open_pin,
    pin_of,
)
from simulators.card.counters import Counter
from simulators.card.cryptogram import COVERED_TAGS, application_cryptogram, mac
from simulators.card.profile import Decision

RECORDS_SFI = 2
CDA_REQUESTED = 0x10


INS_CARD_BLOCK = 0x16
INS_PIN_UNBLOCK = 0x24
PIN_CHANGE = 0x02
"""P2 of a PIN that is changed without the old one. Source: Book 3, 6.5.10; VIS 1.6."""
ORDERS_COUNTED_MAX = 15
CLA_SECURE_INTER_INDUSTRY = 0x04


class Cryptogram(enum.IntEnum):
    """Cryptogram types, as tag 9F27 and the request have them: bits 8 and 7."""

    AAC = 0x00
    TC = 0x40
    ARQC = 0x80


@dataclass(slots=True)
class _Session:
    """What the card knows until it loses power or another application is selected."""

    atc: int | None = None
    pdol_data: bytes = b""
    given: bytes = field(default=b"", repr=False)
    """Data of the GENERATE AC commands so far."""
    challenge: bytes = b""
    request_cryptogram: bytes = b""
    kinds: list[Cryptogram] = field(default_factory=list)
    is_issuer_proved: bool = False
    has_heard_orders: bool = False
    has_asked_proof: bool = False


class ContactApplication:
    """One selected application of a chip card."""

    def __init__(self, issued: Issued, memory: CardMemory, counter: Counter) -> None:
        self.issued = issued
        self._memory = memory
        self._counter = counter
        self._session = _Session()

    def select(self) -> None:
        """Begin anew."""
        self._session = _Session()

    def answer(self, command: CommandAPDU) -> bytes:
        """Return the data of a good answer. Raises Refused or KeysUnusable."""
        handlers = {
            apdu.INS_GET_PROCESSING_OPTIONS: (0x80, self._process),
            apdu.INS_READ_RECORD: (0x00, self._read_record),
            apdu.INS_GET_DATA: (0x80, self._get_data),
            apdu.INS_INTERNAL_AUTHENTICATE: (0x00, self._authenticate),
            apdu.INS_GET_CHALLENGE: (0x00, self._give_challenge),
            apdu.INS_VERIFY: (0x00, self._verify),
            apdu.INS_GENERATE_AC: (0x80, self._generate),
            apdu.INS_EXTERNAL_AUTHENTICATE: (0x00, self._hear_issuer),
            INS_APPLICATION_BLOCK: (CLA_SECURE, self._carry_out_script),
            INS_APPLICATION_UNBLOCK: (CLA_SECURE, self._carry_out_script),
            INS_CARD_BLOCK: (CLA_SECURE, self._carry_out_script),
            INS_PIN_UNBLOCK: (CLA_SECURE, self._carry_out_script),
            apdu.INS_PUT_DATA: (CLA_SECURE_INTER_INDUSTRY, self._carry_out_script),
        }
        return handled(command, handlers)

    # Reading. Source: Book 3, 6.5.8, 6.5.11, 6.5.7.

    def _process(self, command: CommandAPDU) -> bytes:
        if command.p1 or command.p2:
            raise Refused(STATUS_WRONG_PARAMETERS)
        if self._session.atc is not None or command_template(command.data):
            raise Refused(apdu.STATUS_CONDITIONS_NOT_SATISFIED)
        self._session.atc = self._counter.next()
        if self._session.atc is None:
            raise Refused(apdu.STATUS_CONDITIONS_NOT_SATISFIED)
        locator = bytes((RECORDS_SFI << 3, 1, len(self.issued.records), 1))
        return template(
            tags.TAG_77_RESPONSE_FORMAT_2,
            (tags.TAG_82_AIP, self.issued.aip),
            (tags.TAG_94_AFL, locator),
        )

    def _read_record(self, command: CommandAPDU) -> bytes:
        records = {
            (RECORDS_SFI, number): record
            for number, record in enumerate(self.issued.records, start=1)
        }
        return record_of(command, (RECORDS_SFI,), records)

    def _get_data(self, command: CommandAPDU) -> bytes:
        remembered = self._memory.read()
        values = {
            tags.TAG_9F13_LAST_ONLINE_ATC: remembered.last_online_atc.to_bytes(2, "big"),
            tags.TAG_9F17_PIN_TRY_COUNTER: bytes((remembered.pin_tries_left,)),
            tags.TAG_9F36_ATC: self._counter.value().to_bytes(2, "big"),
        }
        tag = command.p1 << 8 | command.p2
        if tag not in values:
            raise Refused(apdu.STATUS_DATA_NOT_FOUND)
        return tlv.encode(tag, values[tag])

    # Proofs. Source: Book 3, 6.5.9; Book 2, 6.5.

    def _atc(self) -> int:
        if self._session.atc is None:
            raise Refused(apdu.STATUS_CONDITIONS_NOT_SATISFIED)
        return self._session.atc

    def _authenticate(self, command: CommandAPDU) -> bytes:
        atc = self._atc()
        if self.issued.profile.authentication is not Authentication.DDA:
            raise Refused(apdu.STATUS_CONDITIONS_NOT_SATISFIED)
        split(DDOL, command.data)
        number = self._dynamic_number(atc)
        dynamic = bytes((len(number),)) + number
        signature = sign_dynamic_data(self.issued.icc, dynamic, command.data, FORMAT_DYNAMIC)
        return tlv.encode(tags.TAG_80_RESPONSE_FORMAT_1, signature)

    def _dynamic_number(self, atc: int) -> bytes:
        """Return the card's own unpredictable number: its key over its counter."""
        return mac(self.issued.card_key, b"9F4C\x00\x00" + atc.to_bytes(2, "big"))

    # The cardholder. Source: Book 3, 6.5.6 and 6.5.12.

    def _give_challenge(self, _command: CommandAPDU) -> bytes:
        tries = bytes((self._memory.read().pin_tries_left,))
        seed = b"8400\x00" + tries + self._atc().to_bytes(2, "big")
        self._session.challenge = mac(self.issued.card_key, seed)
        return self._session.challenge

    def _verify(self, command: CommandAPDU) -> bytes:
        remembered = self._memory.read()
        challenge, self._session.challenge = self._session.challenge, b""
        if remembered.pin_tries_left == 0:
            raise Refused(apdu.STATUS_AUTHENTICATION_BLOCKED)
        if command.p1 or command.p2 not in (0x80, 0x88):
            raise Refused(STATUS_WRONG_PARAMETERS)
        block: bytes | None = command.data
        if command.p2 == 0x88:
            block = open_pin(command.data, self.issued.icc, challenge)
        entered = None if block is None else pin_of(block)
        # The try is spent before the PIN is looked at: a tear gains nothing.
        remembered.pin_tries_left -= 1
        self._memory.write(remembered)
        if entered != (remembered.pin or self.issued.profile.pin):
            raise Refused(apdu.STATUS_COUNTER | remembered.pin_tries_left)
        remembered.pin_tries_left = self.issued.profile.pin_tries_max
        self._memory.write(remembered)
        return b""

    # Cryptograms. Source: Book 3, 6.5.5 and 9.

    def _generate(self, command: CommandAPDU) -> bytes:
        session, atc = self._session, self._atc()
        is_second = bool(session.kinds)
        is_over = len(session.kinds) == 2 or session.kinds[:1] in (
            [Cryptogram.TC],
            [Cryptogram.AAC],
        )
        requested = command.p1 & 0xC0
        if is_over or requested not in tuple(Cryptogram):
            raise Refused(apdu.STATUS_CONDITIONS_NOT_SATISFIED)
        given = split(CDOL2 if is_second else CDOL1, command.data)
        session.given += command.data
        kind = (
            self._decide_last(Cryptogram(requested), given)
            if is_second
            else self._decide_first(Cryptogram(requested))
        )
        session.kinds.append(kind)
        objects = self._cryptogram(kind, given, atc)
        if kind is Cryptogram.ARQC:
            session.request_cryptogram = objects[tags.TAG_9F26_APPLICATION_CRYPTOGRAM]
        is_combined = self.issued.profile.authentication is Authentication.CDA
        if command.p1 & CDA_REQUESTED and is_combined and kind is not Cryptogram.AAC:
            objects = self._combined(objects, given, atc)
        return template(tags.TAG_77_RESPONSE_FORMAT_2, *objects.items())

    def _decide_first(self, requested: Cryptogram) -> Cryptogram:
        profile = self.issued.profile
        remembered = self._memory.read()
        if requested is Cryptogram.AAC or profile.decision is Decision.DECLINE:
            return Cryptogram.AAC
        if requested is Cryptogram.ARQC or profile.decision is Decision.ONLINE:
            return Cryptogram.ARQC
        upper = remembered.offline_max[1] if remembered.offline_max is not None else None
        if upper is not None and self._atc() - remembered.last_online_atc > upper:
            return Cryptogram.ARQC
        return Cryptogram.TC

    def _decide_last(self, requested: Cryptogram, given: dict[int, bytes]) -> Cryptogram:
        profile, session = self.issued.profile, self._session
        proof = given[tags.TAG_91_ISSUER_AUTHENTICATION_DATA]
        if any(proof) and not session.has_asked_proof:
            session.is_issuer_proved = self._is_proved(proof)
        if session.is_issuer_proved:
            remembered = self._memory.read()
            remembered.last_online_atc = self._atc()
            self._memory.write(remembered)
        if requested is Cryptogram.AAC or profile.refuses_approval:
            return Cryptogram.AAC
        if profile.insists_on_issuer and not session.is_issuer_proved:
            return Cryptogram.AAC
        return Cryptogram.TC

    def _cryptogram(self, kind: Cryptogram, given: dict[int, bytes], atc: int) -> dict[int, bytes]:
        """Return what every answer holds."""
        issued, version = self.issued, self.issued.profile.cryptogram_version
        values = given | {
            tags.TAG_82_AIP: issued.aip,
            tags.TAG_9F36_ATC: atc.to_bytes(2, "big"),
        }
        issuer_data = bytes((0x06, 0x01, version)) + self._verification_results()
        covered = b"".join(values[tag] for tag in COVERED_TAGS)
        made = application_cryptogram(version, issued.card_key, atc, covered, issuer_data)
        return {
            tags.TAG_9F27_CRYPTOGRAM_INFORMATION_DATA: bytes((kind,)),
            tags.TAG_9F36_ATC: values[tags.TAG_9F36_ATC],
            tags.TAG_9F26_APPLICATION_CRYPTOGRAM: made,
            tags.TAG_9F10_ISSUER_APPLICATION_DATA: issuer_data,
        }

    def _verification_results(self) -> bytes:
        """Return the card verification results with their length.

        Byte 2: second cryptogram in bits 8-7 (10: not asked for yet), first
        in bits 6-5; bit 4 the issuer's proof failed. Byte 4: script commands
        carried out last time in bits 8-5; bit 4 one of them failed.
        Source: VIS 1.6, Annex A.
        """
        kinds, session = self._session.kinds, self._session
        second = kinds[1] >> 6 if len(kinds) == 2 else 0b10
        failed = session.has_asked_proof and not session.is_issuer_proved
        remembered = self._memory.read()
        orders = remembered.orders_done << 4 | remembered.has_order_failed << 3
        return bytes((0x03, second << 6 | kinds[0] >> 2 | failed << 3, 0x00, orders))

    def _combined(
        self, objects: dict[int, bytes], given: dict[int, bytes], atc: int
    ) -> dict[int, bytes]:
        """Put the cryptogram under the card's signature. Source: Book 2, 6.6.1."""
        cryptogram = objects.pop(tags.TAG_9F26_APPLICATION_CRYPTOGRAM)
        others = b"".join(tlv.encode(tag, value) for tag, value in objects.items())
        digest = sha1(self._session.pdol_data + self._session.given + others).digest()
        number = self._dynamic_number(atc)
        kind = objects[tags.TAG_9F27_CRYPTOGRAM_INFORMATION_DATA]
        dynamic = bytes((len(number),)) + number + kind + cryptogram + digest
        covered = given[tags.TAG_9F37_UNPREDICTABLE_NUMBER]
        if self.issued.profile.flaw is Flaw.SIGNATURE:
            covered = bytes(len(covered))
        signature = sign_dynamic_data(self.issued.icc, dynamic, covered, FORMAT_DYNAMIC)
        return objects | {tags.TAG_9F4B_SIGNED_DYNAMIC_APPLICATION_DATA: signature}

    # The issuer. Source: Book 3, 6.5.4 and 10.10; Book 2, 8.2 and 9.

    def _is_proved(self, proof: bytes) -> bool:
        return is_issuers_answer(
            self.issued.profile.cryptogram_version,
            self.issued.card_key,
            self._atc(),
            self._session.request_cryptogram,
            proof,
        )

    def _hear_issuer(self, command: CommandAPDU) -> bytes:
        session = self._session
        if session.kinds != [Cryptogram.ARQC] or session.has_asked_proof:
            raise Refused(apdu.STATUS_CONDITIONS_NOT_SATISFIED)
        session.has_asked_proof = True
        session.is_issuer_proved = self._is_proved(command.data)
        if not session.is_issuer_proved:
            raise Refused(STATUS_NOT_VERIFIED)
        return b""

    def _carry_out_script(self, command: CommandAPDU) -> bytes:
        """Do what the issuer orders, if it is the issuer; remember how it went."""
        session = self._session
        if not session.request_cryptogram:
            raise Refused(STATUS_SECURITY_NOT_SATISFIED)
        remembered = self._memory.read()
        if not session.has_heard_orders:
            session.has_heard_orders = True
            remembered.orders_done, remembered.has_order_failed = 0, False
        try:
            if not is_issuers_script(
                command, self.issued.card_key, self._atc(), session.request_cryptogram
            ):
                raise Refused(STATUS_SECURE_MESSAGING_WRONG)
            self._change(remembered, command)
            remembered.orders_done = min(remembered.orders_done + 1, ORDERS_COUNTED_MAX)
        except Refused:
            remembered.has_order_failed = True
            raise
        finally:
            self._memory.write(remembered)
        return b""

    def _change(self, remembered: Remembered, command: CommandAPDU) -> None:
        content = command.data[:-MAC_BYTES]
        if command.ins in (INS_APPLICATION_BLOCK, INS_CARD_BLOCK):
            remembered.is_blocked = True
        elif command.ins == INS_APPLICATION_UNBLOCK:
            remembered.is_blocked = False
        elif command.ins == INS_PIN_UNBLOCK:
            if command.p2 == PIN_CHANGE:
                changed = new_pin(content, self.issued.card_key, self._atc())
                if changed is None:
                    raise Refused(STATUS_WRONG_DATA)
                remembered.pin = changed
            remembered.pin_tries_left = self.issued.profile.pin_tries_max
        else:
            self._put_data(remembered, command.p1 << 8 | command.p2, content)

    def _put_data(self, remembered: Remembered, tag: int, value: bytes) -> None:
        """Set one of the limits on payments in a row without the issuer."""
        if remembered.offline_max is None or len(value) != 1:
            raise Refused(STATUS_WRONG_DATA)
        lower, upper = remembered.offline_max
        if tag == tags.TAG_9F14_LOWER_CONSECUTIVE_OFFLINE_LIMIT:
            remembered.offline_max = (value[0], max(value[0], upper))
        elif tag == tags.TAG_9F23_UPPER_CONSECUTIVE_OFFLINE_LIMIT:
            remembered.offline_max = (min(lower, value[0]), value[0])
        else:
            raise Refused(apdu.STATUS_DATA_NOT_FOUND)
