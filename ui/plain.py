"""The till in lines, for screen readers and slow terminals: `till run --plain`.

One event, one line; no colour, no cursor movement. The same door, the same
words, the same whole sale as on the screen.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable
from functools import partial
from typing import TextIO

from terminal.bench import Group
from terminal.errors import ApprovalNeeded, TillError
from terminal.messages import TEXT, Message
from terminal.states import State
from terminal.view import PRESENTED, Kind, PaymentView, Readiness, Stage, View
from ui.door import Door
from ui.follow_ups import FOLLOW_UPS, REFUND, FollowUp, begin_again
from ui.locale import mark, other, translate
from ui.money import amount_from_text, plain_amount, time_text
from ui.plain_day import DayInLines
from ui.refusals import refusal_text
from ui.screens.pin import tries_text
from ui.screens.result import may_refuse_signature
from ui.screens.story import stamp_of, told
from ui.wording import CURRENCY_NAMES, figure_minor, how_text, result_frame, state_mark

TOLD_AT_S = (30, 10)
"""Seconds left at which the time is told."""

KEPT = (State.UNKNOWN, State.REVERSING, State.CLOSING)
REPEATABLE = (State.DECLINED, State.NOT_SENT, State.REVERSED)

HELP = (
    mark("Type the amount and Enter: 34560 or 345.60. Enter again takes the payment."),
    mark("cancel: give up. code: show our code. check: ask the bank now. next: keep and go on."),
    mark("choose NUMBER: which application of the card pays; choose 0: none."),
    mark("list [search], show NUMBER, receipt NUMBER, refund NUMBER [AMOUNT], void NUMBER."),
    mark("card NUMBER: what card and till said to each other, and by which rules."),
    mark("hold AMOUNT: a pre-authorisation. complete NUMBER [AMOUNT], more NUMBER AMOUNT,"),
    mark("release NUMBER: take what is held, hold more, let it go. tip NUMBER AMOUNT."),
    mark("balance: what a card's account has."),
    mark("print NUMBER: the receipt on paper. drawer: open the cash drawer."),
    mark("close: the day's totals beside the bank's; Enter then closes the day."),
    mark("signin NAME SECRET [CODE], signout. allow NAME SECRET [CODE]: say yes for another."),
    mark("refuse: the signature is not the card's, the money goes back."),
    mark("keep: keep the sale that was not sent. sync: send what is kept. raise: keep more."),
    mark("inbox: what a supervisor must settle. settle NUMBER HOW."),
    mark("read: you have read the bank's messages."),
    mark("status, language, help, quit."),
)
BENCH_HELP = mark("bench: list what can be presented. bench NUMBER: do it.")

# What a line may begin with, in both languages and as the keys are called.
VERBS = {
    "cancel": ("cancel", "escape", "esc", "取消"),
    "code": ("code", "f7", "收款码"),
    "choose": ("choose", "选择"),
    "check": ("check", "c", "查询"),
    "next": ("next", "n", "下一笔"),
    "list": ("list", "payments", "f2", "交易"),
    "show": ("show", "查看"),
    "receipt": ("receipt", "copy", "p", "小票"),
    "card": ("card", "卡片"),
    "print": ("print", "f6", "打印"),
    "drawer": ("drawer", "钱箱"),
    "refund": ("refund", "f5", "退货"),
    "void": ("void", "f4", "撤销"),
    "hold": ("hold", "preauth", "预授权"),
    "balance": ("balance", "余额"),
    "complete": ("complete", "完成"),
    "more": ("more", "increment", "追加"),
    "release": ("release", "解冻"),
    "tip": ("tip", "小费"),
    "close": ("close", "f8", "结算"),
    "allow": ("allow", "授权"),
    "signin": ("signin", "签到"),
    "signout": ("signout", "签退"),
    "keep": ("keep", "k", "留存"),
    "refuse": ("refuse", "s", "拒签"),
    "sync": ("sync", "发送"),
    "inbox": ("inbox", "待处理"),
    "settle": ("settle", "处理"),
    "raise": ("raise", "提额"),
    "read": ("read", "已读"),
    "status": ("status", "状态"),
    "language": ("language", "f10", "语言"),
    "help": ("help", "f1", "?", "帮助"),
    "bench": ("bench", "b", "模拟台"),
    "quit": ("quit", "exit", "退出"),
    "yes": ("yes", "y", "是"),
}
_VERB_OF = {word: verb for verb, words in VERBS.items() for word in words}


class LineTill:
    """Turns lines into wishes and views into lines. It waits for nothing itself."""

    def __init__(self, till: Door, language: str, say: Callable[[str], None]) -> None:
        """say: takes one line to tell, without its line end."""
        self._till = till
        self._language = language
        self._say = say
        self._view = till.view()
        self._wedge = till.wedge()
        self._amount_minor: int | None = None
        """What Enter takes, on the sale."""
        self._confirm: tuple[FollowUp, PaymentView, int] | None = None
        """What waits for a yes: what to do, about which payment, and how much."""
        self._time_told: set[int] = set()
        self._left = ""
        """The payment whose result was closed last."""
        self._wants_code = False
        """The code is shown as soon as it may be."""
        self._day = DayInLines(till, lambda: self._language, say)
        self.is_over = False

    # --- words --------------------------------------------------------------

    def _words(self, english: str) -> str:
        return translate(self._language)(english)

    def _sentence(self, message: Message) -> str:
        return self._ended(self._words(TEXT[message]))

    def _ended(self, text: str) -> str:
        stop = "。" if self._language == "zh" else "."
        return text if text.endswith((stop, "?", "？", "!", "！")) else text + stop

    def _joined(self, sentences: Iterable[str]) -> str:
        return ("" if self._language == "zh" else " ").join(part for part in sentences if part)

    def _amount(self, amount_minor: int) -> str:
        shop = self._till.shop
        figures = plain_amount(amount_minor, shop.currency_digits)
        return f"{figures} {self._words(CURRENCY_NAMES.get(shop.currency, shop.currency))}"

    # --- what the till tells ------------------------------------------------

    def welcome(self) -> None:
        """Tell where one is."""
        shop = self._till.shop
        name = shop.name_zh if self._language == "zh" else shop.name
        number = shop.till_name
        is_number = number.isdecimal()
        called = self._words("Till {number}").format(number=number) if is_number else number
        self._say(f"OpenTill. {name}. {called}.")
        if shop.is_bench:
            self._say(self._words("This is a simulation. No money moves."))
        if shop.is_training:
            self._say(self._ended(self._words("TRAINING: no money moves")))
        self._say(self._words("Type an amount, or help."))
        if self._view.stage is not Stage.IDLE:
            self._tell_stage(self._view)

    def _leave(self) -> None:
        """Close a result. What is typed next is meant for what comes after it."""
        payment = self._view.payment
        self._till.leave()
        self._left = payment.id if payment else ""
        self._view = self._till.view()

    def saw(self, view: View) -> None:
        """Take a new view; tell what changed."""
        if view.stage is Stage.RESULT and view.payment and view.payment.id == self._left:
            # On its way when the cashier left it.
            return
        old, self._view = self._view, view
        for notice in view.notices:
            is_new = notice.message not in {each.message for each in old.notices}
            # What the bank writes is told in its own words below.
            if is_new and notice.message is not Message.BULLETIN:
                count = f" {notice.count}" if notice.count else ""
                self._say(self._ended(self._words(TEXT[notice.message]) + count))
        known = {bulletin.number for bulletin in old.bulletins}
        for bulletin in view.bulletins:
            if bulletin.number not in known:
                self._say(self._words("The bank writes: {text}").format(text=bulletin.text))
        before, after = old.payment, view.payment
        is_same = view.stage is old.stage and (before and (before.id, before.state)) == (
            after and (after.id, after.state)
        )
        if not is_same:
            if view.stage is not old.stage:
                self._time_told.clear()
            self._tell_stage(view)
        elif view.code and not old.code:
            self._tell_stage(view)
        elif view.hint and view.hint is not old.hint:
            self._say(self._sentence(view.hint))
        elif view.prompt and view.prompt is not old.prompt and view.stage is not Stage.RESULT:
            self._say(self._sentence(view.prompt))

        self._day.saw(old, view)
        self._show_wanted_code(view)

    def _show_wanted_code(self, view: View) -> None:
        if self._wants_code and view.stage is Stage.PRESENT and view.show is Readiness.READY:
            self._wants_code = False
            try:
                self._till.show_code()
            except TillError as error:
                self._refused(error)
        elif view.stage not in (Stage.IDLE, Stage.PRESENT):
            self._wants_code = False

    def _refused(self, error: TillError) -> None:
        self._say(self._ended(refusal_text(str(error), translate(self._language))))

    def _tell_stage(self, view: View) -> None:
        words = self._words
        if view.stage is Stage.PRESENT:
            left = self._seconds_left()
            self._say(
                self._joined(
                    (
                        words("Ready."),
                        self._sentence(view.prompt or Message.PRESENT),
                        words("{count} seconds.").format(count=left) if left else "",
                    )
                )
            )
        elif view.stage is Stage.READING:
            self._say(self._sentence(Message.READING))
        elif view.stage is Stage.CHOOSE:
            names = [f"{number} {name}." for number, name in enumerate(view.choices, start=1)]
            prompt = self._sentence(view.prompt or Message.CHOOSE_APPLICATION)
            how = words("choose NUMBER, or choose 0 for none.")
            self._say(" ".join((prompt, *names, how)))
        elif view.stage is Stage.PIN:
            bench = self._till.bench
            is_here = bench is not None and bench.takes_pin
            how = words("In this simulation: bench pin:1234.") if is_here else ""
            tries = tries_text(view, words)
            prompt = self._sentence(Message.ENTER_PIN)
            self._say(self._joined((self._ended(tries) if tries else "", prompt, how)))
        elif view.stage is Stage.CODE and view.code is None:
            self._say(words("Asking the bank."))
        elif view.stage is Stage.CODE:
            text = words("Our code is on the customer's screen. check asks, cancel closes it.")
            self._say(text)
        elif view.stage is Stage.PROCESSING:
            self._say(words("Authorising. Cannot be cancelled."))
        elif view.stage is Stage.PAYER:
            self._say(self._sentence(Message.PAYER_CONFIRMS))
        elif view.stage is Stage.CLOSING:
            self._say(self._sentence(Message.CLOSING_CODE))
        elif view.stage is Stage.RESULT and view.payment:
            self._tell_result(view.payment)

    def _tell_result(self, payment: PaymentView) -> None:
        words, state = self._words, payment.state
        word = words(result_frame(payment).word)
        head = word if self._language == "zh" else word.capitalize()
        amount = self._amount(figure_minor(payment))
        is_sale = payment.kind is Kind.SALE
        reason = self._sentence(payment.reason) if payment.reason else ""
        step = payment.next_step
        if state is State.APPROVED and is_sale:
            parts = [self._ended(head), self._ended(amount)]
            last = Message.CUSTOMER_SIGNS if payment.signature else Message.HAND_OVER
            self._say(self._joined([*parts, self._sentence(last)]))
        elif state is State.DECLINED:
            nothing = words("Nothing was charged.")
            self._say(self._joined((self._ended(head), reason, nothing)))
            if step and step is not Message.NOTHING:
                self._say(self._sentence(step))
        else:
            advice = self._sentence(step) if step and step is not Message.NOTHING else ""
            self._say(self._joined((self._ended(head), self._ended(amount), reason, advice)))
        self._say(self._next_text(payment))

    def _next_text(self, payment: PaymentView) -> str:
        if payment.state in KEPT:
            return self._words("Next: Enter, check now. next, keep it and go on.")
        if may_refuse_signature(payment):
            return self._words("Next: Enter, the signature is right. refuse, it is not.")
        if self._view.keep is Readiness.READY:
            return self._words("Next: Enter, another way. keep, keep it here. cancel, close.")
        if payment.kind in PRESENTED and payment.state in REPEATABLE:
            return self._words("Next: Enter, another way. cancel, close.")
        if payment.kind in PRESENTED and payment.state is State.CANCELLED:
            return self._words("Next: Enter, the same amount again. cancel, close.")
        return self._words("Next: Enter, or type the next amount.")

    def _seconds_left(self) -> int | None:
        if self._view.deadline_at is None:
            return None
        return max(0, int(self._view.deadline_at - self._till.now() + 0.999))

    def tick(self) -> None:
        """Tell the time where it is due."""
        left = self._seconds_left()
        if left is None or self._view.stage is Stage.PROCESSING:
            return
        for mark_s in TOLD_AT_S:
            if left <= mark_s and mark_s not in self._time_told:
                self._time_told.update(each for each in TOLD_AT_S if each >= mark_s)
                if left > mark_s - 3:
                    self._say(self._words("{count} seconds.").format(count=left))

    # --- what the cashier says ----------------------------------------------

    def heard(self, line: str) -> None:
        """Take one line of the cashier's."""
        text = line.strip()
        verb, _, rest = text.partition(" ")
        try:
            if not text:
                self._enter()
            elif verb.lower() in _VERB_OF:
                self._do(_VERB_OF[verb.lower()], rest.strip())
            elif self._wedge is not None and (code := self._wedge.code_in(text)):
                self._take_code(code)
            else:
                self._take_amount(text)
        except TillError as error:
            self._refused(error)

    def _take_code(self, code: str) -> None:
        """Hand over what a scanner typed; outside a sale nobody keeps it."""
        if not self._till.code_typed(code):
            text = self._words("That was a scanner. Take payment first, then scan")
            self._say(self._ended(text))

    def _take_amount(self, text: str) -> None:
        amount = amount_from_text(text, self._till.shop.currency_digits)
        self._confirm = None
        self._day.forget()
        if amount is None:
            self._say(self._words("Not an amount and not a command. help lists the commands."))
            return
        payment = self._view.payment
        if self._view.stage is Stage.RESULT and payment and payment.state not in KEPT:
            self._leave()
        elif self._view.stage is not Stage.IDLE:
            self._say(self._words("A payment is in hand. Finish or cancel it first."))
            return
        if not amount:
            self._say(self._words("The amount is zero. Type the amount first."))
            return
        self._amount_minor = amount
        told = self._words("Amount {amount}. Enter to take payment.")
        self._say(told.format(amount=self._amount(amount)))

    def _enter(self) -> None:
        if self._confirm:
            self._follow_up()
            return
        if self._day.enter():
            return
        payment, stage = self._view.payment, self._view.stage
        if stage is Stage.IDLE:
            if self._amount_minor is None:
                self._say(self._words("Type an amount, or help."))
                return
            amount, self._amount_minor = self._amount_minor, None
            self._till.sale(amount)
        elif stage is Stage.RESULT and payment:
            if payment.state in KEPT:
                self._till.check_now()
                self._say(self._words("Asking the bank."))
            elif payment.kind in PRESENTED and payment.state in (*REPEATABLE, State.CANCELLED):
                self._leave()
                begin_again(self._till, payment)
            else:
                self._leave()
                self._say(self._words("Type an amount, or help."))
        else:
            self._tell_stage(self._view)

    def _do(self, verb: str, rest: str) -> None:
        simple: dict[str, Callable[[], None]] = {
            "cancel": self._cancel,
            "balance": self._balance,
            "code": self._code,
            "check": self._till.check_now,
            "next": self._next,
            "drawer": self._open_drawer,
            "close": self._ask_close,
            "status": self._status,
            "language": self._next_language,
            "help": self._help,
            "quit": self._quit,
            "yes": self._enter,
            "signout": self._sign_out,
            "keep": self._till.keep,
            "refuse": self._till.refuse_signature,
            "sync": self._sync,
            "inbox": self._inbox,
            "raise": self._raise,
            "read": self._read,
        }
        with_text: dict[str, Callable[[str], None]] = {
            "list": self._list,
            "show": self._show,
            "receipt": self._receipt,
            "card": self._card,
            "print": self._print,
            "hold": self._hold,
            "bench": self._bench,
            "allow": self._allow,
            "signin": self._sign_in,
            "settle": self._settle,
            "choose": self._choose,
        }
        with_text |= {one.verb: partial(self._ask, one) for one in FOLLOW_UPS}
        if verb in simple:
            simple[verb]()
        else:
            with_text[verb](rest)

    def _ask_close(self) -> None:
        self._confirm = None
        self._day.ask()

    def _cancel(self) -> None:
        self._day.forget()
        payment, stage = self._view.payment, self._view.stage
        if self._confirm or stage is Stage.IDLE:
            self._confirm, self._amount_minor = None, None
            self._say(self._words("Cleared. Type an amount, or help."))
        elif stage is Stage.RESULT and payment and payment.state in KEPT:
            self._say(self._words("Not settled yet. next keeps it and goes on."))
        elif stage is Stage.RESULT:
            self._leave()
            self._say(self._words("Type an amount, or help."))
        else:
            self._till.cancel()

    def _code(self) -> None:
        if self._view.stage is Stage.IDLE and self._amount_minor is not None:
            amount, self._amount_minor = self._amount_minor, None
            self._till.sale(amount)
            self._wants_code = True
            return
        self._till.show_code()

    def _choose(self, number: str) -> None:
        if not (number.isascii() and number.isdigit()):
            self._say(self._words("Say which: choose NUMBER."))
            return
        self._till.choose(int(number) - 1 if int(number) else None)

    def _next(self) -> None:
        self._leave()
        self._say(self._words("Type an amount, or help."))

    def _status(self) -> None:
        words = {
            Readiness.READY: mark("ready"),
            Readiness.STARTING: mark("starting"),
            Readiness.OFF: mark("off"),
            Readiness.FAULTY: mark("fault"),
            Readiness.ABSENT: mark("not here"),
        }
        view = self._view
        for name, readiness in (
            (mark("Bank"), view.bank),
            (mark("Reader"), view.reader),
            (mark("Camera"), view.camera),
        ):
            self._say(f"{self._words(name)}: {self._words(words[readiness])}")
        for notice in view.notices:
            self._say(f"{self._words(TEXT[notice.message])}: {max(1, notice.count)}")

    def _next_language(self) -> None:
        self._language = other(self._language)
        self._say(self._words("The till speaks English now."))

    def _help(self) -> None:
        for line in HELP:
            self._say(self._words(line))
        if self._till.bench:
            self._say(self._words(BENCH_HELP))

    def _quit(self) -> None:
        if self._view.stage not in (Stage.IDLE, Stage.RESULT):
            self._say(self._words("A payment is in hand. Finish or cancel it first."))
            return
        self.is_over = True

    # --- what is kept -------------------------------------------------------

    def _sync(self) -> None:
        self._till.sync()
        self._say(self._ended(self._words("Sending what is kept")))

    def _read(self) -> None:
        if not self._view.bulletins:
            self._say(self._words("The bank has no message for you."))
            return
        self._till.read_bulletins(self._view.bulletins[-1].number)
        self._say(self._words("Noted."))

    def _raise(self) -> None:
        self._till.raise_offline_limit()
        text = self._words("As much again may be kept, until all is sent")
        self._say(self._ended(text))

    def _inbox(self) -> None:
        waiting = self._till.inbox()
        for payment in waiting:
            self._say(self._line_of(payment))
        if not waiting:
            self._say(self._ended(self._words("Nothing")))

    def _settle(self, rest: str) -> None:
        number, _, note = rest.partition(" ")
        self._till.settle(number, note)
        self._say(self._ended(self._words("Settled. A receipt says how")))

    # --- payments -----------------------------------------------------------

    def _list(self, search: str) -> None:
        payments = self._till.payments(search, 20)
        if not payments:
            self._say(
                self._words("No payment matches") if search else self._words("No payment yet")
            )
        for payment in payments:
            self._say(self._line_of(payment))

    def _line_of(self, payment: PaymentView) -> str:
        comma = "，" if self._language == "zh" else ", "
        return comma.join(
            (
                f"{payment.number:04d}",
                time_text(payment.created_ms),
                self._amount(payment.amount_minor),
                how_text(payment, self._words),
                self._words(state_mark(payment).word),
            )
        )

    def _show(self, key: str) -> None:
        if not key:
            self._say(self._words("Say which: show NUMBER."))
            return
        payment = self._till.payment(key.lstrip("0") or key)
        self._say(self._line_of(payment))
        for line in self._till.trace(payment.id):
            self._say(f"+{line.offset_ms / 1000:.3f} {self._words(line.text)}")

    def _card(self, key: str) -> None:
        payment = self._meant(key)
        if payment is None:
            self._say(self._words("Say which: card NUMBER."))
            return
        lines = self._till.story(payment.id)
        if not lines:
            self._say(self._ended(self._words("No card was read")))
        for line in lines:
            source = f" ({line.source})" if line.source else ""
            self._say(f"{stamp_of(line)} {told(line, self._words)}{source}")

    def _receipt(self, key: str) -> None:
        payment = self._meant(key)
        if payment is None:
            self._say(self._words("Say which: receipt NUMBER."))
            return
        for line in self._till.receipt(payment.id, copy=bool(key)):
            self._say(line)

    def _print(self, key: str) -> None:
        latest = self._till.payments(limit=1)
        payment = self._meant(key) or (latest[0] if latest else None)
        if payment is None:
            self._say(self._ended(self._words("No payment yet")))
            return
        self._till.print_receipt(payment.id)
        self._say(self._ended(self._words("The receipt goes to the printer")))

    def _meant(self, key: str) -> PaymentView | None:
        """Return the payment of a number, or without one the payment in hand."""
        return self._till.payment(key.lstrip("0") or key) if key else self._view.payment

    def _open_drawer(self) -> None:
        self._till.open_drawer()
        self._say(self._ended(self._words("The cash drawer opens")))

    def _ask(self, follow_up: FollowUp, rest: str) -> None:
        """Ask whether it shall be done about a payment; Enter is the yes."""
        if not rest:
            self._say(self._words("Say which: {verb} NUMBER.").format(verb=follow_up.verb))
            return
        key, _, typed = rest.partition(" ")
        payment = self._till.payment(key.lstrip("0") or key)
        whole = 0 if follow_up.whole_minor is None else follow_up.whole_minor(payment)
        amount = whole
        if typed and not follow_up.sentence:
            amount = amount_from_text(typed, self._till.shop.currency_digits) or -1
        if not follow_up.may(payment, self._till.shop):
            self._say(self._ended(self._words(follow_up.refusal)))
        elif follow_up is REFUND and not 0 < amount <= whole:
            text = self._words("Only {amount} is left to refund").format(amount=self._amount(whole))
            self._say(self._ended(text))
        elif amount <= 0:
            self._say(self._ended(self._words("Type the amount first")))
        else:
            self._confirm = (follow_up, payment, amount)
            text = self._words(follow_up.question)
            self._say(text.format(amount=self._amount(amount), number=f"{payment.number:04d}"))

    def _follow_up(self) -> None:
        if self._confirm is None:
            return
        (follow_up, payment, amount), self._confirm = self._confirm, None
        try:
            follow_up.begin(self._till, payment, amount)
        except ApprovalNeeded:
            # It waits for the yes of somebody else.
            self._confirm = (follow_up, payment, amount)
            raise

    def _balance(self) -> None:
        if self._view.stage is Stage.RESULT:
            self._leave()
        self._till.balance()

    def _hold(self, typed: str) -> None:
        amount = amount_from_text(typed, self._till.shop.currency_digits)
        if not amount:
            self._say(self._ended(self._words("Type the amount first")))
            return
        if self._view.stage is Stage.RESULT:
            self._leave()
        self._till.preauth(amount)

    # --- people -------------------------------------------------------------

    def _sign_in(self, rest: str) -> None:
        name, secret, code = _proof(rest)
        person = self._till.staff.sign_in(name, secret, code)
        self._say(self._words("{name} is at the till.").format(name=person.called))
        if not person.is_ready:
            self._say(self._words("Choose your secret on the screen first: till run."))

    def _sign_out(self) -> None:
        self._till.sign_out()
        self._say(self._words("Nobody is at the till. signin NAME SECRET [CODE]."))

    def _allow(self, rest: str) -> None:
        name, secret, code = _proof(rest)
        person = self._till.staff.approve(name, secret, code)
        self._say(self._words("{name} says yes.").format(name=person.called))
        if self._confirm:
            self._follow_up()
        else:
            self._day.again()

    # --- bench --------------------------------------------------------------

    def _bench(self, rest: str) -> None:
        bench = self._till.bench
        if bench is None:
            self._say(self._words("This shop has no bench."))
            return
        offers = list(bench.offers())
        is_chinese = self._language == "zh"
        if not rest:
            for number, offer in enumerate(offers, start=1):
                on = f" ({self._words('ON')})" if offer.is_on else ""
                self._say(f"{number} {offer.title_zh if is_chinese else offer.title}{on}")
            self._say(self._words("Say which: bench NUMBER."))
            return
        chosen = rest
        if rest.isascii() and rest.isdigit() and 1 <= int(rest) <= len(offers):
            chosen = offers[int(rest) - 1].id
        answer = bench.do(chosen)
        titles = {
            offer.id: offer.title_zh if is_chinese else offer.title
            for offer in offers
            if offer.group is not Group.SEE
        }
        what = titles.get(chosen, answer)
        self._say(self._ended(self._words("Bench: {what}").format(what=what)))


