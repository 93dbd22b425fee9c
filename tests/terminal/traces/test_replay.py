"""The same answers through today's kernels: recorded cards, then simulated ones."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

import config
from drivers.protocols import Interface
from emv import entry_point, masking, tlv
from emv.actions import ActionCodes
from emv.authentication import CAKeyStore
from emv.bits import TVR
from emv.conversation import IssuerAnswer, Kernel, PINAnswer, PINEntry
from emv.entry_point import Terminal, Transaction
from emv.errors import MalformedData
from emv.kernels.contact import Application, Configuration, process
from emv.outcome import Outcome, Status
from simulators.readers.in_process import InProcessReader
from simulators.responses import Answer, Response
from terminal.checkout.cards import CardRules
from terminal.checkout.media import card_rules
from terminal.checkout.pump import Answers, converse
from terminal.errors import NotAllowed
from terminal.traces.recording import Recording, witnessed
from terminal.traces.replay import Difference, replay, run
from terminal.traces.story import tell
from terminal.traces.trace import Drawn, Exchanged, Trace, decode, encode

Tap = Callable[..., Recording]
MakeKernel = Callable[[], Kernel[Outcome]]
PURCHASE = Transaction(1_000, 36, 2, datetime.date(2012, 3, 16))

RECORDED = {
    "contact-mastercard": "contact",
    "contact-visa": "contact",
    "contactless-mastercard": "contact",
    "MasterCardPpse2": "contactless",
    "UnknownCard": "contactless",
}
"""Names of the traces, and the reader that they are held to here."""


class RecordedCard:
    """Answers a command as it was recorded; those that decide in the order of the record."""

    def __init__(self, apdus: list[dict[str, str]]) -> None:
        self._answers = {
            each["command"]: bytes.fromhex(each["response"].partition("#")[0]) for each in apdus
        }
        self._decisions = [
            answer for command, answer in self._answers.items() if command.startswith("80AE")
        ]

    def power_up(self) -> None:
        """Nothing is lost with the power."""

    def respond(self, command: bytes) -> Response:
        digits = command.hex().upper()
        if digits.startswith("80AE") and self._decisions:
            return Answer(self._decisions.pop(0))
        return Answer(self._answers.get(digits, b"\x6a\x82"))

    def returns_after_s(self) -> float | None:
        return None


class Willing(Answers):
    """Draws the recorded terminal's number; cardholder and issuer agree to everything."""

    def __init__(self) -> None:
        super().__init__(
            lambda count: bytes.fromhex("8221F601")[:count].ljust(count, b"\x00"),
            lambda pan, number: False,
            lambda _: None,
            lambda _: None,
        )

    def ask(self, request: object) -> object:  # type: ignore[override]
        name = type(request).__name__
        if name == "AskIssuer":
            return IssuerAnswer(b"00", bytes.fromhex("1122334455667788"))
        if name in ("VerifyPIN", "TakeOnlinePIN"):
            return PINAnswer(PINEntry.ENTERED, 0x9000)
        return super().ask(request)  # type: ignore[arg-type]


def by_contact() -> Kernel[Outcome]:
    """A terminal of that day: it asks the issuer of every payment."""
    online = ActionCodes(TVR(0), TVR.FLOOR_LIMIT_EXCEEDED, TVR(0))
    names = ("A0000000031010", "A0000000041010")
    applications = tuple(Application(bytes.fromhex(name), action_codes=online) for name in names)
    return process(
        Configuration(applications, CAKeyStore(), has_exception_file=False),
        Terminal(36, capabilities=bytes.fromhex("E0F800")),
        PURCHASE,
    )


def by_tap() -> Kernel[Outcome]:
    rules = card_rules(config.load_settings(config.BENCH))
    return entry_point.run(rules.config, PURCHASE, rules.kernels)


@pytest.fixture(scope="module", params=RECORDED)
def recorded(request: pytest.FixtureRequest, shared: Path) -> tuple[Recording, MakeKernel]:
    """A recorded card's conversation with a terminal of ours, and how to hold another."""
    apdus = next(
        trace["apdus"]
        for name in ("traces_testcards", "traces_anonymised_cards")
        for trace in json.loads((shared / f"vectors/emv/{name}.json").read_text())["traces"]
        if trace["id"] == request.param
    )
    is_tap = RECORDED[request.param] == "contactless"
    reader = InProcessReader(interface=Interface.CONTACTLESS if is_tap else Interface.CONTACT)
    reader.present(RecordedCard(apdus))
    assert reader.wait_for_card(0)
    make = by_tap if is_tap else by_contact
    recording = Recording(
        "a", "outside", "contactless" if is_tap else "contact", 0, PURCHASE, whole=True
    )
    converse(witnessed(make(), recording, lambda _: None), reader, Willing())
    return recording, make


