"""Commands to a card: their bytes, and what its status words mean.

Answers are split in emv.conversation.Reply. Which command follows which
is the kernels' affair.
Source: ISO/IEC 7816-3:2006, 12.1.3; EMV 4.4 Book 3, 6.5.
"""

from __future__ import annotations

from dataclasses import dataclass

from emv import tlv
from emv.errors import MalformedData

STATUS_OK = 0x9000
STATUS_FILE_INVALIDATED = 0x6283
STATUS_COUNTER_MASK = 0xFFF0
STATUS_COUNTER = 0x63C0  # The low four bits count the tries that are left.
STATUS_WRONG_LENGTH = 0x6700
STATUS_AUTHENTICATION_BLOCKED = 0x6983
STATUS_DATA_INVALIDATED = 0x6984
STATUS_CONDITIONS_NOT_SATISFIED = 0x6985
STATUS_COMMAND_NOT_ALLOWED = 0x6986
STATUS_FUNCTION_NOT_SUPPORTED = 0x6A81
STATUS_FILE_NOT_FOUND = 0x6A82
STATUS_RECORD_NOT_FOUND = 0x6A83
STATUS_DATA_NOT_FOUND = 0x6A88

INS_VERIFY = 0x20
INS_PIN_CHANGE = 0x24
INS_COMPUTE_CRYPTOGRAPHIC_CHECKSUM = 0x2A
INS_READ_DATA = 0x32
INS_WRITE_DATA = 0x34
INS_EXTERNAL_AUTHENTICATE = 0x82
INS_GET_CHALLENGE = 0x84
INS_INTERNAL_AUTHENTICATE = 0x88
INS_SELECT = 0xA4
INS_GET_PROCESSING_OPTIONS = 0xA8
INS_GENERATE_AC = 0xAE
INS_READ_RECORD = 0xB2
INS_GET_RESPONSE = 0xC0
INS_GET_DATA = 0xCA
INS_RECOVER_AC = 0xD0
INS_PUT_DATA = 0xDA
INS_EXCHANGE_RELAY_RESISTANCE_DATA = 0xEA

WITH_SIGNATURE = 0x10
"""P1 of GENERATE AC: the card signs its answer. Source: EMV 4.4 Book 3, 6.5.5.2."""

MORE_COMMANDS = 0x80
"""P2 of kernel 8's commands: another one for this answer or these data follows."""

LE_SHORT_MAX = 256
LE_EXTENDED_MAX = 65536
LC_SHORT_MAX = 255
LC_EXTENDED_MAX = 65535


@dataclass(frozen=True, slots=True)
class CommandAPDU:
    """A command, in any of the cases 1 to 4, short or extended."""

    cla: int
    ins: int
    p1: int = 0
    p2: int = 0
    data: bytes = b""
    le: int | None = None
    """Most bytes wanted back, 1 to 65536; None when no data is expected."""
    extended: bool = False
    """Length fields of the long form; true by itself where a length needs it."""

    def __post_init__(self) -> None:
        """Raise MalformedData if a header byte or a length is out of range."""
        if not all(0 <= byte <= 0xFF for byte in (self.cla, self.ins, self.p1, self.p2)):
            raise MalformedData("C-APDU: a header byte is outside 00 to FF")
        if len(self.data) > LC_EXTENDED_MAX:
            raise MalformedData(f"C-APDU: {len(self.data)} bytes of data, 65535 at most")
        if self.le is not None and not 1 <= self.le <= LE_EXTENDED_MAX:
            raise MalformedData(f"C-APDU: {self.le} bytes asked for, 1 to 65536 can be")
        if len(self.data) > LC_SHORT_MAX or (self.le or 0) > LE_SHORT_MAX:
            object.__setattr__(self, "extended", True)
        if not self.data and self.le is None:
            # Case 1 has no length field that could be long.
            object.__setattr__(self, "extended", False)

    @classmethod
    def parse(cls, encoded: bytes) -> CommandAPDU:
        """Return the command in these bytes.

        Raises MalformedData if its length fields and its length disagree.

        Source: ISO/IEC 7816-3:2006, 12.1.3, figure 7.
        """
        length = len(encoded)
        if length < 4:
            raise MalformedData(f"C-APDU of {length} bytes has no header")
        cla, ins, p1, p2 = encoded[:4]
        if length == 4:
            return cls(cla, ins, p1, p2)
        if length == 5:
            return cls(cla, ins, p1, p2, le=encoded[4] or LE_SHORT_MAX)
        if encoded[4] != 0:
            data_end, le_size = 5 + encoded[4], 1
            data = encoded[5:data_end]
            le_if_zero, extended = LE_SHORT_MAX, False
        else:
            if length < 7:
                raise MalformedData("C-APDU: extended length is cut short at offset 4")
            le_if_zero, extended = LE_EXTENDED_MAX, True
            extended_length = int.from_bytes(encoded[5:7], "big")
            if length == 7:
                return cls(cla, ins, p1, p2, le=extended_length or le_if_zero, extended=True)
            if extended_length == 0:
                raise MalformedData("C-APDU: extended Lc at offset 5 is zero")
            data_end, le_size = 7 + extended_length, 2
            data = encoded[7:data_end]
        if length == data_end:
            return cls(cla, ins, p1, p2, data=data, extended=extended)
        if length == data_end + le_size:
            le = int.from_bytes(encoded[data_end:], "big") or le_if_zero
            return cls(cla, ins, p1, p2, data=data, le=le, extended=extended)
        raise MalformedData(f"C-APDU: Lc says the data ends at {data_end}, the APDU at {length}")

    def encode(self) -> bytes:
        """Return the bytes for the card."""
        encoded = bytes((self.cla, self.ins, self.p1, self.p2))
        if self.extended:
            encoded += b"\x00"
        size = 2 if self.extended else 1
        if self.data:
            encoded += len(self.data).to_bytes(size, "big") + self.data
        if self.le is not None:
            # The largest Le is written as zeros: it does not fit its field.
            encoded += (self.le % (1 << 8 * size)).to_bytes(size, "big")
        return encoded


