"""Which sign, colour and words stand for a payment's state."""

from __future__ import annotations

from dataclasses import dataclass

from terminal.messages import Message
from terminal.states import State
from terminal.view import TAKING, Kind, Medium, PaymentView
from ui.locale import Words, mark


@dataclass(frozen=True, slots=True)
class Mark:
    """A state in a list: sign, word, colour; never colour alone."""

    sign: str
    word: str
    ink: str


MARKS: dict[State, Mark] = {
    State.AWAITING_TENDER: Mark("-", mark("open"), "muted"),
    State.CODE_OPEN: Mark("?", mark("code open"), "soft-ask"),
    State.AUTHORISING: Mark("?", mark("authorising"), "soft-ask"),
    State.COMPLETING: Mark("?", mark("completing"), "soft-ask"),
    State.AWAITING_PAYER: Mark("?", mark("confirming"), "soft-ask"),
    State.CLOSING: Mark("?", mark("closing"), "soft-ask"),
    State.UNKNOWN: Mark("?", mark("checking"), "soft-ask"),
    State.REVERSING: Mark("?", mark("reversing"), "soft-ask"),
    State.REVERSAL_REFUSED: Mark("!", mark("not reversed"), "soft-no"),
    State.STORED: Mark("^", mark("stored"), "soft-keep"),
    State.DEFERRED: Mark("^", mark("not approved"), "soft-keep"),
    State.APPROVED: Mark("✓", mark("approved"), "live"),
    State.DECLINED: Mark("✗", mark("declined"), "soft-no"),
    State.CANCELLED: Mark("-", mark("cancelled"), "muted"),
    State.NOT_SENT: Mark("!", mark("not sent"), "muted"),
    State.REVERSED: Mark("«", mark("reversed"), "muted"),
    State.VOIDED: Mark("-", mark("voided"), "muted"),
    State.CAPTURED: Mark("✓", mark("completed"), "muted"),
    State.STORED_REFUSED: Mark("✗", mark("refused"), "soft-no"),
    State.SETTLED: Mark("-", mark("settled"), "muted"),
}
REFUNDED = Mark("«", mark("refunded"), "muted")
HELD = Mark("^", mark("held"), "soft-keep")
# "approved" beside an amount reads as one more sale.
_APPROVED = {
    Kind.REFUND: REFUNDED,
    Kind.VOID: MARKS[State.VOIDED],
    Kind.PREAUTH: HELD,
    Kind.INCREMENT: HELD,
    Kind.RELEASE: Mark("-", mark("released"), "muted"),
    Kind.BALANCE: Mark("-", mark("balance"), "muted"),
}


def state_mark(payment: PaymentView) -> Mark:
    """Return how a payment's state is shown in a list."""
    if payment.state is not State.APPROVED:
        return MARKS[payment.state]
    if payment.kind in TAKING and payment.refunded_minor >= payment.amount_minor:
        return REFUNDED
    return _APPROVED.get(payment.kind, MARKS[payment.state])


@dataclass(frozen=True, slots=True)
class Frame:
    """How a result looks: its field, sign and large word."""

    field: str
    ink: str
    sign: str
    word: str


_OK = ("ok", "ok-ink", "tick")
_NO = ("no", "no-ink", "cross")
_ASK = ("ask", "ask-ink", "question")
_PLAIN = ("raise", "ink", "dash")

