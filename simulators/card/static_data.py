"""What an issuer writes into a card's records, by the kernel it is made for.

Source: EMV 4.4 Book 3, 7.2; EMV Contactless Books C-2 and C-3.
"""

from __future__ import annotations

from emv import tags, tlv
from emv.bits import AIP
from simulators.card.identity import Identity
from simulators.card.profile import KERNEL_MASTERCARD, KERNELS_EMV_MODE, MChip, Method, Profile

USAGE_EVERYWHERE = b"\xff\xc0"
ISSUER_COUNTRY = b"\x01\x56"
CURRENCY = b"\x01\x56"

STRIPE_TRACK_DIGITS = 13
"""Discretionary digits of a magnetic stripe's second track."""


def data_list(*wanted: tuple[int, int]) -> bytes:
    """Return a data object list: tags with the lengths that are wanted."""
    return b"".join(tlv.tag_bytes(tag) + bytes((length,)) for tag, length in wanted)


TRANSACTION = (
    (tags.TAG_9F02_AMOUNT_AUTHORISED, 6),
    (tags.TAG_9F03_AMOUNT_OTHER, 6),
    (tags.TAG_9F1A_TERMINAL_COUNTRY_CODE, 2),
    (tags.TAG_95_TVR, 5),
    (tags.TAG_5F2A_TRANSACTION_CURRENCY_CODE, 2),
    (tags.TAG_9A_TRANSACTION_DATE, 3),
    (tags.TAG_9C_TRANSACTION_TYPE, 1),
    (tags.TAG_9F37_UNPREDICTABLE_NUMBER, 4),
)
"""What of the reader's every cryptogram covers, and how much of it is asked for."""
MCHIP_CDOL1 = data_list(
    *TRANSACTION,
    (tags.TAG_9F35_TERMINAL_TYPE, 1),
    (tags.TAG_9F45_DATA_AUTHENTICATION_CODE, 2),
    (tags.TAG_9F4C_ICC_DYNAMIC_NUMBER, 8),
    (tags.TAG_9F34_CVM_RESULTS, 3),
)
MCHIP_DRDOL = data_list(
    (tags.TAG_9F02_AMOUNT_AUTHORISED, 6),
    (tags.TAG_9F37_UNPREDICTABLE_NUMBER, 4),
)
"""By what a card finds again the answer that a reader never got."""
DSDOL = data_list(
    (tags.TAG_DF60_DS_INPUT_CARD, 8),
    (tags.TAG_DF61_DS_DIGEST_H, 8),
    (tags.TAG_DF62_DS_ODS_INFO, 1),
    (tags.TAG_DF63_DS_ODS_TERM, 32),
)
"""What an operator gives with the cryptogram, to have it kept."""

_RULES = {Method.ONLINE_PIN: 0x42, Method.SIGNATURE: 0x5E}
_NO_CVM = 0x1F
_IF_SUPPORTED = 0x03
_EXPIRED = bytes.fromhex("0040000000")
_NOTHING = bytes(5)


def static_data(profile: Profile, kernel: int, identity: Identity) -> tuple[bytes, bytes]:
    """Return a card's AIP, and the contents of its signed record."""
    if kernel == KERNEL_MASTERCARD:
        return _mchip(profile, profile.mchip, identity)
    if kernel in KERNELS_EMV_MODE:
        return _emv_mode(profile, profile.mchip, identity)
    return AIP.DDA.encoded, _record(
        (tags.TAG_5A_PAN, identity.application_pan),
        (tags.TAG_5F24_EXPIRATION_DATE, identity.expiration_date),
        (tags.TAG_9F07_APPLICATION_USAGE_CONTROL, USAGE_EVERYWHERE),
        (tags.TAG_5F28_ISSUER_COUNTRY_CODE, ISSUER_COUNTRY),
        (tags.TAG_9F4A_SDA_TAG_LIST, bytes((tags.TAG_82_AIP,))),
    )


