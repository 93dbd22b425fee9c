"""What is to be seen of the till at one moment."""

from __future__ import annotations

from dataclasses import replace

from terminal.batch.closing import Closing
from terminal.core.book import Book
from terminal.core.hand import Hand, Held
from terminal.core.notices import notices_for
from terminal.devices import Devices
from terminal.messages import Message
from terminal.news.news import News
from terminal.questions import CardAsks, ChoiceWanted, PinWanted
from terminal.states import FOR_A_PERSON, State
from terminal.view import Kind, Medium, PaymentView, Readiness, Stage, View

_ASKING = frozenset({Message.SEE_PHONE, Message.TAP_AGAIN, Message.ONE_CARD_ONLY})
"""Hints that the customer acts on: they take the place of "present card"."""
_CANCELLABLE = frozenset({State.AWAITING_TENDER, State.CODE_OPEN, State.AWAITING_PAYER})


def view_of(
    book: Book,
    hand: Hand,
    *,
    bank: Readiness,
    devices: Devices,
    journal_fault: bool,
    clock_wrong: bool,
    closing: Closing,
    news: News,
    now_ms: int,
) -> View:
    """Return the whole till."""
    payment, held = hand.payment, hand.held
    is_armed = hand.is_armed and held is not None and not held.reading
    reader, camera = devices.status("reader"), devices.status("camera")
    others = [other for other in book.payments() if payment is None or other.id != payment.id]
    view = View(
        bank=bank,
        reader=reader,
        camera=camera,
        tap=devices.light("reader", is_armed=is_armed),
        insert=devices.light("contact", is_armed=is_armed),
        scan=devices.light("camera", is_armed=is_armed),
        notices=notices_for(
            others,
            bank=bank,
            reader=reader,
            camera=camera,
            troubles=devices.troubles(),
            journal_fault=journal_fault,
            clock_wrong=clock_wrong,
            batches=closing.batches,
            is_day_over=closing.is_day_over,
            bulletins=len(news.bulletins),
            now_ms=now_ms,
        ),
        recent=book.recent,
        open_count=sum(other.state not in FOR_A_PERSON for other in book.payments()),
        batch=closing.number,
        inquiry=closing.inquiry,
        batches=closing.batches,
        parameters=news.version,
        bulletins=news.bulletins,
    )
    if payment is None or held is None:
        return view
    stage, prompt = _stage(payment, held)
    asked = None if held.question is None else held.question.question
    is_sale = payment.kind is Kind.SALE
    can_show = stage is Stage.PRESENT and is_sale and bank is not Readiness.FAULTY
    return replace(
        view,
        stage=stage,
        payment=payment,
        prompt=prompt,
        hint=held.hint,
        step=held.step,
        choices=asked.names if isinstance(asked, ChoiceWanted) else (),
        language=held.language,
        pin_digits=held.pin.digits if held.pin else 0,
        tries_left=asked.tries_left if isinstance(asked, PinWanted) else None,
        card_stays=asked is not None or (held.tender is not None and bool(held.tender.slot)),
        show=Readiness.READY if can_show else Readiness.OFF,
        keep=Readiness.READY if _can_keep(payment, held) else Readiness.OFF,
        code=held.code,
        started_at=held.started_at,
        deadline_at=None if stage is Stage.RESULT else held.question_until or held.deadline_at,
        next_ask_at=book.next_try(payment),
        cancellable=payment.state in _CANCELLABLE,
    )


def _can_keep(payment: PaymentView, held: Held) -> bool:
    return payment.state is State.NOT_SENT and held.sent is not None


def _choice_prompt(asked: CardAsks) -> Message:
    question = asked.question
    is_single = isinstance(question, ChoiceWanted) and len(question.names) == 1
    return Message.CONFIRM_APPLICATION if is_single else Message.CHOOSE_APPLICATION


def _stage(payment: PaymentView, held: Held) -> tuple[Stage, Message | None]:
    """Return which screen it is, and what it asks for."""
    match payment.state:
        case _ if held.pin is not None:
            return Stage.PIN, Message.ENTER_PIN
        case _ if held.question is not None:
            return Stage.CHOOSE, _choice_prompt(held.question)
        case State.AWAITING_TENDER if held.tender is not None:
            return Stage.PROCESSING, Message.REVERSING
        case State.AWAITING_TENDER if held.reading:
            return Stage.READING, Message.READING
        case State.AWAITING_TENDER:
            prompt = Message.PRESENT if payment.kind is Kind.SALE else Message.PRESENT_CARD
            return Stage.PRESENT, held.hint if held.hint in _ASKING else prompt
        case State.CODE_OPEN:
            return Stage.CODE, Message.READING if held.reading else Message.CUSTOMER_SCANS
        case State.AUTHORISING | State.COMPLETING if payment.medium is Medium.CHIP:
            return Stage.PROCESSING, Message.LEAVE_CARD_IN
        case State.AUTHORISING:
            return Stage.PROCESSING, Message.AUTHORISING
        case State.AWAITING_PAYER:
            return Stage.PAYER, Message.PAYER_CONFIRMS
        case State.CLOSING:
            return Stage.CLOSING, Message.CLOSING_CODE
        case _:
            return Stage.RESULT, payment.reason
