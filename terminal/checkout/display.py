"""The customer's display: two short lines that follow the till. No sale waits for it.

What may stand there is decided in terminal.customer, as for the customer's
screen: no reason of a decline, no queue, no sign of being offline.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, Literal

from drivers.errors import DriverError
from drivers.protocols import CustomerDisplay
from terminal.customer import CustomerView, Phase, customer_view
from terminal.events import DeviceHealth, InboxEvent
from terminal.messages import Message
from terminal.money import plain_amount
from terminal.view import Readiness, ShopFacts, View

log = logging.getLogger(__name__)

TURN_S: Final = 3.0
"""How long a line stands before it is written again, in the other language if there is one."""
RETRY_S: Final = 1.0
CLOSE_S: Final = 5.0

Languages = Literal["both", "zh", "en"]

# Chinese and English, at most twenty cells each.
PHASES: Final = {
    Phase.IDLE: ("欢迎光临", "Welcome"),
    Phase.PRESENT: ("请刷卡或出示付款码", "Card, phone or code"),
    Phase.READING: ("正在读取，请勿移动", "Reading. Hold still"),
    Phase.CHOOSE: ("请选择卡内应用", "Choose on the screen"),
    Phase.PIN: ("请输入密码", "Enter your PIN"),
    Phase.CODE: ("请扫描二维码", "Scan the code to pay"),
    Phase.WAIT: ("请稍候", "Please wait"),
    Phase.CONFIRM: ("请在手机上确认", "Confirm on the phone"),
    Phase.APPROVED: ("已付款，谢谢", "Approved. Thank you"),
    Phase.ACCEPTED: ("已受理，谢谢", "Thank you"),
    Phase.SIGN: ("请签名，谢谢", "Please sign. Thanks"),
    Phase.REFUNDED: ("款项退还给您", "Money goes back"),
    Phase.HELD: ("款项已冻结，谢谢", "Held, not charged"),
    Phase.RELEASED: ("已解冻，未扣款", "Let go, not charged"),
    Phase.BALANCE: ("您的余额", "Your balance"),
    Phase.DECLINED: ("交易被拒绝", "Declined"),
    Phase.NOT_PAID: ("未付款，未扣款", "Not paid"),
    Phase.CHECKING: ("请稍候", "One moment, please"),
}
LAST_TRY: Final = ("最后一次输入密码", "Last try: your PIN")
WRONG_PIN: Final = ("密码错误，请重输", "Wrong PIN. Again")
PROMPTS: Final = {
    Message.PRESENT: PHASES[Phase.PRESENT],
    Message.PRESENT_CARD: ("请刷卡或插卡", "Tap or insert card"),
    Message.CARD_ONLY: ("请用银行卡", "A card, please"),
    Message.READING: PHASES[Phase.READING],
    Message.CARD_READ: ("请拿开卡片", "Remove the card"),
    Message.INSERT_CARD: ("请插卡", "Insert the card"),
    Message.ONE_CARD_ONLY: ("请只放一张卡", "One card only"),
    Message.TRY_ANOTHER_CARD: ("请换一张卡", "Try another card"),
    Message.SEE_PHONE: ("请看手机提示", "See your phone"),
    Message.TAP_AGAIN: ("请再碰一次", "Tap again"),
    Message.CARD_UNREADABLE: ("请插卡或出示付款码", "Insert card, or code"),
    Message.NOT_A_PAYMENT_CODE: ("这不是付款码", "Not a payment code"),
    Message.CODE_ALREADY_SEEN: ("请刷新付款码", "Show a fresh code"),
    Message.TWO_CODES: ("请只出示一个码", "Show one code only"),
}


def lines_of(view: CustomerView, *, is_chinese: bool) -> tuple[str, str]:
    """Return what the customer reads: whose shop or how much, and what to do."""
    words = PHASES[view.phase]
    if view.phase is Phase.PIN and view.tries_left == 1:
        words = LAST_TRY
    elif view.phase is Phase.PIN and view.is_retry:
        words = WRONG_PIN
    if view.phase is Phase.IDLE:
        words = (view.welcome_zh or words[0], view.welcome or words[1])
    if view.prompt is not None and view.phase in (Phase.PRESENT, Phase.READING):
        words = PROMPTS.get(view.prompt, words)
    upper = view.shop_zh if is_chinese else view.shop
    if view.amount_minor is not None:
        upper = f"{view.currency} {plain_amount(view.amount_minor, view.digits)}"
    return upper, words[0] if is_chinese else words[1]


class DisplayWorker:
    """One display on one thread. As an observer it takes each view."""

    def __init__(
        self,
        open_display: Callable[[], CustomerDisplay],
        name: str,
        shop: Callable[[], ShopFacts],
        now: Callable[[], float],
        post: Callable[[InboxEvent], None],
        *,
        languages: Languages,
    ) -> None:
        """name: what people call the display. now: the till's clock, in seconds."""
        self._open_display = open_display
        self._name = name
        self._shop = shop
        self._now = now
        self._post = post
        self._languages = languages
        self._display: CustomerDisplay | None = None
        self._readiness: Readiness | None = None
        self._changed = threading.Condition()
        self._view = replace(customer_view(View(), shop(), now()), left_s=None)
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="display-worker", daemon=True)

    def start(self) -> None:
        """Look for the display, and begin to show."""
        self._thread.start()

    def __call__(self, view: View, /) -> None:
        """Take a view; returns at once."""
        self._take(view)

    def close(self) -> None:
        """Leave the display idle, and let it go. Safe to call twice."""
        self._take(View())
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join(CLOSE_S)

    def _take(self, view: View) -> None:
        # Two lines have no room for the seconds left.
        shown = replace(customer_view(view, self._shop(), self._now()), left_s=None)
        with self._changed:
            if shown != self._view:
                self._view = shown
                self._changed.notify_all()

    def _run(self) -> None:
        while True:
            with self._changed:
                view, is_last = self._view, self._closing
            try:
                self._show(view)
            except DriverError as error:
                if self._readiness is not Readiness.FAULTY:
                    log.warning("%s: %s", self._name, error)
                self._tell(Readiness.FAULTY)
                self._pause(lambda: self._closing, RETRY_S)
            if is_last:
                break
        if self._display is not None:
            self._display.close()

    def _show(self, view: CustomerView) -> None:
        """Show a view in each language in turn, until another comes. Raises DriverError.

        One language alone is shown again and again too: a display that was
        switched off and on has forgotten it.
        """
        if self._display is None:
            self._display = self._open_display()
        for lines in self._pages(view, self._display):
            self._display.show(*lines)
            self._tell(Readiness.READY)
            if self._pause(lambda: self._closing or self._view != view, TURN_S):
                return

    def _pages(self, view: CustomerView, display: CustomerDisplay) -> Sequence[tuple[str, str]]:
        chinese = lines_of(view, is_chinese=True)
        english = lines_of(view, is_chinese=False)
        wanted = view.language if self._languages == "both" else self._languages
        if not display.can_show_chinese or wanted == "en":
            return (english,)
        return (chinese,) if wanted == "zh" else (chinese, english)

    def _pause(self, is_over: Callable[[], bool], timeout_s: float | None) -> bool:
        with self._changed:
            return self._changed.wait_for(is_over, timeout_s)

    def _tell(self, readiness: Readiness) -> None:
        if readiness is not self._readiness:
            self._readiness = readiness
            trouble = None if readiness is Readiness.READY else Message.NO_DISPLAY
            self._post(DeviceHealth(self._name, "display", readiness, trouble))
