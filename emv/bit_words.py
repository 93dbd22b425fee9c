"""What the bits of a value mean, in lines for people.

The masks themselves are in emv.bits; here is what only a reader of a log
wants to know.
Source: EMV 4.4 Book 3, Annex C, and Book 4, Annex A; EMV Contactless
Books C-3, C-4 and C-6, as public descriptions give them.
"""

from __future__ import annotations

from collections.abc import Callable

from emv import tags
from emv.bits import (
    AIP,
    AUC,
    CID_AAC,
    CID_ADVICE_REQUIRED,
    CID_ARQC,
    CID_REASON_MASK,
    CID_TC,
    CID_TYPE_MASK,
    CTQ,
    CVM_CODE_MASK,
    CVM_CONDITION_NAMES,
    CVM_NAMES,
    TSI,
    TTQ,
    TVR,
    TVR8,
    AdditionalTerminalCapabilities,
    Bits,
    CardProcessingRequirements,
    EnhancedReaderCapabilities,
    FormFactorFeatures,
    TerminalCapabilities,
    parse_cvm_list,
)
from emv.errors import MalformedData

Describer = type[Bits] | Callable[[bytes], list[str]]

_CRYPTOGRAM_NAMES = {
    CID_AAC: "AAC: declined",
    CID_TC: "TC: approved offline",
    CID_ARQC: "ARQC: go online",
    CID_TYPE_MASK: "RFU",
}
_CID_REASONS = {
    1: "service not allowed",
    2: "PIN try limit exceeded",
    3: "issuer authentication failed",
}
CVM_RESULT_NAMES = {0x00: "unknown", 0x01: "failed", 0x02: "successful"}

_OWNERS = {1: "a financial institution", 2: "a merchant", 3: "a cardholder"}
_TERMINALS = {
    1: "attended, online only",
    2: "attended, offline with online capability",
    3: "attended, offline only",
    4: "unattended, online only",
    5: "unattended, offline with online capability",
    6: "unattended, offline only",
}
"""Terminal type, tag 9F35. Source: Book 4, Annex A1."""
_DEVICES = {0: "card", 1: "mobile phone", 2: "key fob", 3: "watch", 4: "mobile tag", 5: "wristband"}
"""Form Factor Indicator, tag 9F6E, byte 1. Source: Book C-3."""
_MOBILE_RESULTS = {0x01: "failed", 0x02: "successful", 0x03: "blocked"}
"""Mobile CVM Results, tag 9F71, byte 3. Source: Book C-4."""


def describe(
    tag: int, value: bytes, *, kernel: int | None = None, template: int | None = None
) -> list[str]:
    """Return lines that say what the bits of a value mean; none where none do.

    kernel, template: who reads the object, and where it stands.
    A value that is not as long as its tag demands is told so in a line.
    """
    reading = tags.meaning(tag, kernel=kernel, template=template)
    describer = None if reading is None else _OWN.get((tag, reading.kernels))
    # The others belong to the first reading: a kernel may have another.
    if describer is None and reading is not None and reading is tags.meanings(tag)[0]:
        describer = _DESCRIBERS.get(tag)
    if describer is None:
        return []
    if describer is TVR and kernel == 8:
        describer = TVR8
    return _describe_bits(describer, value) if isinstance(describer, type) else describer(value)


def _describe_bits(bits: type[Bits], value: bytes) -> list[str]:
    try:
        return bits.decode(value).describe()
    except MalformedData as fault:
        return [str(fault)]


def _describe_cvm_list(value: bytes) -> list[str]:
    try:
        cvm_list = parse_cvm_list(value)
    except MalformedData as fault:
        return [str(fault)]
    lines = [f"X {cvm_list.amount_x_minor}, Y {cvm_list.amount_y_minor} (minor units)"]
    for rule in cvm_list.rules:
        otherwise = "else next rule" if rule.applies_next else "else fail"
        lines.append(f"{_cvm(rule.method, rule.condition)}, {otherwise}")
    return lines


def _describe_cvm_results(value: bytes) -> list[str]:
    if len(value) != 3:
        return [f"CVM results of {len(value)} bytes, 3 expected"]
    result = CVM_RESULT_NAMES.get(value[2], f"result {value[2]:02X}")
    return [f"{_cvm(value[0] & CVM_CODE_MASK, value[1])}: {result}"]


