"""What stays in place round every screen: header, notices, actions, keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len

from terminal.messages import Message
from terminal.view import Notice, Readiness
from ui.desk import Desk
from ui.locale import LANGUAGES, Words, mark, other
from ui.money import clock_text
from ui.widgets.canvas import Canvas, cut

GUTTER = 2

_DEVICE_SIGNS = {
    Readiness.READY: ("✓", "live"),
    Readiness.STARTING: ("-", "muted"),
    Readiness.OFF: ("-", "muted"),
    Readiness.FAULTY: ("!", "soft-no"),
    Readiness.ABSENT: ("!", "soft-no"),
}

QUEUED = frozenset(
    {
        Message.BEING_CHECKED,
        Message.BEING_REVERSED,
        Message.BEING_CLOSED,
        Message.TO_BE_SENT,
        Message.DEFERRED_TO_BE_SENT,
    }
)
"""Notices that count payments the bank has not settled."""


def queue_length(notices: Sequence[Notice]) -> int:
    """Return how many payments still wait for the bank."""
    return sum(notice.count for notice in notices if notice.message in QUEUED)


def paint_header(canvas: Canvas, desk: Desk) -> None:
    """Draw name, till and cashier; bank, queue, reader and camera; time; language."""
    words, shop, view = desk.words, desk.shop, desk.view
    ink, dim = ("train-ink", "train-ink") if shop.is_training else ("ink", "muted")
    if shop.is_training:
        canvas.fill(0, 0, canvas.width, 1, "train")
    end = canvas.width - GUTTER
    is_tight = not desk.is_wide and (shop.is_bench or shop.is_training)
    gap = 5 if desk.is_wide else 2 if is_tight else 3
    end = canvas.put_right(end, 0, f"F10 {LANGUAGES[other(desk.language)]}", dim)
    end -= 2 if is_tight else 3
    end = canvas.put_right(end, 0, clock_text(desk.till.wall_ms()), ink, bold=True) - gap
    queue = queue_length(view.notices)
    devices = [
        (_DEVICE_SIGNS[view.bank], words("Bank")),
        (_DEVICE_SIGNS[view.reader], words("Reader")),
        (_DEVICE_SIGNS[view.camera], words("Camera")),
    ]
    # The notice row counts the queue as well: here it gives way first.
    is_crowded = is_tight and shop.is_bench and shop.is_training
    if queue and not is_crowded:
        devices.insert(1, (("?", "soft-ask"), words("Queue {count}").format(count=queue)))
    elif desk.is_wide:
        devices.insert(1, (("✓", "live"), words("Queue {count}").format(count=0)))
    gap = 3 if desk.is_wide else 2
    for (sign, sign_ink), word in reversed(devices):
        start = canvas.put_right(end, 0, word, dim)
        canvas.put(start - 2, 0, sign, ink if shop.is_training else sign_ink, bold=True)
        end = start - 2 - gap
    _paint_names(canvas, desk, end - (gap - 2), ink, dim)


def _paint_names(canvas: Canvas, desk: Desk, end: int, ink: str, dim: str) -> None:
    """Draw the names from the left, the most needed first."""
    words, shop = desk.words, desk.shop
    x = GUTTER
    if desk.is_wide or not (shop.is_bench and shop.is_training):
        x = canvas.put(x, 0, "OpenTill", ink, bold=True)
    if shop.is_bench:
        text = f" B {words('SIMULATED')} "
        left = GUTTER if x == GUTTER else x + 1
        x = canvas.put(left, 0, text, "train-ink", paper="train", bold=True)
    if shop.is_training:
        text = words("TRAINING: no money moves")
        short = words("TRAINING")
        fits = x + 2 + cell_len(text) <= end
        x = canvas.put(x + 2, 0, text if fits else short, ink, bold=True)
    gap = 2 if shop.is_bench or shop.is_training else 3
    for name in _names(desk):
        if name and x + gap + cell_len(name) <= end:
            x = canvas.put(x + gap, 0, name, dim)
            gap = 2


def _names(desk: Desk) -> tuple[str, str]:
    """Return the till's and the cashier's name; a bare number says whose it is."""
    words, shop = desk.words, desk.shop
    person = desk.till.staff.signed_in
    till, cashier = shop.till_name, person.called if person else ""
    if till.isdecimal():
        till = words("Till {number}").format(number=till)
    if cashier.isdecimal():
        cashier = words("Cashier {number}").format(number=cashier)
    return till, cashier


_NOTICE_FIELDS = {
    Message.NO_BANK: ("!", "no"),
    Message.JOURNAL_FAULT: ("!", "no"),
    Message.CLOCK_WRONG: ("!", "no"),
    # Money at the shop's risk: red until all is sent.
    Message.TO_BE_SENT: ("^", "no"),
    Message.DEFERRED_TO_BE_SENT: ("^", "no"),
    Message.STORED_REFUSED: ("!", "no"),
    Message.REVERSAL_REFUSED: ("!", "no"),
}


def paint_notice(canvas: Canvas, desk: Desk) -> None:
    """Draw the passing remark, else the gravest notice and how many more there are."""
    remark = desk.standing_remark()
    if remark:
        field, ink = ("ask", "ask-ink") if remark.is_refusal else ("raise", "ink")
        canvas.fill(0, 0, canvas.width, 1, field)
        sign = "! " if remark.is_refusal else ""
        text = cut(sign + " ".join(remark.text.split()), canvas.width - 2 * GUTTER)
        canvas.put(GUTTER, 0, text, ink, bold=True)
        return
    if not desk.view.notices:
        return
    notice, *rest = desk.view.notices
    sign, field = _NOTICE_FIELDS.get(notice.message, ("?", "ask"))
    canvas.fill(0, 0, canvas.width, 1, field)
    end = canvas.width - GUTTER
    if rest:
        end = canvas.put_right(end, 0, f"+{len(rest)}", f"{field}-ink", bold=True) - 2
    text = f"{sign} {notice_text(notice, desk)}"
    canvas.put(GUTTER, 0, cut(text, end - GUTTER), f"{field}-ink", bold=True)


def notice_text(notice: Notice, desk: Desk) -> str:
    """Return a notice in words: what, how many, how much, how old."""
    parts = [desk.message(notice.message)]
    if notice.count:
        parts[0] += f": {notice.count}"
    if notice.amount_minor:
        parts.append(desk.amount(notice.amount_minor))
    if notice.tries:
        parts.append(desk.words("tried {count} times").format(count=notice.tries))
    if notice.age_s is not None:
        parts.append(desk.words("oldest {age} ago").format(age=desk.age_text(notice.age_s)))
    return "   ".join(parts)


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that a key does here."""

    key: str
    """As on the keyboard: 'Enter', 'Esc', '+', 'F7'."""
    label: str
    """English; translated when drawn."""
    is_main: bool = False


