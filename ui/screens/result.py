"""The result: sign and word, what happened, what to do, the amount, small print."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len

from terminal.messages import Message
from terminal.states import State
from terminal.view import PRESENTED, Kind, PaymentView, Readiness
from ui.follow_ups import begin_again
from ui.locale import mark
from ui.money import short_identity, time_text
from ui.screens.page import Key, Page
from ui.screens.receipt import ReceiptPage
from ui.widgets.canvas import Canvas
from ui.widgets.chrome import Action
from ui.widgets.figures import draw_amount
from ui.widgets.lettering import draw_word, fits_large, lines_of, sign_pixels, word_pixels
from ui.wording import HIDDEN_CODES, MEDIA, figure_minor, how_text, result_frame

DEAF_S = 0.4
"""Keys pressed before the result was seen are not meant for it."""

# The sale is over, one way or the other: any digit begins the next.
ENDED_WELL = frozenset({State.APPROVED, State.STORED, State.DEFERRED})
# Nothing was taken: the same sale can be tried another way.
MAY_REPEAT = frozenset({State.DECLINED, State.NOT_SENT, State.REVERSED})
FIGURES_ROOM = 7
"""Rows for the smallest figures, with a blank one above and below."""

KEPT = frozenset({State.UNKNOWN, State.REVERSING, State.CLOSING})


class ResultPage(Page):
    """How the payment in hand ended, or that nobody knows yet."""

    name = "result"

    def actions(self) -> Sequence[Action]:
        """The next step first."""
        payment = self.desk.payment
        if payment is None:
            return (Action("Enter", mark("Next sale"), is_main=True),)
        receipt = Action("P", mark("Receipt"))
        if payment.state in KEPT:
            return (
                Action("Enter", mark("Check now"), is_main=True),
                Action("N", mark("Keep and go on")),
            )
        if payment.state in MAY_REPEAT and payment.kind in PRESENTED:
            again = {
                State.DECLINED: mark("Try another way"),
                State.NOT_SENT: mark("Try again"),
                State.REVERSED: mark("Charge again"),
            }[payment.state]
            close = Action("Esc", mark("Done"))
            if self.desk.view.keep is Readiness.READY:
                keep = Action("K", mark("Keep it, send later"))
                return Action("Enter", again, is_main=True), keep, close
            return Action("Enter", again, is_main=True), close, receipt
        if payment.state is State.CANCELLED and payment.kind in PRESENTED:
            return (
                Action("Enter", mark("Back to the amount"), is_main=True)
                if payment.reason is not Message.TIMED_OUT
                else Action("Enter", mark("Try again"), is_main=True),
                Action("Esc", mark("Done")),
            )
        if may_refuse_signature(payment):
            return (
                Action("Enter", mark("Signature is right"), is_main=True),
                Action("S", mark("Refuse signature")),
                receipt,
            )
        actions = [Action("Enter", mark("Next sale"), is_main=True), receipt]
        if payment.state is State.APPROVED and payment.kind is Kind.SALE:
            actions.append(Action("U", mark("Undo")))
        return actions

    def is_deaf(self) -> bool:
        """True while keys pressed are ignored."""
        return self.desk.till.now() - self.desk.stage_since < DEAF_S

    def press(self, key: Key) -> bool:
        """Take the next step."""
        if self.is_deaf():
            return True
        desk, payment = self.desk, self.desk.payment
        if payment is None:
            desk.till.leave()
            return True
        offered = {action.key for action in self.actions()}
        if payment.state in ENDED_WELL and key.digit:
            self._close(payment)
            desk.entry.type_digit(key.digit, desk.till.now())
        elif key.name == "enter":
            self._enter(payment)
        elif key.name == "escape":
            if payment.state in KEPT:
                desk.say(desk.words("Not settled yet. N keeps it and goes on"), is_refusal=True)
            else:
                self._close(payment)
        elif key.letter == "n" and "N" in offered:
            self._close(payment)
        elif key.letter == "k" and "K" in offered:
            desk.till.keep()
        elif key.letter == "s" and "S" in offered:
            desk.till.refuse_signature()
        elif key.letter == "u" and "U" in offered:
            # The result stands until the void is in hand: somebody may have to allow it.
            desk.till.void(payment.id)
            desk.entry.clear()
        elif key.letter == "p" and "P" in offered:
            if desk.shop.has_printer:
                desk.print_receipt(payment)
            else:
                self.open_page(ReceiptPage(desk, payment, is_copy=False))
        else:
            return False
        return True

    def _enter(self, payment: PaymentView) -> None:
        desk = self.desk
        is_presented = payment.kind in PRESENTED
        if payment.state in KEPT:
            desk.till.check_now()
        elif is_presented and (
            payment.state in MAY_REPEAT
            or (payment.state is State.CANCELLED and payment.reason is Message.TIMED_OUT)
        ):
            desk.till.leave()
            begin_again(desk.till, payment)
        elif is_presented and payment.state is State.CANCELLED:
            desk.till.leave()
        else:
            self._close(payment)

    def _close(self, payment: PaymentView) -> None:
        self.desk.till.leave()
        if payment.kind in PRESENTED:
            self.desk.entry.clear()

    # --- drawing ------------------------------------------------------------

    def paint(self, canvas: Canvas) -> None:
        """Draw the whole result in its field."""
        payment = self.desk.payment
        if payment is None:
            return
        frame = result_frame(payment)
        ink, is_wide = frame.ink, self.desk.is_wide
        canvas.fill(0, 0, canvas.width, canvas.height, frame.field)
        margin = 3 if is_wide else 2
        row = self._paint_word(canvas, margin, payment)
        width = canvas.width - 2 * margin
        strong, weak = self._lines(payment, width)
        for line in strong:
            row = canvas.put_wrapped(margin, row, width, 2, line, ink, bold=True)
        for line in weak:
            row = canvas.put_wrapped(margin, row, width, 2, line, ink)
        # The amount in figures comes before the last word of the small print.
        print_lines = self._small_print(payment, width)
        if canvas.height - len(print_lines) - row < FIGURES_ROOM:
            print_lines = print_lines[:1]
        foot = canvas.height - len(print_lines) - (2 if is_wide else 0)
        unit, text = self.desk.figures(figure_minor(payment))
        top = row + 1
        draw_amount(
            canvas,
            margin,
            top,
            width,
            min(9, foot - top - 1),
            unit=unit,
            text=text,
            ink=ink,
            align="left",
        )
        for number, line in enumerate(print_lines):
            canvas.put(margin, foot + number, line, ink)

    def _paint_word(self, canvas: Canvas, margin: int, payment: PaymentView) -> int:
        """Draw sign and word; return the row where text begins."""
        frame, is_wide = result_frame(payment), self.desk.is_wide
        word = self.desk.words(frame.word)
        if not self.desk.has_blocks:
            signs = {"tick": "✓", "cross": "✗", "question": "?", "tray": "^", "bang": "!"}
            text = f"{signs.get(frame.sign, '-')} {word}"
            canvas.put(margin, 2, text, frame.ink, bold=True)
            return 4
        top = 2 if is_wide else 1
        sign = sign_pixels(frame.sign, is_wide)
        room = canvas.width - 2 * margin - len(sign[0]) - 2
        is_large = is_wide and fits_large(word, room)
        pixels = word_pixels(word, is_large)
        canvas.bitmap(margin, top, sign, frame.ink)
        gap = 3 if len(pixels[0]) < room else 2
        height = 11 if is_wide else 7
        x = margin + len(sign[0]) + gap
        # Chinese fills the sign's height; Latin capitals stand in its middle.
        y = top + (height - lines_of(pixels)) // 2
        draw_word(canvas, x, y, word, frame.ink, is_large=is_large, has_blocks=True)
        return top + height + 1

    def _lines(self, payment: PaymentView, width: int) -> tuple[list[str], list[str]]:
        """Return what happened in bold lines, and the rest in plain ones."""
        desk, words = self.desk, self.desk.words
        say = desk.sentence
        if payment.state is State.APPROVED and payment.kind is Kind.SALE:
            if payment.signature:
                return [say(Message.CUSTOMER_SIGNS)], []
            return [words("Paid. Hand over the goods.")], []
        if payment.state is State.APPROVED and payment.kind is Kind.REFUND:
            return [words("The customer gets this money back.")], []
        is_undone = payment.state is State.APPROVED and payment.kind is Kind.VOID
        if is_undone or (payment.state is State.VOIDED and payment.kind is Kind.SALE):
            return [words("The sale is undone. The customer is not charged.")], []
        reason, step = _fallback(payment)
        reason, step = payment.reason or reason, payment.next_step or step
        first = say(reason) if reason else ""
        second = say(step) if step and step is not Message.NOTHING else ""
        if payment.state in KEPT or payment.state in (State.STORED, State.DEFERRED):
            return [first], [second] if second else []
        joined = f"{first.rstrip('。.')}   {second}" if second else first
        if cell_len(joined) <= width:
            return [joined], []
        return [first, second], []

    def _small_print(self, payment: PaymentView, width: int) -> list[str]:
        """Return up to two lines for whoever looks closely."""
        desk, words = self.desk, self.desk.words
        number = words("No. {number}").format(number=f"{payment.number:04d}")
        attempt = words("Attempt {identity}").format(identity=short_identity(payment))
        parts: list[str] = []
        how = how_text(payment, words)
        if payment.state in KEPT:
            parts.append(words("Sent {time}").format(time=time_text(payment.created_ms)))
            if payment.asked:
                parts.append(words("asked {count} times").format(count=payment.asked))
            if desk.view.next_ask_at is not None:
                left = max(0, int(desk.view.next_ask_at - desk.till.now() + 0.999))
                parts.append(words("next in {count} s").format(count=left))
        elif payment.state is State.DECLINED:
            parts.append(words("Nothing was charged."))
            if payment.response_code and payment.response_code not in HIDDEN_CODES:
                parts.append(words("Code {code}").format(code=payment.response_code))
        elif payment.state in (State.STORED, State.DEFERRED):
            parts.append(words("Not yet approved by the bank: the shop's risk"))
        elif how != "-":
            parts.append(how)
            if payment.medium and how != words(MEDIA[payment.medium]):
                parts.append(words(MEDIA[payment.medium]))
            if payment.authorisation:
                parts.append(words("auth {code}").format(code=payment.authorisation))
        return _fill([*parts, number, attempt], width)


def may_refuse_signature(payment: PaymentView) -> bool:
    """Return whether the cashier has a signature to look at."""
    is_taken = payment.state in (State.APPROVED, State.STORED)
    return payment.kind in PRESENTED and payment.signature and is_taken


def _fill(parts: Sequence[str], width: int) -> list[str]:
    """Join parts with three spaces on as many lines as they need."""
    lines: list[str] = []
    for part in parts:
        if lines and cell_len(lines[-1]) + 3 + cell_len(part) <= width:
            lines[-1] += "   " + part
        else:
            lines.append(part)
    return lines


_FALLBACKS: dict[State, tuple[Message, Message | None]] = {
    State.DECLINED: (Message.DECLINED_BY_BANK, Message.ANOTHER_CARD_OR_WALLET),
    State.CANCELLED: (Message.CANCELLED, None),
    State.NOT_SENT: (Message.NOT_SENT, Message.CHECK_NETWORK),
    State.UNKNOWN: (Message.UNKNOWN, Message.DO_NOT_CHARGE_AGAIN),
    State.REVERSING: (Message.REVERSING, Message.DO_NOT_CHARGE_AGAIN),
    State.CLOSING: (Message.CLOSING_CODE, Message.DO_NOT_CHARGE_AGAIN),
    State.REVERSED: (Message.REVERSED, Message.CHARGE_AGAIN),
    State.STORED: (Message.STORED, Message.SENT_LATER),
    State.DEFERRED: (Message.DEFERRED, Message.SENT_LATER),
    State.REVERSAL_REFUSED: (Message.REVERSAL_REFUSED, Message.TELL_SUPERVISOR),
    State.SETTLED: (Message.SETTLED, None),
    State.STORED_REFUSED: (Message.STORED_REFUSED, Message.TELL_SUPERVISOR),
}


def _fallback(payment: PaymentView) -> tuple[Message | None, Message | None]:
    """Return the sentences of a state whose payment names none."""
    return _FALLBACKS.get(payment.state, (Message.UNKNOWN, Message.DO_NOT_CHARGE_AGAIN))
