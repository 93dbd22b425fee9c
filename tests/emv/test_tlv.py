"""BER-TLV: cases of pyemv and real traces, then properties, then our own."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emv.errors import MalformedData
from emv.tlv import (
    DEPTH_MAX,
    Node,
    collect,
    decode,
    duplicates,
    encode,
    find,
    find_all,
    tag_bytes,
    walk,
)

pytestmark = pytest.mark.spec("Book 3, Annex B", source="ours")


def pyemv_calls(shared: Path, function: str) -> list[dict[str, Any]]:
    """The recorded calls of knovichikhin/pyemv."""
    text = (shared / "vectors/emv/pyemv_tlv.json").read_text()
    calls: list[dict[str, Any]] = json.loads(text)["calls"][f"pyemv.tlv.{function}"]
    # Its 'simple' mode has lengths of one byte up to 255: that is not BER.
    return [call for call in calls if not call["args"].get("simple")]


def as_pyemv(nodes: tuple[Node, ...], flatten: bool) -> dict[str, Any]:
    """The tree in the shape of pyemv: dictionaries, the last of equals wins."""
    shape: dict[str, Any] = {}
    for node in nodes:
        if node.children is None:
            shape[f"{node.tag:02X}"] = node.value
        elif flatten:
            shape |= as_pyemv(node.children, flatten)
        else:
            shape[f"{node.tag:02X}"] = as_pyemv(node.children, flatten)
    return shape


def as_bytes(value: Any) -> Any:
    """A recorded value: hex in a dictionary, or bare where it was converted."""
    if isinstance(value, str):
        return bytes.fromhex(value)
    if set(value) == {"hex"}:
        return bytes.fromhex(value["hex"])
    return {tag: as_bytes(inner) for tag, inner in value.items()}


@pytest.mark.spec("Book 3, Annex B", source="outside")
def test_objects_decode_as_pyemv_decodes_them(shared: Path) -> None:
    calls = [call for call in pyemv_calls(shared, "decode") if "result" in call]
    assert len(calls) >= 34
    for call in calls:
        data = bytes.fromhex(call["args"]["data"]["hex"])
        expected = {tag: as_bytes(value) for tag, value in call["result"].items()}
        assert as_pyemv(decode(data), bool(call["args"].get("flatten"))) == expected, data.hex()


@pytest.mark.spec("Book 3, Annex B", source="outside")
def test_malformed_data_is_refused_where_pyemv_refuses_it(shared: Path) -> None:
    calls = [call for call in pyemv_calls(shared, "decode") if "error" in call]
    assert len(calls) >= 15
    for call in calls:
        recorded = re.search(r"tag '(\w+)', offset (\d+)", call["error"])
        assert recorded
        with pytest.raises(MalformedData) as refusal:
            decode(bytes.fromhex(call["args"]["data"]["hex"]))
        # Ours adds the templates around it: E0/9C.
        where = rf"\b{recorded[1]} at offset {recorded[2]}:"
        assert re.search(where, str(refusal.value)), call


@pytest.mark.spec("Book 3, Annex B", source="outside")
def test_objects_encode_as_pyemv_encodes_them(shared: Path) -> None:
    def encoded(tree: dict[str, Any]) -> bytes:
        joined = b""
        for name, value in tree.items():
            inner = as_bytes(value) if isinstance(value, str) or "hex" in value else encoded(value)
            joined += encode(int(name, 16), inner)
        return joined

    calls = [call for call in pyemv_calls(shared, "encode") if "result" in call]
    assert len(calls) >= 20
    for call in calls:
        assert encoded(call["args"]["tlv"]).hex().upper() == call["result"]["hex"]


def trace_replies(shared: Path) -> list[tuple[str, bytes]]:
    """Successful replies of real and test cards that begin with a template."""
    replies = []
    for name in ("traces_testcards", "traces_anonymised_cards"):
        traces = json.loads((shared / f"vectors/emv/{name}.json").read_text())["traces"]
        for trace in traces:
            for exchange in trace["apdus"]:
                # One line of one file has a remark behind its hex.
                reply = bytes.fromhex(exchange["response"].partition("#")[0])
                if reply[-2:] == b"\x90\x00" and reply[:1] in (b"\x6f", b"\x70", b"\x77"):
                    replies.append((trace["id"], reply[:-2]))
    return replies


@pytest.mark.spec("Book 3, Annex B", source="outside")
def test_real_cards_are_read_to_the_last_byte(shared: Path) -> None:
    replies = trace_replies(shared)
    assert len(replies) >= 71
    for card, reply in replies:
        nodes = decode(reply)
        assert len(nodes) == 1, card
        assert reply.endswith(nodes[0].value), card
        for node in walk(nodes):
            if node.children is None:
                assert reply[node.offset :].startswith(tag_bytes(node.tag)), card


TAGS = st.sampled_from([0x57, 0x82, 0x9F02, 0x9F7F, 0xDF8129, 0xDFFF7F, 0x9F8121])
TEMPLATES = st.sampled_from([0x6F, 0x70, 0xA5, 0xBF0C, 0xFF8105, 0x7F60])

Tree = tuple[int, "bytes | list[Tree]"]


def trees() -> st.SearchStrategy[list[Any]]:
    """Lists of objects, templates among them, up to the depth that is read."""
    objects: st.SearchStrategy[Any] = st.tuples(TAGS, st.binary(max_size=140))
    return st.lists(
        st.recursive(
            objects,
            lambda inner: st.tuples(TEMPLATES, st.lists(inner, max_size=4)),
            max_leaves=12,
        ),
        max_size=4,
    )


def depth(tree: list[Any]) -> int:
    return max((1 + depth(value) if isinstance(value, list) else 1 for _, value in tree), default=0)


def encode_tree(tree: list[Any]) -> bytes:
    return b"".join(
        encode(tag, encode_tree(value) if isinstance(value, list) else value) for tag, value in tree
    )


def plain(nodes: tuple[Node, ...]) -> list[Any]:
    return [
        (node.tag, node.value if node.children is None else plain(node.children)) for node in nodes
    ]


@given(trees().filter(lambda tree: depth(tree) <= DEPTH_MAX))
def test_decode_undoes_encode(tree: list[Any]) -> None:
    assert plain(decode(encode_tree(tree))) == tree


@given(trees(), st.data())
def test_a_cut_is_malformed_or_whole_objects(tree: list[Any], data: st.DataObject) -> None:
    encoded = encode_tree(tree)
    cut = data.draw(st.integers(0, len(encoded)))
    try:
        nodes = decode(encoded[:cut])
    except MalformedData:
        return
    assert plain(nodes) == plain(decode(encoded))[: len(nodes)]


@given(st.binary(max_size=64))
def test_any_bytes_decode_or_are_malformed(noise: bytes) -> None:
    """What decodes lies inside its template, and in order."""

    def check(nodes: tuple[Node, ...], begin: int, end: int) -> None:
        for node in nodes:
            assert begin <= node.offset < end
            begin = node.offset + len(tag_bytes(node.tag)) + 1 + len(node.value)
            assert begin <= end
            if node.children is not None:
                check(node.children, node.offset + 2, end)

    try:
        nodes = decode(noise)
    except MalformedData:
        return
    check(nodes, 0, len(noise))


@given(st.integers(-2, 0xFFFFFFFFFF), st.binary(max_size=8))
def test_a_number_is_a_tag_or_malformed(number: int, value: bytes) -> None:
    try:
        encoded = encode(number, value)
    except MalformedData:
        return
    if not encoded[0] & 0x20:
        assert decode(encoded) == (Node(number, value, None, 0),)


@given(st.lists(st.tuples(TAGS, st.binary(max_size=5)), max_size=6), st.integers(0, 3))
def test_zeros_between_objects_are_padding(tree: list[Any], zeros: int) -> None:
    padding = bytes(zeros)
    padded = padding + padding.join(encode(*leaf) for leaf in tree) + padding

    assert plain(decode(padded)) == tree
    assert plain(decode(encode(0x70, padded))) == [(0x70, tree)]


@pytest.mark.parametrize("tail", ["FF", "FFFF", "FFFFFFFFFFFFFF"])
def test_a_tail_of_erased_memory_is_padding(tail: str) -> None:
    nodes = decode(bytes.fromhex("70 05 9A03240217") + bytes.fromhex(tail))

    assert find(nodes, 0x9A) == bytes.fromhex("240217")


def test_ff_is_no_padding_where_an_object_can_follow() -> None:
    """FF8106 is Discretionary Data in kernel 2."""
    assert decode(bytes.fromhex("FF8106 03 82011A")) == (
        Node(0xFF8106, bytes.fromhex("82011A"), (Node(0x82, b"\x1a", None, 4),), 0),
    )


def test_zeros_inside_a_value_stay() -> None:
    assert decode(bytes.fromhex("9F03 06 000000000000"))[0].value == bytes(6)


def test_the_path_leads_to_the_fault() -> None:
    with pytest.raises(MalformedData, match=r"6F/A5/9F38 at offset 7: value needs 9 bytes, 1 left"):
        decode(bytes.fromhex("6F06 A504 9F380900"))


def test_an_object_cannot_reach_past_its_template() -> None:
    """The bytes are there, but they are the neighbour's."""
    with pytest.raises(MalformedData, match="70/5A at offset 4: value needs 4 bytes, 0 left"):
        decode(bytes.fromhex("7002 5A04 9A03240217"))


