"""How schemes write issuer application data, tag 9F10, and what a cryptogram covers of it.

Source: VIS 1.6, cryptogram versions 10 and 18; M/Chip 4, versions 10 and 14;
JR/T 0025 (PBOC 3.0), version 01, as public descriptions give it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from simulators.bank.issuer import aes, cryptogram

RID_MASTERCARD = bytes.fromhex("A000000004")
RID_UNIONPAY = bytes.fromhex("A000000333")

RID_KERNEL_8 = bytes.fromhex("F000000008")
"""No scheme's: this bank's own cards of kernel 8."""

VIS_10 = 0x0A
VIS_18 = 0x12
MCHIP_PROPRIETARY = 0x10
"""Its session key takes the unpredictable number in."""
MCHIP_COMMON = 0x14
"""The common session key, no counters under the cryptogram."""
PBOC_01 = 0x01
KERNEL_8 = 0x08
"""Six bytes of results and the IAD-MAC, under AES."""


@dataclass(frozen=True, slots=True)
class IssuerData:
    """Tag 9F10, read as its scheme writes it."""

    is_known: bool
    """Whether this issuer gave cards of this version out."""
    recorded: int
    """The cryptogram type the card wrote down, as bits 8 and 7 of tag 9F27."""
    covered: bytes
    """What of it is under the cryptogram."""
    is_marked: bool
    """Whether the padding of the covered data begins with 80."""
    derive: Callable[[bytes], bytes]
    """From the card's key to the one of this transaction."""
    answers_code: bool
    """Whether the issuer answers with a response code, not a status update."""
    orders_done: int = 0
    """Script commands that the card has carried out, the last time it had any."""
    has_order_failed: bool = False
    is_aes: bool = False
    """Whether all of it is AES, as for kernel 8."""


def read_issuer_data(values: Mapping[int, bytes]) -> IssuerData:
    """Return the issuer's data of a card; which scheme's, its name (tag 84) says.

    A name that lies makes a cryptogram that does not fit.
    """
    data, counter = values[0x9F10], values[0x9F36]
    if values.get(0x84, b"").startswith(RID_MASTERCARD):
        return _mchip(data, counter, values[0x9F37])
    if values.get(0x84, b"").startswith(RID_UNIONPAY):
        return _pboc(data, counter)
    if values.get(0x84, b"").startswith(RID_KERNEL_8):
        return _kernel_8(data, counter)
    version = data[2]
    return IssuerData(
        is_known=version in (VIS_10, VIS_18),
        recorded=_vis_recorded(data[4]),
        covered=data[3:7] if version == VIS_10 else data,
        is_marked=version != VIS_10,
        derive=_itself if version == VIS_10 else _diversified(counter + bytes(6)),
        answers_code=version == VIS_10,
        # Card verification results, byte 4.
        orders_done=data[6] >> 4,
        has_order_failed=bool(data[6] & 0x08),
    )


def _vis_recorded(results: int) -> int:
    """Return the last cryptogram's type out of the card verification results, byte 2.

    Bits 8 and 7 are the second cryptogram, 10 where none was asked for yet;
    bits 6 and 5 the first. 00 AAC, 01 TC, 10 ARQC.
    """
    has_second = results & 0xC0 != 0x80
    return results & 0xC0 if has_second else results << 2 & 0xC0


def _mchip(data: bytes, counter: bytes, number: bytes) -> IssuerData:
    version = data[1]
    return IssuerData(
        is_known=version in (MCHIP_PROPRIETARY, MCHIP_COMMON),
        # Card verification results, byte 1, bits 6 and 5.
        recorded=data[2] << 2 & 0xC0,
        covered=data[2:8],
        is_marked=True,
        derive=_diversified(
            counter + (bytes(2) + number if version == MCHIP_PROPRIETARY else bytes(6))
        ),
        answers_code=True,
    )


def _pboc(data: bytes, counter: bytes) -> IssuerData:
    return IssuerData(
        is_known=data[2] == PBOC_01,
        recorded=_vis_recorded(data[4]),
        covered=data[3:7],
        is_marked=True,
        derive=partial(cryptogram.pboc_session_key, counter=counter),
        answers_code=True,
    )


def _kernel_8(data: bytes, counter: bytes) -> IssuerData:
    return IssuerData(
        is_known=data[1] == KERNEL_8,
        recorded=data[2] << 2 & 0xC0,
        # The IAD-MAC too: what the reader saw is what the issuer proves.
        covered=data[2:],
        is_marked=False,
        derive=partial(aes.session_key, counter=counter),
        answers_code=True,
        is_aes=True,
    )


def _itself(card_key: bytes) -> bytes:
    return card_key


def _diversified(diversifier: bytes) -> Callable[[bytes], bytes]:
    return partial(cryptogram.session_key, diversifier=diversifier)
