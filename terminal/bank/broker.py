"""One connection to an MQTT broker, in a till's hands."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

from terminal.bank.trust import broker_context
from terminal.errors import PushUnavailable

if TYPE_CHECKING:
    from terminal.security.keys import TillKeys

PORT: Final = 1883
TLS_PORT: Final = 8883
KEEP_ALIVE_S: Final = 30
CONNECT_S: Final = 5.0
TOPICS: Final = ("opentill/{}", "opentill/all")
"""What is meant for one till, by its name, and what is for every till."""


class Broker:
    """Let in, and listening; what comes is heard while serve() runs. For one thread."""

    def __init__(self, url: str, keys: TillKeys, nudge: Callable[[], None]) -> None:
        """url: mqtt://HOST[:PORT], or mqtts:// with the till's certificate.

        nudge: called for each message, and once when the broker listens for us:
        what came before that was missed.
        Raises PushUnavailable, saying why; KeysUnusable.
        """
        self._url = url
        self._topics = [(topic.format(keys.till_id), 1) for topic in TOPICS]
        self._said: list[str] = []
        """What the broker said when it was asked to let us in; '' if it did."""
        self._client = Client(CallbackAPIVersion.VERSION2)
        self._client.connect_timeout = CONNECT_S
        self._client.on_connect = self._answered
        self._client.on_subscribe = lambda *_: nudge()
        self._client.on_message = lambda *_: nudge()
        parts = urlsplit(url)
        port = parts.port or PORT
        if parts.scheme == "mqtts":
            self._client.tls_set_context(broker_context(keys))
            port = parts.port or TLS_PORT
        try:
            self._client.connect(parts.hostname or "", port, KEEP_ALIVE_S)
        except ssl.SSLError as error:
            raise PushUnavailable(f"{url}: {error.reason or error}") from None
        except OSError as error:
            raise PushUnavailable(f"{url}: {error.strerror or error}") from None
        while not self._said:
            self.serve(CONNECT_S)
        if self._said[0]:
            raise PushUnavailable(f"{url}: the broker says: {self._said[0]}")

    def serve(self, for_s: float) -> None:
        """Hear what comes, for so many seconds at most. Raises PushUnavailable."""
        if self._client.loop(for_s) is not MQTTErrorCode.MQTT_ERR_SUCCESS:
            raise PushUnavailable(f"{self._url}: the broker has hung up")

    def close(self) -> None:
        """Leave."""
        self._client.disconnect()

    def _answered(self, _client: Client, _data: Any, _flags: Any, reason: Any, _more: Any) -> None:
        self._said.append(str(reason) if reason.is_failure else "")
        if not reason.is_failure:
            self._client.subscribe(self._topics)