def select(name: bytes, *, next_occurrence: bool = False) -> bytes:
    """SELECT by name: a DF or application name of 5 to 16 bytes, or its start.

    next_occurrence: the next application that begins with the name.

    Source: EMV 4.4 Book 1, 11.3.
    """
    p2 = 0x02 if next_occurrence else 0x00
    return CommandAPDU(0x00, INS_SELECT, 0x04, p2, name, LE_SHORT_MAX).encode()


def read_record(sfi: int, number: int) -> bytes:
    """READ RECORD: number 1 to 255 of the file with short identifier 1 to 30.

    Raises MalformedData outside those.

    Source: EMV 4.4 Book 1, 11.2.
    """
    if not 1 <= sfi <= 30 or not 1 <= number <= 255:
        raise MalformedData(f"READ RECORD: no record {number} in file {sfi} can be")
    return CommandAPDU(0x00, INS_READ_RECORD, number, sfi << 3 | 0x04, le=LE_SHORT_MAX).encode()


def get_processing_options(pdol_data: bytes) -> bytes:
    """GET PROCESSING OPTIONS with the values the PDOL asked for, joined.

    Source: EMV 4.4 Book 3, 6.5.8.
    """
    data = tlv.encode(0x83, pdol_data)
    return CommandAPDU(0x80, INS_GET_PROCESSING_OPTIONS, data=data, le=LE_SHORT_MAX).encode()


def get_data(tag: int) -> bytes:
    """GET DATA: the primitive object with this tag of one or two bytes.

    Raises MalformedData for a longer tag.

    Source: EMV 4.4 Book 3, 6.5.7.
    """
    p1, p2 = _tag_parameters(tag)
    return CommandAPDU(0x80, INS_GET_DATA, p1, p2, le=LE_SHORT_MAX).encode()


def put_data(tag: int, value: bytes) -> bytes:
    """PUT DATA: write the object with this tag of one or two bytes.

    Raises MalformedData for a longer tag.

    Source: EMV Contactless Book C-2, 5.6.
    """
    p1, p2 = _tag_parameters(tag)
    return CommandAPDU(0x80, INS_PUT_DATA, p1, p2, value).encode()


def _tag_parameters(tag: int) -> tuple[int, int]:
    """Split a tag of at most two bytes into P1 and P2."""
    if len(tlv.tag_bytes(tag)) > 2:
        raise MalformedData(f"tag {tag:X} does not fit P1 and P2")
    return tag >> 8, tag & 0xFF


