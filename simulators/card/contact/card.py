"""A chip card in a slot: its directory, and which of its applications is asked.

Bytes in, a response out; it waits for nothing and reads no clock.
Source: EMV 4.4 Book 1, 11 and 12.
"""

from __future__ import annotations

from collections.abc import Sequence

from emv import apdu, tags, tlv
from emv.apdu import CommandAPDU
from emv.errors import MalformedData
from simulators.card.applet import (
    LANGUAGES,
    STATUS_CLASS_UNKNOWN,
    STATUS_INSTRUCTION_UNKNOWN,
    STATUS_WRONG_PARAMETERS,
    Refused,
    file_control,
    record_of,
)
from simulators.card.contact.application import ContactApplication
from simulators.card.contact.memory import CardMemory
from simulators.card.contact.personalise import directory_record, priority_indicator
from simulators.card.contact.profile import Flaw
from simulators.responses import Answer, Response

PSE = b"1PAY.SYS.DDF01"
DIRECTORY_SFI = 1


class ContactCard:
    """A card with one or more applications behind a PSE."""

    def __init__(self, applications: Sequence[ContactApplication], memory: CardMemory) -> None:
        self._applications = tuple(applications)
        self._memory = memory
        self._selected: ContactApplication | None = None
        self._is_in_directory = False
        self._name = b""
        """By which name it was selected, for 'next occurrence'."""

    def power_up(self) -> None:
        """Enter a slot: nothing is selected, no transaction is open."""
        self._selected, self._is_in_directory, self._name = None, False, b""

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
            data, status = self._answer(parsed)
        except Refused as refused:
            return Answer(_status(refused.status))
        return Answer(data + _status(status))

    def _answer(self, command: CommandAPDU) -> tuple[bytes, int]:
        if command.ins == apdu.INS_SELECT:
            if command.cla != 0x00:
                raise Refused(STATUS_CLASS_UNKNOWN)
            return self._select(command)
        if self._selected is not None:
            if self._memory.read().is_blocked and command.ins == apdu.INS_GET_PROCESSING_OPTIONS:
                raise Refused(apdu.STATUS_CONDITIONS_NOT_SATISFIED)
            return self._selected.answer(command), apdu.STATUS_OK
        if self._is_in_directory and command.ins == apdu.INS_READ_RECORD:
            return self._read_directory(command), apdu.STATUS_OK
        if command.ins in (apdu.INS_GET_PROCESSING_OPTIONS, apdu.INS_READ_RECORD):
            raise Refused(apdu.STATUS_CONDITIONS_NOT_SATISFIED)
        raise Refused(STATUS_INSTRUCTION_UNKNOWN)

    def _select(self, command: CommandAPDU) -> tuple[bytes, int]:
        """Open the directory or an application. Source: Book 1, 11.3."""
        if self._flaw is Flaw.BLOCKED:
            raise Refused(apdu.STATUS_FUNCTION_NOT_SUPPORTED)
        if command.p1 != 0x04 or command.p2 not in (0x00, 0x02):
            raise Refused(STATUS_WRONG_PARAMETERS)
        if command.data == PSE and command.p2 == 0x00:
            self.power_up()
            self._is_in_directory = True
            inside = tlv.encode(tags.TAG_88_SFI, bytes((DIRECTORY_SFI,)))
            inside += tlv.encode(tags.TAG_5F2D_LANGUAGE_PREFERENCE, LANGUAGES)
            return file_control(PSE, inside), apdu.STATUS_OK
        known = [each for each in self._applications if each.issued.aid.startswith(command.data)]
        if command.p2 == 0x02:
            known = self._after_selected(known, command.data)
        if not known or not command.data:
            raise Refused(apdu.STATUS_FILE_NOT_FOUND)
        self.power_up()
        self._selected, self._name = known[0], command.data
        self._selected.select()
        is_blocked = self._memory.read().is_blocked
        status = apdu.STATUS_FILE_INVALIDATED if is_blocked else apdu.STATUS_OK
        return _control_information(self._selected), status

    @property
    def _flaw(self) -> Flaw | None:
        return self._memory.profile.flaw

    def _after_selected(
        self, known: list[ContactApplication], name: bytes
    ) -> list[ContactApplication]:
        """Return those after the one that this name has selected before."""
        current = self._selected
        if current is None or self._name != name or current not in known:
            return []
        return known[known.index(current) + 1 :]

    def _read_directory(self, command: CommandAPDU) -> bytes:
        record = directory_record([each.issued for each in self._applications])
        return record_of(command, (DIRECTORY_SFI,), {(DIRECTORY_SFI, 1): record})


def _control_information(application: ContactApplication) -> bytes:
    """Return an application's FCI. Source: Book 1, 11.3.4."""
    stated = application.issued.application
    return file_control(
        application.issued.aid,
        tlv.encode(tags.TAG_50_APPLICATION_LABEL, stated.label.encode())
        + tlv.encode(tags.TAG_87_APPLICATION_PRIORITY_INDICATOR, priority_indicator(stated))
        + tlv.encode(tags.TAG_5F2D_LANGUAGE_PREFERENCE, LANGUAGES),
    )


def _status(status: int) -> bytes:
    return status.to_bytes(2, "big")
