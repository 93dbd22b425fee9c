"""What a card answers to its first GENERATE AC, and whether it may.

Source: EMV 4.4 Book 3, 6.5.5, and Book 2, 6.6; EMV Contactless Book C-2.
"""

from __future__ import annotations

from collections.abc import Mapping

from emv import bits, tags, tlv
from emv.authentication import PublicKey
from emv.combined import verify_combined_data
from emv.errors import AuthenticationFailed, DataMissing, MalformedData
from emv.kernels.objects import require


def cryptogram_objects(data: bytes) -> tuple[tlv.Node, ...]:
    """Return the data objects of a GENERATE AC response, whichever of the formats.

    Raises MalformedData if it is neither. Source: EMV 4.4 Book 3, 6.5.5.4.
    """
    nodes = tlv.decode(data)
    if len(nodes) != 1:
        raise MalformedData(f"GENERATE AC response of {len(nodes)} objects")
    (node,) = nodes
    if node.tag == tags.TAG_77_RESPONSE_FORMAT_2:
        return node.children or ()
    value = node.value
    if node.tag != tags.TAG_80_RESPONSE_FORMAT_1 or not 11 <= len(value) <= 43:
        raise MalformedData(f"GENERATE AC response is template {node.tag:X}")
    parts = {
        tags.TAG_9F27_CRYPTOGRAM_INFORMATION_DATA: value[:1],
        tags.TAG_9F36_ATC: value[1:3],
        tags.TAG_9F26_APPLICATION_CRYPTOGRAM: value[3:11],
        tags.TAG_9F10_ISSUER_APPLICATION_DATA: value[11:],
    }
    return tuple(tlv.Node(tag, part, None, node.offset) for tag, part in parts.items() if part)


_LENGTHS = {
    tags.TAG_9F27_CRYPTOGRAM_INFORMATION_DATA: (1, 1),
    tags.TAG_9F36_ATC: (2, 2),
    tags.TAG_9F26_APPLICATION_CRYPTOGRAM: (8, 8),
    tags.TAG_9F10_ISSUER_APPLICATION_DATA: (1, 32),
    tags.TAG_DF4B_POS_CARDHOLDER_INTERACTION_INFORMATION: (3, 3),
}


def check_cryptogram(card: Mapping[int, bytes], requested: int) -> None:
    """Raise DataMissing or MalformedData unless the card answered what it was asked.

    A card may give less than it is asked for, never more.

    requested: which cryptogram, as bits 8 and 7 of tag 9F27.

    Source: EMV 4.4 Book 3, 6.5.5.4; Book C-2, state 9.
    """
    require(card, tags.TAG_9F27_CRYPTOGRAM_INFORMATION_DATA)
    require(card, tags.TAG_9F36_ATC)
    for tag, (least, most) in _LENGTHS.items():
        if tag in card and not least <= len(card[tag]) <= most:
            raise MalformedData(f"tag {tag:X} of {len(card[tag])} bytes")
    given = card[tags.TAG_9F27_CRYPTOGRAM_INFORMATION_DATA][0] & bits.CID_TYPE_MASK
    allowed = {
        bits.CID_TC: (bits.CID_TC, bits.CID_ARQC, bits.CID_AAC),
        bits.CID_ARQC: (bits.CID_ARQC, bits.CID_AAC),
        bits.CID_AAC: (bits.CID_AAC,),
    }[requested]
    if given not in allowed:
        raise MalformedData(f"tag 9F27 is {given:02X}, where {requested:02X} was asked for")


def is_signed(card: Mapping[int, bytes], *, is_due: bool) -> bool:
    """Return whether the cryptogram came inside a signature.

    is_due: whether one was asked for; a decline may come without.
    Raises DataMissing if neither signature nor cryptogram is there, or a
    signature is due.
    """
    if tags.TAG_9F4B_SIGNED_DYNAMIC_APPLICATION_DATA in card:
        return True
    require(card, tags.TAG_9F26_APPLICATION_CRYPTOGRAM)
    given = card[tags.TAG_9F27_CRYPTOGRAM_INFORMATION_DATA][0] & bits.CID_TYPE_MASK
    if is_due and given != bits.CID_AAC:
        raise DataMissing(tags.TAG_9F4B_SIGNED_DYNAMIC_APPLICATION_DATA)
    return False


def take_signed(
    card: dict[int, bytes], response: bytes, icc_key: PublicKey, number: bytes, lists_data: bytes
) -> bytes:
    """Take cryptogram and dynamic number out of the signature; return what else is signed.

    response: the whole template 77. number: the unpredictable number.
    lists_data: the values the card was given for PDOL and CDOL1, joined.
    Raises AuthenticationFailed, naming the check.
    """
    combined = verify_combined_data(response, icc_key, number, lists_data)
    if combined.information_data != card[tags.TAG_9F27_CRYPTOGRAM_INFORMATION_DATA][0]:
        raise AuthenticationFailed("combined signature: not of this tag 9F27")
    card[tags.TAG_9F26_APPLICATION_CRYPTOGRAM] = combined.cryptogram
    card[tags.TAG_9F4C_ICC_DYNAMIC_NUMBER] = combined.dynamic_number
    return combined.more
