"""The applet of kernel 2: a signed cryptogram, relay resistance, recovery.

Source: EMV 4.4 Books 2 and 3; EMV Contactless Book C-2 for what a reader
may ask; the issuer application data in the form of M/Chip 4.
"""

from __future__ import annotations

from hashlib import sha1

from emv import apdu, tags, tlv
from emv.apdu import CommandAPDU
from emv.bits import CVM_RESULTS_ON_DEVICE
from emv.dol import parse_dol
from simulators.card.applet import (
    STATUS_WRONG_PARAMETERS,
    Refused,
    Withheld,
    application_control,
    command_template,
    handled,
    record_of,
    split,
    template,
)
from simulators.card.certificates import FORMAT_DYNAMIC, sign_dynamic_data
from simulators.card.cryptogram import COVERED_TAGS, mac, mchip_cryptogram
from simulators.card.decision import Cryptogram, Owner
from simulators.card.personalisation import Personalisation
from simulators.card.profile import Decision, Flaw, Method
from simulators.card.static_data import DSDOL, MCHIP_CDOL1, MCHIP_DRDOL, data_list
from simulators.card.storage import ASKED, CAPABILITIES, Storage

RECORDS_SFI = 2
PDOL = data_list((tags.TAG_9F35_TERMINAL_TYPE, 1), (tags.TAG_9F1A_TERMINAL_COUNTRY_CODE, 2))
UNIT_US = 100
ENTROPY_BYTES = 4

KEY_INDEX = 0x01
CRYPTOGRAM_VERSION = 0x14
"""M/Chip, common session key, no counters under the cryptogram."""
WITH_SIGNATURE = 0x10
TYPE_MASK = 0xC0

DEVICE_VERIFICATION_NEEDED = bytes.fromhex("000100")
DEVICE_VERIFICATION_DONE = bytes.fromhex("001000")
"""POS Cardholder Interaction Information, tag DF4B."""

BALANCE_IS_READABLE = 0x02
"""Application Capabilities Information, tag 9F5D, byte 2."""

PHONE = bytes.fromhex("0156 0001") + b"31"
"""Third Party Data, tag 9F6E: country, identifier, and a device that is no card."""

STORAGE_TAGS = range(0x9F70, 0x9F7A)
STORAGE_BYTES_MAX = 192

# From the least that a reader can ask for to the most.
_ORDER = (Cryptogram.AAC, Cryptogram.ARQC, Cryptogram.TC)
_WISHES = {
    Decision.DECLINE: Cryptogram.AAC,
    Decision.ONLINE: Cryptogram.ARQC,
    Decision.OFFLINE: Cryptogram.TC,
}


