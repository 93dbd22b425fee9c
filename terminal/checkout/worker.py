"""One device on one thread: found, armed for a sale, disarmed, lost, found again."""

from __future__ import annotations

import logging
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Generic, TypeVar

from drivers.errors import DriverError
from drivers.protocols import Device
from terminal.events import Arm, DeviceHealth, InboxEvent, TellCard
from terminal.questions import AnswerCard
from terminal.view import Readiness

log = logging.getLogger(__name__)

POLL_S = 0.25
"""A disarmed device is off at the latest after this long."""
RETRY_S = 1.0
"""How soon a device that was lost is looked for again."""
CHECK_S = 2.0
"""How often a device is looked after while no sale is open."""
CLOSE_S = 5.0

D = TypeVar("D", bound=Device)


class DeviceWorker(ABC, Generic[D]):
    """Owns one device. All its calls return at once, from any thread."""

    def __init__(
        self,
        open_device: Callable[[], D],
        name: str,
        role: str,
        post: Callable[[InboxEvent], None],
    ) -> None:
        """name: what people call the device. role: 'reader', 'contact' or 'camera'."""
        self._open_device = open_device
        self._name = name
        self._role = role
        self._post = post
        self._device: D | None = None
        self._readiness: Readiness | None = None
        self._changed = threading.Condition()
        self._arm: Arm | None = None
        self._told: TellCard | AnswerCard | None = None
        self._closing = False
        self._thread = threading.Thread(target=self._run, name=f"{role}-worker", daemon=True)

    def start(self) -> None:
        """Open the device and begin to wait for sales."""
        self._thread.start()

    def arm(self, wish: Arm) -> None:
        """Look for a customer's card or code for this sale."""
        with self._changed:
            self._arm = wish
            self._changed.notify_all()

    def disarm(self) -> None:
        """Look no longer."""
        with self._changed:
            self._arm = None
            self._changed.notify_all()

    def tell(self, wish: TellCard | AnswerCard) -> None:
        """Give what waits here its issuer's or its holder's word; only a chip ever does."""
        with self._changed:
            self._told = wish
            self._changed.notify_all()

    def _wake(self) -> None:
        """Have whoever waits here look again."""
        with self._changed:
            self._changed.notify_all()

    def close(self) -> None:
        """Let the device go. Safe to call twice."""
        with self._changed:
            self._closing = True
            self._arm = None
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join(CLOSE_S)

    @property
    def place(self) -> tuple[str, str]:
        """The device's name, and its role as far as it is known."""
        return self._name, self._role

    @abstractmethod
    def _serve(self, arm: Arm, device: D) -> None:
        """Take cards or codes for one sale, until it is decided or disarmed.

        Raises DriverError if the device is lost.
        """

    @abstractmethod
    def _lost(self, arm: Arm) -> None:
        """Tell the core that the device was lost in the middle of a sale."""

    def _is_there(self, device: D) -> bool:
        """Say whether an idle device is still there, without disturbing it."""
        return True

    def _greet(self, device: D) -> Readiness:
        """Return how a device stands that has just been opened."""
        return Readiness.READY

    def _is_armed(self, arm: Arm) -> bool:
        return self._arm is arm and not self._closing

    def _wait_while_armed(self, arm: Arm, timeout_s: float | None = None) -> None:
        with self._changed:
            self._changed.wait_for(lambda: not self._is_armed(arm), timeout_s)

    def _tell(self, readiness: Readiness) -> None:
        if readiness is not self._readiness:
            self._readiness = readiness
            self._post(DeviceHealth(self._name, self._role, readiness))

    def _run(self) -> None:
        while not self._closing:
            device = self._find()
            if device is None:
                self._pause()
                continue
            with self._changed:
                self._changed.wait_for(lambda: self._arm is not None or self._closing, CHECK_S)
                arm = self._arm
            if arm is None:
                self._look_after(device)
                continue
            try:
                self._serve(arm, device)
            except DriverError as error:
                log.warning("%s lost: %s", self._name, error)
                device.close()
                self._device = None
                self._tell(Readiness.FAULTY)
                self._lost(arm)
                # One that opens and is lost at once must not keep a core busy.
                self._pause()
        if self._device is not None:
            self._device.close()

    def _look_after(self, device: D) -> None:
        if not self._closing and not self._is_there(device):
            log.warning("%s is gone", self._name)
            device.close()
            self._device = None

    def _find(self) -> D | None:
        if self._device is None:
            try:
                self._device = self._open_device()
            except DriverError as error:
                log.debug("%s not found: %s", self._name, error)
                self._tell(Readiness.ABSENT)
            else:
                self._tell(self._greet(self._device))
        return self._device

    def _pause(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._closing, RETRY_S)
