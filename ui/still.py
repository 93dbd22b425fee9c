"""A till that stands still: one view, one moment. For pictures and for tests.

It holds what it was given and writes down what it was asked; it decides
nothing and moves no money.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from terminal.batch.batch import BatchState
from terminal.bench import Bench, BenchPerson, Group, Offer
from terminal.checkout.wedge import WedgeDetector
from terminal.doctor import lines as doctor
from terminal.doctor.lines import Line
from terminal.doctor.surroundings import Screen
from terminal.errors import BenchRefused, SignInRefused, TillError, UnknownPayment
from terminal.messages import Message
from terminal.people.privileges import Role
from terminal.people.register import Person
from terminal.states import FOR_A_PERSON, KEPT, State
from terminal.view import (
    Kind,
    Medium,
    Notice,
    Observer,
    PaymentView,
    Readiness,
    ShopFacts,
    ShownCode,
    Stage,
    Step,
    StoryLine,
    TraceLine,
    View,
)
from ui.still_day import BATCH, CLOSED, DIFFERS, StillDay

NOON_MS = 1_795_530_720_000
"""2026-11-24 14:32:00 UTC."""

SHOP = ShopFacts(
    name="Spring Tea",
    name_zh="春茶铺",
    till_name="2",
    cashier="Lin Mei",
    currency="CNY",
    currency_symbol="¥",
    currency_digits=2,
    amount_max_minor=99_999_999,
    is_bench=False,
    wallets=("WeChat Pay", "Alipay", "UnionPay"),
)


STORY = (
    StoryLine(0, "A card on {reader}", {"reader": "Counter reader"}),
    StoryLine(14_200, "{command}: {status}", {"command": "SELECT", "status": "9000"}),
    StoryLine(14_200, "kernel {kernel_id} chosen", {"kernel_id": 3}, "Book B, 3.4.1.1"),
    StoryLine(
        14_200,
        "amount {amount} reaches the CVM limit {limit}: the cardholder must be verified",
        {"amount": "52.00", "limit": "50.00"},
        "Book B, 3.1.1",
    ),
    StoryLine(82_700, "cardholder verification: {cvm}", {"cvm": "signature"}, "Book C-3, 5.7.1.2"),
    StoryLine(
        82_700,
        "Outcome: {status}, cardholder verification: {cvm}",
        {"status": "online request", "cvm": "signature"},
    ),
)
"""What a card says that is tapped."""

FOUND = (
    Line(
        doctor.Group.SHOP,
        "shop.toml",
        "shop-read",
        {"file": "/home/shop/shop.toml", "name": "Spring Tea", "mode": "live"},
    ),
    Line(doctor.Group.DEVICES, "Counter reader", "works", {"what": "ACME PICC 00 00"}),
    Line(
        doctor.Group.DEVICES,
        "Hand scanner",
        "no-udev-rule",
        {
            "path": "/dev/ttyACM0",
            "user": "shop",
            "group": "dialout",
            "rule": 'SUBSYSTEM=="tty", KERNEL=="ttyACM0", GROUP="dialout", MODE="0660"',
            "rules_file": "/etc/udev/rules.d/60-opentill.rules",
        },
    ),
    Line(doctor.Group.DEVICES, "Printer", "paper-low", {"what": "/dev/usb/lp0"}),
    Line(
        doctor.Group.FOUND,
        "Shop Camera",
        "found",
        {"what": "/dev/video0", "driver": "camera"},
        '[[devices.scanners]]\nname = "Shop Camera"\ndriver = "camera"\n'
        'options = { source = "/dev/video0" }',
    ),
    Line(doctor.Group.BANK, "link", "bank-answers", {"url": "https://bank.example", "ms": "31"}),
    Line(doctor.Group.BANK, "clock", "clock-right", {"skew": "0"}),
    Line(doctor.Group.JOURNAL, "journal", "journal-holds", {"count": "1204"}),
)
"""What the doctor of a till that stands still finds."""
LIN_MEI = Person("lin", "Lin Mei", Role.CASHIER)
WANG_FANG = Person("wang", "Wang Fang", Role.SUPERVISOR, has_code=True)


def payment(number: int = 415, **facts: Any) -> PaymentView:
    """Return a sale of 345.60; facts replace its fields."""
    sale = PaymentView(
        id=f"01927f3a-0000-7000-8000-00000000{number:04x}",
        number=number,
        kind=Kind.SALE,
        state=State.AWAITING_TENDER,
        amount_minor=34560,
        currency="CNY",
        created_ms=NOON_MS + 7_000,
        updated_ms=NOON_MS + 8_000,
    )
    return replace(sale, **facts)


def _listed(
    number: int, ago_s: int, amount: int, state: State, brand: str, four: str = ""
) -> PaymentView:
    return payment(
        number,
        created_ms=NOON_MS - ago_s * 1000,
        amount_minor=amount,
        state=state,
        brand=brand,
        masked_pan=f"424242******{four}" if four else "",
        medium=Medium.CARD if four else Medium.PAYMENT_CODE,
    )


RECENT = (
    _listed(414, 189, 3600, State.APPROVED, "Alipay"),
    _listed(413, 630, 34560, State.UNKNOWN, "Visa", "4242"),
    _listed(412, 958, 1250, State.DECLINED, "Visa", "0002"),
    _listed(411, 1356, 128_000, State.APPROVED, "UnionPay", "0011"),
    _listed(410, 2028, 7600, State.APPROVED, "WeChat Pay"),
    replace(_listed(409, 2420, 1880, State.APPROVED, "UnionPay QR"), kind=Kind.REFUND),
    _listed(408, 3115, 9900, State.STORED, "Visa", "4242"),
    _listed(407, 3522, 6420, State.VOIDED, "Mastercard", "5454"),
    replace(_listed(406, 4261, 21_000, State.APPROVED, "Alipay"), refunded_minor=21_000),
    _listed(405, 4799, 800, State.REVERSED, "WeChat Pay"),
)

QUIET = View(bank=Readiness.READY, reader=Readiness.READY, camera=Readiness.READY, recent=RECENT)

PRESENT = replace(
    QUIET,
    stage=Stage.PRESENT,
    payment=payment(),
    prompt=Message.PRESENT,
    tap=Readiness.READY,
    scan=Readiness.READY,
    show=Readiness.READY,
    started_at=-18.0,
    deadline_at=42.0,
    cancellable=True,
)

VISA: dict[str, Any] = {
    "brand": "Visa",
    "masked_pan": "424242******4242",
    "medium": Medium.CARD,
    "response_code": "00",
    "authorisation": "482913",
    "bank_reference": "012345678901",
    "application_label": "VISA CREDIT",
    "aid": "A0000000031010",
    "tvr": "0000000000",
    "ctq": "0000",
}


def ended(state: State, **facts: Any) -> View:
    """Return the result of a card sale in this state."""
    return replace(
        QUIET,
        stage=Stage.RESULT,
        payment=payment(state=state, **{**VISA, **facts}),
        step=Step.ANSWERED,
    )


PROCESSING = replace(
    QUIET,
    stage=Stage.PROCESSING,
    payment=payment(state=State.AUTHORISING, **VISA),
    prompt=Message.AUTHORISING,
    step=Step.SENT,
    started_at=-7.0,
    deadline_at=23.0,
)

CODE = replace(
    QUIET,
    stage=Stage.CODE,
    payment=payment(state=State.CODE_OPEN, medium=Medium.SHOWN_CODE),
    prompt=Message.CUSTOMER_SCANS,
    code=ShownCode("https://pay.example/o/01927f3a7c41b2", 96.0),
    started_at=-24.0,
    deadline_at=96.0,
    cancellable=True,
)

CLOSES: dict[str, View] = {
    "close": replace(QUIET, inquiry=BATCH, open_count=1),
    "close-differs": replace(QUIET, batches=(DIFFERS,)),
    "close-unanswered": replace(
        QUIET, batches=(replace(BATCH, state=BatchState.CLOSING, bank=None),)
    ),
    "close-closed": replace(QUIET, batches=(CLOSED,)),
}
"""Closes of the day, each as F8 shows it."""

VIEWS: dict[str, View] = {
    "sale": QUIET,
    "no-paper": replace(QUIET, notices=(Notice(Message.NO_PAPER), Notice(Message.NO_DISPLAY))),
    "present": PRESENT,
    "present-hint": replace(PRESENT, hint=Message.CARD_UNREADABLE, camera=Readiness.FAULTY),
    "reading": replace(
        PRESENT, stage=Stage.READING, prompt=Message.READING, deadline_at=None, cancellable=False
    ),
    "see-phone": replace(PRESENT, prompt=Message.SEE_PHONE),
    "tap-again": replace(PRESENT, prompt=Message.TAP_AGAIN),
    "one-card": replace(PRESENT, prompt=Message.ONE_CARD_ONLY),
    "pin": replace(
        PROCESSING,
        stage=Stage.PIN,
        payment=payment(),
        prompt=Message.ENTER_PIN,
        step=Step.READ,
        pin_digits=3,
        cancellable=True,
    ),
    "choose": replace(
        PROCESSING,
        stage=Stage.CHOOSE,
        payment=payment(),
        prompt=Message.CHOOSE_APPLICATION,
        step=Step.NONE,
        choices=("VISA CREDIT", "VISA DEBIT"),
        card_stays=True,
        cancellable=True,
    ),
    "code": CODE,
    "code-asked": replace(CODE, code=None, deadline_at=None),
    "processing": replace(
        PROCESSING,
        notices=(Notice(Message.BEING_CHECKED, count=1, amount_minor=34560, age_s=631.0),),
    ),
    "payer": replace(
        PROCESSING,
        stage=Stage.PAYER,
        payment=payment(state=State.AWAITING_PAYER, medium=Medium.PAYMENT_CODE, brand="Alipay"),
        prompt=Message.PAYER_CONFIRMS,
        cancellable=True,
    ),
    "closing": replace(
        PROCESSING,
        stage=Stage.CLOSING,
        payment=payment(state=State.CLOSING, medium=Medium.SHOWN_CODE),
        prompt=Message.CLOSING_CODE,
        deadline_at=None,
    ),
    "refunding": replace(
        PROCESSING, payment=payment(state=State.AUTHORISING, kind=Kind.REFUND, brand="Visa")
    ),
    "approved": ended(State.APPROVED, next_step=Message.HAND_OVER),
    "approved-sign": ended(
        State.APPROVED,
        signature=True,
        reason=Message.APPROVED_SIGN,
        next_step=Message.CUSTOMER_SIGNS,
    ),
    "declined": ended(
        State.DECLINED,
        reason=Message.NOT_ENOUGH_MONEY,
        next_step=Message.ANOTHER_CARD_OR_WALLET,
        response_code="51",
        authorisation="",
    ),
    "cancelled": ended(
        State.CANCELLED, reason=Message.CANCELLED, brand="", masked_pan="", medium=None
    ),
    "timed-out": ended(
        State.CANCELLED,
        reason=Message.TIMED_OUT,
        next_step=Message.PRESS_ENTER,
        brand="",
        masked_pan="",
        medium=None,
    ),
    "not-sent": ended(
        State.NOT_SENT, reason=Message.NOT_SENT, next_step=Message.CHECK_NETWORK, authorisation=""
    ),
    "unknown": replace(
        ended(
            State.UNKNOWN,
            reason=Message.UNKNOWN,
            next_step=Message.DO_NOT_CHARGE_AGAIN,
            authorisation="",
            asked=3,
        ),
        next_ask_at=4.0,
    ),
    "reversing": ended(
        State.REVERSING,
        reason=Message.REVERSING,
        next_step=Message.DO_NOT_CHARGE_AGAIN,
        authorisation="",
        asked=4,
    ),
    "reversed": ended(
        State.REVERSED,
        reason=Message.REVERSED,
        next_step=Message.CHARGE_AGAIN,
        authorisation="",
    ),
    "may_keep": replace(
        ended(
            State.NOT_SENT,
            reason=Message.NOT_SENT,
            next_step=Message.MAY_KEEP,
            response_code="",
            authorisation="",
        ),
        bank=Readiness.FAULTY,
        keep=Readiness.READY,
        notices=(Notice(Message.NO_BANK),),
    ),
    "deferred": replace(
        ended(
            State.DEFERRED,
            reason=Message.DEFERRED,
            next_step=Message.SENT_LATER,
            authorisation="",
        ),
        bank=Readiness.FAULTY,
        notices=(
            Notice(Message.DEFERRED_TO_BE_SENT, count=2, amount_minor=12350, age_s=660.0),
            Notice(Message.NO_BANK),
        ),
    ),
    "reversal_refused": ended(
        State.REVERSAL_REFUSED,
        reason=Message.REVERSAL_REFUSED,
        next_step=Message.TELL_SUPERVISOR,
        authorisation="",
        reversals_sent=1,
    ),
    "stored": replace(
        ended(State.STORED, reason=Message.STORED, next_step=Message.SENT_LATER),
        bank=Readiness.FAULTY,
        notices=(
            Notice(Message.TO_BE_SENT, count=4, amount_minor=31250, age_s=660.0),
            Notice(Message.NO_BANK),
        ),
    ),
    "refunded": ended(State.APPROVED, kind=Kind.REFUND),
    "voided": ended(State.APPROVED, kind=Kind.VOID),
}
"""Every screen that the till's own course leads to, by name."""


