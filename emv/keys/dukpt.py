"""AES DUKPT: a key for each transaction, made so that none leads back to another.

A device holds at most 32 keys and forgets each before it is used; the host
makes the same key again from one secret and the serial number that travels
with it. Source: ANSI X9.24-3:2017, 6 and annex A.
"""

from __future__ import annotations

import enum

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from emv.errors import MalformedData

KEY_ID_BYTES = 8
KSN_BYTES = 12
"""A key serial number: the initial key's id, then the counter."""
COUNTER_LAST = 0xFFFF0000
"""The highest number with sixteen bits set; the device is worn out after it."""
BITS_SET_MAX = 16
REGISTERS = 32

# Which cipher a derived key is for. Source: X9.24-3:2017, 6.3.2, table 3.
_ALGORITHMS = {16: 0x0002, 24: 0x0003, 32: 0x0004}


class Usage(enum.IntEnum):
    """What a derived key may be used for. Source: X9.24-3:2017, 6.3.2, table 2."""

    KEY_ENCRYPTION = 0x0002
    PIN_ENCRYPTION = 0x1000
    MAC_GENERATION = 0x2000
    MAC_VERIFICATION = 0x2001
    MAC_BOTH_WAYS = 0x2002
    DATA_ENCRYPTION = 0x3000
    DATA_DECRYPTION = 0x3001
    DATA_BOTH_WAYS = 0x3002
    KEY_DERIVATION = 0x8000
    INITIAL_KEY = 0x8001


class KeysUsedUp(MalformedData):
    """A device has no key left; it needs a new initial key."""


def initial_key(base_key: bytes, key_id: bytes) -> bytes:
    """Return the key that is put into a device, as long as the base key.

    base_key: the host's base derivation key, 16, 24 or 32 bytes.
    key_id: 8 bytes, unlike that of every other device.
    Raises MalformedData if a length is wrong.
    """
    _check_key_id(key_id)
    return _derive(base_key, Usage.INITIAL_KEY, len(base_key), key_id)


def transaction_key(initial: bytes, ksn: bytes) -> bytes:
    """Return the key a device derives its working keys from, as the host finds it.

    Raises MalformedData if no device can have sent this serial number.
    """
    key_id, counter = _split(ksn)
    key, so_far = initial, 0
    for place in reversed(range(REGISTERS)):
        if counter & 1 << place:
            so_far |= 1 << place
            key = _derive(key, Usage.KEY_DERIVATION, len(key), _context(key_id, so_far))
    return key


def working_key(transaction: bytes, ksn: bytes, usage: Usage, key_bytes: int = 16) -> bytes:
    """Return the key for one purpose of one transaction.

    transaction: of transaction_key(), or of a Device. key_bytes: 16, 24 or
    32, not more than the transaction's key has.
    Raises MalformedData if a length or the serial number is wrong.
    """
    key_id, counter = _split(ksn)
    if key_bytes > len(transaction):
        raise MalformedData("a derived key may not be stronger than the key it comes from")
    return _derive(transaction, usage, key_bytes, _context(key_id, counter))


def update_key(initial: bytes, key_id: bytes, key_bytes: int = 16) -> bytes:
    """Return the key that protects a new initial key on its way to the device.

    Source: X9.24-3:2017, 6.5.4: the counter of all ones, which no transaction has.
    """
    _check_key_id(key_id)
    key, so_far = initial, 0
    for place in reversed(range(REGISTERS)):
        so_far |= 1 << place
        key = _derive(key, Usage.KEY_DERIVATION, len(key), _context(key_id, so_far))
    return _derive(key, Usage.KEY_ENCRYPTION, key_bytes, _context(key_id, so_far))


