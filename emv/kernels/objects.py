"""What kernels do alike with a card's data objects: ask, take, pick."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from emv import tags, tlv
from emv.dol import fill_dol, parse_dol
from emv.errors import DataMissing, MalformedData

DOL_DATA_MAX = 252  # With tag and length of template 83, what a short command carries.


def usable_objects(fci: tuple[tlv.Node, ...], kernel_id: int) -> dict[int, bytes]:
    """Return the primitive objects of the FCI that have a length they may have.

    Of a repeated object the first counts; labels that do not fit a receipt
    are better left out than cut.
    """
    values: dict[int, bytes] = {}
    for node in tlv.walk(fci):
        meaning = tags.meaning(node.tag, kernel=kernel_id)
        if node.children is None and (meaning is None or meaning.fits(len(node.value))):
            values.setdefault(node.tag, node.value)
    return values


def pdol_data(pdol: bytes, values: Mapping[int, bytes]) -> bytes:
    """Return the values a card asked for before the transaction.

    Raises MalformedData if the list is broken, or asks for more than a
    command can carry.

    Source: EMV 4.4 Book 3, 5.4 and 6.5.8.
    """
    if sum(length for _, length in parse_dol(pdol)) > DOL_DATA_MAX:
        raise MalformedData("PDOL asks for more than a command can carry")
    return fill_dol(pdol, values)


def response_objects(data: bytes) -> tuple[tlv.Node, ...]:
    """Return the data objects of a GPO response, whichever of the formats.

    Raises MalformedData if it is neither. Source: EMV 4.4 Book 3, 6.5.8.4.
    """
    nodes = tlv.decode(data)
    if len(nodes) != 1:
        raise MalformedData(f"GPO response of {len(nodes)} objects")
    (node,) = nodes
    if node.tag == tags.TAG_77_RESPONSE_FORMAT_2:
        return node.children or ()
    if node.tag == tags.TAG_80_RESPONSE_FORMAT_1 and len(node.value) >= 2:
        return (
            tlv.Node(tags.TAG_82_AIP, node.value[:2], None, node.offset),
            tlv.Node(tags.TAG_94_AFL, node.value[2:], None, node.offset),
        )
    raise MalformedData(f"GPO response is template {node.tag:X}")


def response_template(data: bytes) -> tuple[tlv.Node, ...]:
    """Return the data objects of a response that must be one template 77.

    Raises MalformedData if it is not.
    """
    nodes = tlv.decode(data)
    if [node.tag for node in nodes] != [tags.TAG_77_RESPONSE_FORMAT_2]:
        raise MalformedData("the response is not one template 77")
    return nodes[0].children or ()


def take(card: dict[int, bytes], nodes: Iterable[tlv.Node]) -> None:
    """Add data objects to what the card sent.

    Raises MalformedData if it sends one twice: which of the two it meant
    is not ours to guess.
    """
    for tag, value in tlv.collect(nodes).items():
        if tag in card:
            raise MalformedData(f"tag {tag:X} occurs twice")
        card[tag] = value


def require(card: Mapping[int, bytes], tag: int) -> bytes:
    """Return an object that must be there and not be empty. Raises DataMissing."""
    value = card.get(tag)
    if not value:
        raise DataMissing(tag)
    return value


def chosen(wanted: Iterable[int], values: Mapping[int, bytes]) -> dict[int, bytes]:
    """Return those of the wanted objects that are there."""
    return {tag: values[tag] for tag in wanted if tag in values}


def pan_of_track_2(track: bytes) -> str:
    """Return the PAN before the separator. Raises MalformedData if there is none."""
    pan, separator, rest = track.hex().upper().rstrip("F").partition("D")
    if not separator or not 8 <= len(pan) <= 19 or not (pan + rest).isdecimal():
        raise MalformedData("tag 57 is no track 2")
    return pan


def pan_of(card: Mapping[int, bytes]) -> str:
    """Return the PAN of tag 5A, which must be there. Raises MalformedData if it is none."""
    number = card[tags.TAG_5A_PAN].hex().upper().rstrip("F")
    if not number.isdecimal() or not 8 <= len(number) <= 19:
        raise MalformedData("tag 5A is no card number")
    return number


def sequence_number(card: Mapping[int, bytes]) -> int | None:
    """Return the PAN sequence number; None if the card has none that is a number."""
    number = card.get(tags.TAG_5F34_PAN_SEQUENCE_NUMBER, b"").hex()
    return int(number) if number.isdecimal() else None
