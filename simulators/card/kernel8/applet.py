"""The applet of kernel 8: a channel, enciphered records, one proved cryptogram.

The issuer application data are this test issuer's own: key index, version,
six bytes of results, then room for the IAD-MAC, which the reader fills in.

Source: EMV Contactless Book C-8 for what a reader may ask.
"""

from __future__ import annotations

from emv import apdu, tags, tlv
from emv.apdu import CommandAPDU
from emv.errors import MalformedData
from simulators.card.applet import (
    STATUS_WRONG_DATA,
    STATUS_WRONG_PARAMETERS,
    Refused,
    application_control,
    command_template,
    handled,
    record_of,
    split,
    template,
)
from simulators.card.cryptogram import COVERED_TAGS
from simulators.card.decision import Cryptogram, Owner
from simulators.card.kernel8 import curve
from simulators.card.kernel8.channel import CardChannel, application_cryptogram, cmac
from simulators.card.kernel8.issuing import CDOL1, Personalisation8
from simulators.card.profile import Decision, Flaw, Method
from simulators.card.static_data import data_list

PDOL = data_list((tags.TAG_9E_KERNEL_KEY_DATA, 64), (tags.TAG_9F2B_KERNEL_QUALIFIER, 8))
CARD_QUALIFIER = bytes.fromhex("02 00FFFF 00 0000")
RECORDS_SFI = 2
TAG_ENCIPHERED_RECORD = 0xDA
ENVELOPES = range(tags.TAG_9F8111_DATA_ENVELOPE_1, tags.TAG_9F811A_DATA_ENVELOPE_10 + 1)
ENVELOPE_BYTES_MAX = 243
UNIT_US = 100
ENTROPY_BYTES = 4

KEY_INDEX = 0x01
CRYPTOGRAM_VERSION = 0x08
IAD_MAC_OFFSET = 8
TYPE_MASK = 0xC0
CVM_LIMIT_EXCEEDED = 0x80
"""Terminal Risk Management Data, byte 2."""

_ORDER = (Cryptogram.AAC, Cryptogram.ARQC, Cryptogram.TC)
_WISHES = {
    Decision.DECLINE: Cryptogram.AAC,
    Decision.ONLINE: Cryptogram.ARQC,
    Decision.OFFLINE: Cryptogram.TC,
}
NO_CVM, ON_DEVICE = (0x00, 0x08), (0x03, 0x04)
_CVM = {Method.SIGNATURE: (0x01, 0x20), Method.ONLINE_PIN: (0x02, 0x40)}
"""The card's decision, and the bit of byte 1 of tag 9F1D that allows it."""
NOT_APPLICABLE, FAILED = 0x0F, 0xFF
LOOK_AND_TAP_AGAIN = bytes.fromhex("2020")
"""Restart Indicator: begin at B, and have the holder told to see his phone."""


