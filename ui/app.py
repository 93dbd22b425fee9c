"""The till's screen: one frame, whose body follows the till's view.

Keys become wishes; views become pictures. Nothing here decides anything.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.containers import Container
from textual.message import Message as Event
from textual.theme import Theme

from terminal.checkout.wedge import Scanned
from terminal.errors import ApprovalNeeded, TillError
from terminal.states import State
from terminal.view import PRESENTED, Readiness, Stage, View
from ui.desk import WIDE_COLUMNS, WIDE_ROWS, Desk
from ui.door import Door
from ui.keyboard import Keyboard, Pressed
from ui.locale import mark, other
from ui.screens import page_for
from ui.screens.page import Key, Page
from ui.screens.sale import SalePage
from ui.tokens import DARK, THEMES, next_theme
from ui.widgets.canvas import Canvas
from ui.widgets.chrome import (
    paint_actions,
    paint_functions,
    paint_header,
    paint_notice,
)
from ui.widgets.gauges import LIGHT_STEP_S, reading_lights
from ui.widgets.painted import Painted

CUSTOMER_COLUMNS = 46
BESIDE_COLUMNS = WIDE_COLUMNS + CUSTOMER_COLUMNS - 6
"""From this width on the customer's screen stands beside the till unasked."""

TICK_S = LIGHT_STEP_S
"""How often what depends on time is looked at; it is drawn when it changed."""

MID_PAYMENT = frozenset(Stage) - {Stage.IDLE, Stage.RESULT}


def theme_of(name: str) -> Theme:
    """Return a palette as a Textual theme."""
    palette = THEMES[name]
    return Theme(
        name=name,
        primary=palette["key"],
        background=palette["ground"],
        surface=palette["sheet"],
        foreground=palette["ink"],
        dark=name != "light",
        variables=dict(palette),
    )


def _paint_nothing(canvas: Canvas) -> None:
    """Leave the ground."""


class ViewChanged(Event):
    """The till has a new view."""

    def __init__(self, view: View) -> None:
        super().__init__()
        self.view = view


class SomethingFound(Event):
    """A page has learnt something beside the till's view."""


