"""Values whose bits mean something: masks to decide with, a label for each.

Each class is one object of the data dictionary. Its members are single
bits; `|`, `&` and `in` work on them, and RFU bits of a card are kept.
Source: EMV 4.4 Book 3, Annex C, and Book 4, Annex A; EMV Contactless
Book A, 5.7, and Books C-2, C-3, C-8.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Self

from emv.errors import MalformedData


class Bits(enum.IntFlag):
    """A value of a fixed number of bytes, b8 of byte 1 first."""

    label: str

    def __new__(cls, value: int, label: str = "") -> Self:
        """Make a member of one bit, with the words to print for it."""
        member = int.__new__(cls, value)
        member._value_ = value
        member.label = label
        return member

    @classmethod
    def size(cls) -> int:
        """Bytes of the value on the wire."""
        return _SIZES[cls]

    @classmethod
    def decode(cls, value: bytes) -> Self:
        """Return the bits of a value. Raises MalformedData if its length is wrong."""
        if len(value) != cls.size():
            raise MalformedData(f"{cls.__name__} of {len(value)} bytes, {cls.size()} expected")
        return cls(int.from_bytes(value, "big"))

    def without(self, others: Self) -> Self:
        """Return these bits with others cleared, RFU bits kept.

        Not `& ~others`: Python 3.11.2 turns over only the bits that it counts.
        """
        return type(self)(int(self) & ~int(others))

    @property
    def encoded(self) -> bytes:
        """The value as it goes to the card or the bank."""
        return int(self).to_bytes(self.size(), "big")

    def labels(self) -> list[str]:
        """Return what the bits that are set mean, b8 of byte 1 first; RFU bits say nothing."""
        return [member.label for member in sorted(type(self), reverse=True) if member in self]

    def describe(self) -> list[str]:
        """Return a line for each bit that is set, RFU bits too."""
        lines = []
        known = {int(member): member.label for member in type(self)}
        top = 8 * self.size() - 1
        for shift in range(top, -1, -1):
            if self & 1 << shift:
                place = f"byte {(top - shift) // 8 + 1} bit {shift % 8 + 1}"
                lines.append(f"{place}: {known.get(1 << shift, 'RFU')}")
        return lines


class AIP(Bits):
    """Application Interchange Profile, tag 82. Source: Book 3, Annex C1."""

    XDA = 0x80_00, "XDA supported"
    SDA = 0x40_00, "SDA supported"
    DDA = 0x20_00, "DDA supported"
    CARDHOLDER_VERIFICATION = 0x10_00, "cardholder verification supported"
    TERMINAL_RISK_MANAGEMENT = 0x08_00, "terminal risk management to be performed"
    ISSUER_AUTHENTICATION = 0x04_00, "issuer authentication supported"
    ON_DEVICE_VERIFICATION = 0x02_00, "on-device cardholder verification supported"
    CDA = 0x01_00, "CDA supported (C-8: local authentication)"
    EMV_MODE = 0x00_80, "EMV mode (Visa: magnetic stripe data supported)"
    MOBILE_PHONE = 0x00_40, "mobile phone"
    CONTACTLESS = 0x00_20, "contactless transaction"
    OFFLINE_CAPABLE = 0x00_08, "card may approve offline (C-8)"
    COPY_IAD_MAC_AT_OFFSET = 0x00_04, "copy the IAD-MAC at the card's offset (C-8)"
    COPY_IAD_MAC = 0x00_02, "copy the IAD-MAC at the default offset (C-8)"
    RELAY_RESISTANCE = 0x00_01, "relay resistance protocol supported"


class AUC(Bits):
    """Application Usage Control, tag 9F07. Source: Book 3, Annex C2."""

    DOMESTIC_CASH = 0x80_00, "valid for domestic cash"
    INTERNATIONAL_CASH = 0x40_00, "valid for international cash"
    DOMESTIC_GOODS = 0x20_00, "valid for domestic goods"
    INTERNATIONAL_GOODS = 0x10_00, "valid for international goods"
    DOMESTIC_SERVICES = 0x08_00, "valid for domestic services"
    INTERNATIONAL_SERVICES = 0x04_00, "valid for international services"
    ATM = 0x02_00, "valid at ATMs"
    OTHER_THAN_ATM = 0x01_00, "valid at terminals other than ATMs"
    DOMESTIC_CASHBACK = 0x00_80, "domestic cashback allowed"
    INTERNATIONAL_CASHBACK = 0x00_40, "international cashback allowed"


class TVR(Bits):
    """Terminal Verification Results, tag 95. Source: Book 3, Annex C5."""

    ODA_NOT_PERFORMED = 0x80_00_00_00_00, "offline data authentication not performed"
    SDA_FAILED = 0x40_00_00_00_00, "SDA failed"
    ICC_DATA_MISSING = 0x20_00_00_00_00, "ICC data missing"
    ON_EXCEPTION_FILE = 0x10_00_00_00_00, "card on terminal exception file"
    DDA_FAILED = 0x08_00_00_00_00, "DDA failed"
    CDA_FAILED = 0x04_00_00_00_00, "CDA failed"
    SDA_SELECTED = 0x02_00_00_00_00, "SDA selected"
    XDA_SELECTED = 0x01_00_00_00_00, "XDA selected"
    VERSIONS_DIFFER = 0x80_00_00_00, "card and terminal have different application versions"
    EXPIRED = 0x40_00_00_00, "expired application"
    NOT_YET_EFFECTIVE = 0x20_00_00_00, "application not yet effective"
    SERVICE_NOT_ALLOWED = 0x10_00_00_00, "requested service not allowed for card product"
    NEW_CARD = 0x08_00_00_00, "new card"
    BIOMETRIC_SUCCESSFUL = 0x02_00_00_00, "biometric performed and successful"
    BIOMETRIC_TEMPLATE_UNSUPPORTED = 0x01_00_00_00, "biometric template format not supported"
    CARDHOLDER_VERIFICATION_FAILED = 0x80_00_00, "cardholder verification not successful"
    UNRECOGNISED_CVM = 0x40_00_00, "unrecognised CVM"
    PIN_TRY_LIMIT_EXCEEDED = 0x20_00_00, "PIN try limit exceeded"
    PIN_PAD_ABSENT = 0x10_00_00, "PIN required, PIN pad absent or not working"
    PIN_NOT_ENTERED = 0x08_00_00, "PIN required, PIN pad present, PIN not entered"
    ONLINE_CVM_CAPTURED = 0x04_00_00, "online CVM captured (online PIN)"
    BIOMETRIC_CAPTURE_FAILED = 0x02_00_00, "biometric required, capture failed"
    BIOMETRIC_BYPASSED = 0x01_00_00, "biometric required, bypassed"
    FLOOR_LIMIT_EXCEEDED = 0x80_00, "transaction exceeds floor limit"
    LOWER_OFFLINE_LIMIT_EXCEEDED = 0x40_00, "lower consecutive offline limit exceeded"
    UPPER_OFFLINE_LIMIT_EXCEEDED = 0x20_00, "upper consecutive offline limit exceeded"
    RANDOMLY_SELECTED = 0x10_00, "selected randomly for online processing"
    FORCED_ONLINE = 0x08_00, "merchant forced transaction online"
    BIOMETRIC_TRY_LIMIT_EXCEEDED = 0x04_00, "biometric try limit exceeded"
    BIOMETRIC_TYPE_UNSUPPORTED = 0x02_00, "selected biometric type not supported"
    XDA_FAILED = 0x01_00, "XDA signature verification failed"
    DEFAULT_TDOL_USED = 0x80, "default TDOL used"
    ISSUER_AUTHENTICATION_FAILED = 0x40, "issuer authentication failed"
    SCRIPT_FAILED_BEFORE = 0x20, "script processing failed before final GENERATE AC"
    SCRIPT_FAILED_AFTER = 0x10, "script processing failed after final GENERATE AC"
    RELAY_THRESHOLD_EXCEEDED = 0x08, "relay resistance threshold exceeded"
    RELAY_TIME_LIMITS_EXCEEDED = 0x04, "relay resistance time limits exceeded"
    RELAY_RESISTANCE_PERFORMED = 0x02, "relay resistance performed"
    RELAY_RESISTANCE_NOT_PERFORMED = 0x01, "relay resistance not performed"


class TVR8(Bits):
    """Terminal Verification Results as kernel 8 writes them. Source: Book C-8."""

    LOCAL_AUTHENTICATION_NOT_PERFORMED = 0x80_00_00_00_00, "local authentication not performed"
    LOCAL_AUTHENTICATION_FAILED = 0x04_00_00_00_00, "local authentication failed"
    EXPIRED = 0x40_00_00_00, "expired application"
    NOT_YET_EFFECTIVE = 0x20_00_00_00, "application not yet effective"
    SERVICE_NOT_ALLOWED = 0x10_00_00_00, "requested service not allowed for card product"
    CARDHOLDER_VERIFICATION_FAILED = 0x80_00_00, "cardholder verification not successful"
    ONLINE_CVM_CAPTURED = 0x04_00_00, "online CVM captured (online PIN)"
    FLOOR_LIMIT_EXCEEDED = 0x80_00, "transaction exceeds floor limit"
    KERNEL_8_FORMAT = 0x80, "kernel 8 format"
    AID_MISMATCH = 0x40, "AID mismatch"
    RELAY_THRESHOLD_EXCEEDED = 0x08, "relay resistance threshold exceeded"
    RELAY_TIME_LIMITS_EXCEEDED = 0x04, "relay resistance time limits exceeded"
    RELAY_RESISTANCE_PERFORMED = 0x02, "relay resistance performed"
    RELAY_RESISTANCE_NOT_PERFORMED = 0x01, "relay resistance not performed"


class TSI(Bits):
    """Transaction Status Information, tag 9B. Source: Book 3, Annex C6."""

    ODA_PERFORMED = 0x80_00, "offline data authentication performed"
    CARDHOLDER_VERIFICATION_PERFORMED = 0x40_00, "cardholder verification performed"
    CARD_RISK_MANAGEMENT_PERFORMED = 0x20_00, "card risk management performed"
    ISSUER_AUTHENTICATION_PERFORMED = 0x10_00, "issuer authentication performed"
    TERMINAL_RISK_MANAGEMENT_PERFORMED = 0x08_00, "terminal risk management performed"
    SCRIPT_PROCESSING_PERFORMED = 0x04_00, "script processing performed"


class TTQ(Bits):
    """Terminal Transaction Qualifiers, tag 9F66. Source: Book A, 5.7; Book C-3."""

    MSD = 0x80_00_00_00, "magnetic stripe mode supported"
    FULL_CONTACTLESS = 0x40_00_00_00, "full transaction flow supported (C-7)"
    EMV_MODE = 0x20_00_00_00, "EMV mode supported"
    CONTACT_CHIP = 0x10_00_00_00, "EMV contact chip supported"
    OFFLINE_ONLY = 0x08_00_00_00, "offline-only reader"
    ONLINE_PIN = 0x04_00_00_00, "online PIN supported"
    SIGNATURE = 0x02_00_00_00, "signature supported"
    ODA_FOR_ONLINE = 0x01_00_00_00, "offline data authentication for online authorisations"
    ONLINE_CRYPTOGRAM_REQUIRED = 0x80_00_00, "online cryptogram required"
    CVM_REQUIRED = 0x40_00_00, "CVM required"
    CONTACT_OFFLINE_PIN = 0x20_00_00, "(contact chip) offline PIN supported"
    ISSUER_UPDATE = 0x80_00, "issuer update processing supported"
    CDCVM = 0x40_00, "consumer device CVM supported"
    FDDA_VERSION_01 = 0x80, "fDDA version 01 supported"


class CTQ(Bits):
    """Card Transaction Qualifiers, tag 9F6C. Source: Book C-3, Annex A.2."""

    ONLINE_PIN_REQUIRED = 0x80_00, "online PIN required"
    SIGNATURE_REQUIRED = 0x40_00, "signature required"
    ONLINE_IF_ODA_FAILS = 0x20_00, "go online if offline data authentication fails"
    SWITCH_IF_ODA_FAILS = 0x10_00, "switch interface if offline data authentication fails"
    ONLINE_IF_EXPIRED = 0x08_00, "go online if application expired"
    SWITCH_FOR_CASH = 0x04_00, "switch interface for cash"
    SWITCH_FOR_CASHBACK = 0x02_00, "switch interface for cashback"
    NOT_VALID_FOR_CONTACTLESS_ATM = 0x01_00, "not valid for contactless ATM transactions"
    CDCVM_PERFORMED = 0x00_80, "consumer device CVM performed"
    ISSUER_UPDATE = 0x00_40, "card supports issuer update processing at the POS"


class TerminalCapabilities(Bits):
    """Terminal Capabilities, tag 9F33. Source: Book 4, Annex A2."""

    MANUAL_KEY_ENTRY = 0x80_00_00, "manual key entry"
    MAGNETIC_STRIPE = 0x40_00_00, "magnetic stripe"
    CONTACT_CHIP = 0x20_00_00, "IC with contacts"
    PLAINTEXT_PIN = 0x80_00, "plaintext PIN for ICC verification"
    ONLINE_PIN = 0x40_00, "enciphered PIN for online verification"
    SIGNATURE = 0x20_00, "signature"
    ENCIPHERED_PIN = 0x10_00, "enciphered PIN for offline verification"
    NO_CVM = 0x08_00, "no CVM required"
    ONLINE_BIOMETRIC = 0x04_00, "online biometric"
    OFFLINE_BIOMETRIC = 0x02_00, "offline biometric"
    SDA = 0x80, "SDA"
    DDA = 0x40, "DDA"
    CARD_CAPTURE = 0x20, "card capture"
    CDA = 0x08, "CDA"
    XDA = 0x04, "XDA"


class AdditionalTerminalCapabilities(Bits):
    """Additional Terminal Capabilities, tag 9F40. Source: Book 4, Annex A3."""

    CASH = 0x80_00_00_00_00, "cash"
    GOODS = 0x40_00_00_00_00, "goods"
    SERVICES = 0x20_00_00_00_00, "services"
    CASHBACK = 0x10_00_00_00_00, "cashback"
    INQUIRY = 0x08_00_00_00_00, "inquiry"
    TRANSFER = 0x04_00_00_00_00, "transfer"
    PAYMENT = 0x02_00_00_00_00, "payment"
    ADMINISTRATIVE = 0x01_00_00_00_00, "administrative"
    CASH_DEPOSIT = 0x80_00_00_00, "cash deposit"
    NUMERIC_KEYS = 0x80_00_00, "numeric keys"
    ALPHABETIC_KEYS = 0x40_00_00, "alphabetic and special character keys"
    COMMAND_KEYS = 0x20_00_00, "command keys"
    FUNCTION_KEYS = 0x10_00_00, "function keys"
    PRINT_ATTENDANT = 0x80_00, "print, attendant"
    PRINT_CARDHOLDER = 0x40_00, "print, cardholder"
    DISPLAY_ATTENDANT = 0x20_00, "display, attendant"
    DISPLAY_CARDHOLDER = 0x10_00, "display, cardholder"
    CODE_TABLE_10 = 0x02_00, "code table 10"
    CODE_TABLE_9 = 0x01_00, "code table 9"
    CODE_TABLE_8 = 0x80, "code table 8"
    CODE_TABLE_7 = 0x40, "code table 7"
    CODE_TABLE_6 = 0x20, "code table 6"
    CODE_TABLE_5 = 0x10, "code table 5"
    CODE_TABLE_4 = 0x08, "code table 4"
    CODE_TABLE_3 = 0x04, "code table 3"
    CODE_TABLE_2 = 0x02, "code table 2"
    CODE_TABLE_1 = 0x01, "code table 1"


class FormFactorFeatures(Bits):
    """Form Factor Indicator, tag 9F6E of kernel 3, byte 2. Source: Book C-3."""

    PASSCODE = 0x80, "passcode capable"
    SIGNATURE_PANEL = 0x40, "signature panel"
    HOLOGRAM = 0x20, "hologram"
    CVV2 = 0x10, "CVV2 printed"
    TWO_WAY_MESSAGING = 0x08, "two-way messaging"
    CLOUD_CREDENTIALS = 0x04, "cloud credentials"
    BIOMETRIC = 0x02, "biometric capable"


class EnhancedReaderCapabilities(Bits):
    """Enhanced Contactless Reader Capabilities, tag 9F6E of kernel 4. Source: Book C-4."""

    CONTACT = 0x80_00_00_00, "contact mode supported"
    MAG_STRIPE = 0x40_00_00_00, "magnetic stripe mode supported"
    FULL_ONLINE = 0x20_00_00_00, "full online mode supported (legacy)"
    PARTIAL_ONLINE = 0x10_00_00_00, "partial online mode supported"
    MOBILE = 0x08_00_00_00, "mobile supported"
    OTHER_INTERFACE = 0x04_00_00_00, "try another interface after a decline"
    MOBILE_CVM = 0x80_00_00, "mobile CVM supported"
    ONLINE_PIN = 0x40_00_00, "online PIN supported"
    SIGNATURE = 0x20_00_00, "signature supported"
    OFFLINE_PIN = 0x10_00_00, "plaintext offline PIN supported"
    OFFLINE_ONLY = 0x80_00, "offline-only reader"
    CVM_REQUIRED = 0x40_00, "CVM required"
    EXEMPT_FROM_NO_CVM = 0x80, "exempt from no-CVM checks"
    DELAYED_AUTHORISATION = 0x40, "delayed authorisation"
    TRANSIT = 0x20, "transit"
    VERSION_3 = 0x04, "kernel version, bit 3"
    VERSION_2 = 0x02, "kernel version, bit 2"
    VERSION_1 = 0x01, "kernel version, bit 1"


class CardProcessingRequirements(Bits):
    """Card Processing Requirements, tag 9F71 of kernel 6. Source: Book C-6."""

    ONLINE_PIN_REQUIRED = 0x80_00, "online PIN required"
    SIGNATURE_REQUIRED = 0x40_00, "signature required"
    CDCVM_PERFORMED = 0x00_80, "consumer device CVM performed"


_SIZES: dict[type[Bits], int] = {
    AIP: 2,
    AUC: 2,
    TVR: 5,
    TVR8: 5,
    TSI: 2,
    TTQ: 4,
    CTQ: 2,
    TerminalCapabilities: 3,
    AdditionalTerminalCapabilities: 5,
    FormFactorFeatures: 1,
    EnhancedReaderCapabilities: 4,
    CardProcessingRequirements: 2,
}

CID_TYPE_MASK = 0xC0
CID_AAC = 0x00
CID_TC = 0x40
CID_ARQC = 0x80
CID_ADVICE_REQUIRED = 0x08
CID_REASON_MASK = 0x07
"""Cryptogram Information Data, tag 9F27. Source: Book 3, 6.5.5.4, table 15."""

CRYPTOGRAM_TYPES = {CID_AAC: "AAC", CID_TC: "TC", CID_ARQC: "ARQC", CID_TYPE_MASK: "RFU"}

CVM_CODE_MASK = 0x3F
CVM_APPLY_NEXT = 0x40  # Book 3, Annex C3: otherwise a failed rule ends it.
CVM_NAMES = {
    0x00: "fail CVM processing",
    0x01: "plaintext PIN verified by card",
    0x02: "enciphered PIN verified online",
    0x03: "plaintext PIN verified by card and signature",
    0x04: "enciphered PIN verified by card",
    0x05: "enciphered PIN verified by card and signature",
    0x06: "facial biometric verified offline",
    0x07: "facial biometric verified online",
    0x08: "finger biometric verified offline",
    0x09: "finger biometric verified online",
    0x0A: "palm biometric verified offline",
    0x0B: "palm biometric verified online",
    0x0C: "iris biometric verified offline",
    0x0D: "iris biometric verified online",
    0x0E: "voice biometric verified offline",
    0x0F: "voice biometric verified online",
    0x1E: "signature",
    0x1F: "no CVM required",
    0x3F: "no CVM performed",
}
CVM_CONDITION_NAMES = {
    0x00: "always",
    0x01: "if unattended cash",
    0x02: "if none of unattended cash, manual cash and cashback",
    0x03: "if terminal supports the CVM",
    0x04: "if manual cash",
    0x05: "if purchase with cashback",
    0x06: "if in application currency and under X",
    0x07: "if in application currency and over X",
    0x08: "if in application currency and under Y",
    0x09: "if in application currency and over Y",
}

CVM_RESULTS_NOT_PERFORMED = bytes.fromhex("3F0000")
CVM_RESULTS_NONE_SUCCEEDED = bytes.fromhex("3F0001")
CVM_RESULTS_NO_CVM = bytes.fromhex("1F0002")
CVM_RESULTS_ONLINE_PIN = bytes.fromhex("020000")
CVM_RESULTS_SIGNATURE = bytes.fromhex("1E0000")
CVM_RESULTS_ON_DEVICE = bytes.fromhex("010002")
"""CVM Results, tag 9F34. Source: Book 4, Annex A4; Books C-2 and C-8."""


@dataclass(frozen=True, slots=True)
class CVMRule:
    """One rule of a CVM list: what to try, and when."""

    method: int
    """CVM code, low six bits."""
    condition: int
    applies_next: bool
    """Go on with the next rule if this one fails."""


@dataclass(frozen=True, slots=True)
class CVMList:
    """Tag 8E: two amounts in the application currency, then the rules."""

    amount_x_minor: int
    amount_y_minor: int
    rules: tuple[CVMRule, ...]


def parse_cvm_list(value: bytes) -> CVMList:
    """Return the rules of a CVM list.

    Raises MalformedData if it has no rule, or ends inside one.

    Source: Book 3, 10.5 and Annex C3.
    """
    if len(value) < 10 or len(value) % 2:
        raise MalformedData(f"CVM list of {len(value)} bytes: 8, then 2 for each rule")
    rules = tuple(
        CVMRule(code & CVM_CODE_MASK, condition, bool(code & CVM_APPLY_NEXT))
        for code, condition in zip(value[8::2], value[9::2], strict=True)
    )
    amount_x, amount_y = int.from_bytes(value[:4], "big"), int.from_bytes(value[4:8], "big")
    return CVMList(amount_x, amount_y, rules)