class Device:
    """The keys inside a PIN pad. Whoever reads it can make every PIN key to come."""

    def __init__(self, key_id: bytes, counter: int, registers: list[bytes | None]) -> None:
        """Use inject() or restore()."""
        self._key_id = key_id
        self._counter = counter
        self._registers = registers

    def __repr__(self) -> str:
        return f"Device({self._key_id.hex().upper()}, counter {self._counter:08X})"

    @classmethod
    def inject(cls, initial: bytes, key_id: bytes) -> Device:
        """Return a device with a fresh initial key.

        initial: of initial_key(), 16, 24 or 32 bytes; it is not kept.
        key_id: 8 bytes. Raises MalformedData if a length is wrong.
        """
        _check_key_id(key_id)
        device = cls(key_id, 0, [None] * REGISTERS)
        device._fill(initial, REGISTERS - 1)
        device._counter = 1
        return device

    @classmethod
    def restore(cls, state: bytes) -> Device:
        """Return the device that save() wrote. Raises MalformedData if it is damaged."""
        if len(state) < KSN_BYTES + 1 or state[KSN_BYTES] not in _ALGORITHMS:
            raise MalformedData("DUKPT state: damaged")
        key_bytes = state[KSN_BYTES]
        keys = state[KSN_BYTES + 1 :]
        if len(keys) != REGISTERS * key_bytes:
            raise MalformedData("DUKPT state: damaged")
        registers: list[bytes | None] = []
        for place in range(REGISTERS):
            key = keys[place * key_bytes : (place + 1) * key_bytes]
            registers.append(key if any(key) else None)
        counter = int.from_bytes(state[KEY_ID_BYTES:KSN_BYTES], "big")
        return cls(state[:KEY_ID_BYTES], counter, registers)

    def save(self) -> bytes:
        """Return the state, to be kept where only the device can read it.

        Keep it before the key that next_key() returned is used: a device that
        forgets its counter uses a key twice.
        """
        key_bytes = next((len(key) for key in self._registers if key), 16)
        keys = b"".join(key or bytes(key_bytes) for key in self._registers)
        return self._key_id + self._counter.to_bytes(4, "big") + bytes((key_bytes,)) + keys

    def next_key(self) -> tuple[bytes, bytes]:
        """Return a serial number and its transaction key, and forget that key.

        Raises KeysUsedUp after about two thousand million transactions.
        """
        while True:
            if self._counter > COUNTER_LAST:
                raise KeysUsedUp("PIN pad: all keys are used up; it needs a new initial key")
            place = _lowest_bit(self._counter)
            key = self._registers[place]
            if key is not None:
                break
            self._counter += 1 << place
        counter = self._counter
        if counter.bit_count() <= BITS_SET_MAX:
            self._fill(key, place - 1)
            self._counter += 1
        else:
            self._counter += 1 << place
        # The register of this place now holds a later key, or is forgotten.
        if self._registers[place] is key:
            self._registers[place] = None
        if counter.bit_count() > BITS_SET_MAX:
            return self.next_key()
        return self._key_id + counter.to_bytes(4, "big"), key

    def _fill(self, key: bytes, place: int) -> None:
        """Derive a key for each bit below, so that this one can be forgotten."""
        for below in range(place, -1, -1):
            context = _context(self._key_id, self._counter | 1 << below)
            self._registers[below] = _derive(key, Usage.KEY_DERIVATION, len(key), context)


def _lowest_bit(counter: int) -> int:
    return (counter & -counter).bit_length() - 1


def _split(ksn: bytes) -> tuple[bytes, int]:
    """Return id and counter. Raises MalformedData if no device can have sent it."""
    if len(ksn) != KSN_BYTES:
        raise MalformedData(f"key serial number of {len(ksn)} bytes, must be {KSN_BYTES}")
    counter = int.from_bytes(ksn[KEY_ID_BYTES:], "big")
    if not 1 <= counter.bit_count() <= BITS_SET_MAX:
        raise MalformedData("key serial number with a counter that no device uses")
    return ksn[:KEY_ID_BYTES], counter


def _context(key_id: bytes, counter: int) -> bytes:
    return key_id[4:] + counter.to_bytes(4, "big")


def _check_key_id(key_id: bytes) -> None:
    if len(key_id) != KEY_ID_BYTES:
        raise MalformedData(f"initial key id of {len(key_id)} bytes, must be {KEY_ID_BYTES}")


def _derive(key: bytes, usage: Usage, key_bytes: int, context: bytes) -> bytes:
    """Derive a key from another.

    context: 8 bytes. Source: X9.24-3:2017, 6.3.2 and 6.3.3.
    """
    if len(key) not in _ALGORITHMS or key_bytes not in _ALGORITHMS:
        raise MalformedData("an AES key has 16, 24 or 32 bytes")
    blocks = b"".join(
        bytes((0x01, number))  # version, and which block of the key this is
        + usage.to_bytes(2, "big")
        + _ALGORITHMS[key_bytes].to_bytes(2, "big")
        + (8 * key_bytes).to_bytes(2, "big")
        + context
        for number in range(1, 2 + (key_bytes - 1) // 16)
    )
    cipher = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305  # as the source says
    return (cipher.update(blocks) + cipher.finalize())[:key_bytes]
