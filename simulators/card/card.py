"""A simulated card: its directory, and which of its applications is asked.

Bytes in, a response out; it opens nothing, waits for nothing and reads no
clock. Its randomness is its own counter under its own key.
Source: EMV 4.4 Book 1; EMV Contactless Book B.
"""

from __future__ import annotations

from collections.abc import Sequence

from emv import apdu, tags, tlv
from emv.apdu import CommandAPDU
from emv.errors import MalformedData
from simulators.card.applet import (
    STATUS_CLASS_UNKNOWN,
    STATUS_INSTRUCTION_UNKNOWN,
    STATUS_WRONG_PARAMETERS,
    Applet,
    Refused,
    Withheld,
    file_control,
)
from simulators.responses import Answer, Response, Torn

PPSE = b"2PAY.SYS.DDF01"


class Card:
    """A card with one or more contactless applications."""

    def __init__(self, applets: Sequence[Applet]) -> None:
        self._applets = tuple(applets)
        self._selected: Applet | None = None
        self._name = b""
        """By which name it was selected, for 'next occurrence'."""

    def power_up(self) -> None:
        """Enter a field: nothing is selected, no transaction is open."""
        self._selected, self._name = None, b""

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
            data = self._answer(parsed)
        except Refused as refused:
            return Answer(_status(refused.status))
        except Withheld:
            return Torn()
        delay_us = self._selected.delay_us() if self._selected is not None else 0
        return Answer(data + _status(apdu.STATUS_OK), delay_us)

    def _answer(self, command: CommandAPDU) -> bytes:
        """Return the data of a good answer, or raise Refused or Withheld."""
        if command.ins == apdu.INS_SELECT:
            if command.cla != 0x00:
                raise Refused(STATUS_CLASS_UNKNOWN)
            return self._select(command)
        if self._selected is not None:
            return self._selected.answer(command)
        if command.ins in (apdu.INS_GET_PROCESSING_OPTIONS, apdu.INS_READ_RECORD):
            raise Refused(apdu.STATUS_CONDITIONS_NOT_SATISFIED)
        raise Refused(STATUS_INSTRUCTION_UNKNOWN)

    # Selection. Source: EMV 4.4 Book 1, 11.3; Book B, 3.3.

    def _select(self, command: CommandAPDU) -> bytes:
        if command.p1 != 0x04 or command.p2 not in (0x00, 0x02):
            raise Refused(STATUS_WRONG_PARAMETERS)
        if command.data == PPSE and command.p2 == 0x00:
            self.power_up()
            return self._directory()
        known = [each for each in self._applets if each.card.aid.startswith(command.data)]
        if command.p2 == 0x02:
            known = self._after_selected(known, command.data)
        if not known or not command.data:
            raise Refused(apdu.STATUS_FILE_NOT_FOUND)
        self._selected, self._name = known[0], command.data
        return known[0].select()

    def _after_selected(self, known: list[Applet], name: bytes) -> list[Applet]:
        """Return those after the one that this name has selected before."""
        current = self._selected
        if current is None or self._name != name or current not in known:
            return []
        return known[known.index(current) + 1 :]

    def _directory(self) -> bytes:
        """Return the FCI of the proximity payment system environment."""
        entries = b"".join(
            tlv.encode(tags.TAG_61_APPLICATION_TEMPLATE, _entry(each)) for each in self._applets
        )
        return file_control(PPSE, tlv.encode(tags.TAG_BF0C_FCI_ISSUER_DISCRETIONARY_DATA, entries))


def _entry(applet: Applet) -> bytes:
    """Return what the directory says of one application."""
    application = applet.card.application
    return (
        tlv.encode(tags.TAG_4F_ADF_NAME, applet.card.aid)
        + tlv.encode(tags.TAG_50_APPLICATION_LABEL, application.label.encode())
        + tlv.encode(tags.TAG_87_APPLICATION_PRIORITY_INDICATOR, bytes((application.priority,)))
        + tlv.encode(tags.TAG_9F2A_KERNEL_IDENTIFIER, bytes((application.kernel,)))
    )


def _status(status: int) -> bytes:
    return status.to_bytes(2, "big")
