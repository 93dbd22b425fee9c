"""Carries the core's requests to the bank, each lane on a thread of its own.

A wallet that has to be cancelled must not queue behind an authorisation
that waits, nor either behind the clearing up of an older payment.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from terminal.batch.events import BatchPurpose, BatchUnanswered, SendBatch
from terminal.chains import Chains
from terminal.errors import AnswerLost, MalformedMessage, NeverLeft, TillError
from terminal.events import (
    InboxEvent,
    Purpose,
    Send,
    Sending,
)
from terminal.events import NeverLeft as NeverLeftEvent

if TYPE_CHECKING:
    # A client brings requests and cryptography: they load on the lanes, so
    # that the first digit need not wait for them.
    from terminal.bank.dialects import Client

log = logging.getLogger(__name__)

CLOSE_S = 5.0

LANES = {
    Purpose.PAY: "pay",
    Purpose.ORDER: "pay",
    Purpose.ASK: "ask",
    Purpose.CLOSE: "ask",
    Purpose.REVERSE: "settle",
    Purpose.ADVISE: "settle",
    Purpose.ECHO: "settle",
    BatchPurpose.TOTALS: "ask",
    BatchPurpose.CLOSE: "settle",
    BatchPurpose.LINES: "settle",
}


class BankDesk:
    """Three lanes to one bank. Its send() returns at once."""

    def __init__(
        self,
        open_client: Callable[[], Client],
        post: Callable[[InboxEvent], None],
        find_sealed: Callable[[str], str],
        *,
        code_valid_s: int,
        chains: Chains,
    ) -> None:
        """open_client: makes one client per lane, on the lane's own thread.

        find_sealed: what is kept of a card sale, as Tender.to_keep made it.
        code_valid_s: how long a shown code may be paid, in seconds.
        chains: whose ends the bank keeps.
        """
        self._open_client = open_client
        self._post = post
        self._find_sealed = find_sealed
        self._code_valid_s = code_valid_s
        self._chains = chains
        self._clients: list[Client] = []
        self._closing = False
        self._queues: dict[str, queue.SimpleQueue[Send | SendBatch | None]] = {
            lane: queue.SimpleQueue() for lane in dict.fromkeys(LANES.values())
        }
        self._threads = [
            threading.Thread(target=self._serve, args=(lane,), name=f"bank-{lane}", daemon=True)
            for lane in self._queues
        ]

    def start(self) -> None:
        """Begin to carry."""
        for thread in self._threads:
            thread.start()

    def send(self, wish: Send | SendBatch) -> None:
        """Queue a request; its end comes as exactly one event."""
        self._queues[LANES[wish.purpose]].put(wish)

    def close(self) -> None:
        """End every call that waits, and the lanes. Safe to call twice."""
        self._closing = True
        for waiting in self._queues.values():
            waiting.put(None)
        for client in self._clients:
            client.close()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(CLOSE_S)

    def _serve(self, lane: str) -> None:
        client: Client | None = None
        while (wish := self._queues[lane].get()) is not None and not self._closing:
            if client is None:
                try:
                    client = self._open_client()
                except TillError as error:
                    # Keys that cannot be used: nothing can leave this till.
                    log.error("no bank link: %s", error)
                    self._post(_not_sent(wish, error))
                    continue
                self._clients.append(client)
            self._post(self._carry(client, wish))
            # A sealed card, and a PIN with it, is not kept until the next one comes.
            del wish

    def _carry(self, client: Client, wish: Send | SendBatch) -> InboxEvent:
        # They bring the link's words, and cryptography with them.
        from terminal.bank import batches, errands

        if isinstance(wish, SendBatch):
            return batches.tell(client, wish, self._chains)
        sending = Sending(wish.purpose, wish.payment.id)
        asked = errands.Errands(self._find_sealed, code_valid_s=self._code_valid_s)
        try:
            reply = client.call(asked.request(wish), lambda: self._post(sending))
        except (NeverLeft, AnswerLost, MalformedMessage) as error:
            return errands.unanswered(wish, error)
        return errands.answered(wish, reply)


def _not_sent(wish: Send | SendBatch, error: TillError) -> InboxEvent:
    """Return what is told of a wish for which there is no link at all."""
    if isinstance(wish, SendBatch):
        return BatchUnanswered(wish.purpose, wish.batch.number)
    return NeverLeftEvent(wish.purpose, wish.payment.id, str(error), is_insecure=True)
