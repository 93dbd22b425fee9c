"""Contact: which application of the card, and does the cardholder agree.

The card's directory (PSE) is read, or each of the terminal's names tried;
then the cardholder chooses among what both have.
Source: EMV 4.4 Book 1, 12.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from emv import tags, tlv
from emv.apdu import (
    STATUS_FILE_INVALIDATED,
    STATUS_FUNCTION_NOT_SUPPORTED,
    STATUS_OK,
    STATUS_RECORD_NOT_FOUND,
    read_record,
    select,
)
from emv.conversation import Kernel, choose_application, exchange, note
from emv.errors import CardRefused, MalformedData

PSE = b"1PAY.SYS.DDF01"

RECORDS_MAX = 32
"""More than any directory has; a hostile card could answer for ever."""
CANDIDATES_MAX = 64
SFI_MAX = 10
PRIORITY_MASK = 0x0F
PRIORITY_LOWEST = 16  # One past the four bits: none stated. Source: Book 1, Table 13.
CONFIRMATION_REQUIRED = 0x80
CODE_TABLES = range(1, 11)
"""Parts of ISO/IEC 8859 that tag 9F11 can name. Source: Book 4, Annex A3."""


@dataclass(frozen=True, slots=True)
class TerminalApplication:
    """One name of the terminal's list."""

    aid: bytes
    """5 to 16 bytes."""
    partial_match: bool = True
    """The Application Selection Indicator: a longer name that begins so matches too."""

    def matches(self, name: bytes) -> bool:
        """True if a card's application of this name is meant."""
        return name == self.aid or (self.partial_match and name.startswith(self.aid))


@dataclass(frozen=True, slots=True)
class Candidate:
    """An application that card and terminal have in common."""

    name: bytes
    """The card's ADF name, for the final SELECT."""
    application: TerminalApplication
    label: bytes = b""
    preferred_name: bytes = b""
    code_table: int = 0
    """Part of ISO/IEC 8859 in which the preferred name is written; 0 if untold."""
    priority: int = PRIORITY_LOWEST
    needs_confirmation: bool = False
    """Not to be chosen without the cardholder's consent."""


@dataclass(frozen=True, slots=True)
class CandidateList:
    """What the card offers and this terminal takes, the card's first choice in front."""

    candidates: tuple[Candidate, ...]
    language: bytes = b""
    """Language preference of the directory, tag 5F2D."""
    has_blocked: bool = False
    """An application that would have matched is blocked."""


def build_candidate_list(supported: Sequence[TerminalApplication]) -> Kernel[CandidateList]:
    """Find out what card and terminal have in common.

    Raises CardRefused if the card says that it is blocked.

    Source: Book 1, 12.3.
    """
    found = yield from _read_directory(supported)
    if not found.candidates:
        found = yield from _try_names(supported)
    by_priority = sorted(found.candidates, key=lambda candidate: candidate.priority)
    yield from note("applications in common: {count}", "Book 1, 12.3", count=len(by_priority))
    return CandidateList(tuple(by_priority), found.language, found.has_blocked)


# 12.3.2 Using the PSE


def _read_directory(supported: Sequence[TerminalApplication]) -> Kernel[CandidateList]:
    """Read the card's directory; one that is missing or broken counts as empty.

    Source: Book 1, 12.3.2.
    """
    nothing = CandidateList(())
    reply = yield from exchange(select(PSE))
    if reply.status == STATUS_FUNCTION_NOT_SUPPORTED:
        raise CardRefused("SELECT", reply.status)
    if reply.status != STATUS_OK:
        yield from note("no PSE: status {status}", "Book 1, 12.3.2", status=f"{reply.status:04X}")
        return nothing
    try:
        directory = _first_values(tlv.walk(tlv.decode(reply.data)))
        sfi = _sfi(directory.get(tags.TAG_88_SFI, b""))
        code_table = _code_table(directory)
        candidates: list[Candidate] = []
        for number in range(1, RECORDS_MAX + 1):
            record = yield from exchange(read_record(sfi, number))
            if record.status == STATUS_RECORD_NOT_FOUND:
                break
            if record.status != STATUS_OK:
                raise MalformedData(f"record {number} answered {record.status:04X}")
            candidates += _entries(record.data, supported, code_table)
    except MalformedData as error:
        yield from note("PSE cannot be used: {error}", "Book 1, 12.3.2", error=str(error))
        return nothing
    language = directory.get(tags.TAG_5F2D_LANGUAGE_PREFERENCE, b"")
    return CandidateList(tuple(candidates[:CANDIDATES_MAX]), language)