def generate_ac(
    reference_control: int, cdol_data: bytes, *, announces_writes: bool = False
) -> bytes:
    """GENERATE AC with the values the CDOL asked for, joined.

    reference_control: 00 AAC, 40 TC, 80 ARQC; plus 10 to have it signed.
    announces_writes: WRITE DATA will follow, which only kernel 8 says.

    Source: EMV 4.4 Book 3, 6.5.5; EMV Contactless Book C-8, GENERATE AC.
    """
    p2 = MORE_COMMANDS if announces_writes else 0x00
    return CommandAPDU(
        0x80, INS_GENERATE_AC, reference_control, p2, cdol_data, LE_SHORT_MAX
    ).encode()


def read_data(tag: int) -> bytes:
    """READ DATA: the data envelope with this tag, enciphered.

    Source: EMV Contactless Book C-8, READ DATA.
    """
    return CommandAPDU(0x84, INS_READ_DATA, data=tlv.tag_bytes(tag), le=LE_SHORT_MAX).encode()


def write_data(enciphered: bytes, *, is_last: bool) -> bytes:
    """WRITE DATA: one data envelope, enciphered.

    Source: EMV Contactless Book C-8, WRITE DATA.
    """
    p2 = 0x00 if is_last else MORE_COMMANDS
    return CommandAPDU(0x84, INS_WRITE_DATA, 0x00, p2, enciphered, LE_SHORT_MAX).encode()


def internal_authenticate(ddol_data: bytes) -> bytes:
    """INTERNAL AUTHENTICATE with the values the DDOL asked for, joined.

    Source: EMV 4.4 Book 3, 6.5.9.
    """
    return CommandAPDU(0x00, INS_INTERNAL_AUTHENTICATE, data=ddol_data, le=LE_SHORT_MAX).encode()


def external_authenticate(issuer_authentication_data: bytes) -> bytes:
    """EXTERNAL AUTHENTICATE with the value of tag 91.

    Source: EMV 4.4 Book 3, 6.5.4.
    """
    return CommandAPDU(0x00, INS_EXTERNAL_AUTHENTICATE, data=issuer_authentication_data).encode()


def get_challenge() -> bytes:
    """GET CHALLENGE: fresh bytes of the card for an enciphered PIN.

    Source: EMV 4.4 Book 3, 6.5.6.
    """
    return CommandAPDU(0x00, INS_GET_CHALLENGE, le=LE_SHORT_MAX).encode()


VERIFY_PLAINTEXT = 0x80
VERIFY_ENCIPHERED = 0x88
"""How the PIN stands in VERIFY. Source: EMV 4.4 Book 3, Table 23."""


def verify(qualifier: int, block: bytes) -> bytes:
    """VERIFY an offline PIN.

    qualifier: VERIFY_PLAINTEXT or VERIFY_ENCIPHERED.

    Source: EMV 4.4 Book 3, 6.5.12.
    """
    return CommandAPDU(0x00, INS_VERIFY, 0x00, qualifier, block).encode()


def compute_cryptographic_checksum(udol_data: bytes) -> bytes:
    """COMPUTE CRYPTOGRAPHIC CHECKSUM with the values the UDOL asked for, joined.

    Source: EMV Contactless Book C-2, 5.1.
    """
    return CommandAPDU(
        0x80, INS_COMPUTE_CRYPTOGRAPHIC_CHECKSUM, 0x8E, 0x80, udol_data, LE_SHORT_MAX
    ).encode()


def exchange_relay_resistance_data(entropy: bytes) -> bytes:
    """EXCHANGE RELAY RESISTANCE DATA with the terminal's four fresh bytes.

    Source: EMV Contactless Book C-2, 5.3.
    """
    return CommandAPDU(
        0x80, INS_EXCHANGE_RELAY_RESISTANCE_DATA, data=entropy, le=LE_SHORT_MAX
    ).encode()


def recover_ac(drdol_data: bytes) -> bytes:
    """RECOVER AC with the values the DRDOL asked for, joined.

    Source: EMV Contactless Book C-2, 5.8.
    """
    return CommandAPDU(0x80, INS_RECOVER_AC, data=drdol_data, le=LE_SHORT_MAX).encode()


def get_response(count: int) -> bytes:
    """GET RESPONSE: count bytes, 1 to 256, that the card holds ready.

    Source: EMV 4.4 Book 1, 9.3.1.3.
    """
    return CommandAPDU(0x00, INS_GET_RESPONSE, le=count).encode()