def test_a_recorded_card_is_paid_with_alike_again(
    recorded: tuple[Recording, MakeKernel],
) -> None:
    recording, make = recorded
    trace = decode(encode(recording.trace()))

    result = run(trace, make())

    assert result.differences == []
    assert result.steps == len(trace.steps) >= 2
    assert len(tell([trace])) >= 4


def test_a_recorded_card_is_known_by_no_masked_trace(
    recorded: tuple[Recording, MakeKernel],
) -> None:
    recording, _ = recorded
    pans: set[str] = set()
    for step in recording.trace().steps:
        if isinstance(step, Exchanged):
            try:
                pans |= masking.pans_in(tlv.decode(bytes.fromhex(step.response)[:-2]))
            except MalformedData:
                continue
    recording.whole = False
    kept = encode(recording.trace()).decode()
    recording.whole = True

    assert not any(pan in kept or pan.encode().hex().upper() in kept for pan in pans)


# --- simulated cards ------------------------------------------------------------


def test_a_payment_goes_as_it_went(tap: Tap, rules: CardRules) -> None:
    """Signed by the card, approved offline: its number and its time come from the trace."""
    trace = decode(encode(tap("visa-offline", amount_minor=1_250).trace()))

    result = replay(trace, rules)

    assert trace.status == Status.APPROVED.value
    assert (result.differences, result.first) == ([], None)


def test_a_limit_that_was_changed_shows_where_it_first_counts(
    tap: Tap, settings: config.Settings
) -> None:
    trace = tap("visa-online", amount_minor=5_200).trace()
    lower = tuple(
        msgspec.structs.replace(one, cvm_limit_minor=5_000) for one in settings.applications
    )

    first = replay(trace, card_rules(msgspec.structs.replace(settings, applications=lower))).first

    assert first is not None
    assert not first.is_wording
    # The second byte of the qualifiers tells the card: CVM required.
    assert first.recorded.startswith("command 80A80000238321260040")
    assert first.now.startswith("command 80A80000238321264040")
    assert first.details == (
        "9F66 Terminal Transaction Qualifiers (TTQ): 26004080, now 26404080",
        "  new: byte 2 bit 7: CVM required",
    )


def altered(trace: Trace, step: int, new: object) -> Trace:
    steps = list(trace.steps)
    steps[step] = new  # type: ignore[call-overload]
    return msgspec.structs.replace(trace, steps=tuple(steps))


def test_another_answer_leads_to_another_outcome(tap: Tap, rules: CardRules) -> None:
    trace = tap("visa-online").trace()
    place = next(
        place
        for place, step in enumerate(trace.steps)
        if isinstance(step, Exchanged) and step.command.startswith("80A8")
    )
    options = trace.steps[place]
    assert isinstance(options, Exchanged)
    refused = altered(trace, place, Exchanged(options.command, "6984", options.took_us))

    differences = replay(refused, rules).differences

    assert differences[0].is_wording
    assert differences[0].now == "GPO answered 6984 (Book C-3, 5.2.2.2)"
    assert not differences[-1].is_wording
    assert differences[-1].now.startswith("outcome try another interface")


def test_a_decision_in_other_words_stops_nothing(tap: Tap, rules: CardRules) -> None:
    trace = tap("visa-online").trace()
    place = next(
        place
        for place, step in enumerate(trace.steps)
        if getattr(step, "text", "") == "kernel {kernel_id} chosen"
    )
    other = msgspec.structs.replace(trace.steps[place], text="kernel {kernel_id} it is")

    result = replay(altered(trace, place, other), rules)

    assert result.differences == [
        Difference(
            place + 1,
            "kernel 3 it is (Book B, 3.4.1.1)",
            "kernel 3 chosen (Book B, 3.4.1.1)",
            is_wording=True,
        )
    ]


def test_a_masked_trace_says_why_it_is_not_replayed(tap: Tap, rules: CardRules) -> None:
    with pytest.raises(NotAllowed, match=r"This trace is masked: .* Only a simulated card's"):
        replay(tap("visa-online", whole=False).trace(), rules)


@pytest.mark.parametrize("new", [Drawn(4, "xx"), Exchanged("00", "9", 1)])
def test_bytes_that_are_none_are_named_by_their_step(
    tap: Tap, rules: CardRules, new: object
) -> None:
    trace = tap("visa-online").trace()
    place = next(n for n, step in enumerate(trace.steps) if isinstance(step, type(new)))
    if isinstance(new, Exchanged):
        new = msgspec.structs.replace(trace.steps[place], response="9")

    with pytest.raises(NotAllowed, match=f"step {place + 1} of this trace has bytes that are none"):
        replay(altered(trace, place, new), rules)
