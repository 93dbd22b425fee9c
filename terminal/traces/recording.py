"""Writes a conversation down as it passes, and costs it next to nothing.

A kernel is wrapped in another that hands everything through. What must be
masked is masked later, by whoever keeps the trace.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from emv import dialogue
from emv.apdu import INS_VERIFY
from emv.conversation import (
    Answer,
    AskIssuer,
    ChooseApplication,
    Command,
    IssuerAnswer,
    Kernel,
    LoggedAmount,
    Note,
    OnExceptionFile,
    PINAnswer,
    RandomBytes,
    Reply,
    Request,
    Show,
    TakeOnlinePIN,
    VerifyPIN,
)
from emv.entry_point import Transaction
from emv.errors import LinkLost
from emv.outcome import Outcome
from terminal.traces import trace as kept
from terminal.traces.trace import Interface, Sale, Step, Trace

log = logging.getLogger(__name__)

STEPS_MAX = 2_000
"""More than any kernel takes; a card cannot fill the disk."""


@dataclass(slots=True)
class Recording:
    """One conversation as it goes on. It holds card data: it is never shown or kept."""

    attempt: str
    reader: str
    interface: Interface
    started_ms: int
    transaction: Transaction
    whole: bool
    restarts: bool = False
    passed: list[tuple[Request, Answer | LinkLost]] = field(default_factory=list, repr=False)
    outcome: Outcome | None = None

    def trace(self) -> Trace:
        """Return what may be kept of it."""
        ended = self.outcome
        return Trace(
            attempt=self.attempt,
            reader=self.reader,
            interface=self.interface,
            started_ms=self.started_ms,
            whole=self.whole,
            restarts=self.restarts,
            sale=Sale.of(self.transaction),
            steps=tuple(self._steps()),
            status="" if ended is None else ended.status.value,
            reason="" if ended is None else str(ended.reason),
            cvm="" if ended is None else ended.cvm.value,
        )

    def _steps(self) -> list[Step]:
        said = iter(self._said())
        steps: list[Step] = []
        for request, answer in self.passed:
            if isinstance(request, Command):
                steps.append(_exchange(*next(said), answer))
            else:
                steps.append(_question(request, answer, whole=self.whole))
        return steps

    def _said(self) -> list[tuple[str, str]]:
        """Return every command and answer in hex digits, masked if the card may be real."""
        exchanges = [
            dialogue.Exchange(request.encoded, _response(answer))
            for request, answer in self.passed
            if isinstance(request, Command)
        ]
        masked = [(told.command, told.response) for told in dialogue.tell(exchanges)]
        if not self.whole:
            return masked
        return [
            # A PIN is nobody's business, not even a simulated one.
            masked[place]
            if exchange.command[1:2] == bytes((INS_VERIFY,))
            else (exchange.command.hex().upper(), exchange.response.hex().upper())
            for place, exchange in enumerate(exchanges)
        ]


def witnessed(
    kernel: Kernel[Outcome], recording: Recording, keep: Callable[[Recording], None]
) -> Kernel[Outcome]:
    """Return a kernel whose requests and answers are written down as they pass.

    keep: is given the recording at the end, however it ends; must not raise.
    """
    answer: Answer = None
    lost: LinkLost | None = None
    try:
        while True:
            try:
                request = kernel.send(answer) if lost is None else kernel.throw(lost)
            except StopIteration as finished:
                outcome: Outcome = finished.value
                recording.outcome = outcome
                return outcome
            lost = None
            try:
                answer = yield request
            except LinkLost as link_lost:
                lost = link_lost
            if len(recording.passed) < STEPS_MAX:
                recording.passed.append((request, answer if lost is None else lost))
    finally:
        keep(recording)


def _response(answer: Answer | LinkLost) -> bytes:
    if isinstance(answer, Reply):
        return answer.data + answer.status.to_bytes(2, "big")
    return b""


def _exchange(command: str, response: str, answer: Answer | LinkLost) -> Step:
    if isinstance(answer, Reply):
        return kept.Exchanged(command, response, answer.elapsed_us)
    return kept.Lost(command, answer.kind if isinstance(answer, LinkLost) else "")


def _question(request: Request, answer: Answer | LinkLost, *, whole: bool) -> Step:
    if isinstance(answer, LinkLost):
        return kept.Left(answer.kind)
    match request, answer:
        case Note(text, source, values), _:
            return kept.Decided(text, source, dict(values))
        case RandomBytes(count), bytes():
            return kept.Drawn(count, answer.hex().upper() if whole else "*" * (2 * count))
        case OnExceptionFile(), _:
            return kept.LookedUp(bool(answer))
        case LoggedAmount(), int():
            return kept.Counted(answer)
        case ChooseApplication(), int() | None:
            return kept.Chosen(answer)
        case ((VerifyPIN() | TakeOnlinePIN()), PINAnswer(entry, status)):
            return kept.PINTaken(isinstance(request, TakeOnlinePIN), entry, status)
        case AskIssuer(), IssuerAnswer(code, authentication, scripts):
            hidden = (scripts.hex().upper(), "*" * (2 * len(scripts)))
            return kept.IssuerSaid(
                code.hex().upper(), authentication.hex().upper(), hidden[0 if whole else 1]
            )
        case AskIssuer(), _:
            return kept.IssuerSaid()
        case Show(wanted), _:
            return kept.Shown(wanted.message)
    raise TypeError(f"{type(request).__name__} was answered with {type(answer).__name__}")
