"""One reader's worker: runs whole conversations with cards, and says what came of them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from drivers.errors import CardClash, DriverError
from drivers.protocols import CardReader
from emv import entry_point
from emv.conversation import Note
from emv.outcome import Outcome, Start, UserInterfaceRequest
from terminal.checkout.card_facts import (
    encode_record,
    end_of,
    facts_of,
    reason_of,
)
from terminal.checkout.pump import Answers, converse
from terminal.events import Arm, CardEnd, CardPresented, CardRead, DeviceHealth, InboxEvent
from terminal.messages import Message
from terminal.seams import Randomness
from terminal.view import Readiness

log = logging.getLogger(__name__)

POLL_S = 0.25
"""A disarmed reader's field is off at the latest after this long."""
RETRY_S = 1.0
"""How soon a reader that was lost is looked for again."""
CLOSE_S = 5.0


@dataclass(frozen=True, slots=True)
class CardRules:
    """Everything a conversation needs that does not change from sale to sale."""

    config: entry_point.EntryPointConfig
    kernels: Mapping[int, entry_point.KernelFactory]
    brands: Mapping[bytes, str]
    """AID of the reader's list to what people call it."""
    is_on_exception_file: Callable[[str, int | None], bool]

    def brand_of(self, aid: bytes) -> str:
        """Return what people call an application, by its longest known beginning."""
        fitting = [known for known in self.brands if aid.startswith(known)]
        return self.brands[max(fitting, key=len)] if fitting else ""


class CardWorker:
    """Owns one reader. Armed, it waits for a card; a conversation ends in one event."""

    def __init__(
        self,
        open_reader: Callable[[], CardReader],
        role: str,
        rules: CardRules,
        transaction: Callable[[Arm], entry_point.Transaction],
        seal: Callable[[str, bytes], str],
        random: Randomness,
        post: Callable[[InboxEvent], None],
    ) -> None:
        """role: 'reader' or 'contact', for the status line.

        seal: attempt and card data to a JWE only the bank can open.
        """
        self._open_reader = open_reader
        self._role = role
        self._rules = rules
        self._transaction = transaction
        self._seal = seal
        self._post = post
        self._answers = Answers(random, rules.is_on_exception_file, self._show, self._note)
        self._reader: CardReader | None = None
        self._changed = threading.Condition()
        self._arm: Arm | None = None
        self._closing = False
        self._thread = threading.Thread(target=self._run, name=f"card-{role}", daemon=True)

    def start(self) -> None:
        """Open the reader and begin to wait for sales."""
        self._thread.start()

    def arm(self, wish: Arm) -> None:
        """Wait for a card for this sale. Returns at once."""
        with self._changed:
            self._arm = wish
            self._changed.notify()

    def disarm(self) -> None:
        """Wait no longer. Returns at once."""
        with self._changed:
            self._arm = None
            self._changed.notify()

    def close(self) -> None:
        """Let the reader go. Safe to call twice."""
        with self._changed:
            self._closing = True
            self._arm = None
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join(CLOSE_S)

    def _run(self) -> None:
        while not self._closing:
            if self._reader is None and not self._find_reader():
                with self._changed:
                    self._changed.wait_for(lambda: self._closing, RETRY_S)
                continue
            with self._changed:
                self._changed.wait_for(lambda: self._arm is not None or self._closing)
                arm = self._arm
            if arm is None:
                continue
            try:
                self._serve(arm)
            except DriverError as error:
                log.warning("%s lost: %s", self._role, error)
                self._lose_reader(arm)
                # One that opens and is lost at once must not keep a core busy.
                with self._changed:
                    self._changed.wait_for(lambda: self._closing, RETRY_S)
        if self._reader is not None:
            self._reader.close()

    def _find_reader(self) -> bool:
        try:
            self._reader = self._open_reader()
        except DriverError as error:
            log.debug("%s not found: %s", self._role, error)
            self._post(DeviceHealth(self._role, Readiness.ABSENT))
            return False
        self._post(DeviceHealth(self._role, Readiness.READY))
        return True

    def _lose_reader(self, arm: Arm) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.close()
        self._post(DeviceHealth(self._role, Readiness.FAULTY))
        self._post(CardRead(arm.arming, CardEnd.AGAIN, Message.READER_LOST, Message.INSERT_OR_CODE))

    def _serve(self, arm: Arm) -> None:
        """Take cards for one sale until one of them decides it, or it is disarmed."""
        transaction = self._transaction(arm)
        prepared = entry_point.pre_process(self._rules.config, transaction)
        refused = entry_point.refusal(prepared, transaction)
        if refused is not None:
            # No combination allows this amount: the field stays off.
            self._post(CardRead(arm.arming, CardEnd.AGAIN, *reason_of(refused)))
            self._wait_while_armed(arm)
            return
        outcome: Outcome | None = None
        while self._is_armed(arm) and self._reader is not None:
            try:
                if not self._reader.wait_for_card(POLL_S):
                    continue
            except CardClash:
                clash = (Message.ONE_CARD_ONLY, Message.TRY_ONCE_MORE)
                self._post(CardRead(arm.arming, CardEnd.AGAIN, *clash))
                self._reader.release()
                with self._changed:
                    self._changed.wait_for(lambda: not self._is_armed(arm), POLL_S)
                continue
            if not self._is_armed(arm):
                # It came for the next sale, which finds it still active.
                return
            self._post(CardPresented(arm.arming))
            outcome = self._converse(transaction, outcome)
            self._reader.release()
            if self._report(arm, outcome) is not CardEnd.AGAIN:
                self._wait_while_armed(arm)
                return

    def _converse(self, transaction: entry_point.Transaction, previous: Outcome | None) -> Outcome:
        if self._reader is None:
            raise DriverError(f"{self._role} is not open")
        restart = previous is not None and previous.start is Start.B
        kernel = entry_point.run(
            self._rules.config,
            transaction,
            self._rules.kernels,
            Start.B if restart else Start.A,
            previous if restart else None,
        )
        return converse(kernel, self._reader, self._answers)

    def _report(self, arm: Arm, outcome: Outcome) -> CardEnd:
        end = end_of(outcome)
        reason, next_step = reason_of(outcome)
        facts, sealed = None, ""
        if outcome.data_record:
            aid = outcome.data_record.get(0x84, b"")
            facts = facts_of(outcome, self._rules.brand_of(aid))
            if end in (CardEnd.ONLINE, CardEnd.APPROVED):
                sealed = self._seal(arm.attempt, encode_record(outcome.data_record))
        self._post(CardRead(arm.arming, end, reason, next_step, facts, sealed))
        return end

    def _is_armed(self, arm: Arm) -> bool:
        return self._arm is arm and not self._closing

    def _wait_while_armed(self, arm: Arm) -> None:
        with self._changed:
            self._changed.wait_for(lambda: not self._is_armed(arm))

    def _show(self, request: UserInterfaceRequest) -> None:
        # The screen follows the core; readers with lights will follow this.
        log.debug("%s shows %s", self._role, request.message.name)

    def _note(self, note: Note) -> None:
        log.debug("%s: %s (%s)", self._role, note.text, note.source)
