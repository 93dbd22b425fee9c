"""A conversation with a card in words: each command and answer, object by object.

What a list of the card asked for is told apart in the commands that carry
it, so the objects of a card must be told of in their order. Card data is
masked on the way in; what cannot be read is hidden whole.
Source: EMV 4.4 Book 3, 6.5; EMV Contactless Books C-2, C-3 and C-8.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from emv import apdu, bits, describe, dol, masking, tags, tlv
from emv.apdu import CommandAPDU
from emv.describe import Description
from emv.entry_point.selection import DEFAULT_KERNELS, PPSE
from emv.errors import MalformedData

RAW = 0
"""Stands for the tag of bytes that are no data object."""

_LISTS = {
    apdu.INS_GET_PROCESSING_OPTIONS: tags.TAG_9F38_PDOL,
    apdu.INS_INTERNAL_AUTHENTICATE: tags.TAG_9F49_DDOL,
    apdu.INS_COMPUTE_CRYPTOGRAPHIC_CHECKSUM: tags.TAG_9F69_UDOL,
    apdu.INS_RECOVER_AC: tags.TAG_9F51_DRDOL,
}
_DEFAULT_LISTS = {
    tags.TAG_9F38_PDOL: b"",
    tags.TAG_9F49_DDOL: bytes.fromhex("9F3704"),
    tags.TAG_9F69_UDOL: bytes.fromhex("9F6A04"),
}
"""What holds where the card has no list of its own."""

_FORMAT_1 = {
    apdu.INS_GET_PROCESSING_OPTIONS: ((tags.TAG_82_AIP, 2), (tags.TAG_94_AFL, None)),
    apdu.INS_GENERATE_AC: (
        (tags.TAG_9F27_CRYPTOGRAM_INFORMATION_DATA, 1),
        (tags.TAG_9F36_ATC, 2),
        (tags.TAG_9F26_APPLICATION_CRYPTOGRAM, 8),
        (tags.TAG_9F10_ISSUER_APPLICATION_DATA, None),
    ),
    apdu.INS_INTERNAL_AUTHENTICATE: ((tags.TAG_9F4B_SIGNED_DYNAMIC_APPLICATION_DATA, None),),
}
"""What template 80 holds, by command. Source: Book 3, 6.5.5.4, 6.5.8.4 and 6.5.9.4."""

_PIN_COMMANDS = frozenset({apdu.INS_VERIFY, apdu.INS_PIN_CHANGE})
_RAW_COMMANDS = frozenset(
    {
        apdu.INS_EXCHANGE_RELAY_RESISTANCE_DATA,
        apdu.INS_READ_DATA,
        apdu.INS_WRITE_DATA,
    }
)
_RAW_ANSWERS = frozenset({apdu.INS_GET_CHALLENGE, apdu.INS_READ_DATA, apdu.INS_WRITE_DATA})


@dataclass(frozen=True, slots=True)
class Exchange:
    """One command and what came back; no answer at all is empty."""

    command: bytes = field(repr=False)
    response: bytes = field(repr=False)
    masked: tuple[str, str] | None = None
    """Both in hex digits with stars, where they are known no better; the bytes hold zeros there."""

    @classmethod
    def of_masked(cls, command: str, response: str) -> Exchange:
        """Return an exchange of which stars are all that is left in places.

        Raises ValueError if the rest is not hex digits in pairs.
        """
        digits = (command.replace("*", "0"), response.replace("*", "0"))
        if digits == (command, response):
            return cls(bytes.fromhex(command), bytes.fromhex(response))
        return cls(bytes.fromhex(digits[0]), bytes.fromhex(digits[1]), (command, response))


@dataclass(frozen=True, slots=True)
class Told:
    """One exchange as people read it; nothing in it shows card data."""

    title: str
    command: str
    """Hex digits, a star for each hidden one."""
    asked: tuple[Description, ...]
    """The objects in the command."""
    response: str
    """Hex digits and stars, the status word at the end."""
    answered: tuple[Description, ...]
    """The objects in the answer."""
    status: str
    """The status word and its meaning."""
    notes: tuple[str, ...]
    """What could not be read, and is hidden for it."""


def tell(
    exchanges: Iterable[Exchange], *, whole: bool = False, kernel: int | None = None
) -> list[Told]:
    """Return a conversation in words, from its first command on.

    whole: hide nothing; for test cards only. kernel: whose reading counts
    where kernels differ; by itself each scheme's own after a tap's directory.
    """
    said = list(exchanges)
    show = masking.openly if whole else masking.with_pans_hidden(pans_in(said))
    reader = _Reader(show, kernel)
    return [reader.tell(exchange) for exchange in said]


def pans_in(exchanges: Sequence[Exchange]) -> frozenset[str]:
    """Return the card numbers that the answers name openly."""
    found: frozenset[str] = frozenset()
    for exchange in exchanges:
        try:
            found |= masking.pans_in(tlv.decode(exchange.response[:-2]))
        except MalformedData:
            # Not objects: it will be hidden whole.
            continue
    return found


def objects_in(exchanges: Iterable[Exchange]) -> dict[int, bytes]:
    """Return every object of the answers by its tag; of repeated ones the last."""
    objects: dict[int, bytes] = {}
    for exchange in exchanges:
        try:
            nodes = tlv.decode(exchange.response[:-2])
        except MalformedData:
            # Not objects; tell() says so where it stands.
            continue
        objects |= {node.tag: node.value for node in tlv.walk(nodes) if node.children is None}
    return objects


class _Reader:
    """Listens to one card, and keeps the lists that its answers hold."""

    def __init__(self, show: masking.Show, kernel: int | None) -> None:
        self._show = show
        self._wanted_kernel = kernel
        self._kernel = kernel
        self._is_tap = False
        self._lists: dict[int, bytes] = {}
        self._instruction = RAW
        self._cryptograms = 0

    def tell(self, exchange: Exchange) -> Told:
        """Return one exchange in words."""
        notes: list[str] = []
        title, shown = "not a command", "*" * (2 * len(exchange.command))
        asked: tuple[Description, ...] = ()
        try:
            command = CommandAPDU.parse(exchange.command)
        except MalformedData as fault:
            notes.append(str(fault))
        else:
            self._follow(command)
            shown, asked = self._tell_command(exchange, command, notes)
            title = self._title(command)
        response, answered = self._tell_response(exchange, notes)
        status = ""
        if len(exchange.response) >= 2:
            word = int.from_bytes(exchange.response[-2:], "big")
            status = f"{word:04X} {apdu.status_meaning(word)}"
        return Told(title, shown, asked, response, answered, status, tuple(notes))

    def _follow(self, command: CommandAPDU) -> None:
        """Note what a command changes in how the next bytes are read."""
        if command.ins != apdu.INS_GET_RESPONSE:
            self._instruction = command.ins
        if command.ins == apdu.INS_GENERATE_AC:
            self._cryptograms += 1
        if command.ins != apdu.INS_SELECT:
            return
        self._lists.clear()
        self._cryptograms = 0
        self._is_tap |= command.data == PPSE
        if self._wanted_kernel is None and self._is_tap:
            self._kernel = DEFAULT_KERNELS.get(command.data[:5])

    # --- commands -----------------------------------------------------------

    def _tell_command(
        self, exchange: Exchange, command: CommandAPDU, notes: list[str]
    ) -> tuple[str, tuple[Description, ...]]:
        digits = exchange.command.hex().upper()
        if not command.data:
            return digits, ()
        begin = 7 if command.extended else 5
        end = begin + len(command.data)
        masked = exchange.masked and exchange.masked[0][2 * begin : 2 * end]
        described: tuple[Description, ...] = ()
        try:
            if _is_hidden(masked):
                raise MalformedData("hidden when it was kept")
            parts = self._parts_of(command)
        except MalformedData as fault:
            notes.append(f"command data not shown: {fault}")
            shown = "*" * (2 * len(command.data))
        else:
            shown, described = self._shown(command.data, parts, masked)
        return digits[: 2 * begin] + shown + digits[2 * end :], described

    def _parts_of(self, command: CommandAPDU) -> list[tlv.Node]:
        """Return the objects in a command's data. Raises MalformedData."""
        data = command.data
        if command.ins in _PIN_COMMANDS:
            return [tlv.Node(tags.TAG_99_TRANSACTION_PIN_DATA, data, None, 0)]
        if command.ins == apdu.INS_SELECT:
            return [tlv.Node(tags.TAG_84_DF_NAME, data, None, 0)]
        if command.ins == apdu.INS_PUT_DATA:
            return [tlv.Node(command.p1 << 8 | command.p2, data, None, 0)]
        if command.ins == apdu.INS_EXTERNAL_AUTHENTICATE:
            return [tlv.Node(tags.TAG_91_ISSUER_AUTHENTICATION_DATA, data, None, 0)]
        if command.ins == apdu.INS_GENERATE_AC:
            return self._filled(self._cryptogram_list(), data, 0)
        if command.ins in _LISTS:
            tag = _LISTS[command.ins]
            wanted = self._lists.get(tag, _DEFAULT_LISTS.get(tag))
            if command.ins == apdu.INS_GET_PROCESSING_OPTIONS:
                [template] = tlv.decode(data) or (None,)
                if template is None or template.tag != tags.TAG_83_COMMAND_TEMPLATE:
                    raise MalformedData("no template 83")
                return self._filled(wanted, template.value, tlv.value_offset(data, template))
            return self._filled(wanted, data, 0)
        if command.ins in _RAW_COMMANDS:
            return [tlv.Node(RAW, data, None, 0)]
        return [
            node._replace(offset=tlv.value_offset(data, node))
            for node in tlv.walk(tlv.decode(data))
            if node.children is None
        ]

    def _cryptogram_list(self) -> bytes | None:
        """Return the list of this GENERATE AC: the second has one of its own."""
        if self._cryptograms > 1 and tags.TAG_8D_CDOL2 in self._lists:
            return self._lists[tags.TAG_8D_CDOL2]
        return self._lists.get(tags.TAG_8C_CDOL1)

    @staticmethod
    def _filled(wanted: bytes | None, data: bytes, base: int) -> list[tlv.Node]:
        """Tell the values of a list apart, offsets counted from base bytes before.

        Bytes behind the list stand alone, as kernel 2 sends them for data storage.
        Raises MalformedData where the list is not known or asks for more.
        """
        if wanted is None:
            raise MalformedData("no answer before it holds the list it follows")
        nodes = list(dol.split_filled(wanted, data))
        end = sum(len(node.value) for node in nodes)
        if end < len(data):
            nodes.append(tlv.Node(RAW, data[end:], None, end))
        return [node._replace(offset=base + node.offset) for node in nodes]

    def _title(self, command: CommandAPDU) -> str:
        """Return what a command is called, with what its parameters say."""
        name = apdu.COMMAND_NAMES.get(command.ins, f"instruction {command.ins:02X}")
        if command.ins == apdu.INS_SELECT:
            shown = self._show(tlv.Node(tags.TAG_84_DF_NAME, command.data, None, 0))
            text = masking.masked_text(shown)
            return f"{name} {text if text.isascii() and text.isprintable() else shown}"
        if command.ins == apdu.INS_READ_RECORD:
            return f"{name} {command.p1} of file {command.p2 >> 3}"
        if command.ins in (apdu.INS_GET_DATA, apdu.INS_PUT_DATA):
            tag = command.p1 << 8 | command.p2
            return f"{name} {tag:02X} {tags.name_of(tag)}"
        if command.ins == apdu.INS_GENERATE_AC:
            kind = bits.CRYPTOGRAM_TYPES[command.p1 & bits.CID_TYPE_MASK]
            return f"{name} {kind}" + (", signed" if command.p1 & apdu.WITH_SIGNATURE else "")
        return name

    # --- answers ------------------------------------------------------------

    def _tell_response(
        self, exchange: Exchange, notes: list[str]
    ) -> tuple[str, tuple[Description, ...]]:
        data, status = exchange.response[:-2], exchange.response[-2:].hex().upper()
        if not data:
            return status, ()
        masked = exchange.masked and exchange.masked[1][:-4]
        if self._instruction in _RAW_ANSWERS:
            shown, described = self._shown(data, [tlv.Node(RAW, data, None, 0)], masked)
            return shown + status, described
        show = self._show if masked is None else masking.as_masked_before(data, masked)
        try:
            if _is_hidden(masked):
                raise MalformedData("hidden when it was kept")
            nodes = tlv.decode(data)
            digits = masking.shown_objects(data, show)
        except MalformedData as fault:
            notes.append(f"answer not shown: {fault}")
            return "*" * (2 * len(data)) + status, ()
        if masked is not None:
            digits = masked
        for node in tlv.walk(nodes):
            if node.children is None:
                self._lists[node.tag] = node.value
        parts = self._told_apart(nodes)
        if parts:
            begin = tlv.value_offset(data, nodes[0])
            inner = digits[2 * begin :] if masked is not None else None
            return digits + status, self._shown(nodes[0].value, parts, inner)[1]
        return digits + status, describe.describe(nodes, kernel=self._kernel, show=show)

    def _told_apart(self, nodes: Sequence[tlv.Node]) -> list[tlv.Node]:
        """Return the objects in an answer's template 80; none for another answer."""
        layout = _FORMAT_1.get(self._instruction)
        if layout is None or [node.tag for node in nodes] != [tags.TAG_80_RESPONSE_FORMAT_1]:
            return []
        value, parts, at = nodes[0].value, [], 0
        for tag, length in layout:
            end = len(value) if length is None else at + length
            if at < len(value):
                parts.append(tlv.Node(tag, value[at:end], None, at))
            at = end
        return parts

    # --- both ---------------------------------------------------------------

    def _shown(
        self, data: bytes, parts: Sequence[tlv.Node], masked: str | None
    ) -> tuple[str, tuple[Description, ...]]:
        """Return bytes in hex digits and in words, each part of them as it may be shown.

        parts: their offsets are their values' in these bytes. masked: the
        same in hex digits, where they are masked already.
        """

        def as_before(node: tlv.Node) -> str:
            return (masked or "")[2 * node.offset : 2 * (node.offset + len(node.value))]

        show = self._show if masked is None else as_before
        digits, end = masked or data.hex().upper(), 0
        shown = []
        for part in parts:
            shown += [digits[end : 2 * part.offset], show(part)]
            end = 2 * (part.offset + len(part.value))
        described = describe.describe(parts, kernel=self._kernel, show=show)
        return "".join(shown) + digits[end:], described


