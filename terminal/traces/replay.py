"""A trace run again: the same answers through today's kernels, and the first difference.

Random bytes and times come from the trace, limits and keys from the shop
as it is now.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from emv import dialogue, entry_point
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
from emv.dialogue import Exchange, Told
from emv.entry_point import Retained
from emv.errors import EmvError, LinkLost, MalformedData
from emv.kernels import contact
from emv.outcome import Outcome, Start, Status
from terminal.checkout.cards import CardRules
from terminal.errors import NotAllowed
from terminal.traces import trace as kept
from terminal.traces.trace import Trace

END = "the end"


@dataclass(frozen=True, slots=True)
class Difference:
    """Where today's kernel does something else than the trace says."""

    step: int
    """Of the trace, counted from 1."""
    recorded: str
    now: str
    is_wording: bool = False
    """Only a decision is put otherwise, or noted anew: the card sees no difference."""
    details: tuple[str, ...] = ()
    """Of two commands: the objects in them that are not alike."""


@dataclass(slots=True)
class Replayed:
    """What came of it."""

    differences: list[Difference] = field(default_factory=list)
    """In their order; what is more than wording stops a replay."""
    steps: int = 0
    """How many of the trace were gone through."""

    @property
    def first(self) -> Difference | None:
        """The first that the card, or the outcome, would see; else the first in wording."""
        return min(self.differences, key=lambda each: each.is_wording, default=None)


def replay(trace: Trace, rules: CardRules) -> Replayed:
    """Run a trace through the kernels of a shop as it is now.

    Raises NotAllowed for a trace that is masked: the card's answers are not all
    there. ConfigurationError where the shop's settings do not do.
    """
    return run(trace, kernel_of(trace, rules))


def kernel_of(trace: Trace, rules: CardRules) -> Kernel[Outcome]:
    """Return the conversation of a trace as a shop would hold it now."""
    transaction = trace.sale.transaction
    if trace.interface != "contactless":
        terminal = rules.contact.terminal_at(trace.interface)
        return contact.process(rules.contact.configuration, terminal, transaction)
    if not trace.restarts:
        return entry_point.run(rules.config, transaction, rules.kernels)
    prepared = entry_point.pre_process(rules.config, transaction)
    before = Outcome(Status.TRY_AGAIN, start=Start.B, retained=Retained(prepared))
    return entry_point.run(rules.config, transaction, rules.kernels, Start.B, before)


def run(trace: Trace, kernel: Kernel[Outcome]) -> Replayed:
    """Run a trace through one conversation. Raises NotAllowed for a masked trace."""
    if not trace.whole:
        raise NotAllowed(
            "This trace is masked: the card's answers are not all there to be given again. "
            "Only a simulated card's trace can be replayed"
        )
    return _Player(trace.steps).play(kernel, trace)


class _Player:
    """Gives a kernel what the trace holds, as long as it asks for it."""

    def __init__(self, steps: Sequence[kept.Step]) -> None:
        self._steps = steps
        self._at = 0
        self._result = Replayed()

    def play(self, kernel: Kernel[Outcome], trace: Trace) -> Replayed:
        answer: Answer = None
        lost: LinkLost | None = None
        while True:
            try:
                request = kernel.send(answer) if lost is None else kernel.throw(lost)
            except StopIteration as finished:
                self._end(finished.value, trace)
                break
            except EmvError as error:
                self._differ(self._recorded(), f"{type(error).__name__}: {error}")
                break
            answer, lost = None, None
            if isinstance(request, Note):
                self._note(request)
                continue
            self._skip_notes()
            step = self._steps[self._at] if self._at < len(self._steps) else None
            if step is None or not _fits(request, step):
                details = self._compared(request, step)
                self._differ(self._recorded(), _asked(request), details=details)
                break
            self._at += 1
            if isinstance(step, kept.Lost | kept.Left):
                lost = LinkLost(step.kind)
            else:
                answer = self._given(step)
        self._result.steps = self._at
        return self._result

    def _given(self, step: kept.Step) -> Answer:
        """Return what a step answers. Raises NotAllowed, naming it, for bytes that are none."""
        try:
            return _answer(step)
        except (ValueError, MalformedData) as error:
            raise NotAllowed(f"step {self._at} of this trace has bytes that are none") from error

    def _note(self, note: Note) -> None:
        """Compare a decision; one that is said in other words stops nothing."""
        step = self._steps[self._at] if self._at < len(self._steps) else None
        now = f"{note.said} ({note.source})"
        if not isinstance(step, kept.Decided):
            self._differ(self._recorded(), now, is_wording=True)
            return
        if (step.text, step.source, step.values) != (note.text, note.source, dict(note.values)):
            self._differ(_recorded(step), now, is_wording=True)
        self._at += 1

    def _skip_notes(self) -> None:
        """Go past decisions that are not made any more."""
        while self._at < len(self._steps) and isinstance(self._steps[self._at], kept.Decided):
            self._differ(self._recorded(), "no such decision", is_wording=True)
            self._at += 1

    def _end(self, outcome: Outcome, trace: Trace) -> None:
        self._skip_notes()
        if self._at < len(self._steps):
            self._differ(self._recorded(), END)
        recorded = _outcome(trace.status, trace.reason, trace.cvm)
        now = _outcome(outcome.status.value, str(outcome.reason), outcome.cvm.value)
        if recorded != now and trace.status:
            self._differ(recorded, now)

    def _compared(self, request: Request, step: kept.Step | None) -> tuple[str, ...]:
        """Return where two commands are not alike, object by object."""
        if not isinstance(request, Command) or not isinstance(step, kept.Exchanged | kept.Lost):
            return ()
        before = [
            Exchange(bytes.fromhex(each.command), bytes.fromhex(each.response))
            for each in self._steps[: self._at]
            if isinstance(each, kept.Exchanged)
        ]
        commands = (bytes.fromhex(step.command), request.encoded)
        then, now = (dialogue.tell([*before, Exchange(command, b"")])[-1] for command in commands)
        return tuple(_unlike(then, now))

    def _differ(
        self,
        recorded: str,
        now: str,
        *,
        is_wording: bool = False,
        details: tuple[str, ...] = (),
    ) -> None:
        difference = Difference(self._at + 1, recorded, now, is_wording, details)
        self._result.differences.append(difference)

    def _recorded(self) -> str:
        return _recorded(self._steps[self._at]) if self._at < len(self._steps) else END


