"""Listens at an MQTT broker for the bank's "ask now".

What comes that way is not read and not believed: it has the till ask the bank,
by the signed link, a little earlier than it would have. Without a broker the
till asks in its own time.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from terminal.errors import KeysUnusable, PushUnavailable

if TYPE_CHECKING:
    from terminal.security.keys import TillKeys

AGAIN_S: Final = 5.0
"""How soon a broker that went away is looked for."""
LOOK_S: Final = 0.5
"""How soon close() is heard."""
CLOSE_S: Final = 10.0
MISSING: Final = "pip install 'opentill[push]'"

log = logging.getLogger(__name__)


class PushListener:
    """A thread that keeps one connection to the broker up."""

    def __init__(
        self,
        url: str,
        load_keys: Callable[[], TillKeys],
        nudge: Callable[[], None],
        *,
        again_s: float = AGAIN_S,
    ) -> None:
        """url: as in bank.push_url. load_keys: the newest; raises KeysUnusable.

        nudge: called whenever the bank is worth asking, from the listener's thread.
        """
        self._url = url
        self._load_keys = load_keys
        self._nudge = nudge
        self._again_s = again_s
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="push", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def close(self) -> None:
        """Listen no more. Safe to call twice."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join(CLOSE_S)

    def _run(self) -> None:
        while not self._over.is_set():
            try:
                self._listen()
            except (PushUnavailable, KeysUnusable) as error:
                log.info("no push: %s", error)
            except ImportError:
                log.warning("no push: the library is not here: %s", MISSING)
                return
            self._over.wait(self._again_s)

    def _listen(self) -> None:
        """Serve one connection to its end. Raises PushUnavailable, KeysUnusable, ImportError."""
        from terminal.bank.broker import Broker

        broker = Broker(self._url, self._load_keys(), self._nudge)
        try:
            while not self._over.is_set():
                broker.serve(LOOK_S)
        finally:
            broker.close()
