"""PIN blocks of ISO 9564-1: format 4, format 2 for cards, format 0 for those who still must.

A PIN is ASCII digits in a buffer that its owner overwrites; what is made of it
here is overwritten too, as far as Python lets us. No error names a digit of a
PIN or of a card number.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from emv.errors import MalformedData

PIN_DIGITS_MIN = 4
PIN_DIGITS_MAX = 12
PAN_DIGITS_MAX = 19
FORMAT_0_PAN_DIGITS_MIN = 13
FORMAT_0_BYTES = 8
FORMAT_2_BYTES = 8
FORMAT_4_BYTES = 16
FORMAT_4_FILL_BYTES = 8


class FormatRefused(MalformedData):
    """A PIN block format that nobody has switched on."""


def encipher_format_4(pin: bytes | bytearray, pan: str, key: bytes, fill: bytes) -> bytes:
    """Return the enciphered PIN block, 16 bytes.

    pin: 4 to 12 ASCII digits. pan: 1 to 19 digits. key: an AES key of 16, 24
    or 32 bytes, for this PIN alone. fill: 8 unpredictable bytes.
    Raises MalformedData if any of them is not so.

    Source: ISO 9564-1:2017, 9.4.2.
    """
    if len(fill) != FORMAT_4_FILL_BYTES:
        raise MalformedData(f"fill of {len(fill)} bytes, must be {FORMAT_4_FILL_BYTES}")
    cipher = _aes(key)
    pan_field = _pan_field_4(pan)
    pin_field = bytearray(FORMAT_4_BYTES)
    try:
        _write_pin(pin_field, 0x4, pin, 0xA)
        pin_field[FORMAT_4_BYTES - FORMAT_4_FILL_BYTES :] = fill
        return _block(cipher, _xor(_block(cipher, pin_field), pan_field))
    finally:
        wipe(pin_field)


def decipher_format_4(block: bytes, pan: str, key: bytes) -> bytearray:
    """Return the PIN inside an enciphered block, as ASCII digits; wipe it after use.

    Raises MalformedData if the block cannot hold one: another card number or
    another key looks the same as a damaged block.

    Source: ISO 9564-1:2017, 9.4.2.
    """
    if len(block) != FORMAT_4_BYTES:
        raise MalformedData(f"PIN block of {len(block)} bytes, must be {FORMAT_4_BYTES}")
    cipher = _aes(key)
    middle = _xor(_block(cipher, block, inverse=True), _pan_field_4(pan))
    pin_field = bytearray(_block(cipher, middle, inverse=True))
    try:
        return _read_pin(pin_field[:-FORMAT_4_FILL_BYTES], 0x4, 0xA)
    finally:
        wipe(pin_field)


def encode_format_2(pin: bytes | bytearray) -> bytearray:
    """Return the clear PIN block that a card checks itself, 8 bytes; wipe it after use.

    pin: 4 to 12 ASCII digits. Raises MalformedData if it is not so.

    Source: ISO 9564-1:2017, 9.3.4; EMV 4.4 Book 3, 6.5.12.3.
    """
    pin_field = bytearray(FORMAT_2_BYTES)
    try:
        _write_pin(pin_field, 0x2, pin, 0xF)
    except MalformedData:
        wipe(pin_field)
        raise
    return pin_field


def encode_format_0(
    pin: bytes | bytearray, pan: str, *, is_legacy_allowed: bool = False
) -> bytearray:
    """Return the clear PIN block, 8 bytes, still to be enciphered; wipe it after use.

    pan: 13 digits or more. is_legacy_allowed: somebody has decided that a
    host which knows no better format is worth its weakness.
    Raises FormatRefused without that, MalformedData if pin or pan cannot be.

    Source: ISO 9564-1:2017, 9.3.2.
    """
    _refuse_unless(is_legacy_allowed)
    pan_field = _pan_field_0(pan)
    pin_field = bytearray(FORMAT_0_BYTES)
    try:
        _write_pin(pin_field, 0x0, pin, 0xF)
        return bytearray(_xor(pin_field, pan_field))
    finally:
        wipe(pin_field)


def decode_format_0(
    block: bytes | bytearray, pan: str, *, is_legacy_allowed: bool = False
) -> bytearray:
    """Return the PIN inside a clear block, as ASCII digits; wipe it after use.

    Raises FormatRefused or MalformedData, as encode_format_0.

    Source: ISO 9564-1:2017, 9.3.2.
    """
    _refuse_unless(is_legacy_allowed)
    if len(block) != FORMAT_0_BYTES:
        raise MalformedData(f"PIN block of {len(block)} bytes, must be {FORMAT_0_BYTES}")
    pin_field = bytearray(_xor(block, _pan_field_0(pan)))
    try:
        return _read_pin(pin_field, 0x0, 0xF)
    finally:
        wipe(pin_field)


def wipe(buffer: bytearray) -> None:
    """Overwrite a buffer that held a PIN."""
    buffer[:] = bytes(len(buffer))


def _refuse_unless(is_legacy_allowed: bool) -> None:
    if not is_legacy_allowed:
        raise FormatRefused("PIN block format 0 is off; it is for hosts that know no other")


def _write_pin(field: bytearray, control: int, pin: bytes | bytearray, filler: int) -> None:
    """Write control nibble, length, digits and filler into the first 8 bytes."""
    if not PIN_DIGITS_MIN <= len(pin) <= PIN_DIGITS_MAX:
        raise MalformedData(f"a PIN has {PIN_DIGITS_MIN} to {PIN_DIGITS_MAX} digits")
    if not all(0x30 <= digit <= 0x39 for digit in pin):
        raise MalformedData("a PIN has digits only")
    field[0] = control << 4 | len(pin)
    for place in range(14):
        nibble = pin[place] & 0x0F if place < len(pin) else filler
        field[1 + place // 2] |= nibble << (4 if place % 2 == 0 else 0)


def _read_pin(field: bytearray, control: int, filler: int) -> bytearray:
    """Read what _write_pin has written. Raises MalformedData."""
    if field[0] >> 4 != control:
        raise MalformedData(f"not a PIN block of format {control}")
    length = field[0] & 0x0F
    if not PIN_DIGITS_MIN <= length <= PIN_DIGITS_MAX:
        raise MalformedData("PIN block with an impossible length")
    pin = bytearray(length)
    for place in range(14):
        nibble = field[1 + place // 2] >> (4 if place % 2 == 0 else 0) & 0x0F
        is_right = nibble <= 9 if place < length else nibble == filler
        if not is_right:
            wipe(pin)
            raise MalformedData("PIN block with a wrong digit or filler")
        if place < length:
            pin[place] = 0x30 | nibble
    return pin


def _pan_field_0(pan: str) -> bytes:
    """Return the 12 digits left of the check digit, behind four zeros."""
    _check_pan(pan, FORMAT_0_PAN_DIGITS_MIN)
    return bytes.fromhex("0000" + pan[-13:-1])


def _pan_field_4(pan: str) -> bytes:
    """Return how many digits there are above 12, the digits, and zeros."""
    _check_pan(pan, 1)
    digits = pan.rjust(12, "0")
    return bytes.fromhex((f"{len(digits) - 12:X}" + digits).ljust(2 * FORMAT_4_BYTES, "0"))


def _check_pan(pan: str, digits_min: int) -> None:
    if not (digits_min <= len(pan) <= PAN_DIGITS_MAX and pan.isascii() and pan.isdigit()):
        raise MalformedData(f"a card number has {digits_min} to {PAN_DIGITS_MAX} digits here")


def _aes(key: bytes) -> Cipher[modes.ECB]:
    if len(key) not in (16, 24, 32):
        raise MalformedData(f"AES key of {len(key)} bytes")
    return Cipher(algorithms.AES(key), modes.ECB())  # noqa: S305  # the format's own mode


def _block(cipher: Cipher[modes.ECB], block: bytes | bytearray, *, inverse: bool = False) -> bytes:
    work = cipher.decryptor() if inverse else cipher.encryptor()
    return work.update(block) + work.finalize()


def _xor(one: bytes | bytearray, other: bytes | bytearray) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))
