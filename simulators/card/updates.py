"""What an issuer changes on a tapped card, by its answer at the second tap.

Source: EMV Contactless Book C-3, issuer update processing; EMV 4.4 Book 3,
6.5.1, 6.5.2 and 6.5.4.
"""

from __future__ import annotations

from emv import apdu
from emv.apdu import CommandAPDU
from simulators.card.applet import (
    INS_APPLICATION_BLOCK,
    STATUS_NOT_VERIFIED,
    STATUS_SECURE_MESSAGING_WRONG,
    STATUS_SECURITY_NOT_SATISFIED,
    Refused,
)
from simulators.card.contact.secure_messaging import is_issuers_answer, is_issuers_script


class Updates:
    """The issuer's side door of one application; what it changed stays while the card is held."""

    def __init__(self, version: int, card_key: bytes) -> None:
        """version: of its cryptograms. card_key: 16 bytes."""
        self._version = version
        self._key = card_key
        self._asked: tuple[int, bytes] | None = None
        self._is_believed = False
        self.is_blocked = False

    def asked(self, atc: int, cryptogram: bytes) -> None:
        """Remember what the issuer was asked: its answer will be about that."""
        self._asked, self._is_believed = (atc, cryptogram), False

    def authenticate(self, command: CommandAPDU) -> bytes:
        """EXTERNAL AUTHENTICATE. Raises Refused unless it is the issuer, and for the first time."""
        if self._asked is None or self._is_believed:
            raise Refused(apdu.STATUS_CONDITIONS_NOT_SATISFIED)
        if not is_issuers_answer(self._version, self._key, *self._asked, command.data):
            raise Refused(STATUS_NOT_VERIFIED)
        self._is_believed = True
        return b""

    def carry_out(self, command: CommandAPDU) -> bytes:
        """Block or unblock the application. Raises Refused unless the issuer has said so."""
        if self._asked is None or not self._is_believed:
            raise Refused(STATUS_SECURITY_NOT_SATISFIED)
        if not is_issuers_script(command, self._key, *self._asked):
            raise Refused(STATUS_SECURE_MESSAGING_WRONG)
        self.is_blocked = command.ins == INS_APPLICATION_BLOCK
        return b""