COMMAND_NAMES = {
    INS_VERIFY: "VERIFY",
    INS_COMPUTE_CRYPTOGRAPHIC_CHECKSUM: "COMPUTE CRYPTOGRAPHIC CHECKSUM",
    INS_EXTERNAL_AUTHENTICATE: "EXTERNAL AUTHENTICATE",
    INS_GET_CHALLENGE: "GET CHALLENGE",
    INS_INTERNAL_AUTHENTICATE: "INTERNAL AUTHENTICATE",
    INS_SELECT: "SELECT",
    INS_GET_PROCESSING_OPTIONS: "GET PROCESSING OPTIONS",
    INS_GENERATE_AC: "GENERATE AC",
    INS_READ_RECORD: "READ RECORD",
    INS_GET_RESPONSE: "GET RESPONSE",
    INS_GET_DATA: "GET DATA",
    INS_RECOVER_AC: "RECOVER AC",
    INS_PUT_DATA: "PUT DATA",
    INS_EXCHANGE_RELAY_RESISTANCE_DATA: "EXCHANGE RELAY RESISTANCE DATA",
    0x16: "CARD BLOCK",
    0x18: "APPLICATION UNBLOCK",
    0x1E: "APPLICATION BLOCK",
    INS_PIN_CHANGE: "PIN CHANGE/UNBLOCK",
    INS_READ_DATA: "READ DATA",
    INS_WRITE_DATA: "WRITE DATA",
}
"""Instruction byte to the name in the books, for traces and errors."""

# ISO/IEC 7816-4:2020, 5.6, with the readings of EMV 4.4 Book 3, 6.3.5.
_STATUS_MEANINGS = {
    0x9000: "done",
    0x6200: "warning, memory unchanged",
    0x6281: "part of the data may be corrupted",
    0x6282: "end of file reached early",
    0x6283: "selected file is invalidated: application or card blocked",
    0x6284: "file control information is badly formatted",
    0x6285: "selected file is terminated",
    0x6286: "no input from a sensor of the card",
    0x6300: "authentication failed",
    0x6381: "file is full",
    0x6400: "execution error, memory unchanged",
    0x6401: "the card wants an immediate answer",
    0x6500: "execution error, memory changed",
    0x6581: "memory failure",
    0x6700: "wrong length",
    0x6800: "function of the class byte not supported",
    0x6881: "logical channel not supported",
    0x6882: "secure messaging not supported",
    0x6883: "last command of a chain expected",
    0x6884: "command chaining not supported",
    0x6900: "command not allowed",
    0x6981: "command does not fit the file's structure",
    0x6982: "security status not satisfied",
    0x6983: "authentication method blocked",
    0x6984: "referenced data invalidated",
    0x6985: "conditions of use not satisfied",
    0x6986: "command not allowed: no current file",
    0x6987: "secure messaging objects missing",
    0x6988: "secure messaging objects incorrect",
    0x6A00: "wrong P1 or P2",
    0x6A80: "wrong data",
    0x6A81: "function not supported",
    0x6A82: "file or application not found",
    0x6A83: "record not found",
    0x6A84: "not enough memory in the file",
    0x6A85: "Lc does not fit the TLV structure",
    0x6A86: "wrong P1 or P2",
    0x6A87: "Lc does not fit P1 and P2",
    0x6A88: "referenced data not found",
    0x6A89: "file exists already",
    0x6A8A: "application name exists already",
    0x6B00: "wrong P1 or P2: offset outside the file",
    0x6D00: "instruction not supported",
    0x6E00: "class not supported",
    0x6F00: "error without a diagnosis",
}

_CLASS_MEANINGS = {
    0x62: "warning, memory unchanged",
    0x63: "warning, memory changed",
    0x64: "execution error, memory unchanged",
    0x65: "execution error, memory changed",
    0x66: "security issue",
    0x67: "wrong length",
    0x68: "function of the class byte not supported",
    0x69: "command not allowed",
    0x6A: "wrong parameters or data",
    0x6F: "error without a diagnosis",
}


def status_meaning(sw: int) -> str:
    """Return in a few words what a status word says."""
    if sw >> 8 == 0x61:
        return f"{sw & 0xFF or 256} bytes are ready for GET RESPONSE"
    if sw >> 8 == 0x6C:
        return f"wrong Le, the right one is {sw & 0xFF or 256}"
    if sw & STATUS_COUNTER_MASK == STATUS_COUNTER:
        return f"not verified, {sw & 0x0F} tries left"
    known = _STATUS_MEANINGS.get(sw) or _CLASS_MEANINGS.get(sw >> 8)
    return known or "unknown status"