def nested(levels: int) -> bytes:
    data = b"\x82\x00"
    for _ in range(levels - 1):
        data = encode(0xE0, data)
    return data


def test_nesting_ends_at_the_limit() -> None:
    assert find(decode(nested(DEPTH_MAX)), 0x82) == b""
    with pytest.raises(MalformedData, match=f"deeper than {DEPTH_MAX} levels"):
        decode(nested(DEPTH_MAX + 1))
    assert find(decode(nested(DEPTH_MAX + 1), depth_max=DEPTH_MAX + 1), 0x82) == b""


def test_a_deep_nest_cannot_exhaust_the_stack() -> None:
    with pytest.raises(MalformedData, match="deeper"):
        decode(nested(3000))


def test_an_endless_tag_is_refused() -> None:
    with pytest.raises(MalformedData, match="9F818181 at offset 0: tag is too long"):
        decode(b"\x9f" + b"\x81" * 50_000)


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        ("9F81818101 00", "9F818181 at offset 0: tag is too long"),
        ("9F80", "9F80 at offset 0: tag is cut short"),
        ("DF8101", "DF8101 at offset 3: no length follows"),
        ("9F7F", "9F7F at offset 2: no length follows"),
        ("1F", "1F at offset 0: tag is cut short"),
        ("5A", "5A at offset 1: no length follows"),
    ],
)
def test_a_tag_without_its_end_or_its_length_is_told_apart(data: str, fault: str) -> None:
    with pytest.raises(MalformedData, match=fault):
        decode(bytes.fromhex(data))


