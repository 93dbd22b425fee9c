"""What an operator keeps on a card: one slot, written with a cryptogram.

The one-way function is written here a second time, apart from the reader's.
The summaries are the issuer's own affair: here a MAC under the card's key.

Source: EMV Contactless Book C-2, integrated data storage, and 8.2.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes

from emv import tags
from simulators.card.cryptogram import mac
from simulators.card.errors import KeysUnusable
from simulators.card.folder import PrivateFolder
from simulators.card.static_data import data_list

CAPABILITIES = 0x01
"""Application Capabilities Information, byte 1: data storage, version 1."""
VOLATILE = b"\x40"
"""Of slots, and of how they are managed."""
BLOCK = 8

ASKED = data_list((tags.TAG_9F5C_DS_REQUESTED_OPERATOR_ID, BLOCK))
"""What joins the list of objects for GET PROCESSING OPTIONS."""


@dataclass(frozen=True, slots=True)
class Content:
    """What stands in a slot, and whose it is."""

    operator_id: bytes
    digest: bytes
    """Of an input that only he knows."""
    data: bytes = field(repr=False)


class Slot:
    """The one slot of a card, in a file that outlives the process."""

    def __init__(self, folder: PrivateFolder, name: str) -> None:
        """folder/name: three lines of hexadecimal digits, or nothing."""
        self._folder = folder
        self._name = name

    def read(self) -> Content | None:
        """Return what stands there; None if nothing. Raises KeysUnusable, naming the file."""
        lines = (self._folder.read(self._name) or b"").decode("ascii", "replace").split()
        if not lines:
            return None
        try:
            return Content(*(bytes.fromhex(line) for line in lines))
        except (TypeError, ValueError) as error:
            path = self._folder.path / self._name
            raise KeysUnusable(f"{path}: damaged; remove it, and the slot is free") from error

    def write(self, content: Content) -> None:
        """Put this there instead. Raises KeysUnusable."""
        lines = (content.operator_id, content.digest, content.data)
        with self._folder.locked():
            self._folder.write(self._name, "".join(f"{line.hex()}\n" for line in lines).encode())


class Storage:
    """The storage of one card over one transaction."""

    def __init__(self, slot: Slot, pan: str, sequence_number: int, card_key: bytes) -> None:
        self._slot = slot
        self._key = card_key
        digits = f"{pan}{sequence_number:02}".rjust(16, "0")
        self.identifier = bytes.fromhex("0" * (len(digits) % 2) + digits)
        """DS ID, tag 9F5E."""
        self._operator_id = b""
        self._before = b""

    def options(self, operator_id: bytes, counter: int) -> dict[int, bytes]:
        """Return what an operator hears of the slot; his data, if they are his."""
        content = self._slot.read()
        self._operator_id, self._before = operator_id, self._summary(content)
        told = {
            tags.TAG_9F5F_DS_SLOT_AVAILABILITY: b"\x00" if content else VOLATILE,
            tags.TAG_9F6F_DS_SLOT_MANAGEMENT_CONTROL: VOLATILE,
            tags.TAG_9F7D_DS_SUMMARY_1: self._before,
            tags.TAG_9F7F_DS_UNPREDICTABLE_NUMBER: mac(
                self._key, b"9F7F" + counter.to_bytes(4, "big")
            )[:4],
        }
        if content is not None and content.operator_id == operator_id:
            told[tags.TAG_9F54_DS_ODS_CARD] = content.data
        return told

    def summaries(self, given: dict[int, bytes]) -> bytes:
        """Return what is signed of the slot, once what is given has been written.

        given: the values of the DSDOL; nothing to read alone. Only who shows
        the input of the digest that stands there may write over it.
        """
        if not given:
            return self._before
        content = self._slot.read()
        shown = given[tags.TAG_DF60_DS_INPUT_CARD]
        if content is None or self._digest(content.operator_id, shown) == content.digest:
            digest, data = given[tags.TAG_DF61_DS_DIGEST_H], given[tags.TAG_DF63_DS_ODS_TERM]
            content = Content(self._operator_id, digest, data)
            self._slot.write(content)
        return self._before + self._summary(content)

    def _summary(self, content: Content | None) -> bytes:
        parts = (content.operator_id, content.digest, content.data) if content else ()
        joined = b"9F7D".ljust(BLOCK) + b"".join(parts)
        return mac(self._key, joined + bytes(-len(joined) % BLOCK))

    def _digest(self, operator_id: bytes, shown: bytes) -> bytes:
        """Return OWHF2 of an input."""
        halves = [
            bytes((byte >> 4) * 20 + (byte & 0x0F) * 2 for byte in half) + operator_id[at : at + 2]
            for half, at in ((self.identifier[:6], 4), (self.identifier[-6:], 6))
        ]
        left, right = halves
        mixed = int.from_bytes(operator_id, "big") ^ int.from_bytes(shown, "big")
        # Enciphered, deciphered and enciphered again is TDES with the first key last.
        cipher = Cipher(TripleDES(left + right + left), modes.ECB()).encryptor()  # noqa: S305
        made = int.from_bytes(cipher.update(mixed.to_bytes(BLOCK, "big")), "big")
        return (made ^ int.from_bytes(shown, "big")).to_bytes(BLOCK, "big")
