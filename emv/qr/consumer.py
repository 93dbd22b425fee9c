"""Consumer-presented codes: the customer shows, the shop scans.

Base64 of BER-TLV: a format indicator, one template for each application the
customer can pay with, and one for what they have in common. Unknown objects
are kept. What they hold is card data: nothing here shows it.
Source: EMV QR Code Specification for Payment Systems, Consumer-Presented Mode.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from emv import tlv
from emv.errors import MalformedData

TAG_85_FORMAT = 0x85
TAG_61_APPLICATION = 0x61
TAG_62_COMMON = 0x62
TAG_63_APPLICATION_TRANSPARENT = 0x63
TAG_64_COMMON_TRANSPARENT = 0x64
TAG_4F_AID = 0x4F
TAG_50_LABEL = 0x50
TAG_57_TRACK_2 = 0x57
TAG_5A_PAN = 0x5A

FORMAT = b"CPV01"
HEAD = "hQVDUFYwM"
"""How every such code begins: 85 05 'CPV0' and the upper bits of the version."""

CHARACTERS_MAX = 2048
"""Longest code read; wallets make at most 512."""

LENGTHS = {
    TAG_4F_AID: (5, 16),
    TAG_50_LABEL: (1, 16),
    TAG_57_TRACK_2: (1, 19),
    TAG_5A_PAN: (1, 10),
    0x5F20: (2, 26),
    0x5F2D: (2, 8),
    0x82: (2, 2),
    0x9F08: (2, 2),
    0x9F10: (1, 32),
    0x9F19: (6, 6),
    0x9F24: (29, 29),
    0x9F25: (2, 2),
    0x9F26: (8, 8),
    0x9F27: (1, 1),
    0x9F36: (2, 2),
    0x9F37: (4, 4),
}
"""Fewest and most bytes of the objects the specification names."""


@dataclass(frozen=True, slots=True)
class Template:
    """One application, or what all have in common."""

    data: Mapping[int, bytes] = field(repr=False)
    """Tag to value, in the order of the code; further templates unopened."""
    transparent: Mapping[int, bytes] | None = field(default=None, repr=False)
    """What a chip would have sent: template 63 or 64."""

    @property
    def aid(self) -> bytes:
        """The application's identifier; empty in the common template."""
        return self.data.get(TAG_4F_AID, b"")

    @property
    def label(self) -> str:
        """The application's name for people; empty if it has none."""
        return self.data.get(TAG_50_LABEL, b"").decode("ascii", "replace")


@dataclass(frozen=True, slots=True)
class ConsumerCode:
    """A code that was read, its shape proved."""

    applications: tuple[Template, ...]
    """In the customer's order of preference; a code without one cannot pay."""
    common: Template | None = None
    others: tuple[tuple[int, bytes], ...] = field(default=(), repr=False)
    """Further objects, kept as they came."""


def parse(text: str) -> ConsumerCode:
    """Read a consumer-presented code.

    Raises MalformedData, naming the tag, if it is not Base64 of TLV, does not
    begin with the format indicator, or an object the specification names has
    a wrong length, stands twice, or is missing from its template.
    """
    data = _from_base64(text)
    # The decoder skips padding; a code may not begin with any.
    if data[:1] != bytes((TAG_85_FORMAT,)):
        raise MalformedData("consumer code does not begin with tag 85")
    nodes = tlv.decode(data)
    if nodes[0].value != FORMAT:
        raise MalformedData("consumer code: tag 85 is not 'CPV01'")
    applications = []
    common: Template | None = None
    others = []
    for node in nodes[1:]:
        if node.tag == TAG_61_APPLICATION:
            application = _read_template(node, TAG_63_APPLICATION_TRANSPARENT)
            if TAG_4F_AID not in application.data:
                raise MalformedData(f"consumer code 61 at offset {node.offset}: no AID, tag 4F")
            applications.append(application)
        elif node.tag == TAG_62_COMMON:
            if common is not None:
                raise MalformedData(f"consumer code 62 at offset {node.offset}: stands twice")
            common = _read_template(node, TAG_64_COMMON_TRANSPARENT)
        elif node.tag == TAG_85_FORMAT:
            raise MalformedData(f"consumer code 85 at offset {node.offset}: stands twice")
        else:
            others.append((node.tag, node.value))
    return ConsumerCode(tuple(applications), common, tuple(others))


def build(
    applications: Sequence[Template],
    common: Template | None = None,
    others: Sequence[tuple[int, bytes]] = (),
) -> str:
    """Return the text of a code that parse() reads back as the same.

    Raises MalformedData if it could not be read back.
    """
    data = tlv.encode(TAG_85_FORMAT, FORMAT)
    for application in applications:
        value = _write_template(application, TAG_63_APPLICATION_TRANSPARENT)
        data += tlv.encode(TAG_61_APPLICATION, value)
    if common is not None:
        data += tlv.encode(TAG_62_COMMON, _write_template(common, TAG_64_COMMON_TRANSPARENT))
    for tag, value in others:
        data += tlv.encode(tag, value)
    text = base64.b64encode(data).decode("ascii")
    if parse(text) != ConsumerCode(tuple(applications), common, tuple(others)):
        raise MalformedData("consumer code: its objects cannot be told apart when read")
    return text


def _from_base64(text: str) -> bytes:
    if len(text) > CHARACTERS_MAX:
        raise MalformedData(f"consumer code of {len(text)} characters, at most {CHARACTERS_MAX}")
    try:
        return base64.b64decode(text.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error) as error:
        # The error's own words may quote the code.
        raise MalformedData("consumer code is not Base64 in the standard alphabet") from error


def _read_template(node: tlv.Node, transparent_tag: int) -> Template:
    path = f"{node.tag:02X}"
    data: dict[int, bytes] = {}
    transparent: dict[int, bytes] | None = None
    for child in node.children or ():
        if child.tag == transparent_tag:
            if transparent is not None:
                raise MalformedData(f"consumer code {path}/{child.tag:02X}: stands twice")
            transparent = {}
            for inner in child.children or ():
                _keep(inner, transparent, f"{path}/{child.tag:02X}")
        else:
            _keep(child, data, path)
    return Template(data, transparent)


def _keep(node: tlv.Node, values: dict[int, bytes], path: str) -> None:
    if node.tag in values:
        raise MalformedData(
            f"consumer code {path}/{node.tag:02X} at offset {node.offset}: stands twice"
        )
    least, most = LENGTHS.get(node.tag, (0, CHARACTERS_MAX))
    if not least <= len(node.value) <= most:
        raise MalformedData(
            f"consumer code {path}/{node.tag:02X} at offset {node.offset}: "
            f"{len(node.value)} bytes, must be {least} to {most}"
        )
    values[node.tag] = node.value


def _write_template(template: Template, transparent_tag: int) -> bytes:
    value = b"".join(tlv.encode(tag, value) for tag, value in template.data.items())
    if template.transparent is not None:
        inner = b"".join(tlv.encode(tag, value) for tag, value in template.transparent.items())
        value += tlv.encode(transparent_tag, inner)
    return value