def _cvm(method: int, condition: int) -> str:
    named = CVM_NAMES.get(method, f"CVM {method:02X}")
    return f"{named}, {CVM_CONDITION_NAMES.get(condition, f'condition {condition:02X}')}"


def _describe_cid(value: bytes) -> list[str]:
    if len(value) != 1:
        return [f"CID of {len(value)} bytes, 1 expected"]
    lines = [_CRYPTOGRAM_NAMES[value[0] & CID_TYPE_MASK]]
    if value[0] & CID_ADVICE_REQUIRED:
        lines.append("advice required")
    if value[0] & CID_REASON_MASK:
        lines.append(_CID_REASONS.get(value[0] & CID_REASON_MASK, "reason RFU"))
    return lines


def _describe_terminal_type(value: bytes) -> list[str]:
    if len(value) != 1:
        return [f"terminal type of {len(value)} bytes, 1 expected"]
    owner, kind = _OWNERS.get(value[0] >> 4), _TERMINALS.get(value[0] & 0x0F)
    return [f"{owner}'s terminal, {kind}"] if owner and kind else ["terminal type unknown"]


def _describe_form_factor(value: bytes) -> list[str]:
    if len(value) != 4:
        return [f"form factor indicator of {len(value)} bytes, 4 expected"]
    device = _DEVICES.get(value[0] & 0x1F, f"device type {value[0] & 0x1F:02X}")
    return [f"version {value[0] >> 5}", device, *FormFactorFeatures.decode(value[1:2]).labels()]


def _describe_mobile_cvm(value: bytes) -> list[str]:
    if len(value) != 3:
        return [f"mobile CVM results of {len(value)} bytes, 3 expected"]
    result = _MOBILE_RESULTS.get(value[2], f"result {value[2]:02X}")
    performed = {0x01: "mobile CVM performed", 0x3F: "no mobile CVM performed"}
    return [f"{performed.get(value[0], f'mobile CVM {value[0]:02X}')}: {result}"]


_DESCRIBERS: dict[int, Describer] = {
    tags.TAG_82_AIP: AIP,
    tags.TAG_9F07_APPLICATION_USAGE_CONTROL: AUC,
    tags.TAG_95_TVR: TVR,
    tags.TAG_9F0D_IAC_DEFAULT: TVR,
    tags.TAG_9F0E_IAC_DENIAL: TVR,
    tags.TAG_9F0F_IAC_ONLINE: TVR,
    tags.TAG_DF8120_TAC_DEFAULT: TVR,
    tags.TAG_DF8121_TAC_DENIAL: TVR,
    tags.TAG_DF8122_TAC_ONLINE: TVR,
    tags.TAG_9F820B_TAC_DENIAL: TVR8,
    tags.TAG_9F820C_TAC_ONLINE: TVR8,
    tags.TAG_9F8104_CARD_TVR: TVR8,
    tags.TAG_9B_TSI: TSI,
    tags.TAG_9F66_TTQ: TTQ,
    tags.TAG_9F6C_CTQ: CTQ,
    tags.TAG_9F33_TERMINAL_CAPABILITIES: TerminalCapabilities,
    tags.TAG_9F40_ADDITIONAL_TERMINAL_CAPABILITIES: AdditionalTerminalCapabilities,
    tags.TAG_8E_CVM_LIST: _describe_cvm_list,
    tags.TAG_9F34_CVM_RESULTS: _describe_cvm_results,
    tags.TAG_9F27_CRYPTOGRAM_INFORMATION_DATA: _describe_cid,
    tags.TAG_9F35_TERMINAL_TYPE: _describe_terminal_type,
}
_OWN: dict[tuple[int, tuple[int, ...]], Describer] = {
    (tags.TAG_9F6E_FORM_FACTOR_INDICATOR, (3,)): _describe_form_factor,
    (tags.TAG_9F6E_ENHANCED_READER_CAPABILITIES, (4,)): EnhancedReaderCapabilities,
    (tags.TAG_9F71_MOBILE_CVM_RESULTS, (4,)): _describe_mobile_cvm,
    (tags.TAG_9F71_CARD_PROCESSING_REQUIREMENTS, (6,)): CardProcessingRequirements,
}
"""Of readings that only some kernels have."""