def _fits(request: Request, step: kept.Step) -> bool:
    """True if a step holds the answer to what is asked."""
    match request, step:
        case Command(encoded), (kept.Exchanged(command) | kept.Lost(command)):
            return encoded.hex().upper() == command
        case _, kept.Left():
            return not isinstance(request, Command)
        case RandomBytes(count), kept.Drawn(recorded):
            return count == recorded
        case Show(wanted), kept.Shown(message):
            return wanted.message == message
        case ((VerifyPIN() | TakeOnlinePIN()), kept.PINTaken(is_online)):
            return is_online is isinstance(request, TakeOnlinePIN)
        case (OnExceptionFile(), kept.LookedUp()) | (LoggedAmount(), kept.Counted()):
            return True
        case (ChooseApplication(), kept.Chosen()) | (AskIssuer(), kept.IssuerSaid()):
            return True
    return False


def _answer(step: kept.Step) -> Answer:
    """Return what a step answers a kernel with."""
    match step:
        case kept.Exchanged(_, response, took_us):
            return Reply.parse(bytes.fromhex(response), took_us)
        case kept.Drawn(_, value):
            return bytes.fromhex(value)
        case kept.LookedUp(is_on_it):
            return is_on_it
        case kept.Counted(amount_minor):
            return amount_minor
        case kept.Chosen(place):
            return place
        case kept.PINTaken(_, entry, status):
            return PINAnswer(entry, status)
        case kept.IssuerSaid("", _, _):
            return None
        case kept.IssuerSaid(code, authentication, scripts):
            return IssuerAnswer(*map(bytes.fromhex, (code, authentication, scripts)))
    return None


def _unlike(then: Told, now: Told) -> Iterator[str]:
    """Yield what is not alike in two commands: their names, or the objects in them."""
    if then.title != now.title:
        yield f"{then.title}, now {now.title}"
        return
    for old, new in zip(then.asked, now.asked, strict=False):
        if old.tag == new.tag and old.value != new.value:
            yield f"{old.tag:02X} {old.name}: {old.value}, now {new.value}"
            yield from (f"  no more: {note}" for note in old.notes if note not in new.notes)
            yield from (f"  new: {note}" for note in new.notes if note not in old.notes)


def _asked(request: Request) -> str:
    """Return what a kernel asks for, as differences tell it."""
    if isinstance(request, Command):
        return f"command {request.encoded.hex().upper()}"
    if isinstance(request, Show):
        return f"message {request.request.message.name}"
    return type(request).__name__


def _recorded(step: kept.Step) -> str:
    """Return what a trace holds, as differences tell it."""
    match step:
        case kept.Exchanged(command) | kept.Lost(command):
            return f"command {command}"
        case kept.Decided(text, source, values):
            return f"{text.format_map(values) if values else text} ({source})"
    return type(step).__name__


def _outcome(status: str, reason: str, cvm: str) -> str:
    return f"outcome {status}, {cvm}" + (f": {reason}" if reason else "")