def _sfi(value: bytes) -> int:
    """Return the directory's file. Raises MalformedData outside 1 to 10."""
    if len(value) != 1 or not 1 <= value[0] <= SFI_MAX:
        raise MalformedData("tag 88 names no file of a directory")
    return value[0]


def _entries(
    record: bytes, supported: Sequence[TerminalApplication], code_table: int
) -> Iterable[Candidate]:
    """Return the candidates of one directory record, in its order.

    Raises MalformedData if it is not one template 70.

    Source: Book 1, 12.2.3 and Tables 46 and 47.
    """
    nodes = tlv.decode(record)
    if [node.tag for node in nodes] != [tags.TAG_70_RECORD_TEMPLATE]:
        raise MalformedData("a record is not one template 70")
    for entry in nodes[0].children or ():
        if entry.tag != tags.TAG_61_APPLICATION_TEMPLATE:
            continue
        values = _first_values(tlv.walk(entry.children or ()))
        name = values.get(tags.TAG_4F_ADF_NAME, b"")
        application = _match(name, supported)
        if application is not None:
            yield _candidate(name, application, values, code_table)


# 12.3.3 Using a list of AIDs


def _try_names(supported: Sequence[TerminalApplication]) -> Kernel[CandidateList]:
    """Select each of the terminal's names, and what else begins with it.

    Source: Book 1, 12.3.3.
    """
    candidates: list[Candidate] = []
    language = b""
    has_blocked = False
    for application in supported:
        is_next = False
        seen: set[bytes] = set()
        for _ in range(RECORDS_MAX):
            reply = yield from exchange(select(application.aid, next_occurrence=is_next))
            if reply.status == STATUS_FUNCTION_NOT_SUPPORTED and not candidates:
                raise CardRefused("SELECT", reply.status)
            if reply.status not in (STATUS_OK, STATUS_FILE_INVALIDATED):
                break
            try:
                values = _first_values(tlv.walk(tlv.decode(reply.data)))
            except MalformedData as error:
                yield from note("FCI cannot be read: {error}", "Book 1, 12.3.3", error=str(error))
                break
            name = values.get(tags.TAG_84_DF_NAME, b"")
            if not name.startswith(application.aid) or name in seen:
                yield from note("SELECT opened another name", "Book 1, 12.3.3")
                break
            seen.add(name)
            if application.matches(name):
                if reply.status == STATUS_OK:
                    candidates.append(_candidate(name, application, values, _code_table(values)))
                    language = language or values.get(tags.TAG_5F2D_LANGUAGE_PREFERENCE, b"")
                else:
                    has_blocked = True
            if name == application.aid:
                break
            is_next = True
    return CandidateList(tuple(candidates[:CANDIDATES_MAX]), language, has_blocked)


def _match(name: bytes, supported: Sequence[TerminalApplication]) -> TerminalApplication | None:
    """Return the terminal's application that a card's name means, the closest one."""
    if not 5 <= len(name) <= 16:
        return None
    matching = [application for application in supported if application.matches(name)]
    return max(matching, key=lambda application: len(application.aid), default=None)