def _is_hidden(masked: str | None) -> bool:
    """True where nothing but stars is left."""
    return bool(masked) and not (masked or "").strip("*")


def as_text(told: Iterable[Told]) -> str:
    """Return a conversation as lines, without a final line break."""
    lines = []
    for number, exchange in enumerate(told, 1):
        lines += [f"{number}. {exchange.title}", f"   > {exchange.command}"]
        lines += _indented(exchange.asked)
        if exchange.response:
            lines.append(f"   < {exchange.response}")
        lines.append(f"   {exchange.status or 'no answer'}")
        lines += _indented(exchange.answered)
        lines += [f"   ! {note}" for note in exchange.notes]
    return "\n".join(lines)


def _indented(described: tuple[Description, ...]) -> list[str]:
    return [f"     {line}" for line in describe.as_text(described).splitlines()]


def as_plain(told: Iterable[Told]) -> list[dict[str, object]]:
    """Return a conversation as dictionaries and lists, for JSON."""
    return [
        {
            "title": exchange.title,
            "command": exchange.command,
            "asked": describe.as_plain(exchange.asked),
            "response": exchange.response,
            "status": exchange.status,
            "answered": describe.as_plain(exchange.answered),
            "notes": list(exchange.notes),
        }
        for exchange in told
    ]