class MChip:
    """One M/Chip application of a card or a phone, in EMV mode."""

    pdol = PDOL

    def __init__(self, card: Personalisation, owner: Owner, *, is_phone: bool) -> None:
        self.card = card
        self._owner = owner
        self._is_phone = is_phone
        self._objects: dict[int, bytes] = {}
        """Standalone data storage."""
        self._storage = Storage(
            card.slot, card.identity.pan, card.identity.sequence_number, card.card_key
        )
        if card.profile.mchip.has_storage:
            self.pdol = self.pdol + ASKED
        self._delay_us = 0
        self._begin()

    def _begin(self) -> None:
        """Forget the transaction."""
        self._lists = b""
        self._told: dict[int, bytes] = {}
        """What the reader said in its options."""
        self._counter = 0
        self._relay_data = b""
        self._summaries = b""
        """What is signed of the storage."""
        self._is_open = False

    def select(self) -> bytes:
        """Begin anew, and return the file control information."""
        self._begin()
        chip = self.card.profile.mchip
        information = bytes(
            (
                CAPABILITIES if chip.has_storage else 0,
                0 if chip.balance_minor is None else BALANCE_IS_READABLE,
                0,
            )
        )
        told = tlv.encode(tags.TAG_9F5D_APPLICATION_CAPABILITIES_INFORMATION, information)
        if chip.has_storage:
            told += tlv.encode(tags.TAG_9F5E_DS_ID, self._storage.identifier)
        return application_control(self.card, self.pdol, told)

    def delay_us(self) -> int:
        """Return how long the last command took."""
        return self._delay_us

    def answer(self, command: CommandAPDU) -> bytes:
        """Return the data of a good answer. Raises Refused, Withheld or KeysUnusable."""
        self._delay_us = 0
        handlers = {
            apdu.INS_READ_RECORD: (0x00, self._read_record),
            apdu.INS_GET_PROCESSING_OPTIONS: (0x80, self._process),
            apdu.INS_EXCHANGE_RELAY_RESISTANCE_DATA: (0x80, self._resist_relay),
            apdu.INS_GENERATE_AC: (0x80, self._generate),
            apdu.INS_RECOVER_AC: (0x80, self._recover),
            apdu.INS_GET_DATA: (0x80, self._get_data),
            apdu.INS_PUT_DATA: (0x80, self._put_data),
        }
        return handled(command, handlers)

    def _process(self, command: CommandAPDU) -> bytes:
        """GET PROCESSING OPTIONS. Source: EMV 4.4 Book 3, 6.5.8."""
        if command.p1 or command.p2:
            raise Refused(STATUS_WRONG_PARAMETERS)
        if self._counter:
            raise Refused(apdu.STATUS_CONDITIONS_NOT_SATISFIED)
        given = command_template(command.data)
        self._told = split(self.pdol, given)
        counter = self.card.counter.next()
        if counter is None:
            raise Refused(apdu.STATUS_CONDITIONS_NOT_SATISFIED)
        self._counter, self._lists, self._is_open = counter, given, True
        last = len(self.card.credentials.records)
        return template(
            tags.TAG_77_RESPONSE_FORMAT_2,
            (tags.TAG_82_AIP, self.card.aip),
            (tags.TAG_94_AFL, bytes((RECORDS_SFI << 3, 1, last, 1))),
            *self._more_options().items(),
        )

    def _more_options(self) -> dict[int, bytes]:
        """Return what else the answer to the options holds. May raise Refused."""
        if not self.card.profile.mchip.has_storage:
            return {}
        operator_id = self._told[tags.TAG_9F5C_DS_REQUESTED_OPERATOR_ID]
        return self._storage.options(operator_id, self._counter)

    def _resist_relay(self, command: CommandAPDU) -> bytes:
        """EXCHANGE RELAY RESISTANCE DATA. Source: Book C-2, 3.10."""
        relay = self.card.profile.mchip.relay
        if relay is None or not self._is_open:
            raise Refused(apdu.STATUS_CONDITIONS_NOT_SATISFIED)
        if len(command.data) != ENTROPY_BYTES:
            raise Refused(apdu.STATUS_WRONG_LENGTH)
        seed = b"80EA" + self._counter.to_bytes(4, "big") + command.data.ljust(8, b"\x00")
        answer = mac(self.card.card_key, seed)[:ENTROPY_BYTES] + relay.told
        self._relay_data = command.data + answer
        self._delay_us = relay.takes * UNIT_US
        return tlv.encode(tags.TAG_80_RESPONSE_FORMAT_1, answer)

    def _read_record(self, command: CommandAPDU) -> bytes:
        records = self.card.credentials.records if self._counter else ()
        numbered = {(RECORDS_SFI, at): record for at, record in enumerate(records, start=1)}
        return record_of(command, (RECORDS_SFI,), numbered)

    # Cryptograms. Source: EMV 4.4 Book 3, 6.5.5; Book 2, 6.6.

    def _generate(self, command: CommandAPDU) -> bytes:
        if not self._is_open:
            raise Refused(apdu.STATUS_CONDITIONS_NOT_SATISFIED)
        asked = command.p1 & TYPE_MASK
        if command.p2 or asked == TYPE_MASK or command.p1 & ~(TYPE_MASK | WITH_SIGNATURE):
            raise Refused(STATUS_WRONG_PARAMETERS)
        given, stored = self._split(command.data)
        self._is_open = False
        if self.card.profile.mchip.has_storage:
            self._summaries = self._storage.summaries(stored)
        answer = self._cryptogram(
            Cryptogram(asked >> 6), bool(command.p1 & WITH_SIGNATURE), given, command.data
        )
        unsaid = self.card.unsaid
        if self.card.profile.mchip.leaves_early and unsaid.read() is None:
            unsaid.keep(recovery_data(given), answer)
            raise Withheld
        unsaid.forget()
        return answer

    def _split(self, data: bytes) -> tuple[dict[int, bytes], dict[int, bytes]]:
        """Return the values of CDOL1, and those of the DSDOL if any came behind them."""
        size = sum(length for _, length in parse_dol(MCHIP_CDOL1))
        if not self.card.profile.mchip.has_storage or len(data) == size:
            return split(MCHIP_CDOL1, data), {}
        return split(MCHIP_CDOL1, data[:size]), split(DSDOL, data[size:])

    def _recover(self, command: CommandAPDU) -> bytes:
        """Tell the answer that no reader got, once. Source: Book C-2, RECOVER AC."""
        unsaid = self.card.unsaid.read()
        if unsaid is None or not self._is_open or command.data != unsaid[0]:
            raise Refused(apdu.STATUS_CONDITIONS_NOT_SATISFIED)
        self.card.unsaid.forget()
        self._is_open = False
        return unsaid[1]

    def _cryptogram(
        self, asked: Cryptogram, is_signed: bool, given: dict[int, bytes], data: bytes
    ) -> bytes:
        """Decide, and return the response with its cryptogram."""
        kind, interaction = self._decide(asked, given)
        counter = self._counter.to_bytes(2, "big")
        covered = given | {tags.TAG_82_AIP: self.card.aip, tags.TAG_9F36_ATC: counter}
        issuer_data, made = self._make(kind, b"".join(covered[tag] for tag in COVERED_TAGS))
        objects = [
            (tags.TAG_9F27_CRYPTOGRAM_INFORMATION_DATA, bytes((kind << 6,))),
            (tags.TAG_9F36_ATC, counter),
            (tags.TAG_9F10_ISSUER_APPLICATION_DATA, issuer_data),
        ]
        objects += self._more_answers(interaction)
        if is_signed and kind is not Cryptogram.AAC:
            signed = self._sign(kind, made, given, self._lists + data, objects)
            objects.append((tags.TAG_9F4B_SIGNED_DYNAMIC_APPLICATION_DATA, signed))
        else:
            objects.append((tags.TAG_9F26_APPLICATION_CRYPTOGRAM, made))
        return template(tags.TAG_77_RESPONSE_FORMAT_2, *objects)

    def _more_answers(self, interaction: bytes) -> list[tuple[int, bytes]]:
        """Return what else comes with a cryptogram. interaction: tag DF4B."""
        if not self._is_phone:
            return []
        return [
            (tags.TAG_9F6E_THIRD_PARTY_DATA, PHONE),
            (tags.TAG_DF4B_POS_CARDHOLDER_INTERACTION_INFORMATION, interaction),
        ]

    def _make(self, kind: Cryptogram, covered: bytes) -> tuple[bytes, bytes]:
        """Return issuer application data, and the cryptogram over it."""
        # Card verification results: no second cryptogram asked for (bits 8-7
        # = 10), the first is of this type (bits 6-5). Source: M/Chip 4.
        results = bytes((0x80 | kind << 4, 0, 0, 0, 0, 0))
        issuer_data = bytes((KEY_INDEX, CRYPTOGRAM_VERSION)) + results + bytes(9) + b"\xff"
        return issuer_data, mchip_cryptogram(self.card.card_key, self._counter, covered, results)

    def _decide(self, asked: Cryptogram, given: dict[int, bytes]) -> tuple[Cryptogram, bytes]:
        """Choose the cryptogram, and what a phone has its reader tell."""
        kind = min(asked, _WISHES[self.card.profile.decision], key=_ORDER.index)
        if Method.DEVICE not in self.card.profile.cvm:
            return kind, bytes(3)
        is_needed = given[tags.TAG_9F34_CVM_RESULTS] == CVM_RESULTS_ON_DEVICE
        if self._owner.is_verified():
            self._owner.paid()
            return kind, DEVICE_VERIFICATION_DONE
        if not is_needed:
            return kind, bytes(3)
        return Cryptogram.AAC, DEVICE_VERIFICATION_NEEDED if self._owner.ask() else bytes(3)

    def _sign(
        self,
        kind: Cryptogram,
        cryptogram: bytes,
        given: dict[int, bytes],
        lists: bytes,
        objects: list[tuple[int, bytes]],
    ) -> bytes:
        """Sign the cryptogram with all that led to it. Source: Book 2, 6.6.1, table 19."""
        others = b"".join(tlv.encode(tag, value) for tag, value in objects)
        number = mac(self.card.card_key, b"9F4C" + self._counter.to_bytes(4, "big"))
        dynamic = (
            bytes((len(number),))
            + number
            + bytes((kind << 6,))
            + cryptogram
            + sha1(lists + others).digest()
            + self._summaries
            + self._relay_data
        )
        covered = given[tags.TAG_9F37_UNPREDICTABLE_NUMBER]
        if self.card.profile.flaw is Flaw.SIGNATURE:
            covered = bytes(len(covered))
        return sign_dynamic_data(self.card.credentials.key, dynamic, covered, FORMAT_DYNAMIC)

    # Data. Source: EMV 4.4 Book 3, 6.5.7; Book C-2, data storage.

    def _get_data(self, command: CommandAPDU) -> bytes:
        tag = command.p1 << 8 | command.p2
        chip = self.card.profile.mchip
        if tag == tags.TAG_9F50_OFFLINE_ACCUMULATOR_BALANCE and chip.balance_minor is not None:
            return tlv.encode(tag, bytes.fromhex(f"{chip.balance_minor:012d}"))
        if chip.has_storage and tag in STORAGE_TAGS:
            return tlv.encode(tag, self._objects.get(tag, b""))
        raise Refused(apdu.STATUS_DATA_NOT_FOUND)

    def _put_data(self, command: CommandAPDU) -> bytes:
        tag = command.p1 << 8 | command.p2
        if not self.card.profile.mchip.has_storage or tag not in STORAGE_TAGS:
            raise Refused(apdu.STATUS_DATA_NOT_FOUND)
        if len(command.data) > STORAGE_BYTES_MAX:
            raise Refused(apdu.STATUS_WRONG_LENGTH)
        self._objects[tag] = command.data
        return b""


def recovery_data(given: dict[int, bytes]) -> bytes:
    """Return what a reader must say to hear a lost answer: the values of the DRDOL."""
    return b"".join(given[tag] for tag, _ in parse_dol(MCHIP_DRDOL))