class Kernel8:
    """One kernel 8 application of a card or a phone."""

    def __init__(self, card: Personalisation8, owner: Owner) -> None:
        self.card = card
        self._owner = owner
        self._envelopes: dict[int, bytes] = {}
        self._delay_us = 0
        self._begin()

    def _begin(self) -> None:
        """Forget the transaction."""
        self._channel: CardChannel | None = None
        self._lists = b""
        self._counter = 0
        self._relay_data = b""
        self._is_open = False

    def select(self) -> bytes:
        """Begin anew, and return the file control information."""
        self._begin()
        return application_control(
            self.card, PDOL, tlv.encode(tags.TAG_9F2C_CARD_QUALIFIER, CARD_QUALIFIER)
        )

    def delay_us(self) -> int:
        """Return how long the last command took."""
        return self._delay_us

    def answer(self, command: CommandAPDU) -> bytes:
        """Return the data of a good answer. Raises Refused or KeysUnusable."""
        self._delay_us = 0
        handlers = {
            apdu.INS_GET_PROCESSING_OPTIONS: (0x80, self._process),
            apdu.INS_READ_RECORD: (0x00, self._read_record),
            apdu.INS_EXCHANGE_RELAY_RESISTANCE_DATA: (0x80, self._resist_relay),
            apdu.INS_READ_DATA: (0x84, self._read_data),
            apdu.INS_WRITE_DATA: (0x84, self._write_data),
            apdu.INS_GENERATE_AC: (0x80, self._generate),
        }
        return handled(command, handlers)

    def _process(self, command: CommandAPDU) -> bytes:
        """GET PROCESSING OPTIONS: agree on keys."""
        if command.p1 or command.p2:
            raise Refused(STATUS_WRONG_PARAMETERS)
        if self._counter:
            raise Refused(apdu.STATUS_CONDITIONS_NOT_SATISFIED)
        given = command_template(command.data)
        told = split(PDOL, given)
        counter = self.card.counter.next()
        if counter is None:
            raise Refused(apdu.STATUS_CONDITIONS_NOT_SATISFIED)
        kernel_key = told[tags.TAG_9E_KERNEL_KEY_DATA]
        try:
            channel = CardChannel(self.card.secret, self._blinding(counter, given), kernel_key)
        except ValueError as error:
            raise Refused(STATUS_WRONG_DATA) from error
        self._channel = channel
        self._counter, self._lists, self._is_open = counter, given, True
        last = len(self.card.records)
        return template(
            tags.TAG_77_RESPONSE_FORMAT_2,
            (tags.TAG_82_AIP, self.card.aip),
            (tags.TAG_94_AFL, bytes((RECORDS_SFI << 3, 1, last, 1))),
            (tags.TAG_8C_CDOL1, CDOL1),
            (tags.TAG_9F8103_CARD_KEY_DATA, channel.key_data),
        )

    def _blinding(self, counter: int, given: bytes) -> int:
        """Return a factor that no tap before had: the counter, under the card's key."""
        seed = counter.to_bytes(2, "big") + given
        key = self.card.card_key
        return curve.scalar_from(cmac(key, b"r0" + seed) + cmac(key, b"r1" + seed))

    def _open_channel(self) -> CardChannel:
        if self._channel is None or not self._is_open:
            raise Refused(apdu.STATUS_CONDITIONS_NOT_SATISFIED)
        return self._channel

    def _resist_relay(self, command: CommandAPDU) -> bytes:
        """EXCHANGE RELAY RESISTANCE DATA."""
        relay = self.card.profile.kernel8.relay
        if relay is None or not self._is_open:
            raise Refused(apdu.STATUS_CONDITIONS_NOT_SATISFIED)
        if len(command.data) != ENTROPY_BYTES:
            raise Refused(apdu.STATUS_WRONG_LENGTH)
        own = cmac(self.card.card_key, b"80EA" + self._counter.to_bytes(2, "big") + command.data)
        answer = own[:ENTROPY_BYTES] + relay.told
        self._relay_data = command.data + answer
        self._delay_us = relay.takes * UNIT_US
        return tlv.encode(tags.TAG_80_RESPONSE_FORMAT_1, answer)

    def _read_record(self, command: CommandAPDU) -> bytes:
        channel = self._open_channel()
        numbered = {(RECORDS_SFI, at): each for at, each in enumerate(self.card.records, start=1)}
        plain = record_of(command, (RECORDS_SFI,), numbered)
        return tlv.encode(TAG_ENCIPHERED_RECORD, channel.conceal(plain))

    def _read_data(self, command: CommandAPDU) -> bytes:
        channel = self._open_channel()
        tag = int.from_bytes(command.data, "big")
        if tag not in ENVELOPES:
            raise Refused(apdu.STATUS_DATA_NOT_FOUND)
        return channel.conceal_and_seal(tlv.encode(tag, self._envelopes.get(tag, b"")))

    def _write_data(self, command: CommandAPDU) -> bytes:
        """WRITE DATA, which follows the cryptogram."""
        if self._channel is None or self._is_open:
            raise Refused(apdu.STATUS_CONDITIONS_NOT_SATISFIED)
        plain = self._channel.reveal(command.data)
        try:
            nodes = tlv.decode(plain)
        except MalformedData as error:
            raise Refused(STATUS_WRONG_DATA) from error
        if len(nodes) != 1 or nodes[0].tag not in ENVELOPES:
            raise Refused(STATUS_WRONG_DATA)
        if len(nodes[0].value) > ENVELOPE_BYTES_MAX:
            raise Refused(apdu.STATUS_WRONG_LENGTH)
        self._envelopes[nodes[0].tag] = nodes[0].value
        return self._channel.acknowledge(plain)

    # The cryptogram. Source: Book E, 3.2 and 4.

    def _generate(self, command: CommandAPDU) -> bytes:
        channel = self._open_channel()
        asked = command.p1 & TYPE_MASK
        if command.p1 & ~TYPE_MASK or asked == TYPE_MASK or command.p2 & ~apdu.MORE_COMMANDS:
            raise Refused(STATUS_WRONG_PARAMETERS)
        given = split(CDOL1, command.data)
        self._is_open = False
        wish = _WISHES[self.card.profile.decision]
        decision, restart = self._verify(given)
        kind = min(Cryptogram(asked >> 6), wish, key=_ORDER.index)
        if restart:
            kind = Cryptogram.AAC
        else:
            self._owner.paid()
        counter = self._counter.to_bytes(2, "big")
        results = bytes((0x80 | kind << 4, 0, 0, 0, 0, 0))
        issuer_data = bytes((KEY_INDEX, CRYPTOGRAM_VERSION)) + results
        response = b"".join(
            tlv.encode(tag, value)
            for tag, value in (
                (tags.TAG_9F27_CRYPTOGRAM_INFORMATION_DATA, bytes((kind << 6,))),
                (tags.TAG_9F36_ATC, counter),
                (tags.TAG_9F10_ISSUER_APPLICATION_DATA, issuer_data + bytes(8)),
                (tags.TAG_9F8107_IAD_MAC_OFFSET, bytes((IAD_MAC_OFFSET,))),
                (tags.TAG_9F8102_CARDHOLDER_VERIFICATION_DECISION, bytes((decision,))),
                *restart,
            )
        )
        lists = self._lists + command.data + self._relay_data
        mac = channel.iad_mac(lists + response + self.card.static_hash)
        if self.card.profile.flaw is Flaw.IAD_MAC:
            mac = bytes(len(mac))
        covered = given | {tags.TAG_82_AIP: self.card.aip, tags.TAG_9F36_ATC: counter}
        made = application_cryptogram(
            self.card.card_key,
            self._counter,
            b"".join(covered[tag] for tag in COVERED_TAGS) + results + mac,
        )
        proof = channel.eda_mac(made, mac)
        return tlv.encode(
            tags.TAG_77_RESPONSE_FORMAT_2,
            response
            + tlv.encode(tags.TAG_9F26_APPLICATION_CRYPTOGRAM, made)
            + tlv.encode(tags.TAG_9F8105_EDA_MAC, proof),
        )

    def _verify(self, given: dict[int, bytes]) -> tuple[int, list[tuple[int, bytes]]]:
        """Decide how the holder is verified, within what the reader can.

        Returns the decision; and a wish for another tap, once he has looked at his device.
        """
        able, limit = given[tags.TAG_9F1D_TERMINAL_RISK_MANAGEMENT_DATA][:2]
        is_needed = bool(limit & CVM_LIMIT_EXCEEDED) or self.card.profile.always_verifies
        if Method.DEVICE in self.card.profile.cvm and able & ON_DEVICE[1]:
            if self._owner.is_verified():
                return ON_DEVICE[0], []
            if is_needed and self._owner.ask():
                return FAILED, [(tags.TAG_9F8108_RESTART_INDICATOR, LOOK_AND_TAP_AGAIN)]
        if not is_needed:
            return (NO_CVM[0] if able & NO_CVM[1] else NOT_APPLICABLE), []
        for method in self.card.profile.cvm:
            decision, bit = _CVM.get(method, (FAILED, 0))
            if able & bit:
                return decision, []
        return FAILED, []
