"""A trace told as a story: what was said, and each decision with the rule that made it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from emv import dialogue
from emv.actions import Rule
from emv.apdu import STATUS_OK
from emv.bits import CVM_NAMES, TVR, TVR8
from emv.conversation import PINEntry
from emv.dialogue import Exchange, Told
from emv.outcome import CVM, MessageId, Reason, Status
from emv.scripts import OUTCOMES
from terminal.errors import NotAllowed
from terminal.traces import trace as kept
from terminal.traces.trace import Trace
from terminal.view import StoryLine

DONE = f"{STATUS_OK:04X}"
SENTENCES = (
    "A card on {reader}",
    "The card again on {reader}",
    "A chip in {reader}",
    "{command}: {status}",
    "{command}: the card was lost ({kind})",
    "on the exception file: {answer}",
    "paid here before and not settled: {amount}",
    "application chosen: {place}",
    "no application was chosen",
    "the card was lost while somebody was asked ({kind})",
    "PIN asked for: {entry}",
    "PIN asked for: {entry}, the card said {status}",
    "the issuer answered {code}",
    "the issuer could not be asked",
    "the reader shows: {message}",
    "Outcome: {status}",
    "Outcome: {status}, cardholder verification: {cvm}",
    "Reason: {reason}",
    "The conversation was broken off",
)
"""Every sentence of a story that is not a kernel's own."""

VALUES = frozenset(
    (
        *(str(each.value) for kind in (Reason, Status, CVM, Rule, PINEntry) for each in kind),
        *(each.label for kind in (TVR, TVR8) for each in kind),
        *CVM_NAMES.values(),
        *OUTCOMES.values(),
        *(each.name.replace("_", " ").lower() for each in MessageId),
        "yes",
        "no",
    )
)
"""What stands in the braces of a story and is a word of ours."""


def tell(traces: Iterable[Trace]) -> list[StoryLine]:
    """Return the story of one attempt's conversations, in their order.

    Raises NotAllowed for a trace whose hex digits are none.
    """
    return [line for trace in traces for line in _tell(trace)]


def _tell(trace: Trace) -> Iterator[StoryLine]:
    arrival = "A chip in {reader}" if trace.interface != "contactless" else "A card on {reader}"
    if trace.restarts:
        arrival = "The card again on {reader}"
    yield StoryLine(0, arrival, {"reader": trace.reader})
    said = iter(dialogue.tell(exchanges_of(trace)))
    at_us = 0
    for step in trace.steps:
        if isinstance(step, kept.Exchanged | kept.Lost):
            told = next(said)
            at_us += step.took_us if isinstance(step, kept.Exchanged) else 0
            yield _exchanged(at_us, step, told)
        else:
            line = _asked(at_us, step, trace)
            if line is not None:
                yield line
    yield from _ending(at_us, trace)


def exchanges_of(trace: Trace) -> Sequence[Exchange]:
    """Return a trace's commands and answers. Raises NotAllowed where hex digits are none."""
    found = []
    for place, step in enumerate(trace.steps, 1):
        if not isinstance(step, kept.Exchanged | kept.Lost):
            continue
        response = step.response if isinstance(step, kept.Exchanged) else ""
        try:
            found.append(Exchange.of_masked(step.command, response))
        except ValueError as error:
            raise NotAllowed(f"step {place} of this trace has bytes that are none") from error
    return found


def _exchanged(at_us: int, step: kept.Exchanged | kept.Lost, told: Told) -> StoryLine:
    if isinstance(step, kept.Lost):
        text = "{command}: the card was lost ({kind})"
        values: dict[str, str | int] = {"command": told.title, "kind": step.kind}
        return StoryLine(at_us, text, values, exchange=told)
    is_plain = step.response.endswith(DONE)
    values = {"command": told.title, "status": DONE if is_plain else told.status}
    return StoryLine(at_us, "{command}: {status}", values, exchange=told)


def _asked(at_us: int, step: kept.Step, trace: Trace) -> StoryLine | None:
    """Return what a question came to; None for what tells nobody anything."""
    match step:
        case kept.Decided(text, source, values):
            return StoryLine(at_us, text, values, source)
        case kept.Left(kind):
            return StoryLine(
                at_us, "the card was lost while somebody was asked ({kind})", {"kind": kind}
            )
        case kept.LookedUp(is_on_it):
            answer = "yes" if is_on_it else "no"
            return StoryLine(at_us, "on the exception file: {answer}", {"answer": answer})
        case kept.Counted(amount_minor):
            amount = trace.sale.transaction.plain(amount_minor)
            text = "paid here before and not settled: {amount}"
            return StoryLine(at_us, text, {"amount": amount})
        case kept.Chosen(None):
            return StoryLine(at_us, "no application was chosen")
        case kept.Chosen(int(place)):
            return StoryLine(at_us, "application chosen: {place}", {"place": place + 1})
        case kept.PINTaken(_, entry, None):
            return StoryLine(at_us, "PIN asked for: {entry}", {"entry": entry.value})
        case kept.PINTaken(_, entry, int(status)):
            text = "PIN asked for: {entry}, the card said {status}"
            return StoryLine(at_us, text, {"entry": entry.value, "status": f"{status:04X}"})
        case kept.IssuerSaid(""):
            return StoryLine(at_us, "the issuer could not be asked")
        case kept.IssuerSaid(code):
            text = bytes.fromhex(code).decode("latin-1")
            return StoryLine(at_us, "the issuer answered {code}", {"code": text})
        case kept.Shown(message):
            name = _message(message)
            return StoryLine(at_us, "the reader shows: {message}", {"message": name})
    return None


def _message(number: int) -> str:
    """Return a standard message in words."""
    try:
        return MessageId(number).name.replace("_", " ").lower()
    except ValueError:
        return f"{number:02X}"


def _ending(at_us: int, trace: Trace) -> Iterator[StoryLine]:
    if not trace.status:
        yield StoryLine(at_us, "The conversation was broken off")
        return
    if trace.cvm == "n/a":
        yield StoryLine(at_us, "Outcome: {status}", {"status": trace.status})
    else:
        text = "Outcome: {status}, cardholder verification: {cvm}"
        yield StoryLine(at_us, text, {"status": trace.status, "cvm": trace.cvm})
    if trace.reason:
        yield StoryLine(at_us, "Reason: {reason}", {"reason": trace.reason})
