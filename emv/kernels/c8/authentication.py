"""What proves the cryptogram: both MACs, and the card itself, without its issuer.

Source: EMV Contactless Book E, 3.2, 5 and 7.3; Book C-8, state 28.
"""

from __future__ import annotations

import hmac
from hashlib import sha256

from emv import tags, tlv
from emv.bits import AIP, TVR8
from emv.combined import as_they_stood
from emv.conversation import Kernel, note
from emv.dol import parse_tag_list
from emv.errors import AuthenticationFailed, MalformedData
from emv.kernels.c8.certificates import Signer, icc_key, issuer_key
from emv.kernels.c8.channel import MAC_BYTES, SecureChannel
from emv.kernels.c8.curve import multiply, private_key
from emv.kernels.c8.session import SOURCE, Session
from emv.kernels.objects import pan_of, require

_UNCOVERED = {tags.TAG_9F26_APPLICATION_CRYPTOGRAM, tags.TAG_9F8105_EDA_MAC}


def static_data_hash(session: Session) -> bytes:
    """Return the SHA-256 over what the issuer signed of the card's data.

    The content of the signed records, the listed objects, the AIP.
    Raises MalformedData if the list cannot be read.

    Source: Book E, 5.4.
    """
    joined = b"".join(
        node.value
        for record in session.records
        if record.is_signed
        for node in tlv.decode(record.data)
    )
    objects = {**session.fci, **session.card}
    for tag in parse_tag_list(session.card.get(tags.TAG_9F810A_EXTENDED_SDA_TAG_LIST, b"")):
        joined += tlv.encode(tag, objects.get(tag, b""))
    return sha256(joined + session.aip.encoded).digest()


def check_macs(session: Session, channel: SecureChannel, response: bytes) -> None:
    """Compute the IAD-MAC, prove both by the card's EDA-MAC, and hand the first to the issuer.

    response: to GENERATE AC, a whole template 77.
    Raises AuthenticationFailed if the card's MAC does not fit, DataMissing or
    MalformedData if the IAD-MAC has no place in tag 9F10.

    Source: Book C-8, states 26 to 28.
    """
    nodes = tlv.decode(response)[0].children or ()
    covered = session.covered + as_they_stood(response, nodes, _UNCOVERED)
    mac = channel.iad_mac(covered + static_data_hash(session))
    cryptogram = session.card[tags.TAG_9F26_APPLICATION_CRYPTOGRAM]
    expected = channel.eda_mac(cryptogram, mac)
    if not hmac.compare_digest(expected, session.card[tags.TAG_9F8105_EDA_MAC]):
        raise AuthenticationFailed("tag 9F8105: the EDA-MAC does not fit")
    session.terminal[tags.TAG_9F8109_IAD_MAC] = mac
    offset = _offset(session)
    if offset is None:
        return
    data = session.card[tags.TAG_9F10_ISSUER_APPLICATION_DATA]
    end = offset + MAC_BYTES
    if end > len(data):
        raise MalformedData(f"tag 9F10: no room for the IAD-MAC at {offset}")
    session.card[tags.TAG_9F10_ISSUER_APPLICATION_DATA] = data[:offset] + mac + data[end:]


def _offset(session: Session) -> int | None:
    """Return where the IAD-MAC goes in tag 9F10; None for nowhere. Source: Book C-8, AIP."""
    if AIP.COPY_IAD_MAC_AT_OFFSET in session.aip:
        return require(session.card, tags.TAG_9F8107_IAD_MAC_OFFSET)[0]
    if AIP.COPY_IAD_MAC in session.aip:
        return session.configuration.iad_mac_offset
    return None


def authenticate(session: Session, channel: SecureChannel) -> Kernel[None]:
    """See whether the card has the key that its scheme certified; write what was found.

    Source: Book C-8, processing of certificates.
    """
    if not session.authenticates_locally:
        return
    try:
        _authenticate(session, channel)
    except AuthenticationFailed as failure:
        session.tvr |= TVR8.LOCAL_AUTHENTICATION_FAILED
        yield from note(
            "card not authentic: {failure}", f"{SOURCE}, local authentication", failure=str(failure)
        )
    else:
        yield from note("card is authentic", f"{SOURCE}, local authentication")


def _authenticate(session: Session, channel: SecureChannel) -> None:
    """Raise AuthenticationFailed, naming the check."""
    today = session.activation.transaction.date
    index = int.from_bytes(_required(session, tags.TAG_8F_CA_PUBLIC_KEY_INDEX), "big")
    # The scheme is the reader's AID's: a card must not choose whose key counts.
    rid = session.activation.combination.rid
    ca_key = session.configuration.ca_keys.find(rid, index, today)
    issuer = issuer_key(
        _required(session, tags.TAG_90_ISSUER_PUBLIC_KEY_CERTIFICATE),
        Signer(rid, index, ca_key, pan_of(session.card)),
        today,
    )
    own = icc_key(
        _required(session, tags.TAG_9F46_ICC_PUBLIC_KEY_CERTIFICATE),
        issuer,
        static_data_hash(session),
        today,
    )
    try:
        factor = private_key(channel.blinding_factor)
    except MalformedData as error:
        raise AuthenticationFailed("tag 9F8103: the blinding factor is none") from error
    if not hmac.compare_digest(multiply(factor, own), channel.blinded_key):
        raise AuthenticationFailed("tag 9F8103: not the certified key, blinded")


def _required(session: Session, tag: int) -> bytes:
    """Return an object; raise AuthenticationFailed, naming it, if it is missing or empty."""
    value = session.card.get(tag)
    if not value:
        raise AuthenticationFailed(f"tag {tag:X} is missing")
    return value