class TillApp(App[None]):
    """The cashier's application."""

    ENABLE_COMMAND_PALETTE = False
    NOTIFICATION_TIMEOUT = 0
    BINDINGS: ClassVar[list[BindingType]] = []
    CSS = """
    Screen { background: $ground; layout: horizontal; overflow: hidden; scrollbar-size: 0 0; }
    #till { width: 1fr; height: 100%; }
    #header, #notice, #gap, #wide-gap, #actions, #functions { height: 1; }
    #body { height: 1fr; margin: 0 2; }
    #customer { height: 100%; display: none; }
    """

    def __init__(self, till: Door, language: str = "en", theme: str | None = None) -> None:
        """theme: 'dark', 'light' or 'contrast'; dark by default."""
        super().__init__()
        self.desk = Desk(till, language, theme or "dark")
        self._keyboard = Keyboard(till.wedge())
        self._pages: list[Page] = []
        """What lies over the screen of the stage, the topmost last."""
        self._base: Page = self._bound(page_for(self.desk))
        self._gate: Page | None = None
        """Stands before everything while nobody is signed in."""
        self._last_key_at = self.desk.till.now()
        self._shows_customer: bool | None = None
        self._last_drawn: tuple[object, ...] = ()
        self._parts = {
            "header": Painted(lambda canvas: paint_header(canvas, self.desk), name="header"),
            "notice": Painted(lambda canvas: paint_notice(canvas, self.desk), name="notice"),
            "body": Painted(self._paint_body, name="body"),
            "gap": Painted(_paint_nothing, name="gap"),
            "wide-gap": Painted(_paint_nothing, name="wide-gap"),
            "actions": Painted(self._paint_actions, name="actions"),
            "functions": Painted(
                lambda canvas: paint_functions(canvas, self.desk), name="functions"
            ),
            "customer": Painted(self._paint_customer, name="customer"),
        }

    # --- Textual ------------------------------------------------------------

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Give CSS our tokens before the first theme is set."""
        return dict(DARK)

    def compose(self) -> ComposeResult:
        """Lay out the frame; it stays while the body changes."""
        parts = self._parts
        with Container(id="till"):
            yield parts["header"]
            yield parts["notice"]
            yield parts["body"]
            yield parts["gap"]
            yield parts["actions"]
            yield parts["wide-gap"]
            yield parts["functions"]
        yield parts["customer"]

    def on_mount(self) -> None:
        """Begin to follow the till."""
        for name in THEMES:
            self.register_theme(theme_of(name))
        self.theme = self.desk.theme
        self._unsubscribe = self.desk.till.subscribe(self._heard)
        self._arrange(self.size.width, self.size.height)
        self._close_the_gate()
        # Whatever happened between the first look and the subscription.
        self._take_view(self.desk.till.view())
        self.call_after_refresh(self.desk.till.begin)
        self.set_interval(TICK_S, self._tick)

    def _heard(self, view: View) -> None:
        """Take a view on the core's thread: hand it over, and return at once."""
        self.post_message(ViewChanged(view))

    def on_unmount(self) -> None:
        """Stop following."""
        self._unsubscribe()

    def on_resize(self, event: events.Resize) -> None:
        """Choose the layout for the size."""
        self._arrange(event.size.width, event.size.height)
        self.redraw()

    def on_view_changed(self, event: ViewChanged) -> None:
        """Show the till as it stands now."""
        self._take_view(event.view)

    def on_something_found(self) -> None:
        """Draw what a page has learnt."""
        self.redraw()

    def _arrange(self, width: int, height: int) -> None:
        beside = self._shows_customer
        if beside is None:
            beside = width >= BESIDE_COLUMNS and height >= WIDE_ROWS
        columns = min(CUSTOMER_COLUMNS, width - 80)
        beside = beside and columns >= 38
        customer = self._parts["customer"]
        customer.styles.display = "block" if beside else "none"
        customer.styles.width = columns if beside else 0
        self.desk.fit(width - columns if beside else width, height)
        self._parts["wide-gap"].styles.display = "block" if self.desk.is_wide else "none"

    # --- views --------------------------------------------------------------

    def _take_view(self, view: View) -> None:
        desk, old = self.desk, self.desk.view
        desk.view = view
        changed_payment = (view.payment and view.payment.id) != (old.payment and old.payment.id)
        changed_state = (view.payment and view.payment.state) != (old.payment and old.payment.state)
        if view.stage is not old.stage or changed_payment:
            desk.stage_since = desk.till.now()
            self._base = self._bound(page_for(desk))
            if view.stage is not Stage.IDLE:
                self._pages = [page for page in self._pages if page.name in ("help", "bench")]
            if view.stage is Stage.RESULT:
                self._pages.clear()
        elif view.stage is Stage.RESULT and changed_state:
            # The result under the cashier's fingers has become another one.
            desk.stage_since = desk.till.now()
        self._follow_entry(old, view)
        try:
            for page in self._pages:
                page.refresh()
            if desk.wants_code and view.stage is Stage.PRESENT and view.show is Readiness.READY:
                self._show_code()
        except TillError as error:
            desk.refuse(error)
        if view.stage not in (Stage.IDLE, Stage.PRESENT):
            desk.wants_code = False
        self.redraw()

    def _follow_entry(self, old: View, view: View) -> None:
        """Clear the tape once its sale has been paid for, or is kept by the till."""
        payment = view.payment
        ended = (State.APPROVED, State.STORED, State.DEFERRED)
        if (
            view.stage is Stage.RESULT
            and old.stage is not Stage.RESULT
            and payment
            and payment.kind in PRESENTED
            and payment.state in ended
        ):
            self.desk.entry.clear()

    def _bound(self, page: Page) -> Page:
        page.open_page = self.open_page
        page.close_page = self.close_page
        return page

    @property
    def page(self) -> Page:
        """The screen that takes keys."""
        if self._gate is not None:
            return self._gate
        return self._pages[-1] if self._pages else self._base

    def _close_the_gate(self) -> None:
        """Put the right screen before all others while nobody may work at the till."""
        person = self.desk.till.staff.signed_in
        if person is not None and person.is_ready:
            self._gate = None
            return
        from ui.screens.people import gate_for

        gate = gate_for(self.desk)
        if gate is not None and (self._gate is None or gate.name != self._gate.name):
            self._gate = self._bound(gate)
            self._pages.clear()
            self.desk.entry.clear()

    def _ask_approval(self, error: ApprovalNeeded, key: Key) -> None:
        """Have somebody say yes; then press the same key again where it was pressed."""
        from ui.screens.people import ApprovalPage

        def again() -> None:
            self._press(key)

        if not isinstance(self.page, ApprovalPage):
            self.open_page(ApprovalPage(self.desk, error, again))

    def open_page(self, page: Page) -> None:
        """Put a screen over the others."""
        self._pages.append(self._bound(page))

    def close_page(self) -> None:
        """Take the topmost screen away."""
        if self._pages:
            self._pages.pop()

    # --- drawing ------------------------------------------------------------

    def redraw(self) -> None:
        """Draw everything again; unchanged rows cost nothing on the wire."""
        for part in self._parts.values():
            part.repaint()

    def picture(self) -> Canvas:
        """Return the whole screen as one canvas, as it is drawn now."""
        whole = Canvas(self.size.width, self.size.height)
        for part in self._parts.values():
            if part.display:
                whole.paste(part.region.x, part.region.y, part.drawn())
        return whole

    def _tick(self) -> None:
        """Draw again when a second, a minute or a light has changed."""
        desk, view = self.desk, self.desk.view
        now = desk.till.now()
        self._sign_out_if_idle(now)
        drawn: tuple[object, ...] = (
            desk.till.wall_ms() // 60_000,
            desk.seconds_left(),
            None if view.next_ask_at is None else int(view.next_ask_at - now),
            desk.standing_remark() is None,
            reading_lights(now - desk.stage_since) if view.stage is Stage.READING else 0,
        )
        if drawn != self._last_drawn:
            self._last_drawn = drawn
            self.redraw()

    def _sign_out_if_idle(self, now: float) -> None:
        """Leave the till to nobody after a while; a payment in hand is seen through first."""
        idle_s = self.desk.shop.idle_sign_out_s
        is_due = idle_s is not None and now - self._last_key_at >= idle_s
        if is_due and self.desk.view.stage not in MID_PAYMENT and self._gate is None:
            self._sign_out()
            self.redraw()

    def _sign_out(self) -> None:
        self.desk.till.staff.sign_out()
        self._close_the_gate()

    def _leave_till(self) -> None:
        self.desk.till.sign_out()
        self._close_the_gate()

    def _open_bulletins(self) -> None:
        from ui.screens.bulletins import BulletinsPage

        self.open_page(BulletinsPage(self.desk))

    def _open_store(self) -> None:
        from ui.screens.store import StorePage

        self.open_page(StorePage(self.desk))

    def _own_secret(self) -> None:
        from ui.screens.people import OwnSecretPage

        self.open_page(OwnSecretPage(self.desk, can_close=True))

    def _people(self) -> None:
        from ui.screens.people import PeoplePage

        self.open_page(PeoplePage(self.desk))

    def _paint_body(self, canvas: Canvas) -> None:
        self.page.paint(canvas)

    def _paint_actions(self, canvas: Canvas) -> None:
        paint_actions(canvas, self.page.actions(), self.desk.words)

    def _paint_customer(self, canvas: Canvas) -> None:
        if not canvas.width:
            return
        from terminal.customer import customer_view
        from ui.widgets.customer_panel import paint_customer

        shown = customer_view(self.desk.view, self.desk.shop, self.desk.till.now())
        paint_customer(canvas, shown, has_blocks=self.desk.has_blocks)

    # --- keys ---------------------------------------------------------------

    def on_key(self, event: events.Key) -> None:
        """Take a key: the screen first, then what holds everywhere."""
        event.prevent_default()
        event.stop()
        key = Key(event.key, event.character or "")
        self._last_key_at = self.desk.till.now()
        self._take_keys(self._keyboard.take(key, event.time))

    def _take_keys(self, pressed: Sequence[Pressed]) -> None:
        for each in pressed:
            if isinstance(each, Key):
                self._take_key(each)
            elif isinstance(each, Scanned):
                self._take_code(each.text)
            else:
                self.desk.say(self.desk.words("Scan it once more"))
                self.redraw()
        if self._keyboard.due_s is not None:
            self.set_timer(max(0.0, self._keyboard.due_s - time.monotonic()), self._rest)

    def _rest(self) -> None:
        """Release what was held back, if no key followed."""
        self._take_keys(self._keyboard.idle(time.monotonic()))

    def _take_code(self, text: str) -> None:
        """Hand over what a scanner typed; outside a sale nobody keeps it."""
        words, stage = self.desk.words, self.desk.view.stage
        if self.desk.till.code_typed(text):
            self.desk.remark = None
        elif stage is Stage.PRESENT:
            # The sale has only just opened.
            self.desk.say(words("Scan it once more"))
        elif stage in MID_PAYMENT:
            self.desk.say(words("No code is wanted now"))
        else:
            self.desk.say(words("That was a scanner. Take payment first, then scan"))
        self.redraw()

    def _take_key(self, key: Key) -> None:
        # A remark is about the last key, and this is another.
        self.desk.remark = None
        try:
            if not self._press(key):
                self.desk.say(self.desk.words("This key does nothing here. F1 for help"))
        except ApprovalNeeded as error:
            self._ask_approval(error, key)
        except TillError as error:
            self.desk.refuse(error)
        self._close_the_gate()
        view = self.desk.till.view()
        if self.desk.view.stage is Stage.RESULT and view.stage is Stage.IDLE:
            # The key closed it: the next may be waiting, and is meant for the sale.
            self._take_view(view)
        self.redraw()

    def on_paste(self, event: events.Paste) -> None:
        """Take pasted text as if it were typed, in the search only."""
        if self.page.takes_text() and self.page.name == "payments":
            for character in event.text:
                self.page.press(Key(character, character))
            self.redraw()

    def _press(self, key: Key) -> bool:
        if key.name == "f10":
            self.desk.language = other(self.desk.language)
            return True
        if key.name == "f11":
            self.desk.theme = next_theme(self.desk.theme)
            self.theme = self.desk.theme
            return True
        if self.page.press(key):
            return True
        if self._gate is not None:
            # Nobody is at the till: no key does anything behind this screen.
            return False
        if key.name == "f1":
            self._help()
            return True
        is_letter_free = not self.page.takes_text()
        if key.letter == "b" and is_letter_free and self.desk.till.bench:
            self._open_bench()
            return True
        if key.name == "f7":
            self._f7()
            return True
        if self.desk.view.stage in MID_PAYMENT:
            if key.name.startswith("f") and key.name[1:].isdigit():
                text = self.desk.words("A payment is in hand. Finish or cancel it first")
                self.desk.say(text, is_refusal=True)
                return True
            # Digits and letters of a hurried hand mean nothing here.
            return True
        return self._press_function(key)

    def _press_function(self, key: Key) -> bool:
        opens = {
            "f2": self._find,
            "f3": self._last,
            "f4": self._void,
            "f5": self._refund,
            "f6": self._copy,
            "f8": self._close_day,
            "f9": self._more,
        }
        wish = opens.get(key.name)
        if wish is None and key.character == "*" and not self.page.takes_text():
            wish = self._more
        if wish is None:
            return False
        wish()
        return True

    def _help(self) -> None:
        from ui.screens.help import HelpPage

        self.open_page(HelpPage(self.desk))

    def _open_bench(self) -> None:
        from ui.screens.bench import BenchPage

        if self.desk.till.bench:
            self.open_page(BenchPage(self.desk, self.desk.till.bench))

    def _open_doctor(self) -> None:
        from ui.screens.doctor import DoctorPage, seen_screen

        screen = seen_screen(
            self.size.width,
            self.size.height,
            has_colours=self.console.color_system is not None,
            has_blocks=self.desk.has_blocks,
        )
        page = DoctorPage(self.desk, screen, self._found)
        self.open_page(page)
        page.begin()

    def _found(self) -> None:
        """Have the page drawn again, from whichever thread it learnt something on."""
        self.post_message(SomethingFound())

    def _list(self, *, is_searching: bool = False, remark: str = "") -> None:
        from ui.screens.payments import PaymentsPage

        self._pages.clear()
        self.open_page(PaymentsPage(self.desk, is_searching=is_searching))
        if remark:
            self.desk.say(remark)

    def _find(self) -> None:
        self._list(is_searching=True)

    def _void(self) -> None:
        self._list(remark=self.desk.words("Choose the sale, then V voids it"))

    def _refund(self) -> None:
        self._list(remark=self.desk.words("Choose the sale, then R refunds it"))

    def _last(self) -> None:
        from ui.screens.payments import PaymentsPage

        latest = self.desk.till.payments(limit=1)
        if not latest:
            self.desk.say(self.desk.words("No payment yet"))
            return
        page = PaymentsPage(self.desk)
        page.open_detail(latest[0].id)
        self._pages.clear()
        self.open_page(page)

    def _copy(self) -> None:
        from ui.screens.receipt import ReceiptPage

        latest = self.desk.till.payments(limit=1)
        if not latest:
            self.desk.say(self.desk.words("No payment yet"))
            return
        if self.desk.shop.has_printer:
            self.desk.print_receipt(latest[0])
        else:
            self.open_page(ReceiptPage(self.desk, latest[0], is_copy=True))

    def _close_day(self) -> None:
        from ui.screens.close import ClosePage

        self.desk.till.day.ask_totals()
        self._pages.clear()
        self.open_page(ClosePage(self.desk))

    def _f7(self) -> None:
        """On the sale: take the payment by code. On present: show the code."""
        stage = self.desk.view.stage
        if stage is Stage.IDLE and isinstance(self._base, SalePage) and not self._pages:
            self._base.take_payment(with_code=True)
        elif stage is Stage.PRESENT:
            self._show_code()
        else:
            self.desk.say(self.desk.words("No code can be shown now"), is_refusal=True)

    def _show_code(self) -> None:
        self.desk.wants_code = False
        self.desk.till.show_code()

    def _more(self) -> None:
        from ui.screens.more import Choice, MorePage

        choices = [
            Choice(mark("Help"), "F1", self._help),
            Choice(mark("Find a payment"), "F2", self._find),
            Choice(mark("Last payment"), "F3", self._last),
            Choice(mark("Void or refund"), "F4 F5", self._refund),
            Choice(mark("Copy of the last receipt"), "F6", self._copy),
            Choice(mark("Language: English / Chinese"), "F10", self._next_language),
            Choice(mark("Colours: dark, light, high contrast"), "F11", self._next_theme),
            Choice(mark("Customer's screen beside the till"), "", self._toggle_customer),
            Choice(mark("Doctor: what works and what does not"), "", self._open_doctor),
        ]
        if self.desk.shop.has_drawer:
            choices.append(Choice(mark("Open the cash drawer"), "", self._open_drawer))
        choices += [
            Choice(mark("People"), "", self._people),
            Choice(mark("My secret"), "", self._own_secret),
            Choice(mark("Sign out"), "", self._leave_till),
            Choice(mark("Kept here, and to be settled"), "", self._open_store),
            Choice(mark("Close of day"), "F8", self._close_day),
        ]
        if self.desk.view.bulletins:
            choices.insert(0, Choice(mark("Messages from the bank"), "", self._open_bulletins))
        choices.append(Choice(mark("Switch the till off"), "Ctrl+Q", self._quit))
        choices.append(Choice(mark("Other kinds of payment"), "", self._other_kinds))
        if self.desk.till.bench:
            choices.append(Choice(mark("Bench"), "B", self._open_bench))
        self.open_page(MorePage(self.desk, choices))

    def _other_kinds(self) -> None:
        """Offer what is taken less often than a sale."""
        from ui.screens.more import Choice, MorePage

        choices = [
            Choice(mark("Hold the amount: pre-authorisation"), "", self._hold),
            Choice(mark("Type a card number: mail or telephone order"), "", self._moto),
            Choice(mark("What a card's account has: balance inquiry"), "", self._balance),
        ]
        self.open_page(MorePage(self.desk, choices))

    def _balance(self) -> None:
        self.desk.till.balance()

    def _moto(self) -> None:
        """Ask for the number of the card that pays what is on the tape."""
        from ui.screens.moto import MotoPage

        if not self.desk.entry.total_minor:
            self.desk.say(self.desk.words("Type the amount first"))
            return
        self.open_page(MotoPage(self.desk))

    def _hold(self) -> None:
        """Have the bank hold what is on the tape."""
        if not self.desk.entry.total_minor:
            self.desk.say(self.desk.words("Type the amount first"))
            return
        self.desk.till.preauth(self.desk.entry.total_minor)

    def _open_drawer(self) -> None:
        self.desk.till.open_drawer()
        self.desk.say(self.desk.words("The cash drawer opens"))

    def _next_language(self) -> None:
        self.desk.language = other(self.desk.language)

    def _next_theme(self) -> None:
        self.desk.theme = next_theme(self.desk.theme)
        self.theme = self.desk.theme

    def _toggle_customer(self) -> None:
        is_shown = self._parts["customer"].styles.display == "block"
        if not is_shown and self.size.width < 80 + 38:
            needed = 80 + 38
            text = self.desk.words("The window is too narrow: {count} columns are needed")
            self.desk.say(text.format(count=needed), is_refusal=True)
            return
        self._shows_customer = not is_shown
        self._arrange(self.size.width, self.size.height)

    async def action_quit(self) -> None:
        """Answer Ctrl+Q, which Textual binds for itself."""
        self._quit()
        self.redraw()

    def action_help_quit(self) -> None:
        """Answer Ctrl+C in the same way."""
        self._quit()
        self.redraw()

    def _quit(self) -> None:
        """Switch off, unless a payment is in hand."""
        if self.desk.view.stage in MID_PAYMENT:
            text = self.desk.words("A payment is in hand. Finish or cancel it first")
            self.desk.say(text, is_refusal=True)
            return
        self.exit()


def run(till: Door, language: str, theme: str | None = None) -> None:
    """Show the till until the cashier switches it off.

    Raises KeyError for a language the till does not speak.
    """
    from ui.probe import blocks_are_narrow

    app = TillApp(till, language, theme)
    app.desk.has_blocks = blocks_are_narrow(language)
    app.run(mouse=False)
