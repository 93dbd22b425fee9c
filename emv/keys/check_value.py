"""Key check values: how two people see that they hold the same key."""

from __future__ import annotations

from emv.keys import mac, tdes

TDES_BYTES = 3
CMAC_BYTES = 5


def tdes_check_value(key: bytes) -> bytes:
    """Return 3 bytes: zeros, enciphered. Source: ANSI X9.24-1:2017, annex A."""
    return tdes.encrypt(key, bytes(tdes.BLOCK))[:TDES_BYTES]


def aes_check_value(key: bytes) -> bytes:
    """Return 5 bytes: the CMAC of a block of zeros. Source: ANSI X9.24-1:2017, annex A."""
    return mac.aes_cmac(key, bytes(16))[:CMAC_BYTES]
