"""Contact selection: published exchanges, then every turn of the candidate list."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emv import tlv
from emv.conversation import Answer, ChooseApplication, Command, Kernel, Note, Reply
from emv.errors import CardRefused, EmvError, MalformedData
from emv.selection import (
    PRIORITY_LOWEST,
    RECORDS_MAX,
    Candidate,
    CandidateList,
    TerminalApplication,
    build_candidate_list,
    choose,
    display_name,
    preferred_language,
    select_final,
)
from emv.transport import carry_apdu

pytestmark = pytest.mark.spec(
    "Book 1, 12.2", "Book 1, 12.3", "Book 1, 12.4", "Book 4, 11.1", "Book 4, 11.3", source="ours"
)

VISA = TerminalApplication(bytes.fromhex("A0000000031010"))


@dataclass
class Player:
    """Plays a kernel against recorded exchanges, or a card function."""

    respond: Callable[[bytes], bytes]
    choices: list[int | None] = field(default_factory=list)
    offered: list[tuple[str, ...]] = field(default_factory=list)
    commands: list[bytes] = field(default_factory=list)

    def run(self, kernel: Kernel[Any]) -> Any:
        answer: Answer = None
        while True:
            try:
                request = kernel.send(answer)
            except StopIteration as finished:
                return finished.value
            answer = None
            if isinstance(request, Command):
                self.commands.append(request.encoded)
                assert len(self.commands) < 500
                answer = Reply.parse(self.respond(request.encoded), 1000)
            elif isinstance(request, ChooseApplication):
                self.offered.append(request.names)
                answer = self.choices.pop(0)
            else:
                assert isinstance(request, Note)


def recorded(apdus: list[dict[str, str]]) -> tuple[Callable[[bytes], bytes], list[dict[str, str]]]:
    """A card that expects exactly these commands, below the APDU level."""
    left = list(apdus)

    def respond(command: bytes) -> bytes:
        link = carry_apdu(command)
        sending = next(link)
        while True:
            expected = left.pop(0)
            assert sending == bytes.fromhex(expected["command"])
            try:
                sending = link.send(bytes.fromhex(expected["response"]))
            except StopIteration as finished:
                return bytes(finished.value)

    return respond, left


def suite(emv_vectors: Callable[[str], Any], name: str) -> Any:
    suites = emv_vectors("emvutils_apdu_scripts.json")["suites"]
    return next(each for each in suites if each["name"] == name)


@pytest.mark.spec("Book 1, 12.2", "Book 1, 12.3", source="outside")
def test_published_exchanges_lead_to_the_published_candidates(
    emv_vectors: Callable[[str], Any],
) -> None:
    published = suite(emv_vectors, "build_candidate_list")
    supported = [
        TerminalApplication(bytes.fromhex(each["aid"]), partial_match=each["asi"] == "partial")
        for each in published["terminal"]["supported_applications"]
    ]
    assert len(published["cases"]) == 12
    for case in published["cases"]:
        respond, left = recorded(case["apdus"])
        player, expected = Player(respond), case["expect"]

        if expected["outcome"] == "EMV_OUTCOME_CARD_BLOCKED":
            with pytest.raises(CardRefused):
                player.run(build_candidate_list(supported))
            assert not left
            continue
        found: CandidateList = player.run(build_candidate_list(supported))

        assert not left, case["id"]
        assert (not found.candidates) is expected["candidate_list_empty"]
        if "candidate_count" in expected:
            assert len(found.candidates) == expected["candidate_count"]
        if "display_names_in_order" in expected:
            names = [display_name(each, range(1, 11)) for each in found.candidates]
            assert names == [f"APP {number}" for number in range(1, len(names) + 1)]
        if not found.candidates:
            continue
        player.choices = [0]
        assert player.run(choose(found.candidates, can_ask=True)) is found.candidates[0]
        assert bool(player.offered) is expected["cardholder_selection_required"], case["id"]


def test_a_blocked_application_is_no_candidate_and_is_told(
    emv_vectors: Callable[[str], Any],
) -> None:
    published = suite(emv_vectors, "build_candidate_list")
    case = next(each for each in published["cases"] if each["id"] == "test_aid_blocked")
    supported = [
        TerminalApplication(bytes.fromhex(each["aid"]), partial_match=each["asi"] == "partial")
        for each in published["terminal"]["supported_applications"]
    ]

    found = Player(recorded(case["apdus"])[0]).run(build_candidate_list(supported))

    assert found == CandidateList((), has_blocked=True)


def object_(tag: str, value: bytes) -> bytes:
    return bytes.fromhex(tag) + bytes((len(value),)) + value


def fci(name: bytes, inside: bytes = b"") -> bytes:
    return object_("6F", object_("84", name) + object_("A5", inside))


@dataclass
class Directory:
    """A card with a PSE and applications, each part to be broken by a test."""

    records: list[bytes] = field(default_factory=list)
    record_status: str = "9000"
    pse_status: str = "9000"
    inside: bytes = object_("88", b"\x01") + object_("5F2D", b"zhen")
    names: list[bytes] = field(default_factory=list)
    repeats: bool = False
    """Answer every 'next' with the last application there is."""
    selected: int = 0

    def __call__(self, command: bytes) -> bytes:
        if command[1] == 0xB2:
            number = command[2]
            if number > len(self.records):
                return b"\x6a\x83"
            return self.records[number - 1] + bytes.fromhex(self.record_status)
        name, is_next = command[5 : 5 + command[4]], command[3] == 0x02
        if name == b"1PAY.SYS.DDF01":
            return fci(name, self.inside) + bytes.fromhex(self.pse_status)
        known = [each for each in self.names if each.startswith(name)]
        self.selected = self.selected + 1 if is_next else 0
        if self.repeats and known:
            self.selected = min(self.selected, len(known) - 1)
        if len(known) <= self.selected:
            return b"\x6a\x82"
        return fci(known[self.selected], object_("50", b"CARD")) + b"\x90\x00"


def entry(name: bytes, priority: int = 0, label: bytes = b"VISA") -> bytes:
    return object_(
        "61", object_("4F", name) + object_("50", label) + object_("87", bytes((priority,)))
    )


def record(*entries: bytes) -> bytes:
    return object_("70", b"".join(entries))


def found_on(card: Directory, *supported: TerminalApplication) -> CandidateList:
    result = Player(card).run(build_candidate_list(supported or [VISA]))
    assert isinstance(result, CandidateList)
    return result


@pytest.mark.parametrize(
    "card",
    [
        Directory(pse_status="6A82", names=[VISA.aid]),
        Directory(pse_status="6283", names=[VISA.aid]),
        Directory(pse_status="6985", names=[VISA.aid]),
        Directory(names=[VISA.aid]),
        Directory([record(entry(VISA.aid))[:-1]], names=[VISA.aid]),
        Directory([object_("71", entry(VISA.aid))], names=[VISA.aid]),
        Directory([record(entry(VISA.aid))], inside=b"", names=[VISA.aid]),
        Directory([record(entry(VISA.aid))], inside=object_("88", b"\x0b"), names=[VISA.aid]),
        Directory([record(entry(VISA.aid))], inside=object_("88", b"\x00"), names=[VISA.aid]),
        Directory([record(entry(VISA.aid))], record_status="6985", names=[VISA.aid]),
    ],
)
def test_a_directory_that_cannot_be_used_leaves_the_terminals_own_list(card: Directory) -> None:
    found = found_on(card)

    assert [each.label for each in found.candidates] == [b"CARD"]


def test_the_lowest_priority_number_goes_first_and_none_is_last() -> None:
    names = [VISA.aid + bytes((number,)) for number in range(4)]
    card = Directory([record(*map(entry, names, [0, 2, 15, 1]))])

    found = found_on(card)

    assert [each.name for each in found.candidates] == [names[3], names[1], names[2], names[0]]
    assert found.language == b"zhen"


@pytest.mark.parametrize(("length", "count"), [(4, 0), (5, 1), (16, 1), (17, 0)])
def test_a_name_has_five_to_sixteen_bytes(length: int, count: int) -> None:
    scheme = TerminalApplication(VISA.aid[:5])
    card = Directory([record(entry((VISA.aid + bytes(10))[:length]))])

    assert len(found_on(card, scheme).candidates) == count


@pytest.mark.parametrize(
    ("index", "table"), [("01", 1), ("0A", 10), ("0B", 0), ("00", 0), ("0102", 0), ("", 0)]
)
def test_a_card_names_its_alphabet_if_it_is_one(index: str, table: int) -> None:
    inside = object_("88", b"\x01") + object_("9F11", bytes.fromhex(index))
    (found,) = found_on(Directory([record(entry(VISA.aid))], inside=inside)).candidates

    assert found.code_table == table


def test_what_an_entry_does_not_say_is_empty() -> None:
    (found,) = found_on(Directory([record(object_("61", object_("4F", VISA.aid)))])).candidates

    assert found == Candidate(VISA.aid, VISA, b"", b"", 0, PRIORITY_LOWEST, False)


def test_the_final_selection_gives_the_control_information() -> None:
    card = Player(lambda _command: fci(VISA.aid, object_("50", b"VISA")) + b"\x90\x00")

    found = card.run(select_final(candidate()))
    assert tlv.find(found, 0x50) == b"VISA"
    assert card.commands == [bytes.fromhex("00A4040007A000000003101000")]


@pytest.mark.parametrize("answer", [b"\x6f\x05", fci(b"OTHER"), fci(VISA.aid[:-1])])
def test_a_name_that_opens_something_else_is_tried_once(answer: bytes) -> None:
    player = Player(lambda _command: answer + b"\x90\x00")
    other = TerminalApplication(bytes.fromhex("A0000000041010"))

    assert player.run(build_candidate_list([VISA, other])).candidates == ()
    assert [command[4] for command in player.commands] == [14, 7, 7]


def test_without_a_directory_the_first_application_says_the_language() -> None:
    spoken = {VISA.aid + b"\x01": b"zh", VISA.aid + b"\x02": b"en"}
    left = iter([fci(name, object_("5F2D", code)) for name, code in spoken.items()])

    def card(command: bytes) -> bytes:
        found = next(left, b"") if command[5:12] == VISA.aid else b""
        return found + (b"\x90\x00" if found else b"\x6a\x82")

    found = Player(card).run(build_candidate_list([VISA]))
    assert (len(found.candidates), found.language) == (2, b"zh")


def test_a_directory_is_read_to_its_last_record() -> None:
    """In the last file that may hold one; what is no entry is passed over."""
    last = record(object_("9F4D", b"\x0b\x0a"), entry(VISA.aid))
    card = Directory([record()] * (RECORDS_MAX - 1) + [last], inside=object_("88", b"\x0a"))

    found = found_on(card)

    assert [each.label for each in found.candidates] == [b"VISA"]
    assert found.language == b""


def test_a_directory_without_end_is_read_so_far_and_no_further() -> None:
    player = Player(Directory([record()] * (RECORDS_MAX + 8)))
    player.run(build_candidate_list([VISA]))

    assert [command[1] for command in player.commands].count(0xB2) == RECORDS_MAX


def test_the_first_selection_of_a_name_is_not_of_the_next() -> None:
    player = Player(Directory(pse_status="6A82", names=[VISA.aid]))
    found = player.run(build_candidate_list([VISA]))

    assert [command[3] for command in player.commands] == [0x00, 0x00]
    assert not found.has_blocked


@pytest.mark.parametrize(("partial", "count"), [(True, 2), (False, 1)])
def test_a_longer_name_matches_only_in_part(partial: bool, count: int) -> None:
    longer = VISA.aid + b"\x01"
    application = TerminalApplication(VISA.aid, partial_match=partial)
    listed = Directory([record(entry(VISA.aid), entry(longer))])
    unlisted = Directory(pse_status="6A82", names=[longer, longer + b"\x01"])

    assert len(found_on(listed, application).candidates) == count
    assert len(found_on(unlisted, application).candidates) == (2 if partial else 0)


def test_a_card_that_offers_the_same_application_for_ever_has_it_once() -> None:
    longer = VISA.aid + b"\x01"
    card = Directory(pse_status="6A82", names=[longer], repeats=True)

    assert len(found_on(card).candidates) == 1


def test_the_longest_of_the_terminals_names_counts() -> None:
    longer = TerminalApplication(VISA.aid + b"\x01")
    card = Directory([record(entry(longer.aid + b"\x02"))])

    (candidate,) = found_on(card, VISA, longer).candidates

    assert candidate.application is longer


def candidate(priority: int = 1, *, confirm: bool = False, label: bytes = b"VISA") -> Candidate:
    return Candidate(VISA.aid, VISA, label, priority=priority, needs_confirmation=confirm)


def test_one_application_without_a_condition_is_not_asked_about() -> None:
    player = Player(Directory())

    assert player.run(choose([candidate()], can_ask=True)) == candidate()
    assert player.offered == []


@pytest.mark.parametrize(("answer", "expected"), [(0, candidate(confirm=True)), (None, None)])
def test_one_that_needs_consent_is_asked_about(
    answer: int | None, expected: Candidate | None
) -> None:
    player = Player(Directory(), choices=[answer])

    assert player.run(choose([candidate(confirm=True)], can_ask=True)) == expected
    assert player.offered == [("VISA",)]


def test_without_a_screen_what_needs_consent_is_passed_over() -> None:
    player, second = Player(Directory()), candidate(2)

    assert player.run(choose([candidate(confirm=True), second], can_ask=False)) is second
    assert player.run(choose([candidate(confirm=True)], can_ask=False)) is None


def test_a_preferred_name_is_shown_where_its_alphabet_is() -> None:
    greek = Candidate(VISA.aid, VISA, b"VISA", "Βίζα".encode("iso8859_7"), code_table=7)

    assert display_name(greek, {7}) == "Βίζα"
    assert display_name(greek, {1}) == "VISA"


@pytest.mark.parametrize("label", [b"", b"\x00\x01", b"\xff", b"  "])
def test_an_application_without_a_printable_name_is_called_by_its_aid(label: bytes) -> None:
    assert display_name(candidate(label=label), ()) == "A0000000031010"


@pytest.mark.parametrize("status", ["6283", "6A82", "6985"])
def test_a_refused_final_selection_passes_on_to_the_next(status: str) -> None:
    card = Player(lambda _command: fci(VISA.aid) + bytes.fromhex(status))

    assert card.run(select_final(candidate())) is None


@pytest.mark.parametrize("answer", [fci(b"OTHER"), object_("70", fci(VISA.aid)), b"\x6f\x05", b""])
def test_control_information_of_another_application_is_refused(answer: bytes) -> None:
    with pytest.raises(MalformedData):
        Player(lambda _command: answer + b"\x90\x00").run(select_final(candidate()))


@pytest.mark.parametrize(
    ("preference", "language"),
    [
        (b"zhen", "zh"),
        (b"frEN", "en"),
        (b"frdeitzh", "zh"),
        (b"frdeitlazh", None),
        (b"frz", None),
        (b"", None),
        (b"\xff\xfe", None),
    ],
)
def test_the_cards_best_language_that_is_spoken_here(
    preference: bytes, language: str | None
) -> None:
    assert preferred_language(preference, ("en", "zh")) == language


@given(st.lists(st.binary(max_size=60).map(lambda data: data + b"\x90\x00"), max_size=40))
def test_any_answers_end_in_a_list_within_bounds(answers: list[bytes]) -> None:
    left = iter(answers)
    player = Player(lambda _command: next(left, b"\x90\x00"))

    try:
        found = player.run(build_candidate_list([VISA]))
    except EmvError:
        return
    assert len(found.candidates) <= 64
    assert len(player.commands) <= 100