APPROVED = Frame(*_OK, mark("APPROVED"))
TIMED_OUT = Frame(*_PLAIN, mark("TIMED OUT"))
FRAMES: dict[State, Frame] = {
    State.APPROVED: APPROVED,
    State.DECLINED: Frame(*_NO, mark("DECLINED")),
    State.STORED_REFUSED: Frame(*_NO, mark("REFUSED")),
    State.UNKNOWN: Frame(*_ASK, mark("UNKNOWN")),
    State.REVERSING: Frame(*_ASK, mark("REVERSAL")),
    State.REVERSAL_REFUSED: Frame(*_NO, mark("REVERSAL")),
    # The door is not shut yet: money may still come through it.
    State.CLOSING: Frame(*_ASK, mark("CLOSING")),
    State.REVERSED: Frame("raise", "ink", "back", mark("REVERSED")),
    State.VOIDED: Frame("raise", "ink", "back", mark("VOIDED")),
    State.CAPTURED: Frame("raise", "ink", "tick", mark("TAKEN")),
    State.STORED: Frame("keep", "keep-ink", "tray", mark("STORED")),
    State.DEFERRED: Frame("keep", "keep-ink", "tray", mark("STORED")),
    State.SETTLED: Frame(*_PLAIN, mark("CLOSED")),
    State.CANCELLED: Frame(*_PLAIN, mark("CANCELLED")),
    State.NOT_SENT: Frame("no", "no-ink", "bang", mark("NOT SENT")),
}
APPROVED_FRAMES: dict[Kind, Frame] = {
    Kind.REFUND: Frame(*_OK, mark("REFUNDED")),
    Kind.VOID: Frame(*_OK, mark("VOIDED")),
    Kind.PREAUTH: Frame(*_OK, mark("HELD")),
    Kind.INCREMENT: Frame(*_OK, mark("HELD")),
    Kind.RELEASE: Frame(*_OK, mark("RELEASED")),
    Kind.BALANCE: Frame(*_OK, mark("BALANCE")),
}


def result_frame(payment: PaymentView) -> Frame:
    """Return the frame of a payment's result.

    A state that has no result of its own shows as unknown: never as settled.
    """
    if payment.state is State.APPROVED and payment.kind in APPROVED_FRAMES:
        return APPROVED_FRAMES[payment.kind]
    if payment.state is State.CANCELLED and payment.reason is Message.TIMED_OUT:
        return TIMED_OUT
    return FRAMES.get(payment.state, FRAMES[State.UNKNOWN])


BRANDS = (mark("Alipay"), mark("WeChat Pay"), mark("UnionPay"), mark("UnionPay QR"))
"""Names that have another form in Chinese; others stay as they are."""

MEDIA: dict[Medium, str] = {
    Medium.CARD: mark("card"),
    Medium.CHIP: mark("chip"),
    Medium.PHONE: mark("phone"),
    Medium.KEYED: mark("number typed"),
    Medium.PAYMENT_CODE: mark("code scanned"),
    Medium.SHOWN_CODE: mark("code shown"),
}

KINDS: dict[Kind, str] = {
    Kind.SALE: mark("Sale"),
    Kind.REFUND: mark("Refund"),
    Kind.VOID: mark("Void"),
    Kind.PREAUTH: mark("Pre-authorisation"),
    Kind.INCREMENT: mark("Increment"),
    Kind.COMPLETION: mark("Completion"),
    Kind.RELEASE: mark("Release"),
    Kind.TIP: mark("Tip"),
    Kind.BALANCE: mark("Balance inquiry"),
}

# The customer and the cashier see the same sentence for these; the code is
# for the supervisor, in the summary.
HIDDEN_CODES = frozenset({"41", "43"})

CURRENCY_NAMES = {"CNY": mark("yuan")}


def figure_minor(payment: PaymentView) -> int:
    """Return what a result shows large: the amount, or the balance that was asked for."""
    return payment.amount_minor if payment.balance_minor is None else payment.balance_minor


def how_text(payment: PaymentView, words: Words) -> str:
    """Return how it was paid: 'Visa **** 4242', 'Alipay', or '-'."""
    parts = [words(payment.brand)] if payment.brand else []
    if payment.masked_pan:
        parts.append(f"**** {payment.masked_pan[-4:]}")
    if not parts and payment.medium:
        parts.append(words(MEDIA[payment.medium]))
    return " ".join(parts) or "-"
