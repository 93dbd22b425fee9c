"""One tap through the Entry Point with a kernel that does what it is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from emv.conversation import Kernel, note
from emv.entry_point import (
    Activation,
    Combination,
    EntryPointConfig,
    KernelFactory,
    Terminal,
    Transaction,
    activation_request,
    run,
)
from emv.errors import ConfigurationError, LinkLost
from emv.outcome import (
    MessageId,
    Outcome,
    ReaderStatus,
    Reason,
    Start,
    Status,
    UserInterfaceRequest,
)

if TYPE_CHECKING:
    from tests.emv.conftest import PaperCard, Respond, Tap

    Pump = Callable[..., Tap]

pytestmark = pytest.mark.spec(
    "Book A, 6.3", "Book B, 3.2.1", "Book B, 3.3.3", "Book B, 3.4", "Book B, 3.5", source="ours"
)

VISA = bytes.fromhex("A0000000031010")
ELECTRON = bytes.fromhex("A0000000032010")
TTQ = bytes.fromhex("22004080")
PPSE = bytes.fromhex("00A404000E325041592E5359532E444446303100")


def obedient(outcomes: Iterator[Outcome], seen: list[Activation]) -> KernelFactory:
    """A kernel that returns the next outcome and keeps what it was given."""

    def activate(activation: Activation) -> Kernel[Outcome]:
        seen.append(activation)
        yield from note("activated", "Book B, 3.4.1.1")
        return next(outcomes)

    return activate


APPROVED = Outcome(Status.APPROVED)
SELECT_NEXT = Outcome(Status.SELECT_NEXT, start=Start.C)


@pytest.fixture
def two(terminal: Terminal) -> EntryPointConfig:
    return EntryPointConfig(
        terminal, (Combination(VISA, 3, ttq=TTQ), Combination(ELECTRON, 3, ttq=TTQ))
    )


@pytest.fixture
def both(card: PaperCard, encode: Callable[..., bytes]) -> PaperCard:
    """A card whose second entry has the higher priority."""
    card.entries = [
        encode("4F", VISA) + encode("87", "02"),
        encode("4F", ELECTRON) + encode("87", "01"),
    ]
    return card


def select(name: bytes) -> bytes:
    return b"\x00\xa4\x04\x00" + bytes((len(name),)) + name + b"\x00"


def test_the_best_candidate_gets_its_kernel(
    two: EntryPointConfig, both: PaperCard, sale: Transaction, pump: Pump
) -> None:
    seen: list[Activation] = []
    tap = pump(run(two, sale, {3: obedient(iter([APPROVED]), seen)}), both)

    assert tap.commands == [PPSE, select(ELECTRON)]
    assert tap.outcome.status is Status.APPROVED
    (activation,) = seen
    assert activation.adf_name == ELECTRON
    assert activation.combination is two.combinations[1]
    assert activation.indicators.ttq == TTQ


def test_select_next_takes_the_next_candidate(
    two: EntryPointConfig, both: PaperCard, sale: Transaction, pump: Pump
) -> None:
    kernel = obedient(iter([SELECT_NEXT, APPROVED]), [])
    tap = pump(run(two, sale, {3: kernel}), both)

    assert tap.commands == [PPSE, select(ELECTRON), select(VISA)]
    assert tap.outcome.status is Status.APPROVED


def test_select_next_without_another_ends_the_application(
    two: EntryPointConfig, both: PaperCard, sale: Transaction, pump: Pump
) -> None:
    tap = pump(run(two, sale, {3: obedient(iter([SELECT_NEXT] * 2), [])}), both)

    assert tap.outcome.status is Status.END_APPLICATION
    assert tap.outcome.reason == Reason.NO_APPLICATION
    assert tap.outcome.ui is not None
    assert tap.outcome.ui.message is MessageId.TRY_ANOTHER_CARD
    assert tap.outcome.ui.status is ReaderStatus.READY_TO_READ


@pytest.mark.parametrize(
    "response", ["6A82", "6A81", "6283", "6999", "9001", "6F05A0 9000", "6F00 9000"]
)
def test_an_application_that_does_not_open_is_passed_over(
    two: EntryPointConfig, both: PaperCard, sale: Transaction, pump: Pump, response: str
) -> None:
    """It is refused, or opens with what cannot be read, or is of an older kind."""

    def card(command: bytes) -> bytes | None:
        return bytes.fromhex(response) if command == select(ELECTRON) else both(command)

    tap = pump(run(two, sale, {3: obedient(iter([APPROVED]), [])}), card)
    assert tap.commands == [PPSE, select(ELECTRON), select(VISA)]
    assert tap.outcome.status is Status.APPROVED


@pytest.mark.parametrize(
    "response", ["6A82", "6D00", "9000", "6F00 9000", "6F05A503 9000", "FF 9000"]
)
def test_a_card_without_a_readable_directory_has_no_application(
    two: EntryPointConfig,
    sale: Transaction,
    pump: Pump,
    script: Callable[..., Respond],
    response: str,
) -> None:
    tap = pump(run(two, sale, {3: obedient(iter([]), [])}), script([response]))

    assert tap.commands == [PPSE]
    assert tap.outcome.status is Status.END_APPLICATION
    assert tap.outcome.reason == Reason.NO_APPLICATION


@pytest.mark.parametrize(
    ("flag", "expected"), [(True, VISA + b"\x01\x02"), (False, VISA), (None, VISA)]
)
def test_an_extended_selection_is_appended_where_the_flag_is_on(
    terminal: Terminal,
    card: PaperCard,
    sale: Transaction,
    pump: Pump,
    encode: Callable[..., bytes],
    flag: bool | None,
    expected: bytes,
) -> None:
    card.entries = [encode("4F", VISA) + encode("9F29", "0102")]
    config = EntryPointConfig(terminal, (Combination(VISA, 3, ttq=TTQ, extended_selection=flag),))
    tap = pump(run(config, sale, {3: obedient(iter([APPROVED]), [])}), card)
    assert tap.commands[1] == select(expected)


@pytest.mark.parametrize("pdol", ["", "9F02069F3704", "9F38"])
def test_a_visa_card_that_does_not_ask_for_the_ttq_is_not_for_kernel_3(
    config: EntryPointConfig, card: PaperCard, sale: Transaction, pump: Pump, pdol: str
) -> None:
    card.pdol = pdol
    seen: list[Activation] = []
    kernel = obedient(iter([APPROVED]), seen)

    tap = pump(run(config, sale, {3: kernel}), card)
    assert tap.outcome.reason == Reason.NO_APPLICATION
    assert seen == []


def test_kernel_1_takes_the_old_visa_card_where_there_is_one(
    config: EntryPointConfig, card: PaperCard, sale: Transaction, pump: Pump
) -> None:
    card.pdol = ""
    seen: list[Activation] = []
    kernels = {3: obedient(iter([]), []), 1: obedient(iter([APPROVED]), seen)}

    assert pump(run(config, sale, kernels), card).outcome.status is Status.APPROVED
    assert len(seen) == 1


def test_an_amount_over_every_limit_never_reaches_the_card(
    config: EntryPointConfig, card: PaperCard, sale: Transaction, pump: Pump
) -> None:
    tap = pump(
        run(config, replace(sale, amount_authorised_minor=500_000), {3: obedient(iter([]), [])}),
        card,
    )
    assert tap.commands == []
    assert tap.outcome.status is Status.TRY_ANOTHER_INTERFACE
    assert tap.outcome.reason == Reason.OVER_CONTACTLESS_LIMIT


def test_a_kernel_that_is_not_there_is_named(config: EntryPointConfig, sale: Transaction) -> None:
    with pytest.raises(ConfigurationError, match="AID A0000000031010: no kernel 3"):
        next(run(config, sale, {}))


@pytest.mark.parametrize("lost_at", [1, 2])
def test_a_lost_link_asks_to_present_again(
    config: EntryPointConfig, card: PaperCard, sale: Transaction, pump: Pump, lost_at: int
) -> None:
    card.lost_at = lost_at
    outcome = pump(run(config, sale, {3: obedient(iter([]), [])}), card).outcome

    assert (outcome.status, outcome.start) == (Status.TRY_AGAIN, Start.B)
    assert outcome.reason == Reason.LINK_LOST
    assert outcome.error is not None
    assert (outcome.error.layer, outcome.error.detail) == (1, "timeout")
    assert outcome.ui is not None
    assert outcome.ui.message is MessageId.PRESENT_CARD_AGAIN


def test_a_link_lost_inside_a_kernel_is_the_same_outcome(
    config: EntryPointConfig, card: PaperCard, sale: Transaction, pump: Pump
) -> None:
    def losing(_activation: Activation) -> Kernel[Outcome]:
        yield from note("activated", "Book B, 3.4.1.1")
        raise LinkLost("transmission")

    outcome = pump(run(config, sale, {3: losing}), card).outcome
    assert outcome.reason == Reason.LINK_LOST


def test_a_restart_at_b_keeps_what_pre_processing_found(
    visa: Combination, terminal: Terminal, card: PaperCard, sale: Transaction, pump: Pump
) -> None:
    """The amount is over floor and CVM limit: the second tap hears of both too."""
    config = EntryPointConfig(
        terminal, (replace(visa, floor_limit_minor=0, cvm_required_limit_minor=0),)
    )
    again = UserInterfaceRequest(MessageId.PRESENT_CARD_AGAIN, ReaderStatus.READY_TO_READ)
    first = Outcome(Status.TRY_AGAIN, start=Start.B, ui_on_restart=again)
    seen: list[Activation] = []
    kernels = {3: obedient(iter([first, APPROVED]), seen)}

    tap = pump(run(config, sale, kernels), card)
    assert activation_request(tap.outcome) is again
    second = pump(run(config, sale, kernels, Start.B, tap.outcome), card)

    assert second.outcome.status is Status.APPROVED
    assert second.commands[0] == PPSE
    assert [one.indicators.ttq for one in seen] == [bytes.fromhex("22C04080")] * 2


def test_a_reader_that_starts_at_b_has_assessed_no_amount(
    terminal: Terminal, visa: Combination, card: PaperCard, sale: Transaction, pump: Pump
) -> None:
    seen: list[Activation] = []
    config = EntryPointConfig(terminal, (replace(visa, ttq=bytes.fromhex("22C04080")),))
    pump(run(config, sale, {3: obedient(iter([APPROVED]), seen)}, Start.B), card)

    assert seen[0].indicators.ttq == bytes.fromhex("22C04080")
    assert activation_request().message is MessageId.PRESENT_CARD


def test_a_restart_at_c_goes_on_with_the_candidates_that_are_left(
    two: EntryPointConfig, both: PaperCard, sale: Transaction, pump: Pump
) -> None:
    kernels = {3: obedient(iter([Outcome(Status.END_APPLICATION), APPROVED]), [])}
    first = pump(run(two, sale, kernels), both)
    second = pump(run(two, sale, kernels, Start.C, first.outcome), both)

    assert second.commands == [select(VISA)]


def test_a_restart_at_d_goes_back_to_the_selected_kernel(
    two: EntryPointConfig, both: PaperCard, sale: Transaction, pump: Pump
) -> None:
    seen: list[Activation] = []
    kernels = {3: obedient(iter([Outcome(Status.ONLINE_REQUEST), APPROVED]), seen)}
    first = pump(run(two, sale, kernels), both)
    second = pump(run(two, sale, kernels, Start.D, first.outcome), both)

    assert second.commands == []
    assert second.outcome.status is Status.APPROVED
    assert seen[0] == seen[1]


@pytest.mark.parametrize("start", [Start.C, Start.D])
@pytest.mark.parametrize("previous", [None, Outcome(Status.APPROVED)])
def test_a_restart_without_its_outcome_is_refused(
    config: EntryPointConfig, sale: Transaction, start: Start, previous: Outcome | None
) -> None:
    kernels = {3: obedient(iter([]), [])}
    with pytest.raises(ConfigurationError, match=f"start at {start.name}"):
        next(run(config, sale, kernels, start, previous))


def test_a_restart_at_d_after_a_lost_link_is_refused(
    config: EntryPointConfig, card: PaperCard, sale: Transaction, pump: Pump
) -> None:
    card.lost_at = 1
    kernels = {3: obedient(iter([]), [])}
    lost = pump(run(config, sale, kernels), card).outcome
    with pytest.raises(ConfigurationError, match="start at D"):
        next(run(config, sale, kernels, Start.D, lost))
