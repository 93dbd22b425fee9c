"""A TLV tree in words: names, readable values, the meaning of bits.

Card data is masked on the way in, so nothing made from a description can
show it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from emv import bit_words, dol, issuer_data, masking, tags, tlv
from emv.errors import MalformedData
from emv.tags import Format

_DATE_TAGS = frozenset(
    {
        tags.TAG_5F24_EXPIRATION_DATE,
        tags.TAG_5F25_EFFECTIVE_DATE,
        tags.TAG_9A_TRANSACTION_DATE,
    }
)
_TRANSACTION_TYPES = {
    "00": "purchase",
    "01": "cash advance",
    "09": "purchase with cashback",
    "20": "refund",
}  # ISO 8583:1987, processing code, first two digits.


@dataclass(frozen=True, slots=True)
class Description:
    """One data object as people read it; nothing in it shows card data."""

    tag: int
    name: str
    offset: int
    length: int
    value: str
    """Hex digits, a star for each hidden one; empty for a template."""
    text: str
    """The value in readable form, where it has one."""
    notes: tuple[str, ...]
    """Meanings of bits, entries of lists, and what is odd about the object."""
    children: tuple[Description, ...] | None

    @property
    def is_masked(self) -> bool:
        """True if part of the value is hidden."""
        return "*" in self.value


def describe(
    nodes: Iterable[tlv.Node],
    *,
    kernel: int | None = None,
    show: masking.Show | None = None,
    template: int | None = None,
) -> tuple[Description, ...]:
    """Return the objects of a tree in words, card data masked.

    kernel: number of the kernel whose reading counts where kernels differ;
    without one, each reading is named. show: how values may be shown, where
    more is known of the card than these objects tell. template: what they stand in.
    """
    tree = tuple(nodes)
    return _describe(
        tree, template, show or masking.with_pans_hidden(masking.pans_in(tree)), kernel
    )


def _describe(
    nodes: tuple[tlv.Node, ...],
    template: int | None,
    show: masking.Show,
    kernel: int | None,
) -> tuple[Description, ...]:
    """Describe the objects of one template."""
    repeated = dict(tlv.duplicates([node for node in nodes if node.children is None]))
    described = []
    for node in nodes:
        reading = tags.meaning(node.tag, kernel=kernel, template=template)
        notes = []
        if reading is not None and not reading.fits(len(node.value)):
            notes.append(f"length should be {_span(reading)}")
        for offset in repeated.get(node.tag, ()):
            if offset != node.offset:
                notes.append(f"occurs again at offset {offset}")
        if node.tag == tags.TAG_90_ISSUER_PUBLIC_KEY_CERTIFICATE and not node.value:
            notes.append("or the status word 9000 that ends a card's answer")
        value = text = ""
        children = None
        if node.children is not None:
            children = _describe(node.children, node.tag, show, kernel)
        else:
            value = show(node)
            if reading is not None:
                text = _readable(reading, value)
            if "*" not in value:
                notes += _meanings(node, reading, template, kernel)
        name = tags.name_of(node.tag, kernel=kernel, template=template)
        described.append(
            Description(
                node.tag, name, node.offset, len(node.value), value, text, tuple(notes), children
            )
        )
    return tuple(described)


def _span(reading: tags.Meaning) -> str:
    """Return the lengths a value may have."""
    if reading.length_min == reading.length_max:
        return str(reading.length_min)
    return f"{reading.length_min} to {reading.length_max}"


def _readable(reading: tags.Meaning, value: str) -> str:
    """Return a masked value as a date, a number or text; empty if it is none."""
    if reading.format in (Format.A, Format.AN, Format.ANS):
        text = masking.masked_text(value)
        return text if text.isprintable() else ""
    if reading.format is not Format.N or not value.isdigit():
        return ""
    if reading.tag in _DATE_TAGS and len(value) == 6:
        return f"20{value[:2]}-{value[2:4]}-{value[4:]}"
    if reading.tag == tags.TAG_9F21_TRANSACTION_TIME and len(value) == 6:
        return f"{value[:2]}:{value[2:4]}:{value[4:]}"
    if reading.tag == tags.TAG_9C_TRANSACTION_TYPE:
        return _TRANSACTION_TYPES.get(value, "")
    # Codes and short numbers are readable as they stand.
    return (value.lstrip("0") or "0") if len(value) > 4 else ""


def _meanings(
    node: tlv.Node, reading: tags.Meaning | None, template: int | None, kernel: int | None
) -> list[str]:
    """Return what a value's bits or entries mean, a line each."""
    try:
        if node.tag == tags.TAG_94_AFL:
            return list(_afl_lines(node.value))
        if node.tag == tags.TAG_9F10_ISSUER_APPLICATION_DATA:
            return issuer_data.describe(node.value)
        if reading is not None and reading.format is Format.DOL:
            return [
                f"{tag:02X} [{length}] {tags.name_of(tag, kernel=kernel)}"
                for tag, length in dol.parse_dol(node.value)
            ]
        if reading is not None and reading.format is Format.TAGS:
            return [
                f"{tag:02X} {tags.name_of(tag, kernel=kernel)}"
                for tag in dol.parse_tag_list(node.value)
            ]
    except MalformedData as fault:
        return [str(fault)]
    return bit_words.describe(node.tag, node.value, kernel=kernel, template=template)


def _afl_lines(afl: bytes) -> Iterator[str]:
    """Yield a line for each file of a locator. Source: EMV 4.4 Book 3, 10.2."""
    if len(afl) % 4:
        raise MalformedData(f"AFL of {len(afl)} bytes, 4 for each file")
    for at in range(0, len(afl), 4):
        sfi, first, last, signed = afl[at : at + 4]
        yield f"file {sfi >> 3}, records {first} to {last}, {signed} for data authentication"


def as_text(described: Iterable[Description]) -> str:
    """Return a description as indented lines, without a final line break."""
    return "\n".join(_text_lines(described, 0))


def _text_lines(described: Iterable[Description], depth: int) -> Iterator[str]:
    indent = "  " * depth
    for entry in described:
        line = f"{indent}{entry.tag:02X} [{entry.length}] {entry.name}"
        if entry.value:
            line += f": {entry.value}"
        if entry.text:
            line += f" = {entry.text}"
        yield line
        for note in entry.notes:
            yield f"{indent}    {note}"
        yield from _text_lines(entry.children or (), depth + 1)


def as_plain(described: Iterable[Description]) -> list[dict[str, object]]:
    """Return a description as dictionaries and lists, for JSON."""
    plain = []
    for entry in described:
        item: dict[str, object] = {
            "tag": f"{entry.tag:02X}",
            "name": entry.name,
            "offset": entry.offset,
            "length": entry.length,
        }
        if entry.children is None:
            item |= {"value": entry.value, "masked": entry.is_masked}
        if entry.text:
            item["text"] = entry.text
        if entry.notes:
            item["notes"] = list(entry.notes)
        if entry.children is not None:
            item["children"] = as_plain(entry.children)
        plain.append(item)
    return plain