class StillBench:
    """A bench with a fixed set of offers; it notes what was asked of it."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.takes_pin = False
        self.pressed: list[str] = []
        self.has_cut_bank = False

    def offers(self) -> Sequence[Offer]:
        """List a few of each group."""
        return (
            Offer(
                "card:visa-online",
                Group.CARD,
                "Visa, approved online",
                "Visa 联机批准",
                "Approved",
                "已批准",
            ),
            Offer(
                "card:declined",
                Group.CARD,
                "Visa, not enough money",
                "Visa 余额不足",
                "Declined: not enough money",
                "被拒绝：余额不足",
            ),
            Offer(
                "phone:visa", Group.PHONE, "Phone, unlocked", "手机，已解锁", "Approved", "已批准"
            ),
            Offer("phone:see", Group.PHONE, "Phone, locked: see phone", "手机，未解锁"),
            Offer(
                "wallet:alipay-qr",
                Group.CODE,
                "Alipay QR code",
                "支付宝二维码",
                "Approved",
                "已批准",
            ),
            Offer("show-code:alipay", Group.CODE, "Scan the shown code", "扫描收款码"),
            Offer(
                "fault:bank-cut",
                Group.FAULT,
                "Cut the bank",
                "切断银行",
                "Not sent, or unknown",
                "未发送，或未确定",
                is_on=self.has_cut_bank,
            ),
            Offer("fault:tear", Group.FAULT, "Tear the next card", "下一张卡提前拿开"),
        )

    def press(self, key: str) -> None:
        """Note it."""
        self.pressed.append(key)

    def people(self) -> Sequence[BenchPerson]:
        """Return who would sign in here."""
        return (
            BenchPerson("lin", "cashier", "4826", ""),
            BenchPerson("wang", "supervisor", "bench-482613", "391204"),
        )

    def do(self, offer: str) -> str:
        """Note it."""
        if offer not in {each.id for each in self.offers()}:
            raise BenchRefused(f"The bench has no {offer}")
        self.done.append(offer)
        if offer == "fault:bank-cut":
            self.has_cut_bank = not self.has_cut_bank
        return f"did {offer}"


class StillStaff:
    """Lin Mei is at the till; whoever is named by a supervisor's name says yes."""

    def __init__(self) -> None:
        self.signed_in: Person | None = LIN_MEI
        self.needs_first_supervisor = False
        self.done: list[tuple[object, ...]] = []

    def sign_in(self, name: str, secret: str, code: str = "") -> Person:
        """Let Lin Mei in with the right secret."""
        del code
        if (name, secret) != ("lin", "4826"):
            raise SignInRefused("Name, secret or code is wrong")
        self.signed_in = LIN_MEI
        return LIN_MEI

    def sign_out(self) -> None:
        """Leave."""
        self.signed_in = None

    def approve(self, name: str, secret: str, code: str = "") -> Person:
        """Note the yes."""
        del code
        if (name, secret) != ("wang", "bench-482613"):
            raise SignInRefused("Name, secret or code is wrong")
        self.done.append(("approve", name))
        return WANG_FANG

    def take_in_first(self, name: str, called: str, secret: str) -> Person:
        """Take Wang Fang in, whoever she says she is."""
        del secret
        self.done.append(("take_in_first", name, called))
        self.needs_first_supervisor = False
        self.signed_in = replace(WANG_FANG, has_code=False)
        return self.signed_in

    def choose_secret(self, secret: str) -> None:
        """Note that it was chosen."""
        del secret
        self.done.append(("choose_secret",))
        if self.signed_in:
            self.signed_in = replace(self.signed_in, must_change=False)

    def propose_app(self, shop: str) -> str:
        """Return a key that is in nobody's app."""
        return f"otpauth://totp/{shop}:00?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer={shop}"

    def confirm_app(self, code: str) -> None:
        """Note the code."""
        self.done.append(("confirm_app", code))
        if self.signed_in:
            self.signed_in = replace(self.signed_in, has_code=True)

    def people(self) -> Sequence[Person]:
        """Return three people."""
        return (LIN_MEI, WANG_FANG, replace(LIN_MEI, name="02", called="", must_change=True))

    def take_in(self, name: str, called: str, role: Role) -> str:
        """Note who came."""
        self.done.append(("take_in", name, called, role))
        return "739146"

    def reset(self, name: str) -> str:
        """Note it."""
        self.done.append(("reset", name))
        return "739146"

    def let_go(self, name: str) -> None:
        """Note it."""
        self.done.append(("let_go", name))