def paint_actions(canvas: Canvas, actions: Sequence[Action], words: Words) -> None:
    """Draw what Enter, Esc and letters do here, the main one filled."""
    labels = [words(action.label) for action in actions]
    used = sum(
        len(action.key) + 3 + cell_len(label) for action, label in zip(actions, labels, strict=True)
    )
    spare = canvas.width - 2 * GUTTER - used
    gap = max(1, min(4, spare // max(1, len(actions) - 1)))
    x = GUTTER
    for action, label in zip(actions, labels, strict=True):
        ink, paper = ("ground", "key") if action.is_main else ("key", "raise")
        x = canvas.put(x, 0, f" {action.key} ", ink, paper=paper, bold=True)
        x = canvas.put(x + 1, 0, label, bold=action.is_main) + gap


FUNCTIONS = (
    ("F1", mark("Help"), 2),
    ("F2", mark("Find"), 10),
    ("F3", mark("Last"), 18),
    ("F4", mark("Void"), 26),
    ("F5", mark("Refund"), 34),
    ("F6", mark("Copy"), 44),
    ("F7", mark("Code"), 52),
    ("F8", mark("Close"), 62),
    ("F9", mark("More"), 71),
)
"""Key, word, and its column at 80 columns. Places are fixed."""

PITCH = 12
"""Columns from one function key to the next where there is room."""


def paint_functions(canvas: Canvas, desk: Desk) -> None:
    """Draw the function keys, always in the same places."""
    canvas.fill(0, 0, canvas.width, 1, "raise")
    has_room = canvas.width >= WIDE_KEYS
    for key, label, column in FUNCTIONS:
        x = GUTTER + (int(key[1:]) - 1) * PITCH if has_room else column
        x = canvas.put(x, 0, key, "key", bold=True)
        canvas.put(x + 1, 0, desk.words(label), "muted")


WIDE_KEYS = GUTTER + 9 * PITCH
