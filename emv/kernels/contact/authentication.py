"""10.3 Offline data authentication: is this the card its issuer made?"""

from __future__ import annotations

import enum

from emv import tags, tlv
from emv.apdu import STATUS_OK, internal_authenticate
from emv.authentication import verify_dynamic_data, verify_static_data
from emv.bits import AIP, TSI, TVR, TerminalCapabilities
from emv.conversation import Kernel, exchange, note
from emv.dol import fill_dol, parse_dol
from emv.errors import AuthenticationFailed, CardRefused, MalformedData
from emv.kernels.contact.session import Session
from emv.kernels.objects import DOL_DATA_MAX

SOURCE = "Book 3, 10.3"


class Method(enum.Enum):
    """How a card proves itself, the best first."""

    CDA = "CDA"
    DDA = "DDA"
    SDA = "SDA"


SUPPORT = {
    Method.CDA: (AIP.CDA, TerminalCapabilities.CDA),
    Method.DDA: (AIP.DDA, TerminalCapabilities.DDA),
    Method.SDA: (AIP.SDA, TerminalCapabilities.SDA),
}
FAILED = {
    Method.CDA: TVR.CDA_FAILED,
    Method.DDA: TVR.DDA_FAILED,
    Method.SDA: TVR.SDA_FAILED,
}

_ISSUER_KEY = (
    tags.TAG_8F_CA_PUBLIC_KEY_INDEX,
    tags.TAG_90_ISSUER_PUBLIC_KEY_CERTIFICATE,
    tags.TAG_9F32_ISSUER_PUBLIC_KEY_EXPONENT,
)
_ICC_KEY = (
    *_ISSUER_KEY,
    tags.TAG_9F46_ICC_PUBLIC_KEY_CERTIFICATE,
    tags.TAG_9F47_ICC_PUBLIC_KEY_EXPONENT,
)
NEEDED = {
    Method.CDA: _ICC_KEY,
    Method.DDA: _ICC_KEY,
    Method.SDA: (*_ISSUER_KEY, tags.TAG_93_SIGNED_STATIC_APPLICATION_DATA),
}
"""What each method needs from the card. Source: EMV 4.4 Book 3, Tables 34 and 35."""


def select_method(aip: AIP, capabilities: TerminalCapabilities) -> Method | None:
    """Return the best method that card and terminal both support, None without any.

    Source: EMV 4.4 Book 3, 10.3.
    """
    for method, (by_card, by_terminal) in SUPPORT.items():
        if by_card in aip and by_terminal in capabilities:
            return method
    return None


def authenticate(session: Session) -> Kernel[None]:
    """Authenticate the card as far as can be done before its cryptogram.

    Of combined authentication only the key is recovered here; the signature
    comes with GENERATE AC. The result is in the TVR.
    Raises CardRefused if the card refuses to sign.

    Source: EMV 4.4 Book 3, 10.3; Book 2, 5 and 6.
    """
    method = select_method(session.aip, session.capabilities)
    if method is None:
        session.tvr |= TVR.ODA_NOT_PERFORMED
        yield from note("no common method of offline authentication", SOURCE)
        return
    if method is Method.SDA:
        session.tvr |= TVR.SDA_SELECTED
    if any(tag not in session.card for tag in NEEDED[method]):
        session.tvr |= TVR.ICC_DATA_MISSING
    try:
        if method is Method.SDA:
            _authenticate_static(session)
        elif method is Method.DDA:
            yield from _authenticate_dynamic(session)
        else:
            _prepare_combined(session)
    except AuthenticationFailed as failure:
        session.tvr |= FAILED[method]
        yield from note(
            "{method} failed: {failure}", SOURCE, method=method.value, failure=str(failure)
        )
    else:
        yield from note("{method}: card is authentic so far", SOURCE, method=method.value)
    session.tsi |= TSI.ODA_PERFORMED


def _authenticate_static(session: Session) -> None:
    """Check the issuer's signature over the static data.

    Source: EMV 4.4 Book 2, 5.4.
    """
    evidence = session.evidence
    signed = evidence.required(tags.TAG_93_SIGNED_STATIC_APPLICATION_DATA)
    code = verify_static_data(signed, evidence.issuer_key(), evidence.static_data())
    session.card[tags.TAG_9F45_DATA_AUTHENTICATION_CODE] = code


def _authenticate_dynamic(session: Session) -> Kernel[None]:
    """Have the card sign an unpredictable number, and check it.

    Source: EMV 4.4 Book 2, 6.5.
    """
    icc_key = session.evidence.icc_key()
    ddol = session.card.get(tags.TAG_9F49_DDOL, session.application.default_ddol)
    data = _ddol_data(ddol, session)
    reply = yield from exchange(internal_authenticate(data))
    if reply.status != STATUS_OK:
        raise CardRefused("INTERNAL AUTHENTICATE", reply.status)
    dynamic = verify_dynamic_data(_signature(reply.data), icc_key, data)
    if dynamic:
        session.card[tags.TAG_9F4C_ICC_DYNAMIC_NUMBER] = dynamic[1 : 1 + dynamic[0]]


def _ddol_data(ddol: bytes, session: Session) -> bytes:
    """Return what the card is to sign.

    Raises AuthenticationFailed for a list that cannot be used: without the
    unpredictable number an old signature would do.
    """
    try:
        wanted = dict(parse_dol(ddol))
    except MalformedData as error:
        raise AuthenticationFailed(f"DDOL: {error}") from error
    if not wanted.get(tags.TAG_9F37_UNPREDICTABLE_NUMBER):
        raise AuthenticationFailed("DDOL does not ask for the unpredictable number")
    if sum(length for _, length in parse_dol(ddol)) > DOL_DATA_MAX:
        raise AuthenticationFailed("DDOL asks for more than a command can carry")
    return fill_dol(ddol, session.values())


def _signature(data: bytes) -> bytes:
    """Return the signature in an INTERNAL AUTHENTICATE response, of either format.

    Raises MalformedData if it is neither. Source: EMV 4.4 Book 3, 6.5.9.4.
    """
    nodes = tlv.decode(data)
    if [node.tag for node in nodes] == [tags.TAG_80_RESPONSE_FORMAT_1]:
        return nodes[0].value
    if [node.tag for node in nodes] == [tags.TAG_77_RESPONSE_FORMAT_2]:
        signed = tlv.collect(nodes).get(tags.TAG_9F4B_SIGNED_DYNAMIC_APPLICATION_DATA)
        if signed is None:
            raise AuthenticationFailed("tag 9F4B is missing")
        return signed
    raise MalformedData("INTERNAL AUTHENTICATE response is of no known format")


def _prepare_combined(session: Session) -> None:
    """Recover the card's key; its signature comes with the cryptogram.

    Source: EMV 4.4 Book 2, 6.6.
    """
    if not dict(parse_dol(session.card[tags.TAG_8C_CDOL1])).get(tags.TAG_9F37_UNPREDICTABLE_NUMBER):
        raise AuthenticationFailed("CDOL1 does not ask for the unpredictable number")
    session.icc_key = session.evidence.icc_key()