class StillTill:
    """A till whose view and clock move only when told to."""

    def __init__(
        self, view: View = QUIET, shop: ShopFacts = SHOP, bench: Bench | None = None
    ) -> None:
        """view: what it shows until show() is called."""
        self.shop = shop
        self.bench = bench
        self.staff = StillStaff()
        self.day = StillDay(self._wish)
        self.clock_s = 0.0
        self.wishes: list[tuple[object, ...]] = []
        self.detector: WedgeDetector | None = None
        """Of a scanner that types."""
        self.wants_codes = False
        self.refusal: TillError | None = None
        """What the next wishes are refused with."""
        self._view = view
        self._observers: list[Observer] = []

    # --- what pictures and tests do -----------------------------------------

    def show(self, view: View) -> None:
        """Take another view and tell whoever follows."""
        self._view = view
        for observer in tuple(self._observers):
            observer(view)

    def pass_time(self, seconds: float) -> None:
        """Move the clock."""
        self.clock_s += seconds

    def _wish(self, *wish: object) -> str:
        if self.refusal:
            raise self.refusal
        self.wishes.append(wish)
        return payment().id

    # --- the door -----------------------------------------------------------

    def begin(self) -> None:
        """There is nothing to bring up."""

    def now(self) -> float:
        """Return the clock."""
        return self.clock_s

    def wall_ms(self) -> int:
        """Return the wall clock."""
        return NOON_MS + int(self.clock_s * 1000)

    def view(self) -> View:
        """Return the view."""
        return self._view

    def subscribe(self, observer: Observer) -> Callable[[], None]:
        """Follow the view."""
        self._observers.append(observer)
        return lambda: self._observers.remove(observer)

    def wedge(self) -> WedgeDetector | None:
        """Return what was set."""
        return self.detector

    def code_typed(self, text: str) -> bool:
        """Note the code, if one is wanted."""
        if self.wants_codes:
            self._wish("code", text)
        return self.wants_codes

    def sale(self, amount_minor: int, currency: str | None = None) -> str:
        """Note the wish."""
        del currency
        return self._wish("sale", amount_minor)

    def print_receipt(self, payment_id: str) -> None:
        """Note the wish."""
        self._wish("print", payment_id)

    def open_drawer(self) -> None:
        """Note the wish."""
        self._wish("drawer")

    def keep(self) -> None:
        """Note the wish."""
        self._wish("keep")

    def sync(self) -> None:
        """Note the wish."""
        self._wish("sync")

    def raise_offline_limit(self) -> None:
        """Note the wish."""
        self._wish("raise")

    def read_bulletins(self, through: int) -> None:
        """Note the wish."""
        self._wish("read_bulletins", through)

    def kept(self) -> Sequence[PaymentView]:
        """Return those of the list that the bank has still to be told of."""
        return [each for each in self._all() if each.state in KEPT]

    def inbox(self) -> Sequence[PaymentView]:
        """Return those of the list that wait for a person."""
        return [each for each in self._all() if each.state in FOR_A_PERSON]

    def settle(self, payment_id: str, note: str) -> None:
        """Note the wish."""
        self._wish("settle", payment_id, note)

    def sign_out(self) -> None:
        """Leave the till to nobody."""
        self.staff.sign_out()

    def cancel(self) -> None:
        """Note the wish."""
        self._wish("cancel")

    def show_code(self) -> None:
        """Note the wish."""
        self._wish("show_code")

    def choose(self, place: int | None) -> None:
        """Note the wish."""
        self._wish("choose", place)

    def refuse_signature(self) -> None:
        """Note the wish."""
        self._wish("refuse_signature")

    def check_now(self) -> None:
        """Note the wish."""
        self._wish("check_now")

    def leave(self) -> None:
        """Note the wish."""
        self._wish("leave")

    def refund(self, payment_id: str, amount_minor: int | None = None) -> str:
        """Note the wish."""
        return self._wish("refund", self.payment(payment_id).number, amount_minor)

    def preauth(self, amount_minor: int) -> str:
        """Note the wish."""
        return self._wish("preauth", amount_minor)

    def balance(self) -> str:
        """Note the wish."""
        return self._wish("balance")

    def moto(self, amount_minor: int, number: str, expiry: str) -> str:
        """Note the wish, with no more of the number than may be shown."""
        return self._wish("moto", amount_minor, number[-4:], expiry)

    def increment(self, payment_id: str, amount_minor: int) -> str:
        """Note the wish."""
        return self._wish("increment", self.payment(payment_id).number, amount_minor)

    def complete(self, payment_id: str, amount_minor: int | None = None) -> str:
        """Note the wish."""
        return self._wish("complete", self.payment(payment_id).number, amount_minor)

    def release(self, payment_id: str) -> str:
        """Note the wish."""
        return self._wish("release", self.payment(payment_id).number)

    def tip(self, payment_id: str, amount_minor: int) -> str:
        """Note the wish."""
        return self._wish("tip", self.payment(payment_id).number, amount_minor)

    def void(self, payment_id: str) -> str:
        """Note the wish."""
        return self._wish("void", self.payment(payment_id).number)

    def payments(self, search: str = "", limit: int = 200) -> Sequence[PaymentView]:
        """Return the recent ones whose number, brand or card end matches."""
        wanted = search.lower()
        return [
            each
            for each in self._all()
            if wanted in f"{each.number:04d} {each.brand} {each.masked_pan}".lower()
        ][:limit]

    def payment(self, key: str) -> PaymentView:
        """Return one of the recent ones, or the one in hand."""
        for each in self._all():
            if key in (each.id, str(each.number)):
                return each
        raise UnknownPayment(f"No payment has the number {key}")

    def _all(self) -> list[PaymentView]:
        in_hand = [self._view.payment] if self._view.payment else []
        return [*in_hand, *self._view.recent]

    def story(self, payment_id: str) -> Sequence[StoryLine]:
        """Return what a card said that was tapped; of any payment the same."""
        self.payment(payment_id)
        return STORY

    def trace(self, payment_id: str) -> Sequence[TraceLine]:
        """Return the story of a scanned code."""
        amount = self.payment(payment_id).amount_minor
        return (
            TraceLine(0, f"amount {amount / 100:.2f} CNY"),
            TraceLine(4, "written down"),
            TraceLine(11, "armed: tap scan show"),
            TraceLine(3280, "code read, Alipay, 18 digits"),
            TraceLine(3291, "AUTHORISING written"),
            TraceLine(3294, "request signed, sent"),
            TraceLine(3982, "answer verified"),
            TraceLine(3990, "APPROVED written"),
        )

    def examine(self, screen: Screen) -> Iterator[Line]:
        """Find the same few things each time."""
        yield from FOUND

    def receipt(self, payment_id: str, copy: bool = True) -> Sequence[str]:
        """Return a short receipt."""
        sale = self.payment(payment_id)
        lines = [self.shop.name_zh, self.shop.name, f"No. {sale.number:04d}"]
        if copy:
            lines.append("COPY / 重打印")
        return [*lines, f"CNY {sale.amount_minor / 100:.2f}", sale.masked_pan]
