"""From what a card sent to its public key, with the scheme's key at the root.

Source: EMV 4.4 Book 2, 5 and 6.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from emv import tags
from emv.authentication import CAKeyStore, PublicKey, recover_icc_key, recover_issuer_key
from emv.bits import TVR
from emv.conversation import Kernel, note
from emv.errors import AuthenticationFailed, MalformedData
from emv.records import Record, signed_static_data


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a card brings to prove itself, and what it is held against."""

    card: Mapping[int, bytes] = field(repr=False)
    records: Sequence[Record]
    ca_keys: CAKeyStore
    rid: bytes
    """The scheme whose keys count."""
    pan: str = field(repr=False)
    today: datetime.date

    def required(self, tag: int) -> bytes:
        """Return an object; raise AuthenticationFailed, naming it, if it is missing."""
        value = self.card.get(tag)
        if value is None:
            raise AuthenticationFailed(f"tag {tag:X} is missing")
        return value

    def issuer_key(self) -> PublicKey:
        """Go from the scheme's key to the issuer's.

        Raises AuthenticationFailed, naming the check.
        """
        index = self.required(tags.TAG_8F_CA_PUBLIC_KEY_INDEX)
        if len(index) != 1:
            raise AuthenticationFailed(f"tag 8F of {len(index)} bytes")
        return recover_issuer_key(
            self.required(tags.TAG_90_ISSUER_PUBLIC_KEY_CERTIFICATE),
            self.card.get(tags.TAG_92_ISSUER_PUBLIC_KEY_REMAINDER, b""),
            self.required(tags.TAG_9F32_ISSUER_PUBLIC_KEY_EXPONENT),
            self.ca_keys.find(self.rid, index[0], self.today),
            self.pan,
            self.today,
        )

    def icc_key(self) -> PublicKey:
        """Go from the scheme's key to the card's.

        Raises AuthenticationFailed, naming the check.
        """
        return recover_icc_key(
            self.required(tags.TAG_9F46_ICC_PUBLIC_KEY_CERTIFICATE),
            self.card.get(tags.TAG_9F48_ICC_PUBLIC_KEY_REMAINDER, b""),
            self.required(tags.TAG_9F47_ICC_PUBLIC_KEY_EXPONENT),
            self.issuer_key(),
            self.static_data(),
            self.pan,
            self.today,
        )

    def static_data(self) -> bytes:
        """Return what the issuer signed; a bad tag list is a failure to authenticate."""
        try:
            return signed_static_data(
                self.records,
                self.card.get(tags.TAG_9F4A_SDA_TAG_LIST),
                self.card[tags.TAG_82_AIP],
            )
        except MalformedData as error:
            raise AuthenticationFailed(str(error)) from error


_PREREQUISITES = (
    tags.TAG_8F_CA_PUBLIC_KEY_INDEX,
    tags.TAG_90_ISSUER_PUBLIC_KEY_CERTIFICATE,
    tags.TAG_9F32_ISSUER_PUBLIC_KEY_EXPONENT,
    tags.TAG_9F46_ICC_PUBLIC_KEY_CERTIFICATE,
    tags.TAG_9F47_ICC_PUBLIC_KEY_EXPONENT,
    tags.TAG_9F4A_SDA_TAG_LIST,
)


def find_missing_evidence(evidence: Evidence) -> Kernel[TVR]:
    """Return what would keep a combined signature from being verified, before one is asked for.

    Raises MalformedData for a static data tag list that is not the AIP alone.

    Source: EMV 4.4 Book 3, 10.3; Book C-2, state 4-5-6.
    """
    missing = [tag for tag in _PREREQUISITES if tag not in evidence.card]
    if missing:
        names = ", ".join(f"{tag:X}" for tag in missing)
        yield from note(
            "no signature can be checked: {names} missing", "Book 3, 10.3.3", names=names
        )
        return TVR.ICC_DATA_MISSING | TVR.CDA_FAILED
    if evidence.card[tags.TAG_9F4A_SDA_TAG_LIST] != bytes((tags.TAG_82_AIP,)):
        raise MalformedData("tag 9F4A lists something other than the AIP")
    index = evidence.card[tags.TAG_8F_CA_PUBLIC_KEY_INDEX][0]
    try:
        evidence.ca_keys.find(evidence.rid, index, evidence.today)
    except AuthenticationFailed as failure:
        yield from note(
            "no signature can be checked: {failure}", "Book 3, 10.3.3", failure=str(failure)
        )
        return TVR.CDA_FAILED
    return TVR(0)
