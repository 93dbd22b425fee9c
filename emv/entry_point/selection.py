"""Start C: which application of the card, and which kernel for it.

Source: EMV Contactless Book B, 3.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from emv import dol, tags, tlv
from emv.apdu import STATUS_OK, select
from emv.conversation import Kernel, exchange, note
from emv.entry_point.configuration import Combination
from emv.entry_point.pre_processing import Prepared
from emv.errors import MalformedData

PPSE = b"2PAY.SYS.DDF01"

DIRECTORY_ENTRIES_MAX = 32
"""More than a short response holds; bounds what a hostile card can make of us."""

PRIORITY_LOWEST = 16  # One past the four bits of tag 87.

RID_VISA = bytes.fromhex("A000000003")
KERNEL_LEGACY_VISA = 1
KERNEL_VISA = 3

# Book B, Table 3-6: what a directory entry without a kernel identifier asks for.
DEFAULT_KERNELS = {
    bytes.fromhex("A000000004"): 2,
    RID_VISA: KERNEL_VISA,
    bytes.fromhex("A000000025"): 4,
    bytes.fromhex("A000000065"): 5,
    bytes.fromhex("A000000152"): 6,
    bytes.fromhex("A000000324"): 6,
    bytes.fromhex("A000000333"): 7,
}
KERNEL_ANY = 0
"""Requested by a card that leaves the choice to the reader."""


@dataclass(frozen=True, slots=True)
class DirectoryEntry:
    """One application the card offers, as its PPSE lists it."""

    adf_name: bytes
    kernel_identifier: bytes = b""
    priority: int = PRIORITY_LOWEST
    """1 is the highest; no priority at all is the lowest."""
    extended_selection: bytes = b""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A combination that reader and card have in common."""

    entry: DirectoryEntry
    position: int
    """Place of the entry in the PPSE, from 0."""
    prepared: Prepared


@dataclass(frozen=True, slots=True)
class Selected:
    """A candidate whose application is selected on the card."""

    candidate: Candidate
    kernel_id: int
    """The combination's, or 1 by the rule for old Visa cards."""
    fci: tuple[tlv.Node, ...]
    """File control information of the SELECT response."""


def read_directory(fci: bytes) -> tuple[DirectoryEntry, ...]:
    """Return the entries of a PPSE, in its order.

    An entry without a usable ADF name is left out.
    Raises MalformedData if the response is no file control information.

    Source: Book B, 3.3.2.4 and 3.3.2.5 A.
    """
    level = tlv.decode(fci)
    for template in (
        tags.TAG_6F_FCI_TEMPLATE,
        tags.TAG_A5_FCI_PROPRIETARY_TEMPLATE,
        tags.TAG_BF0C_FCI_ISSUER_DISCRETIONARY_DATA,
    ):
        level = next((node.children or () for node in level if node.tag == template), ())
    templates = [node for node in level if node.tag == tags.TAG_61_APPLICATION_TEMPLATE]
    entries = []
    for template_61 in templates[:DIRECTORY_ENTRIES_MAX]:
        # Of a repeated object the first counts.
        values = {node.tag: node.value for node in reversed(template_61.children or ())}
        adf_name = values.get(tags.TAG_4F_ADF_NAME, b"")
        if not 5 <= len(adf_name) <= 16:
            continue
        extension = values.get(tags.TAG_9F29_EXTENDED_SELECTION, b"")
        indicator = values.get(tags.TAG_87_APPLICATION_PRIORITY_INDICATOR, b"")
        entries.append(
            DirectoryEntry(
                adf_name,
                values.get(tags.TAG_9F2A_KERNEL_IDENTIFIER, b""),
                (indicator[0] & 0x0F if len(indicator) == 1 else 0) or PRIORITY_LOWEST,
                # At most 16 bytes by Book B's dictionary; what is longer would
                # not fit beside a name into a SELECT.
                extension if len(extension) <= 16 else b"",
            )
        )
    return tuple(entries)


def requested_kernel(entry: DirectoryEntry, combination: Combination) -> int | None:
    """Return the kernel a directory entry asks for, 0 for any.

    None if its identifier cannot be read, or follows a domestic rule that
    is not Book B's; the entry is then passed over.

    Source: Book B, 3.3.2.5 C.
    """
    identifier = entry.kernel_identifier
    if not identifier:
        return DEFAULT_KERNELS.get(combination.rid, KERNEL_ANY)
    if identifier[0] & 0x80 == 0:
        # b8-7 00 international, 01 reserved: the whole byte counts.
        return identifier[0]
    if len(identifier) < 3 or identifier[0] & 0x3F == 0:
        return None
    return int.from_bytes(identifier[:3], "big")


