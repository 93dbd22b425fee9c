"""BER-TLV as cards write it: bytes to a tree, and back.

Only the shape is read here; what a tag means is in emv.tags.
Source: EMV 4.4 Book 3, Annex B; ISO/IEC 8825-1.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from emv.errors import MalformedData

DEPTH_MAX = 8
"""Levels of nesting read; the deepest real one, a directory entry in a PPSE, has five."""

TAG_BYTES_MAX = 4
"""ISO/IEC 7816-4 stops at three; one more is room, the rest would be an attack."""


class Node(NamedTuple):
    """One data object of a tree.

    A named tuple and not a dataclass: a tree is built for every record of
    every tap, and these are made in a third of the time.
    """

    tag: int
    """The tag's bytes read as one number: 0x9F02."""
    value: bytes
    """The whole value, for a template too."""
    children: tuple[Node, ...] | None
    """What a constructed object holds; None for a primitive one."""
    offset: int
    """Where the tag begins, counted from the first byte decoded."""


def decode(data: bytes, *, depth_max: int = DEPTH_MAX) -> tuple[Node, ...]:
    """Return the data objects in these bytes, in order, templates opened.

    Zero bytes before, between and after objects are padding, and so is a
    tail of FF alone, as erased memory leaves it. Duplicates are kept.
    A length of 80 announces no further length bytes and reads as zero;
    lengths longer than they need be are taken, as cards do write them.
    Raises MalformedData, with the path of tags and the offset, where an
    object is cut short, leaves its template, or nests beyond depth_max.
    """
    return _decode(data, 0, (), depth_max)


def _decode(data: bytes, base: int, path: tuple[int, ...], depth_max: int) -> tuple[Node, ...]:
    """Read one template's value; base is its offset in the whole, path its tags."""
    nodes: list[Node] = []
    new = tuple.__new__  # A quarter of the time that Node() takes.
    position = offset = 0
    end = len(data)
    # Running off the end of the slice is what tells that an object is cut
    # short, so the common object pays for no bounds check.
    try:
        while position < end:
            offset = position
            tag = data[position]
            is_template = tag & 0x20
            position += 1
            if tag & 0x1F == 0x1F:
                byte = data[position]
                tag = tag << 8 | byte
                position += 1
                while byte & 0x80:
                    if position - offset == TAG_BYTES_MAX:
                        raise IndexError
                    byte = data[position]
                    tag = tag << 8 | byte
                    position += 1
            elif not tag:
                continue
            length = data[position]
            position += 1
            if length & 0x80:
                value_at = position + (length & 0x7F)
                if value_at > end:
                    needed = f"length needs {length & 0x7F} bytes, {end - position} left"
                    raise _malformed(needed, (*path, tag), base + position)
                length = int.from_bytes(data[position:value_at], "big")
                position = value_at
            value_end = position + length
            if value_end > end:
                needed = f"value needs {length} bytes, {end - position} left"
                raise _malformed(needed, (*path, tag), base + position)
            value = data[position:value_end]
            children = None
            if is_template:
                children = _open(value, base + position, (*path, tag), depth_max)
            nodes.append(new(Node, (tag, value, children, base + offset)))
            position = value_end
    except IndexError:
        _check_tail(data[offset:], base + offset, path)
    return tuple(nodes)


def _open(value: bytes, base: int, path: tuple[int, ...], depth_max: int) -> tuple[Node, ...]:
    """Read what a template holds, if it is not too deep to be real."""
    if not value:
        return ()
    if len(path) >= depth_max:
        raise _malformed(f"nested deeper than {depth_max} levels", path, base)
    return _decode(value, base, path, depth_max)


def _check_tail(tail: bytes, offset: int, path: tuple[int, ...]) -> None:
    """Raise MalformedData for a tag that does not end, or has no length.

    tail: from the tag's first byte to the end of its template; FF alone
    begins no object that could end, and is let through as padding.
    """
    if tail.count(0xFF) == len(tail):
        return
    head = tail[:TAG_BYTES_MAX]
    tag = int.from_bytes(head, "big")
    goes_on = tag & 0x1F == 0x1F if len(head) == 1 else head[-1] >= 0x80
    if not goes_on:
        raise _malformed("no length follows", (*path, tag), offset + len(head))
    fault = "tag is cut short" if len(head) == len(tail) else "tag is too long"
    raise _malformed(fault, (*path, tag), offset)