def _proof(rest: str) -> tuple[str, str, str]:
    """Return name, secret and one-time code; empty where nothing was typed."""
    name, _, proof = rest.partition(" ")
    secret, _, code = proof.strip().partition(" ")
    return name, secret, code.strip()


TICK_S = 0.5


def run(till: Door, language: str, stdin: TextIO, stdout: TextIO) -> None:
    """Serve the cashier line by line until 'quit' or the end of input.

    A payment that is in hand when the input ends is seen through first.

    Raises KeyError for a language the till does not speak.
    """
    inbox: queue.SimpleQueue[View | str | None] = queue.SimpleQueue()

    def say(line: str) -> None:
        stdout.write(line + "\n")
        stdout.flush()

    def read() -> None:
        for line in stdin:
            inbox.put(line)
        inbox.put(None)

    lines = LineTill(till, language, say)
    unsubscribe = till.subscribe(inbox.put)
    threading.Thread(target=read, name="cashier's lines", daemon=True).start()
    lines.welcome()
    inbox.put(till.view())
    try:
        has_ended = False
        while not lines.is_over:
            if has_ended and inbox.empty() and till.view().stage in (Stage.IDLE, Stage.RESULT):
                return
            try:
                heard = inbox.get(timeout=TICK_S)
            except queue.Empty:
                lines.tick()
                continue
            if heard is None:
                has_ended = True
            elif isinstance(heard, str):
                lines.heard(heard)
            else:
                lines.saw(heard)
            lines.tick()
    finally:
        unsubscribe()
