"""What of a conversation goes to the bank and onto the receipt.

Card objects never stand in for the terminal's.
Source: EMV Contactless Book A, 6.2, and the data records of Books C-2 and C-3.
"""

from __future__ import annotations

from collections.abc import Mapping

from emv import tags
from emv.kernels.objects import chosen

FROM_FCI = (
    tags.TAG_50_APPLICATION_LABEL,
    tags.TAG_84_DF_NAME,
    tags.TAG_9F11_ISSUER_CODE_TABLE_INDEX,
    tags.TAG_9F12_APPLICATION_PREFERRED_NAME,
)
FROM_CARD = (
    tags.TAG_57_TRACK_2_EQUIVALENT_DATA,
    tags.TAG_5A_PAN,
    tags.TAG_5F24_EXPIRATION_DATE,
    tags.TAG_5F34_PAN_SEQUENCE_NUMBER,
    tags.TAG_82_AIP,
    tags.TAG_9F10_ISSUER_APPLICATION_DATA,
    tags.TAG_9F26_APPLICATION_CRYPTOGRAM,
    tags.TAG_9F27_CRYPTOGRAM_INFORMATION_DATA,
    tags.TAG_9F36_ATC,
)
FROM_TERMINAL = (
    tags.TAG_5F2A_TRANSACTION_CURRENCY_CODE,
    tags.TAG_95_TVR,
    tags.TAG_9A_TRANSACTION_DATE,
    tags.TAG_9C_TRANSACTION_TYPE,
    tags.TAG_9F02_AMOUNT_AUTHORISED,
    tags.TAG_9F03_AMOUNT_OTHER,
    tags.TAG_9F1A_TERMINAL_COUNTRY_CODE,
    tags.TAG_9F33_TERMINAL_CAPABILITIES,
    tags.TAG_9F34_CVM_RESULTS,
    tags.TAG_9F35_TERMINAL_TYPE,
    tags.TAG_9F37_UNPREDICTABLE_NUMBER,
    tags.TAG_9F39_POS_ENTRY_MODE,
)


def gather(
    fci: Mapping[int, bytes],
    card: Mapping[int, bytes],
    terminal: Mapping[int, bytes],
    *,
    also_card: tuple[int, ...] = (),
    also_terminal: tuple[int, ...] = (),
) -> dict[int, bytes]:
    """Return the data record, tag to value. also_...: what only one kernel has."""
    record = chosen(FROM_FCI, fci) | chosen((*FROM_CARD, *also_card), card)
    return record | chosen((*FROM_TERMINAL, *also_terminal), terminal)