def _malformed(what: str, path: tuple[int, ...], offset: int) -> MalformedData:
    """Say what is wrong, in which object, and where."""
    return MalformedData(f"TLV {path_text(path)} at offset {offset}: {what}")


def path_text(path: Iterable[int]) -> str:
    """Return tags from the outside in, as '6F/A5/9F38'."""
    return "/".join(f"{tag:02X}" for tag in path)


def value_offset(data: bytes, node: Node) -> int:
    """Return where the value of an object begins that was read out of these bytes."""
    length_at = node.offset + len(tag_bytes(node.tag))
    length = data[length_at]
    return length_at + 1 + (length & 0x7F if length & 0x80 else 0)


def encode(tag: int, value: bytes) -> bytes:
    """Return one data object with the shortest length field that holds it.

    value: for a template, its objects, already encoded and joined.
    Raises MalformedData if the number is no tag.
    """
    length = len(value)
    if length < 0x80:
        return tag_bytes(tag) + bytes((length,)) + value
    size = (length.bit_length() + 7) // 8
    return tag_bytes(tag) + bytes((0x80 | size,)) + length.to_bytes(size, "big") + value


@lru_cache(maxsize=1024)
def tag_bytes(tag: int) -> bytes:
    """Return a tag as it stands on the wire.

    Raises MalformedData if the number is no tag: zero (it is padding), a
    second byte where the first does not announce one, one missing or too
    many, or more than TAG_BYTES_MAX.
    """
    if tag <= 0:
        raise MalformedData(f"{tag} is not a tag")
    encoded = tag.to_bytes((tag.bit_length() + 7) // 8, "big")
    announced = 1
    if encoded[0] & 0x1F == 0x1F:
        announced = 2
        while announced <= len(encoded) and encoded[announced - 1] >= 0x80:
            announced += 1
    if announced != len(encoded) or announced > TAG_BYTES_MAX:
        raise MalformedData(f"{tag:02X} is not a tag")
    return encoded


def walk(nodes: Iterable[Node]) -> Iterator[Node]:
    """Yield every node of the tree, each template before what it holds."""
    for node in nodes:
        yield node
        if node.children:
            yield from walk(node.children)


def find(nodes: Iterable[Node], tag: int) -> bytes | None:
    """Return the value of the first object with this tag, depth first."""
    for node in nodes:
        if node.tag == tag:
            return node.value
        if node.children:
            value = find(node.children, tag)
            if value is not None:
                return value
    return None


def find_all(nodes: Iterable[Node], tag: int) -> list[bytes]:
    """Return the values of all objects with this tag, depth first."""
    return [node.value for node in walk(nodes) if node.tag == tag]


def duplicates(nodes: Iterable[Node]) -> list[tuple[int, tuple[int, ...]]]:
    """Return each primitive tag that occurs more than once, with its offsets."""
    offsets: dict[int, list[int]] = {}
    for node in walk(nodes):
        if node.children is None:
            offsets.setdefault(node.tag, []).append(node.offset)
    return [(tag, tuple(places)) for tag, places in offsets.items() if len(places) > 1]


def collect(nodes: Iterable[Node]) -> dict[int, bytes]:
    """Return all primitive objects of the tree by tag.

    Raises MalformedData, naming the tag, if one occurs twice: which of
    the two the card meant is not ours to guess.

    Source: EMV 4.4 Book 3, 10.2 (redundant primitive data objects).
    """
    values: dict[int, bytes] = {}
    for node in walk(nodes):
        if node.children is None:
            if node.tag in values:
                raise MalformedData(f"tag {node.tag:02X} occurs twice, again at {node.offset}")
            values[node.tag] = node.value
    return values
