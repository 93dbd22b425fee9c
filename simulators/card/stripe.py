"""The applet of kernel 2's magnetic stripe mode: a stripe good for one payment.

Source: EMV Contactless Book C-2 before version 2.12.
"""

from __future__ import annotations

from emv import apdu, tags, tlv
from emv.apdu import CommandAPDU
from simulators.card.applet import (
    STATUS_CLASS_UNKNOWN,
    STATUS_INSTRUCTION_UNKNOWN,
    STATUS_WRONG_PARAMETERS,
    Refused,
    application_control,
    command_template,
    record_of,
    split,
    template,
)
from simulators.card.cryptogram import stripe_code
from simulators.card.personalisation import Personalisation

STRIPE_SFI = 1
NUMBER_BYTES = 4


class Stripe:
    """One application that has nothing but its stripe."""

    def __init__(self, card: Personalisation) -> None:
        self.card = card
        self._counter = 0

    def select(self) -> bytes:
        """Begin anew, and return the file control information."""
        self._counter = 0
        return application_control(self.card, b"")

    def delay_us(self) -> int:
        """It answers as fast as it can."""
        return 0

    def answer(self, command: CommandAPDU) -> bytes:
        """Return the data of a good answer. Raises Refused or KeysUnusable."""
        if command.ins == apdu.INS_READ_RECORD and command.cla == 0x00:
            record = tlv.encode(tags.TAG_70_RECORD_TEMPLATE, self.card.static_record)
            return record_of(command, (STRIPE_SFI,), {(STRIPE_SFI, 1): record})
        handlers = {
            apdu.INS_GET_PROCESSING_OPTIONS: self._process,
            apdu.INS_COMPUTE_CRYPTOGRAPHIC_CHECKSUM: self._compute,
        }
        if command.ins not in handlers:
            raise Refused(STATUS_INSTRUCTION_UNKNOWN)
        if command.cla != 0x80:
            raise Refused(STATUS_CLASS_UNKNOWN)
        return handlers[command.ins](command)

    def _process(self, command: CommandAPDU) -> bytes:
        if command.p1 or command.p2:
            raise Refused(STATUS_WRONG_PARAMETERS)
        split(b"", command_template(command.data))
        counter = self.card.counter.next()
        if counter is None or self._counter:
            raise Refused(apdu.STATUS_CONDITIONS_NOT_SATISFIED)
        self._counter = counter
        return template(
            tags.TAG_77_RESPONSE_FORMAT_2,
            (tags.TAG_82_AIP, self.card.aip),
            (tags.TAG_94_AFL, bytes((STRIPE_SFI << 3, 1, 1, 0))),
        )

    def _compute(self, command: CommandAPDU) -> bytes:
        """Compute both tracks' codes over the reader's number and the counter."""
        if (command.p1, command.p2) != (0x8E, 0x80):
            raise Refused(STATUS_WRONG_PARAMETERS)
        if not self._counter:
            raise Refused(apdu.STATUS_CONDITIONS_NOT_SATISFIED)
        if len(command.data) != NUMBER_BYTES:
            raise Refused(apdu.STATUS_WRONG_LENGTH)
        stored = tlv.collect(tlv.decode(self.card.static_record))
        counter = self._counter

        def code(track: int) -> bytes:
            return stripe_code(self.card.card_key, stored[track], command.data, counter)

        return template(
            tags.TAG_77_RESPONSE_FORMAT_2,
            (tags.TAG_9F61_CVC3_TRACK_2, code(tags.TAG_9F6B_TRACK_2_DATA)),
            (tags.TAG_9F60_CVC3_TRACK_1, code(tags.TAG_56_TRACK_1_DATA)),
            (tags.TAG_9F36_ATC, counter.to_bytes(2, "big")),
        )
