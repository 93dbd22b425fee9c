"""The data dictionary: what each tag is called, and how its value is coded.

One line is one meaning. A tag that kernels read differently has a line,
and a constant, for each reading; the number is the same.
Source: EMV 4.4 Book 1, Annex B, and Book 3, Annex A; EMV Contactless
Books A, B, C-2, C-3, C-4, C-7, C-8.
"""

# The dictionary is a table: a row that wraps cannot be compared with the next.
# ruff: noqa: E501

from __future__ import annotations

import enum
from dataclasses import dataclass

LENGTH_MAX = 65535
"""Stands where the books say only 'var.'."""


class Format(enum.Enum):
    """How a value is coded. Source: EMV 4.4 Book 3, 4.3."""

    N = "n"
    """Two digits a byte, padded on the left with zeros."""
    CN = "cn"
    """Two digits a byte, padded on the right with F."""
    A = "a"
    """Letters, one a byte."""
    AN = "an"
    """Letters and digits, one a byte."""
    ANS = "ans"
    """Letters, digits and special characters, one a byte."""
    B = "b"
    """Bits or a binary number."""
    DOL = "dol"
    """A list of tags and lengths; 'b' in the books."""
    TAGS = "tags"
    """A list of tags; 'b' in the books."""
    TEMPLATE = "template"
    """Data objects; 'b' or 'var.' in the books."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """One reading of a tag."""

    tag: int
    name: str
    format: Format
    length_min: int
    """Fewest bytes of a value."""
    length_max: int
    """Most bytes of a value."""
    templates: tuple[int, ...] = ()
    """Where the object stands; empty if it stands alone or never travels."""
    kernels: tuple[int, ...] = ()
    """The kernels that read the tag so; empty means all."""

    def fits(self, length: int) -> bool:
        """True if a value may have this many bytes."""
        return self.length_min <= length <= self.length_max


_MEANINGS: dict[int, list[Meaning]] = {}


def _define(
    tag: int,
    name: str,
    format: Format,
    length: int | tuple[int, int],
    within: tuple[int, ...] = (),
    kernels: tuple[int, ...] = (),
) -> int:
    """Enter one meaning into the dictionary and return its tag."""
    length_min, length_max = (length, length) if isinstance(length, int) else length
    meaning = Meaning(tag, name, format, length_min, length_max, within, kernels)
    _MEANINGS.setdefault(tag, []).append(meaning)
    return tag


def meanings(tag: int) -> tuple[Meaning, ...]:
    """Return every reading of a tag; none if the dictionary lacks it."""
    return tuple(_MEANINGS.get(tag, ()))


def meaning(tag: int, *, kernel: int | None = None, template: int | None = None) -> Meaning | None:
    """Return how this kernel, or any, reads a tag in this template.

    The kernel's own reading goes before the common one, and one that
    belongs in the template before one that does not. Without a kernel, a
    tag that has only kernels' readings is answered when there is one.
    """
    known = _MEANINGS.get(tag, [])
    own = [m for m in known if kernel is not None and kernel in m.kernels]
    common = [m for m in known if not m.kernels]
    if kernel is None and not common and len(known) == 1:
        common = known
    for readings in (own, common):
        for reading in readings:
            if template is not None and template in reading.templates:
                return reading
    return next(iter(own + common), None)


def name_of(tag: int, *, kernel: int | None = None, template: int | None = None) -> str:
    """Return the name to print for a tag.

    Without a kernel, a tag that kernels read differently gets every name,
    each with the kernels that use it; an unknown tag is called so.
    """
    reading = meaning(tag, kernel=kernel, template=template)
    if reading is not None:
        return reading.name
    names = []
    for other in meanings(tag):
        numbers = ", ".join(f"C-{number}" for number in other.kernels)
        names.append(f"{other.name} ({numbers})")
    return " / ".join(names) or "unknown"


_N, _CN, _A, _AN, _ANS = Format.N, Format.CN, Format.A, Format.AN, Format.ANS
_B, _DOL, _TAGS, _T = Format.B, Format.DOL, Format.TAGS, Format.TEMPLATE
_ANY = (0, LENGTH_MAX)

_RECORD = (0x70, 0x77)
_REPLY = (0x77, 0x80)
_DIRECTORY = (0x61, 0xA5)
_DISCRETIONARY = (0xBF0C, 0x73)

# EMV 4.4 Book 3, Annex A, and Book 1, Annex B; in the order of the tags.
# fmt: off
TAG_42_ISSUER_IDENTIFICATION_NUMBER = _define(0x42, "Issuer Identification Number", _N, 3, _DISCRETIONARY)
TAG_4F_ADF_NAME = _define(0x4F, "Application Dedicated File (ADF) Name", _B, (5, 16), (0x61,))
TAG_50_APPLICATION_LABEL = _define(0x50, "Application Label", _ANS, (1, 16), _DIRECTORY)
TAG_57_TRACK_2_EQUIVALENT_DATA = _define(0x57, "Track 2 Equivalent Data", _B, (1, 19), _RECORD)
TAG_5A_PAN = _define(0x5A, "Application Primary Account Number (PAN)", _CN, (1, 10), _RECORD)
TAG_5F20_CARDHOLDER_NAME = _define(0x5F20, "Cardholder Name", _ANS, (2, 26), _RECORD)
TAG_5F24_EXPIRATION_DATE = _define(0x5F24, "Application Expiration Date", _N, 3, _RECORD)
TAG_5F25_EFFECTIVE_DATE = _define(0x5F25, "Application Effective Date", _N, 3, _RECORD)
TAG_5F28_ISSUER_COUNTRY_CODE = _define(0x5F28, "Issuer Country Code", _N, 2, _RECORD)
TAG_5F2A_TRANSACTION_CURRENCY_CODE = _define(0x5F2A, "Transaction Currency Code", _N, 2)
TAG_5F2D_LANGUAGE_PREFERENCE = _define(0x5F2D, "Language Preference", _AN, (2, 8), (0xA5,))
TAG_5F30_SERVICE_CODE = _define(0x5F30, "Service Code", _N, 2, _RECORD)
TAG_5F34_PAN_SEQUENCE_NUMBER = _define(0x5F34, "Application PAN Sequence Number", _N, 1, _RECORD)
TAG_5F36_TRANSACTION_CURRENCY_EXPONENT = _define(0x5F36, "Transaction Currency Exponent", _N, 1)
TAG_5F50_ISSUER_URL = _define(0x5F50, "Issuer URL", _ANS, _ANY, _DISCRETIONARY)
TAG_5F53_IBAN = _define(0x5F53, "International Bank Account Number (IBAN)", _AN, (1, 34), _DISCRETIONARY)
TAG_5F54_BANK_IDENTIFIER_CODE = _define(0x5F54, "Bank Identifier Code (BIC)", _AN, (8, 11), _DISCRETIONARY)
TAG_5F55_ISSUER_COUNTRY_CODE_ALPHA_2 = _define(0x5F55, "Issuer Country Code (alpha2 format)", _A, 2, _DISCRETIONARY)
TAG_5F56_ISSUER_COUNTRY_CODE_ALPHA_3 = _define(0x5F56, "Issuer Country Code (alpha3 format)", _A, 3, _DISCRETIONARY)
TAG_5F57_ACCOUNT_TYPE = _define(0x5F57, "Account Type", _N, 1)
TAG_61_APPLICATION_TEMPLATE = _define(0x61, "Application Template", _T, (0, 252), (0x70, 0xBF0C))
TAG_6F_FCI_TEMPLATE = _define(0x6F, "File Control Information (FCI) Template", _T, (0, 252))
TAG_70_RECORD_TEMPLATE = _define(0x70, "READ RECORD Response Message Template", _T, (0, 252))
TAG_71_ISSUER_SCRIPT_TEMPLATE_1 = _define(0x71, "Issuer Script Template 1", _T, _ANY)
TAG_72_ISSUER_SCRIPT_TEMPLATE_2 = _define(0x72, "Issuer Script Template 2", _T, _ANY)
TAG_73_DIRECTORY_DISCRETIONARY_TEMPLATE = _define(0x73, "Directory Discretionary Template", _T, (0, 252), (0x61,))
TAG_77_RESPONSE_FORMAT_2 = _define(0x77, "Response Message Template Format 2", _T, _ANY)
TAG_7F60_BIOMETRIC_INFORMATION_TEMPLATE = _define(0x7F60, "Biometric Information Template", _T, _ANY, (0xBF4A, 0xBF4B))
TAG_80_RESPONSE_FORMAT_1 = _define(0x80, "Response Message Template Format 1", _B, _ANY)
TAG_81_AMOUNT_AUTHORISED_BINARY = _define(0x81, "Amount, Authorised (Binary)", _B, 4)
TAG_81_BIOMETRIC_TYPE = _define(0x81, "Biometric Type", _B, _ANY, (0xA1, 0xBF4E))
TAG_82_AIP = _define(0x82, "Application Interchange Profile (AIP)", _B, 2, _REPLY)
TAG_82_BIOMETRIC_SUBTYPE = _define(0x82, "Biometric Subtype", _B, 1, (0xA1,))
TAG_83_COMMAND_TEMPLATE = _define(0x83, "Command Template", _B, _ANY)
TAG_84_DF_NAME = _define(0x84, "Dedicated File (DF) Name", _B, (5, 16), (0x6F,))
TAG_86_ISSUER_SCRIPT_COMMAND = _define(0x86, "Issuer Script Command", _B, (1, 261), (0x71, 0x72))
TAG_87_APPLICATION_PRIORITY_INDICATOR = _define(0x87, "Application Priority Indicator", _B, 1, _DIRECTORY)
TAG_88_SFI = _define(0x88, "Short File Identifier (SFI)", _B, 1, (0xA5,))
TAG_89_AUTHORISATION_CODE = _define(0x89, "Authorisation Code", _AN, 6)
TAG_8A_AUTHORISATION_RESPONSE_CODE = _define(0x8A, "Authorisation Response Code", _AN, 2)
TAG_8C_CDOL1 = _define(0x8C, "Card Risk Management Data Object List 1 (CDOL1)", _DOL, (0, 252), _RECORD)
TAG_8D_CDOL2 = _define(0x8D, "Card Risk Management Data Object List 2 (CDOL2)", _DOL, (0, 252), _RECORD)
TAG_8E_CVM_LIST = _define(0x8E, "Cardholder Verification Method (CVM) List", _B, (10, 252), _RECORD)
TAG_8F_CA_PUBLIC_KEY_INDEX = _define(0x8F, "Certification Authority Public Key Index", _B, 1, _RECORD)
TAG_90_ISSUER_PUBLIC_KEY_CERTIFICATE = _define(0x90, "Issuer Public Key Certificate", _B, _ANY, _RECORD)
TAG_90_BIOMETRIC_SOLUTION_ID = _define(0x90, "Biometric Solution ID", _B, _ANY, (0xA1, 0xBF4E))
TAG_91_ISSUER_AUTHENTICATION_DATA = _define(0x91, "Issuer Authentication Data", _B, (8, 16))
TAG_92_ISSUER_PUBLIC_KEY_REMAINDER = _define(0x92, "Issuer Public Key Remainder", _B, _ANY, _RECORD)
TAG_93_SIGNED_STATIC_APPLICATION_DATA = _define(0x93, "Signed Static Application Data", _B, _ANY, _RECORD)
TAG_94_AFL = _define(0x94, "Application File Locator (AFL)", _B, (0, 252), _REPLY)
TAG_95_TVR = _define(0x95, "Terminal Verification Results (TVR)", _B, 5)
TAG_97_TDOL = _define(0x97, "Transaction Certificate Data Object List (TDOL)", _DOL, (0, 252), _RECORD)
TAG_98_TC_HASH_VALUE = _define(0x98, "Transaction Certificate (TC) Hash Value", _B, 20)
TAG_99_TRANSACTION_PIN_DATA = _define(0x99, "Transaction PIN Data", _B, _ANY)
TAG_9A_TRANSACTION_DATE = _define(0x9A, "Transaction Date", _N, 3)
TAG_9B_TSI = _define(0x9B, "Transaction Status Information (TSI)", _B, 2)
TAG_9C_TRANSACTION_TYPE = _define(0x9C, "Transaction Type", _N, 1)
TAG_9D_DDF_NAME = _define(0x9D, "Directory Definition File (DDF) Name", _B, (5, 16), (0x61,))
TAG_9F01_ACQUIRER_IDENTIFIER = _define(0x9F01, "Acquirer Identifier", _N, 6)
TAG_9F02_AMOUNT_AUTHORISED = _define(0x9F02, "Amount, Authorised (Numeric)", _N, 6)
TAG_9F03_AMOUNT_OTHER = _define(0x9F03, "Amount, Other (Numeric)", _N, 6)
TAG_9F04_AMOUNT_OTHER_BINARY = _define(0x9F04, "Amount, Other (Binary)", _B, 4)
TAG_9F05_APPLICATION_DISCRETIONARY_DATA = _define(0x9F05, "Application Discretionary Data", _B, (1, 32), _RECORD)
TAG_9F06_AID_TERMINAL = _define(0x9F06, "Application Identifier (AID), terminal", _B, (5, 16))
TAG_9F07_APPLICATION_USAGE_CONTROL = _define(0x9F07, "Application Usage Control (AUC)", _B, 2, _RECORD)
TAG_9F08_APPLICATION_VERSION_CARD = _define(0x9F08, "Application Version Number, card", _B, 2, _RECORD)
TAG_9F09_APPLICATION_VERSION_TERMINAL = _define(0x9F09, "Application Version Number, terminal", _B, 2)
TAG_9F0A_SELECTION_REGISTERED_DATA = _define(0x9F0A, "Application Selection Registered Proprietary Data", _B, _ANY, _DISCRETIONARY)
TAG_9F0B_CARDHOLDER_NAME_EXTENDED = _define(0x9F0B, "Cardholder Name Extended", _ANS, (27, 45), _RECORD)
TAG_9F0C_ISSUER_IDENTIFICATION_NUMBER_EXTENDED = _define(0x9F0C, "Issuer Identification Number Extended", _N, (3, 4), _DISCRETIONARY)
TAG_9F0D_IAC_DEFAULT = _define(0x9F0D, "Issuer Action Code, Default", _B, 5, _RECORD)
TAG_9F0E_IAC_DENIAL = _define(0x9F0E, "Issuer Action Code, Denial", _B, 5, _RECORD)
TAG_9F0F_IAC_ONLINE = _define(0x9F0F, "Issuer Action Code, Online", _B, 5, _RECORD)
TAG_9F10_ISSUER_APPLICATION_DATA = _define(0x9F10, "Issuer Application Data (IAD)", _B, (0, 32), _REPLY)
TAG_9F11_ISSUER_CODE_TABLE_INDEX = _define(0x9F11, "Issuer Code Table Index", _N, 1, (0xA5, 0x61))
TAG_9F12_APPLICATION_PREFERRED_NAME = _define(0x9F12, "Application Preferred Name", _ANS, (1, 16), _DIRECTORY)
TAG_9F13_LAST_ONLINE_ATC = _define(0x9F13, "Last Online Application Transaction Counter Register", _B, 2)
TAG_9F14_LOWER_CONSECUTIVE_OFFLINE_LIMIT = _define(0x9F14, "Lower Consecutive Offline Limit", _B, 1, _RECORD)
TAG_9F15_MERCHANT_CATEGORY_CODE = _define(0x9F15, "Merchant Category Code", _N, 2)
TAG_9F16_MERCHANT_IDENTIFIER = _define(0x9F16, "Merchant Identifier", _ANS, 15)
TAG_9F17_PIN_TRY_COUNTER = _define(0x9F17, "PIN Try Counter", _B, 1)
TAG_9F18_ISSUER_SCRIPT_IDENTIFIER = _define(0x9F18, "Issuer Script Identifier", _B, 4, (0x71, 0x72))
TAG_9F19_TOKEN_REQUESTOR_ID = _define(0x9F19, "Token Requestor ID", _N, 6, _RECORD)
TAG_9F1A_TERMINAL_COUNTRY_CODE = _define(0x9F1A, "Terminal Country Code", _N, 2)
TAG_9F1B_TERMINAL_FLOOR_LIMIT = _define(0x9F1B, "Terminal Floor Limit", _B, 4)
TAG_9F1C_TERMINAL_IDENTIFICATION = _define(0x9F1C, "Terminal Identification", _AN, 8)
TAG_9F1D_TERMINAL_RISK_MANAGEMENT_DATA = _define(0x9F1D, "Terminal Risk Management Data", _B, (1, 8))
TAG_9F1E_IFD_SERIAL_NUMBER = _define(0x9F1E, "Interface Device (IFD) Serial Number", _AN, 8)
TAG_9F1F_TRACK_1_DISCRETIONARY_DATA = _define(0x9F1F, "Track 1 Discretionary Data", _ANS, _ANY, _RECORD)
TAG_9F20_TRACK_2_DISCRETIONARY_DATA = _define(0x9F20, "Track 2 Discretionary Data", _CN, _ANY, _RECORD)
TAG_9F21_TRANSACTION_TIME = _define(0x9F21, "Transaction Time", _N, 3)
TAG_9F22_CA_PUBLIC_KEY_INDEX_TERMINAL = _define(0x9F22, "Certification Authority Public Key Index, terminal", _B, 1)
TAG_9F23_UPPER_CONSECUTIVE_OFFLINE_LIMIT = _define(0x9F23, "Upper Consecutive Offline Limit", _B, 1, _RECORD)
TAG_9F24_PAYMENT_ACCOUNT_REFERENCE = _define(0x9F24, "Payment Account Reference (PAR)", _AN, 29, _RECORD)
TAG_9F25_LAST_4_DIGITS_OF_PAN = _define(0x9F25, "Last 4 Digits of PAN", _N, 2, _RECORD)
TAG_9F26_APPLICATION_CRYPTOGRAM = _define(0x9F26, "Application Cryptogram", _B, 8, _REPLY)
TAG_9F27_CRYPTOGRAM_INFORMATION_DATA = _define(0x9F27, "Cryptogram Information Data (CID)", _B, 1, _REPLY)
TAG_9F2D_ICC_PIN_PUBLIC_KEY_CERTIFICATE = _define(0x9F2D, "ICC PIN Encipherment Public Key Certificate", _B, _ANY, _RECORD)
TAG_9F2E_ICC_PIN_PUBLIC_KEY_EXPONENT = _define(0x9F2E, "ICC PIN Encipherment Public Key Exponent", _B, (1, 3), _RECORD)
TAG_9F2F_ICC_PIN_PUBLIC_KEY_REMAINDER = _define(0x9F2F, "ICC PIN Encipherment Public Key Remainder", _B, _ANY, _RECORD)
TAG_9F30_BIOMETRIC_TERMINAL_CAPABILITIES = _define(0x9F30, "Biometric Terminal Capabilities", _B, 3)
TAG_9F31_CARD_BIT_GROUP_TEMPLATE = _define(0x9F31, "Card BIT Group Template", _B, _ANY, _RECORD)
TAG_9F32_ISSUER_PUBLIC_KEY_EXPONENT = _define(0x9F32, "Issuer Public Key Exponent", _B, (1, 3), _RECORD)
TAG_9F33_TERMINAL_CAPABILITIES = _define(0x9F33, "Terminal Capabilities", _B, 3)
TAG_9F34_CVM_RESULTS = _define(0x9F34, "Cardholder Verification Method (CVM) Results", _B, 3)
TAG_9F35_TERMINAL_TYPE = _define(0x9F35, "Terminal Type", _N, 1)
TAG_9F36_ATC = _define(0x9F36, "Application Transaction Counter (ATC)", _B, 2, _REPLY)
TAG_9F37_UNPREDICTABLE_NUMBER = _define(0x9F37, "Unpredictable Number", _B, 4)
TAG_9F38_PDOL = _define(0x9F38, "Processing Options Data Object List (PDOL)", _DOL, _ANY, (0xA5,))
TAG_9F39_POS_ENTRY_MODE = _define(0x9F39, "Point-of-Service (POS) Entry Mode", _N, 1)
TAG_9F3A_AMOUNT_REFERENCE_CURRENCY = _define(0x9F3A, "Amount, Reference Currency", _B, 4)
TAG_9F3B_APPLICATION_REFERENCE_CURRENCY = _define(0x9F3B, "Application Reference Currency", _N, (2, 8), _RECORD)
TAG_9F3C_TRANSACTION_REFERENCE_CURRENCY_CODE = _define(0x9F3C, "Transaction Reference Currency Code", _N, 2)
TAG_9F3D_TRANSACTION_REFERENCE_CURRENCY_EXPONENT = _define(0x9F3D, "Transaction Reference Currency Exponent", _N, 1)
TAG_9F40_ADDITIONAL_TERMINAL_CAPABILITIES = _define(0x9F40, "Additional Terminal Capabilities", _B, 5)
TAG_9F41_TRANSACTION_SEQUENCE_COUNTER = _define(0x9F41, "Transaction Sequence Counter", _N, (2, 4))
TAG_9F42_APPLICATION_CURRENCY_CODE = _define(0x9F42, "Application Currency Code", _N, 2, _RECORD)
TAG_9F43_APPLICATION_REFERENCE_CURRENCY_EXPONENT = _define(0x9F43, "Application Reference Currency Exponent", _N, (1, 4), _RECORD)
TAG_9F44_APPLICATION_CURRENCY_EXPONENT = _define(0x9F44, "Application Currency Exponent", _N, 1, _RECORD)
TAG_9F45_DATA_AUTHENTICATION_CODE = _define(0x9F45, "Data Authentication Code", _B, 2)
TAG_9F46_ICC_PUBLIC_KEY_CERTIFICATE = _define(0x9F46, "ICC Public Key Certificate", _B, _ANY, _RECORD)
TAG_9F47_ICC_PUBLIC_KEY_EXPONENT = _define(0x9F47, "ICC Public Key Exponent", _B, (1, 3), _RECORD)
TAG_9F48_ICC_PUBLIC_KEY_REMAINDER = _define(0x9F48, "ICC Public Key Remainder", _B, _ANY, _RECORD)
TAG_9F49_DDOL = _define(0x9F49, "Dynamic Data Authentication Data Object List (DDOL)", _DOL, (0, 252), _RECORD)
TAG_9F4A_SDA_TAG_LIST = _define(0x9F4A, "Static Data Authentication Tag List", _TAGS, _ANY, _RECORD)
TAG_9F4B_SIGNED_DYNAMIC_APPLICATION_DATA = _define(0x9F4B, "Signed Dynamic Application Data", _B, _ANY, _REPLY)
TAG_9F4C_ICC_DYNAMIC_NUMBER = _define(0x9F4C, "ICC Dynamic Number", _B, (2, 8))
TAG_9F4D_LOG_ENTRY = _define(0x9F4D, "Log Entry", _B, 2, _DISCRETIONARY)
TAG_9F4E_MERCHANT_NAME_AND_LOCATION = _define(0x9F4E, "Merchant Name and Location", _ANS, _ANY)
TAG_9F4F_LOG_FORMAT = _define(0x9F4F, "Log Format", _DOL, _ANY)
TAG_9F5B_ISSUER_SCRIPT_RESULTS = _define(0x9F5B, "Issuer Script Results", _B, _ANY)
TAG_A1_BIOMETRIC_HEADER_TEMPLATE = _define(0xA1, "Biometric Header Template", _T, _ANY, (0x7F60,))
TAG_A5_FCI_PROPRIETARY_TEMPLATE = _define(0xA5, "FCI Proprietary Template", _T, _ANY, (0x6F,))
TAG_BF0C_FCI_ISSUER_DISCRETIONARY_DATA = _define(0xBF0C, "FCI Issuer Discretionary Data", _T, (0, 222), (0xA5,))
TAG_BF4A_OFFLINE_BIT_GROUP_TEMPLATE = _define(0xBF4A, "Offline BIT Group Template", _T, _ANY, (0x9F31,))
TAG_BF4B_ONLINE_BIT_GROUP_TEMPLATE = _define(0xBF4B, "Online BIT Group Template", _T, _ANY, (0x9F31,))
TAG_BF4C_BIOMETRIC_TRY_COUNTERS_TEMPLATE = _define(0xBF4C, "Biometric Try Counters Template", _T, _ANY)
TAG_BF4D_PREFERRED_ATTEMPTS_TEMPLATE = _define(0xBF4D, "Preferred Attempts Template", _T, _ANY)
TAG_BF4E_BIOMETRIC_VERIFICATION_DATA_TEMPLATE = _define(0xBF4E, "Biometric Verification Data Template", _T, _ANY)
TAG_DF50_FACIAL_TRY_COUNTER = _define(0xDF50, "Facial Try Counter", _B, 1, (0xBF4C,))
TAG_DF50_PREFERRED_FACIAL_ATTEMPTS = _define(0xDF50, "Preferred Facial Attempts", _B, 1, (0xBF4D,))
TAG_DF50_ENCIPHERED_BIOMETRIC_KEY_SEED = _define(0xDF50, "Enciphered Biometric Key Seed", _B, _ANY, (0xBF4E,))
TAG_DF51_FINGER_TRY_COUNTER = _define(0xDF51, "Finger Try Counter", _B, 1, (0xBF4C,))
TAG_DF51_PREFERRED_FINGER_ATTEMPTS = _define(0xDF51, "Preferred Finger Attempts", _B, 1, (0xBF4D,))
TAG_DF51_ENCIPHERED_BIOMETRIC_DATA = _define(0xDF51, "Enciphered Biometric Data", _B, _ANY, (0xBF4E,))
TAG_DF52_IRIS_TRY_COUNTER = _define(0xDF52, "Iris Try Counter", _B, 1, (0xBF4C,))
TAG_DF52_PREFERRED_IRIS_ATTEMPTS = _define(0xDF52, "Preferred Iris Attempts", _B, 1, (0xBF4D,))
TAG_DF52_MAC_OF_ENCIPHERED_BIOMETRIC_DATA = _define(0xDF52, "MAC of Enciphered Biometric Data", _B, _ANY, (0xBF4E,))
TAG_DF53_PALM_TRY_COUNTER = _define(0xDF53, "Palm Try Counter", _B, 1, (0xBF4C,))
TAG_DF53_PREFERRED_PALM_ATTEMPTS = _define(0xDF53, "Preferred Palm Attempts", _B, 1, (0xBF4D,))
TAG_DF54_VOICE_TRY_COUNTER = _define(0xDF54, "Voice Try Counter", _B, 1, (0xBF4C,))
TAG_DF54_PREFERRED_VOICE_ATTEMPTS = _define(0xDF54, "Preferred Voice Attempts", _B, 1, (0xBF4D,))

# EMV Contactless Books A and B: the Entry Point.
TAG_9F29_EXTENDED_SELECTION = _define(0x9F29, "Extended Selection", _B, (1, 16), (0x61,))
TAG_9F2A_KERNEL_IDENTIFIER = _define(0x9F2A, "Kernel Identifier", _B, (0, 8), (0x61,))
TAG_9F66_TTQ = _define(0x9F66, "Terminal Transaction Qualifiers (TTQ)", _B, 4)

# Book C-2.
_C2 = (2,)
TAG_56_TRACK_1_DATA = _define(0x56, "Track 1 Data", _ANS, (0, 76), _RECORD)
TAG_9F50_OFFLINE_ACCUMULATOR_BALANCE = _define(0x9F50, "Offline Accumulator Balance", _N, 6, (), _C2)
TAG_9F51_DRDOL = _define(0x9F51, "Data Recovery Data Object List (DRDOL)", _DOL, (0, 250), _RECORD, _C2)
TAG_9F53_TRANSACTION_CATEGORY_CODE = _define(0x9F53, "Transaction Category Code", _AN, 1, (), _C2)
TAG_9F54_DS_ODS_CARD = _define(0x9F54, "DS ODS Card", _B, (0, 160), (0x77,), _C2)
TAG_9F5B_DSDOL = _define(0x9F5B, "Data Storage Data Object List (DSDOL)", _DOL, (0, 250), _RECORD, _C2)
TAG_9F5C_DS_REQUESTED_OPERATOR_ID = _define(0x9F5C, "DS Requested Operator ID", _B, 8, (), _C2)
TAG_9F5D_APPLICATION_CAPABILITIES_INFORMATION = _define(0x9F5D, "Application Capabilities Information", _B, 3, (0xBF0C,), _C2)
TAG_9F5E_DS_ID = _define(0x9F5E, "Data Storage Identifier", _N, (8, 11), (0xBF0C,), _C2)
TAG_9F5F_DS_SLOT_AVAILABILITY = _define(0x9F5F, "DS Slot Availability", _B, 1, (0xBF0C,), _C2)
TAG_9F60_CVC3_TRACK_1 = _define(0x9F60, "CVC3 (Track1)", _B, 2, (0x77,), _C2)
TAG_9F61_CVC3_TRACK_2 = _define(0x9F61, "CVC3 (Track2)", _B, 2, (0x77,), _C2)
TAG_9F62_PCVC3_TRACK_1 = _define(0x9F62, "PCVC3 (Track1)", _B, 6, (0x70,), _C2)
TAG_9F63_PUNATC_TRACK_1 = _define(0x9F63, "PUNATC (Track1)", _B, 6, (0x70,), _C2)
TAG_9F64_NATC_TRACK_1 = _define(0x9F64, "NATC (Track1)", _B, 1, (0x70,), _C2)
TAG_9F65_PCVC3_TRACK_2 = _define(0x9F65, "PCVC3 (Track2)", _B, 2, (0x70,), _C2)
TAG_9F66_PUNATC_TRACK_2 = _define(0x9F66, "PUNATC (Track2)", _B, 2, (0x70,), _C2)
TAG_9F67_NATC_TRACK_2 = _define(0x9F67, "NATC (Track2)", _B, 1, (0x70,), _C2)
TAG_9F69_UDOL = _define(0x9F69, "UDOL", _DOL, (0, 250), (0x70,), _C2)
TAG_9F6A_UNPREDICTABLE_NUMBER_NUMERIC = _define(0x9F6A, "Unpredictable Number (Numeric)", _N, 4, (), _C2)
TAG_9F6B_TRACK_2_DATA = _define(0x9F6B, "Track 2 Data", _B, (0, 19), (0x70,), _C2)
TAG_9F6D_MAG_STRIPE_APPLICATION_VERSION = _define(0x9F6D, "Mag-stripe Application Version Number (Reader)", _B, 2, (), _C2)
TAG_9F6E_THIRD_PARTY_DATA = _define(0x9F6E, "Third Party Data", _B, (5, 32), (0x70, 0x77, 0xBF0C), _C2)
TAG_9F6F_DS_SLOT_MANAGEMENT_CONTROL = _define(0x9F6F, "DS Slot Management Control", _B, 1, (0xBF0C,), _C2)
TAG_9F70_PROTECTED_DATA_ENVELOPE_1 = _define(0x9F70, "Protected Data Envelope 1", _B, (0, 192), (), _C2)
TAG_9F71_PROTECTED_DATA_ENVELOPE_2 = _define(0x9F71, "Protected Data Envelope 2", _B, (0, 192), (), _C2)
TAG_9F72_PROTECTED_DATA_ENVELOPE_3 = _define(0x9F72, "Protected Data Envelope 3", _B, (0, 192), (), _C2)
TAG_9F73_PROTECTED_DATA_ENVELOPE_4 = _define(0x9F73, "Protected Data Envelope 4", _B, (0, 192), (), _C2)
TAG_9F74_PROTECTED_DATA_ENVELOPE_5 = _define(0x9F74, "Protected Data Envelope 5", _B, (0, 192), (), _C2)
TAG_9F75_UNPROTECTED_DATA_ENVELOPE_1 = _define(0x9F75, "Unprotected Data Envelope 1", _B, (0, 192), (), _C2)
TAG_9F76_UNPROTECTED_DATA_ENVELOPE_2 = _define(0x9F76, "Unprotected Data Envelope 2", _B, (0, 192), (), _C2)
TAG_9F77_UNPROTECTED_DATA_ENVELOPE_3 = _define(0x9F77, "Unprotected Data Envelope 3", _B, (0, 192), (), _C2)
TAG_9F78_UNPROTECTED_DATA_ENVELOPE_4 = _define(0x9F78, "Unprotected Data Envelope 4", _B, (0, 192), (), _C2)
TAG_9F79_UNPROTECTED_DATA_ENVELOPE_5 = _define(0x9F79, "Unprotected Data Envelope 5", _B, (0, 192), (), _C2)
TAG_9F7C_MERCHANT_CUSTOM_DATA = _define(0x9F7C, "Merchant Custom Data", _B, 20, (), _C2)
TAG_9F7D_DS_SUMMARY_1 = _define(0x9F7D, "DS Summary 1", _B, (8, 16), (0xBF0C,), _C2)
TAG_9F7E_MOBILE_SUPPORT_INDICATOR = _define(0x9F7E, "Mobile Support Indicator", _B, 1, (), _C2)
TAG_9F7F_DS_UNPREDICTABLE_NUMBER = _define(0x9F7F, "DS Unpredictable Number", _B, 4, (0xBF0C,), _C2)
TAG_DF4B_POS_CARDHOLDER_INTERACTION_INFORMATION = _define(0xDF4B, "POS Cardholder Interaction Information", _B, 3, (0x77,), _C2)
TAG_DF60_DS_INPUT_CARD = _define(0xDF60, "DS Input (Card)", _B, 8, (), _C2)
TAG_DF61_DS_DIGEST_H = _define(0xDF61, "DS Digest H", _B, 8, (), _C2)
TAG_DF62_DS_ODS_INFO = _define(0xDF62, "DS ODS Info", _B, 1, (), _C2)
TAG_DF63_DS_ODS_TERM = _define(0xDF63, "DS ODS Term", _B, (0, 160), (), _C2)
TAG_DF8101_DS_SUMMARY_2 = _define(0xDF8101, "DS Summary 2", _B, (8, 16), (0x77,), _C2)
TAG_DF8102_DS_SUMMARY_3 = _define(0xDF8102, "DS Summary 3", _B, (8, 16), (0x77,), _C2)
TAG_DF8104_BALANCE_READ_BEFORE_GEN_AC = _define(0xDF8104, "Balance Read Before Gen AC", _N, 6, (), _C2)
TAG_DF8105_BALANCE_READ_AFTER_GEN_AC = _define(0xDF8105, "Balance Read After Gen AC", _N, 6, (), _C2)
TAG_DF8106_DATA_NEEDED = _define(0xDF8106, "Data Needed", _TAGS, _ANY, (), _C2)
TAG_DF8107_CDOL1_RELATED_DATA = _define(0xDF8107, "CDOL1 Related Data", _B, _ANY, (), _C2)
TAG_DF8108_DS_AC_TYPE = _define(0xDF8108, "DS AC Type", _B, 1, (), _C2)
TAG_DF8109_DS_INPUT_TERM = _define(0xDF8109, "DS Input (Term)", _B, 8, (), _C2)
TAG_DF810A_DS_ODS_INFO_FOR_READER = _define(0xDF810A, "DS ODS Info For Reader", _B, 1, (), _C2)
TAG_DF810B_DS_SUMMARY_STATUS = _define(0xDF810B, "DS Summary Status", _B, 1, (), _C2)
TAG_DF810C_KERNEL_ID = _define(0xDF810C, "Kernel ID", _B, 1, (), _C2)
TAG_DF810D_DSVN_TERM = _define(0xDF810D, "DSVN Term", _B, (1, 2), (), _C2)
TAG_DF810E_POST_GEN_AC_PUT_DATA_STATUS = _define(0xDF810E, "Post-Gen AC Put Data Status", _B, 1, (), _C2)
TAG_DF810F_PRE_GEN_AC_PUT_DATA_STATUS = _define(0xDF810F, "Pre-Gen AC Put Data Status", _B, 1, (), _C2)
TAG_DF8110_PROCEED_TO_FIRST_WRITE_FLAG = _define(0xDF8110, "Proceed To First Write Flag", _B, (0, 1), (), _C2)
TAG_DF8111_PDOL_RELATED_DATA = _define(0xDF8111, "PDOL Related Data", _B, _ANY, (), _C2)
TAG_DF8112_TAGS_TO_READ = _define(0xDF8112, "Tags To Read", _TAGS, _ANY, (), _C2)
TAG_DF8113_DRDOL_RELATED_DATA = _define(0xDF8113, "DRDOL Related Data", _B, _ANY, (), _C2)
TAG_DF8114_REFERENCE_CONTROL_PARAMETER = _define(0xDF8114, "Reference Control Parameter", _B, 1, (), _C2)
TAG_DF8115_ERROR_INDICATION = _define(0xDF8115, "Error Indication", _B, 6, (), _C2)
TAG_DF8116_USER_INTERFACE_REQUEST_DATA = _define(0xDF8116, "User Interface Request Data", _B, 22, (), _C2)
TAG_DF8117_CARD_DATA_INPUT_CAPABILITY = _define(0xDF8117, "Card Data Input Capability", _B, 1, (), _C2)
TAG_DF8118_CVM_CAPABILITY_REQUIRED = _define(0xDF8118, "CVM Capability, CVM Required", _B, 1, (), _C2)
TAG_DF8119_CVM_CAPABILITY_NOT_REQUIRED = _define(0xDF8119, "CVM Capability, No CVM Required", _B, 1, (), _C2)
TAG_DF811A_DEFAULT_UDOL = _define(0xDF811A, "Default UDOL", _DOL, 3, (), _C2)
TAG_DF811B_KERNEL_CONFIGURATION = _define(0xDF811B, "Kernel Configuration", _B, 1, (), _C2)
TAG_DF811C_TORN_RECORD_LIFETIME = _define(0xDF811C, "Max Lifetime of Torn Transaction Log Record", _B, 2, (), _C2)
TAG_DF811D_TORN_RECORDS_MAX = _define(0xDF811D, "Max Number of Torn Transaction Log Records", _B, 1, (), _C2)
TAG_DF811E_MAG_STRIPE_CVM_CAPABILITY_REQUIRED = _define(0xDF811E, "Mag-stripe CVM Capability, CVM Required", _B, 1, (), _C2)
TAG_DF811F_SECURITY_CAPABILITY = _define(0xDF811F, "Security Capability", _B, 1, (), _C2)
TAG_DF8120_TAC_DEFAULT = _define(0xDF8120, "Terminal Action Code, Default", _B, 5, (), _C2)
TAG_DF8121_TAC_DENIAL = _define(0xDF8121, "Terminal Action Code, Denial", _B, 5, (), _C2)
TAG_DF8122_TAC_ONLINE = _define(0xDF8122, "Terminal Action Code, Online", _B, 5, (), _C2)
TAG_DF8123_FLOOR_LIMIT = _define(0xDF8123, "Reader Contactless Floor Limit", _N, 6, (), _C2)
TAG_DF8124_TRANSACTION_LIMIT_NO_CDCVM = _define(0xDF8124, "Reader Contactless Transaction Limit (No On-device CVM)", _N, 6, (), _C2)
TAG_DF8125_TRANSACTION_LIMIT_CDCVM = _define(0xDF8125, "Reader Contactless Transaction Limit (On-device CVM)", _N, 6, (), _C2)
TAG_DF8126_CVM_REQUIRED_LIMIT = _define(0xDF8126, "Reader CVM Required Limit", _N, 6, (), _C2)
TAG_DF8127_TIME_OUT_VALUE = _define(0xDF8127, "Time Out Value", _B, 2, (), _C2)
TAG_DF8128_IDS_STATUS = _define(0xDF8128, "IDS Status", _B, 1, (), _C2)
TAG_DF8129_OUTCOME_PARAMETER_SET = _define(0xDF8129, "Outcome Parameter Set", _B, 8, (), _C2)
TAG_DF812A_DD_CARD_TRACK_1 = _define(0xDF812A, "DD Card (Track1)", _ANS, (0, 56), (), _C2)
TAG_DF812B_DD_CARD_TRACK_2 = _define(0xDF812B, "DD Card (Track2)", _B, (0, 11), (), _C2)
TAG_DF812C_MAG_STRIPE_CVM_CAPABILITY_NOT_REQUIRED = _define(0xDF812C, "Mag-stripe CVM Capability, No CVM Required", _B, 1, (), _C2)
TAG_DF812D_MESSAGE_HOLD_TIME = _define(0xDF812D, "Message Hold Time", _N, 3, (), _C2)
TAG_DF8130_HOLD_TIME_VALUE = _define(0xDF8130, "Hold Time Value", _B, 1, (), _C2)
TAG_DF8131_PHONE_MESSAGE_TABLE = _define(0xDF8131, "Phone Message Table", _B, _ANY, (), _C2)
TAG_DF8132_RELAY_RESISTANCE_GRACE_MIN = _define(0xDF8132, "Minimum Relay Resistance Grace Period", _B, 2, (), _C2)
TAG_DF8133_RELAY_RESISTANCE_GRACE_MAX = _define(0xDF8133, "Maximum Relay Resistance Grace Period", _B, 2, (), _C2)
TAG_DF8134_EXPECTED_TIME_C_APDU = _define(0xDF8134, "Terminal Expected Transmission Time For Relay Resistance C-APDU", _B, 2, (), _C2)
TAG_DF8135_EXPECTED_TIME_R_APDU = _define(0xDF8135, "Terminal Expected Transmission Time For Relay Resistance R-APDU", _B, 2, (), _C2)
TAG_DF8136_RELAY_RESISTANCE_ACCURACY_THRESHOLD = _define(0xDF8136, "Relay Resistance Accuracy Threshold", _B, 2, (), _C2)
TAG_DF8137_RELAY_RESISTANCE_MISMATCH_THRESHOLD = _define(0xDF8137, "Relay Resistance Transmission Time Mismatch Threshold", _B, 1, (), _C2)
TAG_DF8301_TERMINAL_RELAY_RESISTANCE_ENTROPY = _define(0xDF8301, "Terminal Relay Resistance Entropy", _B, 4, (), _C2)
TAG_DF8302_DEVICE_RELAY_RESISTANCE_ENTROPY = _define(0xDF8302, "Device Relay Resistance Entropy", _B, 4, (), _C2)
TAG_DF8303_MIN_TIME_FOR_PROCESSING = _define(0xDF8303, "Min Time For Processing Relay Resistance APDU", _B, 2, (), _C2)
TAG_DF8304_MAX_TIME_FOR_PROCESSING = _define(0xDF8304, "Max Time For Processing Relay Resistance APDU", _B, 2, (), _C2)
TAG_DF8305_DEVICE_ESTIMATED_TIME = _define(0xDF8305, "Device Estimated Transmission Time For Relay Resistance R-APDU", _B, 2, (), _C2)
TAG_DF8306_MEASURED_PROCESSING_TIME = _define(0xDF8306, "Measured Relay Resistance Processing Time", _B, 2, (), _C2)
TAG_DF8307_RELAY_RESISTANCE_COUNTER = _define(0xDF8307, "RRP Counter", _B, 1, (), _C2)
TAG_FF8101_TORN_RECORD = _define(0xFF8101, "Torn Record", _T, _ANY, (), _C2)
TAG_FF8102_TAGS_TO_WRITE_BEFORE_GEN_AC = _define(0xFF8102, "Tags To Write Before Gen AC", _T, _ANY, (), _C2)
TAG_FF8103_TAGS_TO_WRITE_AFTER_GEN_AC = _define(0xFF8103, "Tags To Write After Gen AC", _T, _ANY, (), _C2)
TAG_FF8104_DATA_TO_SEND = _define(0xFF8104, "Data To Send", _T, _ANY, (), _C2)
TAG_FF8105_DATA_RECORD = _define(0xFF8105, "Data Record", _T, _ANY, (), _C2)
TAG_FF8106_DISCRETIONARY_DATA = _define(0xFF8106, "Discretionary Data", _T, _ANY, (), _C2)

# Book C-3; kernel 7 reads CTQ and card authentication data as kernel 3 does.
_C3 = (3,)
_C3_C7 = (3, 7)
TAG_9F5A_APPLICATION_PROGRAM_IDENTIFIER = _define(0x9F5A, "Application Program Identifier", _B, (1, 16), (0xBF0C,), _C3)
TAG_9F5D_AVAILABLE_OFFLINE_SPENDING_AMOUNT = _define(0x9F5D, "Available Offline Spending Amount (AOSA)", _N, 6, (0x77,), _C3_C7)
TAG_9F69_CARD_AUTHENTICATION_RELATED_DATA = _define(0x9F69, "Card Authentication Related Data", _B, (5, 16), _RECORD, _C3_C7)
TAG_9F6B_TRACK_2_DATA_MSD = _define(0x9F6B, "Track 2 Data", _B, (0, 19), _RECORD, _C3)
TAG_9F6C_CTQ = _define(0x9F6C, "Card Transaction Qualifiers (CTQ)", _B, 2, (0x77,), _C3_C7)
TAG_9F6E_FORM_FACTOR_INDICATOR = _define(0x9F6E, "Form Factor Indicator (FFI)", _B, 4, (0x77,), _C3)
TAG_9F7C_CUSTOMER_EXCLUSIVE_DATA = _define(0x9F7C, "Customer Exclusive Data (CED)", _B, (1, 32), (0x77,), _C3)

# Book C-4.
_C4 = (4,)
TAG_9F6D_CONTACTLESS_READER_CAPABILITIES = _define(0x9F6D, "Contactless Reader Capabilities", _B, 1, (), _C4)
TAG_9F6E_ENHANCED_READER_CAPABILITIES = _define(0x9F6E, "Enhanced Contactless Reader Capabilities", _B, 4, (), _C4)
TAG_9F70_CARD_INTERFACE_CAPABILITIES = _define(0x9F70, "Card Interface and Payment Capabilities", _B, 2, _RECORD, _C4)
TAG_9F71_MOBILE_CVM_RESULTS = _define(0x9F71, "Mobile CVM Results", _B, 3, _RECORD, _C4)

# Books C-5 and C-6: what is known of them without the books.
TAG_9F50_CARDHOLDER_VERIFICATION_STATUS = _define(0x9F50, "Cardholder Verification Status", _B, 1, (0x77,), (5,))
TAG_9F52_TERMINAL_COMPATIBILITY_INDICATOR = _define(0x9F52, "Terminal Compatibility Indicator", _B, 1, (), (5,))
TAG_9F53_TERMINAL_INTERCHANGE_PROFILE = _define(0x9F53, "Terminal Interchange Profile", _B, 3, (), (5,))
TAG_9F71_CARD_PROCESSING_REQUIREMENTS = _define(0x9F71, "Card Processing Requirements", _B, 2, (0x77,), (6,))

# Book C-7.
_C7 = (7,)
TAG_9F6B_CARD_CVM_LIMIT = _define(0x9F6B, "Card CVM Limit", _N, 6, _RECORD, _C7)
TAG_9F6D_EC_RESET_THRESHOLD = _define(0x9F6D, "Electronic Cash Reset Threshold", _N, 6, (), _C7)
TAG_9F74_EC_ISSUER_AUTHORISATION_CODE = _define(0x9F74, "Electronic Cash Issuer Authorisation Code", _AN, 6, _RECORD, _C7)
TAG_9F77_EC_BALANCE_LIMIT = _define(0x9F77, "Electronic Cash Balance Limit", _N, 6, (), _C7)
TAG_9F78_EC_SINGLE_TRANSACTION_LIMIT = _define(0x9F78, "Electronic Cash Single Transaction Limit", _N, 6, (), _C7)
TAG_9F79_EC_BALANCE = _define(0x9F79, "Electronic Cash Balance", _N, 6, (), _C7)
TAG_9F7A_EC_TERMINAL_SUPPORT_INDICATOR = _define(0x9F7A, "Electronic Cash Terminal Support Indicator", _N, 1, (), _C7)
TAG_9F7B_EC_TERMINAL_TRANSACTION_LIMIT = _define(0x9F7B, "Electronic Cash Terminal Transaction Limit", _N, 6, (), _C7)
TAG_DF60_CAPP_TRANSACTION_INDICATOR = _define(0xDF60, "CAPP Transaction Indicator", _B, 1, (), _C7)
TAG_DF61_SEGMENT_DISCOUNT_IDENTIFIER = _define(0xDF61, "Segment Discount Identifier", _B, 1, (), _C7)
TAG_DF69_SM_ALGORITHM_SUPPORT_INDICATOR = _define(0xDF69, "SM Algorithm Support Indicator", _B, 1, (), _C7)

# Books C-8 and E.
_C8 = (8,)
TAG_9E_KERNEL_KEY_DATA = _define(0x9E, "Kernel Key Data", _B, 64, (), _C8)
TAG_9F2B_KERNEL_QUALIFIER = _define(0x9F2B, "Kernel Qualifier", _B, 8, (), _C8)
TAG_9F2C_CARD_QUALIFIER = _define(0x9F2C, "Card Qualifier", _B, 7, (0xA5,), _C8)
TAG_9F8102_CARDHOLDER_VERIFICATION_DECISION = _define(0x9F8102, "Cardholder Verification Decision", _B, 1, (0x77,), _C8)
TAG_9F8103_CARD_KEY_DATA = _define(0x9F8103, "Card Key Data", _B, (64, 132), (0x77,), _C8)
TAG_9F8104_CARD_TVR = _define(0x9F8104, "Card TVR", _B, 5, (0x77,), _C8)
TAG_9F8105_EDA_MAC = _define(0x9F8105, "Enhanced Data Authentication MAC (EDA-MAC)", _B, 8, (0x77,), _C8)
TAG_9F8106_AUTHENTICATED_APPLICATION_DATA = _define(0x9F8106, "Authenticated Application Data", _B, _ANY, (0x77,), _C8)
TAG_9F8107_IAD_MAC_OFFSET = _define(0x9F8107, "IAD-MAC Offset", _B, 1, (0x77,), _C8)
TAG_9F8108_RESTART_INDICATOR = _define(0x9F8108, "Restart Indicator", _B, (1, 2), (0x77,), _C8)
TAG_9F8109_IAD_MAC = _define(0x9F8109, "Issuer Application Data MAC (IAD-MAC)", _B, 8, (), _C8)
TAG_9F810A_EXTENDED_SDA_TAG_LIST = _define(0x9F810A, "Extended SDA Tag List", _TAGS, _ANY, _RECORD, _C8)
TAG_9F810B_ICC_ECC_PUBLIC_KEY = _define(0x9F810B, "ICC ECC Public Key (for RSA certificates)", _B, _ANY, _RECORD, _C8)
TAG_9F810C_RELAY_RESISTANCE_TIME_EXCESS = _define(0x9F810C, "Relay Resistance Time Excess", _B, 2, (), _C8)
TAG_9F810D_CARD_CAPABILITIES_INFORMATION = _define(0x9F810D, "Card Capabilities Information", _B, _ANY, (0x77,), _C8)
TAG_9F8111_DATA_ENVELOPE_1 = _define(0x9F8111, "Data Envelope 1", _B, (0, 243), (), _C8)
TAG_9F8112_DATA_ENVELOPE_2 = _define(0x9F8112, "Data Envelope 2", _B, (0, 243), (), _C8)
TAG_9F8113_DATA_ENVELOPE_3 = _define(0x9F8113, "Data Envelope 3", _B, (0, 243), (), _C8)
TAG_9F8114_DATA_ENVELOPE_4 = _define(0x9F8114, "Data Envelope 4", _B, (0, 243), (), _C8)
TAG_9F8115_DATA_ENVELOPE_5 = _define(0x9F8115, "Data Envelope 5", _B, (0, 243), (), _C8)
TAG_9F8116_DATA_ENVELOPE_6 = _define(0x9F8116, "Data Envelope 6", _B, (0, 243), (), _C8)
TAG_9F8117_DATA_ENVELOPE_7 = _define(0x9F8117, "Data Envelope 7", _B, (0, 243), (), _C8)
TAG_9F8118_DATA_ENVELOPE_8 = _define(0x9F8118, "Data Envelope 8", _B, (0, 243), (), _C8)
TAG_9F8119_DATA_ENVELOPE_9 = _define(0x9F8119, "Data Envelope 9", _B, (0, 243), (), _C8)
TAG_9F811A_DATA_ENVELOPE_10 = _define(0x9F811A, "Data Envelope 10", _B, (0, 243), (), _C8)
TAG_9F8201_DATA_NEEDED = _define(0x9F8201, "Data Needed", _TAGS, _ANY, (), _C8)
TAG_9F8202_PROCEED_TO_FIRST_WRITE_FLAG = _define(0x9F8202, "Proceed To First Write Flag", _B, (0, 1), (), _C8)
TAG_9F8203_TAGS_TO_READ = _define(0x9F8203, "Tags To Read", _TAGS, _ANY, (), _C8)
TAG_9F8204_ERROR_INDICATION = _define(0x9F8204, "Error Indication", _B, 6, (), _C8)
TAG_9F8205_USER_INTERFACE_REQUEST_DATA_1 = _define(0x9F8205, "User Interface Request Data 1", _B, 13, (), _C8)
TAG_9F8206_CARD_DATA_INPUT_CAPABILITY = _define(0x9F8206, "Card Data Input Capability", _B, 1, (), _C8)
TAG_9F8207_CVM_CAPABILITY_REQUIRED = _define(0x9F8207, "CVM Capability, CVM Required", _B, 1, (), _C8)
TAG_9F8208_CVM_CAPABILITY_NOT_REQUIRED = _define(0x9F8208, "CVM Capability, No CVM Required", _B, 1, (), _C8)
TAG_9F8209_KERNEL_CONFIGURATION = _define(0x9F8209, "Kernel Configuration", _B, 2, (), _C8)
TAG_9F820A_SECURITY_CAPABILITY = _define(0x9F820A, "Security Capability", _B, 1, (), _C8)
TAG_9F820B_TAC_DENIAL = _define(0x9F820B, "Terminal Action Code, Denial", _B, 5, (), _C8)
TAG_9F820C_TAC_ONLINE = _define(0x9F820C, "Terminal Action Code, Online", _B, 5, (), _C8)
TAG_9F820D_FLOOR_LIMIT = _define(0x9F820D, "Reader Contactless Floor Limit", _N, 6, (), _C8)
TAG_9F820E_CVM_REQUIRED_LIMIT = _define(0x9F820E, "Reader CVM Required Limit", _N, 6, (), _C8)
TAG_9F820F_TIME_OUT_VALUE = _define(0x9F820F, "Time Out Value", _B, 2, (), _C8)
TAG_9F8210_OUTCOME_PARAMETER_SET = _define(0x9F8210, "Outcome Parameter Set", _B, 8, (), _C8)
TAG_9F8211_MESSAGE_HOLD_TIME = _define(0x9F8211, "Message Hold Time", _N, 3, (), _C8)
TAG_9F8212_HOLD_TIME_VALUE = _define(0x9F8212, "Hold Time Value", _B, 1, (), _C8)
TAG_9F8213_RELAY_RESISTANCE_GRACE_MIN = _define(0x9F8213, "Minimum Relay Resistance Grace Period", _B, 2, (), _C8)
TAG_9F8214_RELAY_RESISTANCE_GRACE_MAX = _define(0x9F8214, "Maximum Relay Resistance Grace Period", _B, 2, (), _C8)
TAG_9F8215_EXPECTED_TIME_C_APDU = _define(0x9F8215, "Terminal Expected Transmission Time For Relay Resistance C-APDU", _B, 2, (), _C8)
TAG_9F8216_EXPECTED_TIME_R_APDU = _define(0x9F8216, "Terminal Expected Transmission Time For Relay Resistance R-APDU", _B, 2, (), _C8)
TAG_9F8217_RELAY_RESISTANCE_ACCURACY_THRESHOLD = _define(0x9F8217, "Relay Resistance Accuracy Threshold", _B, 2, (), _C8)
TAG_9F8218_RELAY_RESISTANCE_MISMATCH_THRESHOLD = _define(0x9F8218, "Relay Resistance Transmission Time Mismatch Threshold", _B, 1, (), _C8)
TAG_9F8219_USER_INTERFACE_REQUEST_DATA_2 = _define(0x9F8219, "User Interface Request Data 2", _B, 13, (), _C8)
TAG_9F821A_RESERVED_TVR_MASK = _define(0x9F821A, "Reserved TVR Mask", _B, 5, (), _C8)
TAG_9F821B_WRITE_DATA_STATUS = _define(0x9F821B, "Write Data Status", _B, 1, (), _C8)
TAG_9F821C_READ_DATA_STATUS = _define(0x9F821C, "Read Data Status", _B, 1, (), _C8)
TAG_9F821D_MESSAGE_IDENTIFIERS_ON_RESTART = _define(0x9F821D, "Message Identifiers On Restart", _B, _ANY, (), _C8)
TAG_9F821E_DEFAULT_IAD_MAC_OFFSET = _define(0x9F821E, "Default IAD-MAC Offset", _B, 1, (), _C8)
TAG_9F821F_DISCRETIONARY_DATA_TAG_LIST = _define(0x9F821F, "Discretionary Data Tag List", _TAGS, _ANY, (), _C8)
TAG_9F8220_DEFAULT_CDOL1 = _define(0x9F8220, "Default CDOL1", _DOL, _ANY, (), _C8)
TAG_9F8221_TAG_MAPPING_LIST = _define(0x9F8221, "Tag Mapping List", _B, _ANY, (), _C8)
TAG_BF8101_DATA_TO_SEND = _define(0xBF8101, "Data To Send", _T, _ANY, (), _C8)
TAG_BF8102_DATA_RECORD = _define(0xBF8102, "Data Record", _T, _ANY, (), _C8)
TAG_BF8103_DISCRETIONARY_DATA = _define(0xBF8103, "Discretionary Data", _T, _ANY, (), _C8)
TAG_BF8104_DATA_ENVELOPES_TO_WRITE = _define(0xBF8104, "Data Envelopes To Write", _T, _ANY, (), _C8)
# fmt: on
