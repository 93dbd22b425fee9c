"""Combined DDA: one signature over the cryptogram and all that led to it.

Source: EMV 4.4 Book 2, 6.6; relay resistance data inside it: EMV
Contactless Book C-2.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence, Set
from dataclasses import dataclass, field
from hashlib import sha1

from emv import tags, tlv
from emv.authentication import PublicKey, verify_dynamic_data
from emv.errors import AuthenticationFailed, MalformedData

CRYPTOGRAM_BYTES = 8
HASH_BYTES = 20


@dataclass(frozen=True, slots=True)
class Combined:
    """What a card signed with its cryptogram. Source: Book 2, Table 19."""

    dynamic_number: bytes
    """ICC Dynamic Number, tag 9F4C."""
    information_data: int
    """The cryptogram information data, tag 9F27, as it was signed."""
    cryptogram: bytes = field(repr=False)
    """Tag 9F26."""
    more: bytes
    """What stands behind; with relay resistance, its data."""


def verify_combined_data(
    response: bytes, icc_key: PublicKey, unpredictable_number: bytes, lists_data: bytes
) -> Combined:
    """Check the signature in a GENERATE AC response; return what it covers.

    response: a whole template 77, the signature (tag 9F4B) in it.
    lists_data: the values the card was given for its PDOL, then CDOL1, and
    for the second GENERATE AC CDOL2, joined.
    Raises AuthenticationFailed, naming the check.

    Source: Book 2, 6.6.2.
    """
    try:
        signed, others = _split(response)
    except MalformedData as error:
        raise AuthenticationFailed(f"combined signature: {error}") from error
    dynamic = verify_dynamic_data(signed, icc_key, unpredictable_number)
    number_end = 1 + dynamic[0] if dynamic else 0
    cryptogram_at = number_end + 1
    hash_at = cryptogram_at + CRYPTOGRAM_BYTES
    if not 2 <= number_end - 1 <= 8 or len(dynamic) < hash_at + HASH_BYTES:
        raise AuthenticationFailed("combined signature: ICC dynamic data is cut short")
    stated = dynamic[hash_at : hash_at + HASH_BYTES]
    if not hmac.compare_digest(sha1(lists_data + others).digest(), stated):
        raise AuthenticationFailed("combined signature: transaction data hash does not fit")
    return Combined(
        dynamic[1:number_end],
        dynamic[number_end],
        dynamic[cryptogram_at:hash_at],
        dynamic[hash_at + HASH_BYTES :],
    )


def _split(response: bytes) -> tuple[bytes, bytes]:
    """Return the signature, and the other objects as they stood, joined."""
    templates = tlv.decode(response)
    if [node.tag for node in templates] != [tags.TAG_77_RESPONSE_FORMAT_2]:
        raise MalformedData("the response is not one template 77")
    nodes = templates[0].children or ()
    tag = tags.TAG_9F4B_SIGNED_DYNAMIC_APPLICATION_DATA
    signed = next((node.value for node in nodes if node.tag == tag), b"")
    return signed, as_they_stood(response, nodes, {tag})


def as_they_stood(data: bytes, nodes: Sequence[tlv.Node], without: Set[int]) -> bytes:
    """Return neighbouring objects joined, byte for byte as they were sent.

    data: what the nodes were decoded from, no further than the last of them.
    without: tags of the objects to leave out.
    """
    ends = [node.offset for node in nodes[1:]] + [len(data)]
    return b"".join(
        data[node.offset : end]
        for node, end in zip(nodes, ends, strict=True)
        if node.tag not in without
    )