@pytest.mark.parametrize(
    ("number", "is_tag"),
    [
        (0, False),
        (1, True),
        (0x9F, False),
        (0x9F80, False),
        (0x9F81, False),
        (0x9F7F, True),
        (0x5A01, False),
        (0xDF818101, True),
        (0xDF81818101, False),
    ],
)
def test_the_last_byte_of_a_tag_says_that_it_is(number: int, is_tag: bool) -> None:
    if is_tag:
        assert encode(number, b"") == number.to_bytes(max(1, len(f"{number:x}") // 2)) + b"\0"
        return
    with pytest.raises(MalformedData, match="is not a tag"):
        encode(number, b"")


def test_a_length_beyond_the_data_is_refused() -> None:
    with pytest.raises(MalformedData, match="length needs 127 bytes, 3 left"):
        decode(bytes.fromhex("82 FF 000001"))


def test_an_empty_template_has_no_children() -> None:
    assert decode(bytes.fromhex("7000")) == (Node(0x70, b"", (), 0),)


PPSE = bytes.fromhex(
    "6F2F 840E 325041592E5359532E4444463031 A51D BF0C1A"
    "610B 4F06A00000000310 870101 610B 4F06A00000000410 870102"
)


def test_duplicates_are_kept_and_reported() -> None:
    nodes = decode(PPSE)

    assert find(nodes, 0x4F) == bytes.fromhex("A00000000310")
    assert [aid[4] for aid in find_all(nodes, 0x4F)] == [3, 4]
    assert find_all(nodes, 0x9F38) == []
    assert duplicates(nodes) == [(0x4F, (25, 38)), (0x87, (33, 46))]


def test_collecting_refuses_a_duplicate_by_name() -> None:
    with pytest.raises(MalformedData, match="tag 4F occurs twice, again at 38"):
        collect(decode(PPSE))


def test_collecting_leaves_templates_out() -> None:
    assert collect(decode(bytes.fromhex("7708 82021980 9F360102 00"))) == {
        0x82: bytes.fromhex("1980"),
        0x9F36: b"\x02",
    }
