"""Terminal action analysis: what the terminal wants the card to decide.

The findings so far, the TVR, are held against three masks, each an
issuer's and an acquirer's joined: deny, go online, and what to do when
nobody can be asked.
Source: EMV 4.4 Book 3, 10.7; the acquirer's masks: Book 4, 6.3.6.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass

from emv import tags
from emv.bits import CID_AAC, CID_ARQC, CID_TC, CRYPTOGRAM_TYPES, TVR, Bits
from emv.conversation import Kernel, note
from emv.outcome import Reason

NO_FINDING = TVR(0)
ANY_FINDING = TVR((1 << 40) - 1)
AUTHENTICITY = TVR.ODA_NOT_PERFORMED | TVR.SDA_FAILED | TVR.DDA_FAILED | TVR.CDA_FAILED
"""What an acquirer that says nothing must react to. Source: Book 3, 10.7."""


@dataclass(frozen=True, slots=True)
class ActionCodes:
    """Three masks over the TVR, an issuer's (IAC) or an acquirer's (TAC)."""

    denial: TVR = NO_FINDING
    online: TVR = AUTHENTICITY
    default: TVR = AUTHENTICITY


def issuer_action_codes(card: Mapping[int, bytes]) -> ActionCodes:
    """Return the masks on the card; one that is missing denies nothing and asks always.

    Raises MalformedData if one has a wrong length.

    Source: Book 3, 10.7.
    """

    def mask(tag: int, missing: TVR) -> TVR:
        return TVR.decode(card[tag]) if tag in card else missing

    return ActionCodes(
        denial=mask(tags.TAG_9F0E_IAC_DENIAL, NO_FINDING),
        online=mask(tags.TAG_9F0F_IAC_ONLINE, ANY_FINDING),
        default=mask(tags.TAG_9F0D_IAC_DEFAULT, ANY_FINDING),
    )


class Rule(enum.StrEnum):
    """What decided; stable words for the trace."""

    DENIAL = "action code denial"
    ONLINE = "action code online"
    DEFAULT = "action code default"
    NONE_APPLIES = "no action code applies"
    TERMINAL_ONLINE_ONLY = "the terminal is online only"
    TERMINAL_OFFLINE_ONLY = "the terminal is offline only"
    CARD_ONLINE_ONLY = "the card is online only"
    NEITHER_REACHES = "the card is online only, the terminal offline only"


class Reach(enum.Enum):
    """Whom a terminal can ask."""

    ONLINE_ONLY = "online only"
    OFFLINE_WITH_ONLINE = "offline with online capability"
    OFFLINE_ONLY = "offline only"


def reach_of(terminal_type: int) -> Reach:
    """Return what a terminal type says of its reach.

    terminal_type: tag 9F35 as printed, such as 0x22.

    Source: Book 4, Annex A1.
    """
    kind = terminal_type & 0x0F
    if kind in (1, 4):
        return Reach.ONLINE_ONLY
    return Reach.OFFLINE_ONLY if kind in (3, 6) else Reach.OFFLINE_WITH_ONLINE


@dataclass(frozen=True, slots=True)
class Decision:
    """What to ask the card for, and the findings that made it so."""

    cryptogram: int
    """CID_AAC, CID_ARQC or CID_TC of emv.bits."""
    findings: TVR
    """Empty where no mask was met."""
    rule: Rule


def analyse(tvr: TVR, issuer: ActionCodes, acquirer: ActionCodes, reach: Reach) -> Decision:
    """Decide what the first GENERATE AC asks for.

    Source: Book 3, 10.7.
    """
    denied = tvr & (issuer.denial | acquirer.denial)
    if denied:
        return Decision(CID_AAC, denied, Rule.DENIAL)
    if reach is Reach.ONLINE_ONLY:
        return Decision(CID_ARQC, NO_FINDING, Rule.TERMINAL_ONLINE_ONLY)
    if reach is Reach.OFFLINE_ONLY:
        return analyse_offline(tvr, issuer, acquirer, reach)
    asked = tvr & (issuer.online | acquirer.online)
    if asked:
        return Decision(CID_ARQC, asked, Rule.ONLINE)
    return Decision(CID_TC, NO_FINDING, Rule.NONE_APPLIES)


def analyse_offline(tvr: TVR, issuer: ActionCodes, acquirer: ActionCodes, reach: Reach) -> Decision:
    """Decide where the issuer cannot be asked: offline only, or unable to go online.

    Source: Book 3, 10.7 and 10.10.
    """
    if reach is Reach.ONLINE_ONLY:
        return Decision(CID_AAC, NO_FINDING, Rule.TERMINAL_ONLINE_ONLY)
    refused = tvr & (issuer.default | acquirer.default)
    if refused:
        return Decision(CID_AAC, refused, Rule.DEFAULT)
    return Decision(CID_TC, NO_FINDING, Rule.NONE_APPLIES)


def explain(cryptogram: int, rule: Rule, findings: Bits, source: str) -> Kernel[None]:
    """Write into the trace what the terminal asks for, by which rule and for which findings."""
    yield from note(
        "the terminal asks for {cryptogram}: {rule}",
        source,
        cryptogram=CRYPTOGRAM_TYPES[cryptogram],
        rule=rule.value,
    )
    for finding in findings.labels():
        yield from note("for this it was found: {finding}", source, finding=finding)


# What a cashier is told first, where a refusal has several findings.
_REASONS = (
    (TVR.ON_EXCEPTION_FILE, Reason.EXCEPTION_FILE),
    (TVR.SDA_FAILED | TVR.DDA_FAILED | TVR.CDA_FAILED, Reason.NOT_AUTHENTIC),
    (TVR.EXPIRED, Reason.EXPIRED),
    (TVR.NOT_YET_EFFECTIVE, Reason.NOT_YET_EFFECTIVE),
    (TVR.SERVICE_NOT_ALLOWED, Reason.SERVICE_NOT_ALLOWED),
    (TVR.RELAY_TIME_LIMITS_EXCEEDED | TVR.RELAY_THRESHOLD_EXCEEDED, Reason.TOO_SLOW),
    (TVR.PIN_TRY_LIMIT_EXCEEDED, Reason.PIN_BLOCKED),
    (TVR.PIN_PAD_ABSENT, Reason.PIN_NOT_POSSIBLE),
    (TVR.PIN_NOT_ENTERED, Reason.PIN_NOT_ENTERED),
    (TVR.CARDHOLDER_VERIFICATION_FAILED, Reason.CVM_NOT_POSSIBLE),
    (
        TVR.FLOOR_LIMIT_EXCEEDED
        | TVR.LOWER_OFFLINE_LIMIT_EXCEEDED
        | TVR.UPPER_OFFLINE_LIMIT_EXCEEDED
        | TVR.RANDOMLY_SELECTED
        | TVR.FORCED_ONLINE
        | TVR.NEW_CARD
        | TVR.ODA_NOT_PERFORMED,
        Reason.ONLINE_NOT_POSSIBLE,
    ),
)


def reason_of(findings: TVR) -> Reason:
    """Return the finding a cashier can do most about, as a reason to decline."""
    for bits, reason in _REASONS:
        if findings & bits:
            return reason
    return Reason.TERMINAL_DECLINED
