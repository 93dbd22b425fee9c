"""10.5 Cardholder verification: the card's list, rule by rule.

No PIN is ever in here. The kernel asks for one to be verified, with all that
is needed for it, and is told the card's status word.
"""

from __future__ import annotations

from dataclasses import dataclass

from emv import bits, cvm, tags
from emv.apdu import (
    STATUS_AUTHENTICATION_BLOCKED,
    STATUS_COUNTER,
    STATUS_COUNTER_MASK,
    STATUS_DATA_INVALIDATED,
    STATUS_OK,
    get_challenge,
)
from emv.authentication import PublicKey, recover_icc_key
from emv.bits import AIP, TSI, TVR, CVMRule
from emv.conversation import (
    Kernel,
    PINAnswer,
    PINEntry,
    TakeOnlinePIN,
    VerifyPIN,
    exchange,
    note,
    take_pin,
)
from emv.errors import AuthenticationFailed, Cancelled
from emv.kernels.contact.session import Session
from emv.outcome import CVM
from emv.risk import read_object

SOURCE = "Book 3, 10.5"

RESULT_UNKNOWN = 0x00
RESULT_FAILED = 0x01
RESULT_SUCCESSFUL = 0x02
CHALLENGE_BYTES = 8


@dataclass(slots=True)
class _PINs:
    """What earlier rules of the same list found out about PIN entry."""

    is_bypassed: bool = False
    is_pad_absent: bool = False


def verify_cardholder(session: Session) -> Kernel[None]:
    """Work through the card's list; the result is in TVR, TSI and tag 9F34.

    Raises MalformedData for a list that ends inside a rule, Cancelled if a
    PIN question ends so.

    Source: EMV 4.4 Book 3, 10.5; tag 9F34: Book 4, 6.3.4.5.
    """
    if AIP.CARDHOLDER_VERIFICATION not in session.aip:
        yield from note("the card does without cardholder verification", SOURCE)
        return
    value = session.card.get(tags.TAG_8E_CVM_LIST, b"")
    if len(value) in (0, 8):
        # Two amounts without a rule count as no list at all.
        session.tvr |= TVR.ICC_DATA_MISSING
        yield from note("the card has no CVM list", SOURCE)
        return
    cvm_list = bits.parse_cvm_list(value)
    here = cvm.Circumstances.of(session.card, session.terminal)
    pins = _PINs()
    results = bits.CVM_RESULTS_NONE_SUCCEEDED
    session.tsi |= TSI.CARDHOLDER_VERIFICATION_PERFORMED
    for rule in cvm_list.rules:
        if not cvm.is_met(rule, cvm_list, here):
            continue
        result = yield from _apply(session, rule, pins)
        if result is not None:
            results = _results(rule, result)
        if result in (RESULT_UNKNOWN, RESULT_SUCCESSFUL):
            session.terminal[tags.TAG_9F34_CVM_RESULTS] = results
            session.cvm = _cvm(rule.method)
            yield from note(
                "cardholder verification: {method}", SOURCE, method=bits.CVM_NAMES[rule.method]
            )
            return
        if not rule.applies_next:
            break
    session.tvr |= TVR.CARDHOLDER_VERIFICATION_FAILED
    session.terminal[tags.TAG_9F34_CVM_RESULTS] = results
    yield from note("cardholder verification failed", SOURCE)


def _results(rule: CVMRule, result: int) -> bytes:
    """Return tag 9F34 for a rule that was carried out."""
    code = rule.method | (bits.CVM_APPLY_NEXT if rule.applies_next else 0)
    return bytes((code, rule.condition, result))


def _cvm(method: int) -> CVM:
    """Return what is left to do for a method, or was done."""
    if method in cvm.SIGNATURE_METHODS:
        return CVM.SIGNATURE
    if method in cvm.OFFLINE_PIN_METHODS:
        return CVM.OFFLINE_PIN
    return CVM.ONLINE_PIN if method == cvm.ONLINE_PIN else CVM.NONE


def _apply(session: Session, rule: CVMRule, pins: _PINs) -> Kernel[int | None]:
    """Carry one rule out; return its result, None if it could not be tried."""
    method = rule.method
    if not cvm.is_recognised(method):
        session.tvr |= TVR.UNRECOGNISED_CVM
        return None
    if method == cvm.FAIL:
        return RESULT_FAILED
    if not cvm.is_supported(method, session.capabilities):
        if _is_pad_lacking(session, method):
            session.tvr |= TVR.PIN_PAD_ABSENT
        return None
    if method in cvm.PIN_METHODS:
        if pins.is_bypassed or pins.is_pad_absent:
            # Asked once is asked for the whole list. Source: Book 4, 6.3.4.3.
            return None
        verified = (
            (yield from _take_online_pin(session, pins))
            if method == cvm.ONLINE_PIN
            else (yield from _verify_offline_pin(session, method, pins))
        )
        if verified is not True:
            return None if verified is None else RESULT_FAILED
    is_open = method in cvm.SIGNATURE_METHODS or method == cvm.ONLINE_PIN
    return RESULT_UNKNOWN if is_open else RESULT_SUCCESSFUL


