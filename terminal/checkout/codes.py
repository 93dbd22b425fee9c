"""One scanner's worker: looks for payment codes while a sale wants one."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

from config.schema import CodeRule
from drivers.protocols import Health, Scanner, Symbol
from emv.qr.payment_code import PaymentCode, classify
from terminal.checkout.worker import POLL_S, DeviceWorker
from terminal.events import Arm, CodeRead, CodeRejected, InboxEvent
from terminal.messages import Message
from terminal.view import Readiness

_READINESS = {
    Health.READY: Readiness.READY,
    Health.STARTING: Readiness.STARTING,
    Health.FAULTY: Readiness.FAULTY,
    Health.ABSENT: Readiness.ABSENT,
}


class CodeWorker(DeviceWorker[Scanner]):
    """Owns one scanner. Armed, it looks; the first payment code is one event."""

    def __init__(
        self,
        open_scanner: Callable[[], Scanner],
        name: str,
        rules: Callable[[], Sequence[CodeRule]],
        seal: Callable[[str, str], str],
        post: Callable[[InboxEvent], None],
    ) -> None:
        """name: what people call the scanner. rules: those that hold.

        seal: attempt and code to a JWE only the bank can open.
        """
        super().__init__(open_scanner, name, "camera", post)
        self._rules = rules
        self._seal = seal

    def _serve(self, arm: Arm, device: Scanner) -> None:
        device.start()
        self._look(arm, device)
        device.stop()

    def _lost(self, arm: Arm) -> None:
        """Cards and our own code still pay; the status line names the camera."""

    def _look(self, arm: Arm, scanner: Scanner) -> None:
        seen: set[bytes] = set()
        while self._is_armed(arm):
            symbols = scanner.wait_for_symbols(POLL_S)
            self._tell(_READINESS[scanner.diagnose().health])
            fresh = {symbol.data: symbol for symbol in symbols if symbol.data not in seen}
            if not fresh:
                continue
            if self.judge(arm, list(fresh.values())):
                # The same code counts once per sale.
                seen |= fresh.keys()

    def judge(self, arm: Arm, symbols: Sequence[Symbol]) -> bool:
        """Tell the core what was seen; False if it is to be looked at again."""
        codes = [self._classify(symbol) for symbol in symbols]
        payable = [code for code in codes if code.can_pay]
        if len(payable) > 1:
            # Which of them the customer means, nobody can know; and they
            # are looked at again once one is taken away.
            self._post(CodeRejected(arm.arming, Message.TWO_CODES))
            return False
        if payable:
            self._post(self._code_read(arm, payable[0]))
        else:
            self._post(CodeRejected(arm.arming, Message.NOT_A_PAYMENT_CODE))
        return True

    def _code_read(self, arm: Arm, code: PaymentCode) -> CodeRead:
        return CodeRead(
            arm.arming,
            next((rule.name for rule in self._rules() if rule.wallet == code.wallet), ""),
            self._seal(arm.attempt, code.text),
            hashlib.sha256(code.text.encode()).hexdigest(),
        )

    def _classify(self, symbol: Symbol) -> PaymentCode:
        return classify(symbol.data, symbol.symbology.value, self._rules())