def _mchip(profile: Profile, chip: MChip, identity: Identity) -> tuple[bytes, bytes]:
    if chip.is_magstripe:
        return bytes(2), _stripes(identity)
    aip, objects = _common(profile, chip, identity)
    aip |= AIP.EMV_MODE
    if Method.DEVICE in profile.cvm:
        aip |= AIP.ON_DEVICE_VERIFICATION
    if chip.relay is not None:
        aip |= AIP.RELAY_RESISTANCE
    if chip.has_storage:
        objects.append((tags.TAG_9F5B_DSDOL, DSDOL))
    if chip.leaves_early:
        objects.append((tags.TAG_9F51_DRDOL, MCHIP_DRDOL))
    return aip.encoded, _record(*objects)


def _emv_mode(profile: Profile, chip: MChip, identity: Identity) -> tuple[bytes, bytes]:
    aip, objects = _common(profile, chip, identity)
    return aip.encoded, _record(*objects)


def _common(
    profile: Profile, chip: MChip, identity: Identity
) -> tuple[AIP, list[tuple[int, bytes]]]:
    """Return what every card has that answers GENERATE AC."""
    aip = AIP.CARDHOLDER_VERIFICATION | AIP.TERMINAL_RISK_MANAGEMENT
    if chip.cda:
        aip |= AIP.CDA
    return aip, [
        (tags.TAG_57_TRACK_2_EQUIVALENT_DATA, identity.track_2),
        (tags.TAG_5A_PAN, identity.application_pan),
        (tags.TAG_5F24_EXPIRATION_DATE, identity.expiration_date),
        (tags.TAG_5F28_ISSUER_COUNTRY_CODE, ISSUER_COUNTRY),
        (tags.TAG_5F34_PAN_SEQUENCE_NUMBER, identity.pan_sequence_number),
        (tags.TAG_8C_CDOL1, MCHIP_CDOL1),
        (tags.TAG_8E_CVM_LIST, _cvm_list(profile)),
        (tags.TAG_9F07_APPLICATION_USAGE_CONTROL, USAGE_EVERYWHERE),
        (tags.TAG_9F0D_IAC_DEFAULT, _NOTHING),
        (tags.TAG_9F0E_IAC_DENIAL, _EXPIRED if chip.denies_expired else _NOTHING),
        (tags.TAG_9F0F_IAC_ONLINE, _NOTHING),
        (tags.TAG_9F42_APPLICATION_CURRENCY_CODE, CURRENCY),
        (tags.TAG_9F4A_SDA_TAG_LIST, bytes((tags.TAG_82_AIP,))),
    ]


def _cvm_list(profile: Profile) -> bytes:
    """Return the profile's methods as a list, each if the reader has it; no CVM last.

    Source: EMV 4.4 Book 3, Annex C3.
    """
    rules = [_RULES[method] for method in profile.cvm if method in _RULES]
    return bytes(8) + b"".join(bytes((rule, _IF_SUPPORTED)) for rule in (*rules, _NO_CVM))


def _stripes(identity: Identity) -> bytes:
    """Return both tracks, and where the codes go: four digits, two and two.

    From the right: the last digit tells lengths, digits 5 to 8 take number
    and counter, 9 to 12 the code.

    Source: Book C-2, magnetic stripe mode.
    """
    return _record(
        (tags.TAG_9F6C_CTQ, b"\x00\x01"),
        (tags.TAG_9F62_PCVC3_TRACK_1, bytes.fromhex("000000000F00")),
        (tags.TAG_9F63_PUNATC_TRACK_1, bytes.fromhex("0000000000F0")),
        (tags.TAG_56_TRACK_1_DATA, identity.stripe_track_1(STRIPE_TRACK_DIGITS)),
        (tags.TAG_9F64_NATC_TRACK_1, b"\x02"),
        (tags.TAG_9F65_PCVC3_TRACK_2, bytes.fromhex("0F00")),
        (tags.TAG_9F66_PUNATC_TRACK_2, bytes.fromhex("00F0")),
        (tags.TAG_9F6B_TRACK_2_DATA, identity.stripe_track_2(STRIPE_TRACK_DIGITS)),
        (tags.TAG_9F67_NATC_TRACK_2, b"\x02"),
    )


def _record(*objects: tuple[int, bytes]) -> bytes:
    return b"".join(tlv.encode(tag, value) for tag, value in objects)