def _is_pad_lacking(session: Session, method: int) -> bool:
    """True if a PIN is wanted on a terminal that takes none of the kind.

    Source: EMV 4.4 Book 3, 10.5.1 and 10.5.2.
    """
    if method == cvm.ONLINE_PIN:
        return True
    return method in cvm.OFFLINE_PIN_METHODS and not (
        session.capabilities & cvm.OFFLINE_PIN_CAPABILITIES
    )


def _was_entered(session: Session, answer: PINAnswer, pins: _PINs) -> bool:
    """Note what became of a PIN question in the TVR; True if a PIN was entered.

    Raises Cancelled.
    """
    if answer.entry is PINEntry.CANCELLED:
        raise Cancelled("PIN entry was cancelled")
    if answer.entry is PINEntry.BYPASSED:
        session.tvr |= TVR.PIN_NOT_ENTERED
        pins.is_bypassed = True
    elif answer.entry is PINEntry.NO_PIN_PAD:
        session.tvr |= TVR.PIN_PAD_ABSENT
        pins.is_pad_absent = True
    return answer.entry is PINEntry.ENTERED


def _take_online_pin(session: Session, pins: _PINs) -> Kernel[bool | None]:
    """Have a PIN enciphered for the issuer. Source: EMV 4.4 Book 3, 10.5.2."""
    answer = yield from take_pin(TakeOnlinePIN(session.pan))
    if not _was_entered(session, answer, pins):
        return None
    session.tvr |= TVR.ONLINE_CVM_CAPTURED
    return True


def _verify_offline_pin(session: Session, method: int, pins: _PINs) -> Kernel[bool | None]:
    """Have the card check a PIN, as often as it allows.

    True if it was right, False if it was not, None if none was tried.

    Source: EMV 4.4 Book 3, 10.5.1.
    """
    tries = yield from read_object(tags.TAG_9F17_PIN_TRY_COUNTER, 1)
    tries_left = None if tries is None else tries[0]
    if tries_left == 0:
        session.tvr |= TVR.PIN_TRY_LIMIT_EXCEEDED
        yield from note("no try is left for the PIN", "Book 3, 10.5.1")
        return None
    icc_key: PublicKey | None = None
    if method in cvm.ENCIPHERED_METHODS:
        try:
            icc_key = _pin_key(session)
        except AuthenticationFailed as failure:
            yield from note(
                "the PIN cannot be enciphered: {failure}", "Book 2, 7.1", failure=str(failure)
            )
            return None
    is_retry = False
    while True:
        challenge = b""
        if icc_key is not None:
            reply = yield from exchange(get_challenge())
            if reply.status != STATUS_OK or len(reply.data) != CHALLENGE_BYTES:
                yield from note("the card gives no challenge for a PIN", "Book 2, 7.2")
                return False if is_retry else None
            challenge = reply.data
        answer = yield from take_pin(VerifyPIN(icc_key, challenge, tries_left, is_retry))
        if not _was_entered(session, answer, pins):
            return False if is_retry else None
        before, tries_left = tries_left, _tries_left(answer.status)
        if answer.status == STATUS_OK:
            return True
        if tries_left == 0:
            session.tvr |= TVR.PIN_TRY_LIMIT_EXCEEDED
        if not tries_left or (before is not None and tries_left >= before):
            # A card whose tries never become fewer would be asked for ever.
            return False
        is_retry = True


def _tries_left(status: int | None) -> int | None:
    """Return how many tries a VERIFY has left; None if its status does not say.

    Source: EMV 4.4 Book 3, 6.5.12.5 and 10.5.1.
    """
    if status in (STATUS_AUTHENTICATION_BLOCKED, STATUS_DATA_INVALIDATED):
        return 0
    if status is not None and status & STATUS_COUNTER_MASK == STATUS_COUNTER:
        return status & 0x0F
    return None


def _pin_key(session: Session) -> PublicKey:
    """Return the key a PIN is enciphered with: the card's own for PINs, else its one key.

    Raises AuthenticationFailed, naming the check.

    Source: EMV 4.4 Book 2, 7.1.
    """
    card, evidence = session.card, session.evidence
    if tags.TAG_9F2D_ICC_PIN_PUBLIC_KEY_CERTIFICATE not in card:
        return session.icc_key or evidence.icc_key()
    return recover_icc_key(
        card[tags.TAG_9F2D_ICC_PIN_PUBLIC_KEY_CERTIFICATE],
        card.get(tags.TAG_9F2F_ICC_PIN_PUBLIC_KEY_REMAINDER, b""),
        evidence.required(tags.TAG_9F2E_ICC_PIN_PUBLIC_KEY_EXPONENT),
        evidence.issuer_key(),
        b"",
        session.pan,
        session.transaction.date,
    )