def _candidate(
    name: bytes, application: TerminalApplication, values: dict[int, bytes], code_table: int
) -> Candidate:
    """Gather what a directory entry or an FCI says of an application."""
    indicator = values.get(tags.TAG_87_APPLICATION_PRIORITY_INDICATOR, b"")[:1] or b"\x00"
    return Candidate(
        name,
        application,
        label=values.get(tags.TAG_50_APPLICATION_LABEL, b""),
        preferred_name=values.get(tags.TAG_9F12_APPLICATION_PREFERRED_NAME, b""),
        code_table=code_table,
        priority=indicator[0] & PRIORITY_MASK or PRIORITY_LOWEST,
        needs_confirmation=bool(indicator[0] & CONFIRMATION_REQUIRED),
    )


def _first_values(nodes: Iterable[tlv.Node]) -> dict[int, bytes]:
    """Return primitive objects by tag; of a repeated one the first counts."""
    values: dict[int, bytes] = {}
    for node in nodes:
        if node.children is None:
            values.setdefault(node.tag, node.value)
    return values


def _code_table(values: dict[int, bytes]) -> int:
    index = values.get(tags.TAG_9F11_ISSUER_CODE_TABLE_INDEX, b"")
    return index[0] if len(index) == 1 and index[0] in CODE_TABLES else 0


# 12.4 Final selection


def display_name(candidate: Candidate, code_tables: Collection[int]) -> str:
    """Return the name a cardholder knows an application by.

    code_tables: parts of ISO/IEC 8859 that the terminal can show.
    The preferred name where it can be shown, else the label, else the AID.

    Source: Book 1, 12.2.4; Book 4, 11.3.
    """
    if candidate.preferred_name and candidate.code_table in code_tables:
        text = _text(candidate.preferred_name, f"iso8859_{candidate.code_table}")
        if text:
            return text
    return _text(candidate.label, "ascii") or candidate.name.hex().upper()


def _text(value: bytes, encoding: str) -> str:
    """Return printable text; '' where the bytes are none."""
    text = value.decode(encoding, "replace").strip()
    return text if text.isprintable() and "\ufffd" not in text else ""


def choose(
    candidates: Sequence[Candidate],
    *,
    can_ask: bool,
    code_tables: Collection[int] = (),
    language: str = "",
) -> Kernel[Candidate | None]:
    """Return the application to use; None if the cardholder wants none of them.

    can_ask: the terminal has a screen for the cardholder. Without, what
    needs a consent cannot be used.
    language: ISO 639 code of the language to ask in.

    Source: Book 1, 12.4.
    """
    if not can_ask:
        return next((each for each in candidates if not each.needs_confirmation), None)
    if len(candidates) == 1 and not candidates[0].needs_confirmation:
        return candidates[0]
    names = tuple(display_name(candidate, code_tables) for candidate in candidates)
    place = yield from choose_application(names, language)
    return None if place is None else candidates[place]


def select_final(candidate: Candidate) -> Kernel[tuple[tlv.Node, ...] | None]:
    """Select an application for good; return its FCI, None if the card refuses.

    Raises MalformedData if the FCI cannot be read or is of another name.

    Source: Book 1, 12.4 and 11.3.4.
    """
    reply = yield from exchange(select(candidate.name))
    if reply.status != STATUS_OK:
        yield from note(
            "SELECT refused: status {status}", "Book 1, 12.4", status=f"{reply.status:04X}"
        )
        return None
    fci = tlv.decode(reply.data)
    if [node.tag for node in fci] != [tags.TAG_6F_FCI_TEMPLATE]:
        raise MalformedData("the FCI is not one template 6F")
    if tlv.find(fci, tags.TAG_84_DF_NAME) != candidate.name:
        raise MalformedData("the FCI has another DF name than was selected")
    return fci


def preferred_language(preference: bytes, spoken: Sequence[str]) -> str | None:
    """Return the terminal's language that the card likes best; None if it has none.

    preference: value of tag 5F2D, up to four codes of two letters.
    spoken: the terminal's languages as ISO 639 codes.

    Source: Book 4, 11.1.
    """
    wanted = preference.decode("ascii", "replace").lower()
    for at in range(0, min(len(wanted), 8) - 1, 2):
        if wanted[at : at + 2] in spoken:
            return wanted[at : at + 2]
    return None
