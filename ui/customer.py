"""The customer's screen in a window of its own: `till customer`."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import replace
from pathlib import Path

from textual import events
from textual.app import App, ComposeResult
from textual.message import Message as Event

from terminal.customer import CustomerView, follow
from ui.app import theme_of
from ui.locale import translate
from ui.tokens import DARK, THEMES
from ui.widgets.canvas import Canvas
from ui.widgets.customer_panel import paint_customer
from ui.widgets.painted import Painted

RETRY_S = 1.0


class Shown(Event):
    """The till has published a view, or None: it is gone."""

    def __init__(self, view: CustomerView | None) -> None:
        super().__init__()
        self.view = view


class CustomerApp(App[None]):
    """Shows what the till's socket says; takes no key but the one that ends it."""

    ENABLE_COMMAND_PALETTE = False
    CSS = """
    Screen { background: $ground; overflow: hidden; scrollbar-size: 0 0; }
    #customer { width: 100%; height: 100%; }
    """

    def __init__(self, socket_path: Path, language: str, *, has_blocks: bool = True) -> None:
        """language: of the line shown while there is no till."""
        super().__init__()
        self._socket_path = socket_path
        self._words = translate(language)
        self._has_blocks = has_blocks
        self._view: CustomerView | None = None
        self._ending = threading.Event()
        self._panel = Painted(self._paint, name="customer")

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Give CSS our tokens before the first theme is set."""
        return dict(DARK)

    def compose(self) -> ComposeResult:
        """One panel."""
        yield self._panel

    def on_mount(self) -> None:
        """Begin to listen."""
        for name in THEMES:
            self.register_theme(theme_of(name))
        self.theme = "dark"
        threading.Thread(target=self._listen, name="till socket", daemon=True).start()
        self.set_interval(1.0, self._count_down)

    def on_unmount(self) -> None:
        """Stop listening."""
        self._ending.set()

    def on_key(self, event: events.Key) -> None:
        """End on Ctrl+Q or Ctrl+C."""
        if event.key in ("ctrl+q", "ctrl+c"):
            self.exit()

    def on_shown(self, event: Shown) -> None:
        """Draw what was published."""
        self._view = event.view
        self._panel.repaint()

    def _listen(self) -> None:
        """Follow the till; when it goes, wait for the next."""
        while not self._ending.is_set():
            # No till yet, or one that is going: the panel says so.
            with contextlib.suppress(OSError, ValueError):
                for view in follow(self._socket_path):
                    self.post_message(Shown(view))
            self.post_message(Shown(None))
            self._ending.wait(RETRY_S)

    def _count_down(self) -> None:
        if self._view and self._view.left_s:
            self._view = replace(self._view, left_s=self._view.left_s - 1)
            self._panel.repaint()

    def _paint(self, canvas: Canvas) -> None:
        if self._view is None:
            text = self._words("No till here. Start it, and this screen follows")
            canvas.put_centred(0, canvas.height // 2, canvas.width, text, "muted")
            return
        paint_customer(canvas, self._view, has_blocks=self._has_blocks)


def run(socket_path: Path, language: str) -> None:
    """Show the customer's side of the till until Ctrl+Q.

    Raises KeyError for a language the till does not speak.
    """
    from ui.probe import blocks_are_narrow

    CustomerApp(socket_path, language, has_blocks=blocks_are_narrow(language)).run(mouse=False)
