"""Tells tills through an MQTT broker that the bank has something for them: ask now.

Nothing of what it is goes that way, and nothing hangs on its arrival.
"""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Final, Self
from urllib.parse import urlsplit

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

TOPIC: Final = "opentill/{}"
ALL: Final = "all"
"""In place of a till's name: every till."""
PORT: Final = 1883
HAND_OVER_S: Final = 5.0


class Nudger:
    """One connection to the broker, kept up in the background."""

    def __init__(self, url: str) -> None:
        """url: mqtt://HOST[:PORT]. The broker may come up later."""
        parts = urlsplit(url)
        if parts.scheme != "mqtt" or not parts.hostname:
            raise ValueError(f"{url}: the simulated bank publishes at mqtt://HOST:PORT only")
        self._is_up = threading.Event()
        self._client = Client(CallbackAPIVersion.VERSION2)
        self._client.on_connect = lambda *_: self._is_up.set()
        self._client.connect_async(parts.hostname, parts.port or PORT)

    def nudge(self, till: str) -> None:
        """Have a till ask. Returns at once; lost if the broker is away."""
        self._client.publish(TOPIC.format(till), b"ask", qos=1)

    def hand_over(self, till: str) -> bool:
        """Have a till ask; return whether the broker has taken it."""
        if not self._is_up.wait(HAND_OVER_S):
            return False
        told = self._client.publish(TOPIC.format(till), b"ask", qos=1)
        told.wait_for_publish(HAND_OVER_S)
        return told.is_published()

    def __enter__(self) -> Self:
        self._client.loop_start()
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _value: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._client.disconnect()
        self._client.loop_stop()