def is_match(entry: DirectoryEntry, combination: Combination) -> bool:
    """True if the card's name is the reader's AID, or begins with it.

    Source: Book B, 3.3.2.5 B and D.
    """
    if entry.adf_name != combination.aid and not (
        combination.partial_match and entry.adf_name.startswith(combination.aid)
    ):
        return False
    requested = requested_kernel(entry, combination)
    return requested in (KERNEL_ANY, combination.kernel_id)


def rank(entries: Sequence[DirectoryEntry], prepared: Sequence[Prepared]) -> tuple[Candidate, ...]:
    """Return the candidate list, the one to try first at the front.

    By the card's priority, then by place in the PPSE; between combinations
    of one entry the reader's order decides.

    Source: Book B, 3.3.2.5 and 3.3.3.2.
    """
    candidates = [
        Candidate(entry, position, one)
        for position, entry in enumerate(entries)
        for one in prepared
        if not one.indicators.not_allowed and is_match(entry, one.combination)
    ]
    candidates.sort(key=lambda candidate: (candidate.entry.priority, candidate.position))
    return tuple(candidates)


def select_combinations(prepared: Sequence[Prepared]) -> Kernel[tuple[Candidate, ...]]:
    """Ask the card for its applications; return those the reader has too.

    A refused or unreadable PPSE makes an empty list, not an error: the card
    is of another kind.

    Source: Book B, 3.3.2.2 to 3.3.2.5.
    """
    reply = yield from exchange(select(PPSE))
    if reply.status != STATUS_OK:
        yield from note("no PPSE: status {status}", "Book B, 3.3.2.3", status=f"{reply.status:04X}")
        return ()
    try:
        entries = read_directory(reply.data)
    except MalformedData as error:
        yield from note("PPSE cannot be read: {error}", "Book B, 3.3.2.4", error=str(error))
        return ()
    candidates = rank(entries, prepared)
    yield from note(
        "applications on the card: {there}, in common: {common}",
        "Book B, 3.3.2.5",
        there=len(entries),
        common=len(candidates),
    )
    return candidates


def select_final(
    candidates: Sequence[Candidate], kernel_ids: frozenset[int]
) -> Kernel[tuple[Selected | None, tuple[Candidate, ...]]]:
    """Select the best application that the card really opens.

    kernel_ids: the kernels this reader has.
    Returns the selection, or None if no candidate is left, and the
    candidates after it.

    Source: Book B, 3.3.3.
    """
    left = tuple(candidates)
    while left:
        candidate, left = left[0], left[1:]
        combination = candidate.prepared.combination
        name = candidate.entry.adf_name
        extension = candidate.entry.extended_selection
        if extension and combination.extended_selection is True:
            name += extension
        reply = yield from exchange(select(name))
        if reply.status != STATUS_OK:
            yield from note(
                "SELECT refused: status {status}", "Book B, 3.3.3.5", status=f"{reply.status:04X}"
            )
            continue
        try:
            fci = tlv.decode(reply.data)
            is_without_ttq = lacks_ttq(fci)
        except MalformedData as error:
            # unsettled: the book leaves broken control information to the
            # kernel; no kernel could use it, so the next candidate is tried.
            yield from note(
                "SELECT response cannot be read: {error}", "Book B, 3.3.3.5", error=str(error)
            )
            continue
        kernel_id = combination.kernel_id
        if combination.rid == RID_VISA and kernel_id == KERNEL_VISA and is_without_ttq:
            if KERNEL_LEGACY_VISA not in kernel_ids:
                yield from note("old Visa card, and no kernel 1", "Book B, 3.3.3.6")
                continue
            kernel_id = KERNEL_LEGACY_VISA
        yield from note("kernel {kernel_id} chosen", "Book B, 3.4.1.1", kernel_id=kernel_id)
        return Selected(candidate, kernel_id, fci), left
    return None, ()


def lacks_ttq(fci: Sequence[tlv.Node]) -> bool:
    """True if the PDOL is absent or does not ask for tag 9F66.

    Raises MalformedData if the PDOL is broken.
    """
    pdol = tlv.find(fci, tags.TAG_9F38_PDOL)
    return pdol is None or all(tag != tags.TAG_9F66_TTQ for tag, _ in dol.parse_dol(pdol))
