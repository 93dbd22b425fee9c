"""One scanner's worker: looks for payment codes while a sale wants one."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence

from config.schema import CodeRule
from drivers.errors import DriverError
from drivers.protocols import Health, Scanner, Symbol
from emv.qr.payment_code import PaymentCode, classify
from terminal.events import Arm, CodeRead, CodeRejected, DeviceHealth, InboxEvent
from terminal.messages import Message
from terminal.view import Readiness

log = logging.getLogger(__name__)

POLL_S = 0.25
RETRY_S = 1.0
CLOSE_S = 5.0

_READINESS = {
    Health.READY: Readiness.READY,
    Health.STARTING: Readiness.STARTING,
    Health.FAULTY: Readiness.FAULTY,
    Health.ABSENT: Readiness.ABSENT,
}


class CodeWorker:
    """Owns one scanner. Armed, it looks; the first payment code is one event."""

    def __init__(
        self,
        open_scanner: Callable[[], Scanner],
        rules: Sequence[CodeRule],
        seal: Callable[[str, str], str],
        post: Callable[[InboxEvent], None],
    ) -> None:
        """seal: attempt and code to a JWE only the bank can open."""
        self._open_scanner = open_scanner
        self._rules = rules
        self._brands = {rule.wallet: rule.name for rule in rules}
        self._seal = seal
        self._post = post
        self._scanner: Scanner | None = None
        self._readiness: Readiness | None = None
        self._changed = threading.Condition()
        self._arm: Arm | None = None
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="codes", daemon=True)

    def start(self) -> None:
        """Open the scanner and begin to wait for sales."""
        self._thread.start()

    def arm(self, wish: Arm) -> None:
        """Look for codes for this sale. Returns at once."""
        with self._changed:
            self._arm = wish
            self._changed.notify()

    def disarm(self) -> None:
        """Look no longer. Returns at once."""
        with self._changed:
            self._arm = None
            self._changed.notify()

    def close(self) -> None:
        """Let the scanner go. Safe to call twice."""
        with self._changed:
            self._closing = True
            self._arm = None
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join(CLOSE_S)

    def _run(self) -> None:
        while not self._closing:
            if self._scanner is None and not self._find_scanner():
                with self._changed:
                    self._changed.wait_for(lambda: self._closing, RETRY_S)
                continue
            with self._changed:
                self._changed.wait_for(lambda: self._arm is not None or self._closing)
                arm = self._arm
            if arm is None or self._scanner is None:
                continue
            try:
                self._scanner.start()
                self._serve(arm, self._scanner)
                self._scanner.stop()
            except DriverError as error:
                log.warning("camera lost: %s", error)
                self._scanner.close()
                self._scanner = None
                self._tell(Readiness.FAULTY)
        if self._scanner is not None:
            self._scanner.close()

    def _find_scanner(self) -> bool:
        try:
            self._scanner = self._open_scanner()
        except DriverError as error:
            log.debug("camera not found: %s", error)
            self._tell(Readiness.ABSENT)
            return False
        self._tell(Readiness.READY)
        return True

    def _serve(self, arm: Arm, scanner: Scanner) -> None:
        seen: set[bytes] = set()
        while self._arm is arm and not self._closing:
            symbols = scanner.wait_for_symbols(POLL_S)
            self._tell(_READINESS[scanner.diagnose().health])
            fresh = {symbol.data: symbol for symbol in symbols if symbol.data not in seen}
            if not fresh:
                continue
            codes = [self._classify(symbol) for symbol in fresh.values()]
            payable = [code for code in codes if code.can_pay]
            if len(payable) > 1:
                # Which of them the customer means, nobody can know; and they
                # are looked at again once one is taken away.
                self._post(CodeRejected(arm.arming, Message.TWO_CODES))
                continue
            # The same code counts once per sale.
            seen |= fresh.keys()
            if not payable:
                self._post(CodeRejected(arm.arming, Message.NOT_A_PAYMENT_CODE))
                continue
            brand = self._brands.get(payable[0].wallet, "")
            self._post(CodeRead(arm.arming, brand, self._seal(arm.attempt, payable[0].text)))

    def _classify(self, symbol: Symbol) -> PaymentCode:
        return classify(symbol.data, symbol.symbology.value, self._rules)

    def _tell(self, readiness: Readiness) -> None:
        if readiness is not self._readiness:
            self._readiness = readiness
            self._post(DeviceHealth("camera", readiness))
