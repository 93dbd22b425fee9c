"""Key blocks: the published ones, a second program, and what is refused."""

import json
from pathlib import Path
from typing import Any

import psec.tr31
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emv.keys.key_block import Key, Purpose, build, open_block
from emv.keys.key_block_header import Header, KeyBlockRefused, parse_header

PROTECTION = bytes(range(32))
PIN_KEY = Purpose("P0", "A", "E")
HEADER = Header("P0", "A", "E")
SYMMETRIC = st.sampled_from((16, 24, 32)).flatmap(lambda n: st.binary(min_size=n, max_size=n))
OPTIONAL = st.dictionaries(
    st.sampled_from(("KS", "TS", "10", "HM", "LB")),
    st.text("0123456789ABCDEF-:. abc", max_size=300),
    max_size=3,
)


def zeros(count: int) -> bytes:
    return bytes(count)


def any_purpose(block: str) -> Purpose:
    """What the block says of itself, for tests that are about something else."""
    header, _ = parse_header(block)
    return Purpose(header.usage, header.algorithm, header.mode)


@pytest.fixture(scope="module")
def published(shared: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        (shared / "vectors" / "crypto" / "tr31_key_blocks.json").read_text()
    )
    return found


@pytest.fixture(scope="module")
def recorded(shared: Path) -> list[dict[str, str]]:
    suites = json.loads((shared / "vectors" / "emv" / "tr31_openemv.json").read_text())["suites"]
    return [suite["data"] for suite in suites]


def open_any(block: str, protection: str) -> Key:
    return open_block(block, bytes.fromhex(protection), any_purpose(block), is_legacy_allowed=True)


def test_every_published_block_opens_or_is_of_a_version_we_refuse(
    published: dict[str, Any],
) -> None:
    opened = 0
    for case in published["cases"]:
        if case["block"][0] in "ACE":
            with pytest.raises(KeyBlockRefused, match=f"version {case['block'][0]}"):
                open_any(case["block"], case["kbpk"])
            continue
        key = open_any(case["block"], case["kbpk"])
        assert key.value.hex().upper() == case["key"]
        assert key.check_value.startswith(case["kcv"])
        assert key.header.optional("KS") == case["ksn"]
        opened += 1
    assert opened == 9


def test_every_published_forgery_is_refused(published: dict[str, Any]) -> None:
    assert len(published["must_reject"]) == 7
    for case in published["must_reject"]:
        with pytest.raises(KeyBlockRefused):
            open_any(case["block"], case["kbpk"])


def test_every_recorded_block_of_version_b_or_d_gives_its_key(
    recorded: list[dict[str, str]],
) -> None:
    """RSA and elliptic curve keys, time stamps and long certificates among them."""
    data, opened = recorded[0], 0
    for name, block in data.items():
        test, _, rest = name.partition("_tr31_")
        if rest not in ("ascii", "format_b") or block[0] not in "BD":
            continue
        if int(block[1:5]) != len(block):
            # As X9.143:2021, 8.3.2.2 prints it: the header was not changed with the block.
            with pytest.raises(KeyBlockRefused, match="not as long"):
                open_any(block, data[f"{test}_kbpk"])
            continue
        key = open_any(block, data[f"{test}_kbpk"])
        assert key.value.hex().upper() == data[f"{test}_tr31_key_verify"]
        assert key.header.optional("TS") == data.get(f"{test}_tr31_ts_verify")
        opened += 1
    assert opened == 12


def test_headers_are_read_without_a_key(recorded: list[dict[str, str]]) -> None:
    data = next(part for part in recorded if "test4_kcv_kbpk_verify" in part)
    header, place = parse_header(data["test4_tr31_ascii"])
    assert header.optional("KS") == data["test4_ksn_verify"]
    assert header.optional("KC") == "00" + data["test4_kcv_verify"]
    assert header.optional("KP") == "00" + data["test4_kcv_kbpk_verify"]
    assert (header.usage, header.algorithm, header.mode, place) == ("B1", "T", "X", 64)


@given(SYMMETRIC, OPTIONAL)
@settings(max_examples=60, deadline=None)
def test_another_program_opens_our_blocks(key: bytes, blocks: dict[str, str]) -> None:
    header = Header("D0", "A", "B", blocks=tuple(blocks.items()))
    block = build(Key(header, key), PROTECTION, zeros, padded_to=32)
    found, value = psec.tr31.unwrap(PROTECTION, block)
    assert value == key
    others = {name: text for name, text in dict(found.blocks).items() if name != "PB"}
    assert (found.key_usage, found.mode_of_use, others) == ("D0", "B", blocks)


@given(SYMMETRIC, st.sampled_from("BD"))
@settings(max_examples=60, deadline=None)
def test_we_open_the_blocks_of_another_program(key: bytes, version: str) -> None:
    algorithm, protection = ("A", PROTECTION) if version == "D" else ("T", PROTECTION[:24])
    key = key if version == "D" else key[:16]
    header = psec.tr31.Header(version, "P0", algorithm, "E", "00", "N")
    header.blocks["KS"] = "00604B120F9292800000"
    block = psec.tr31.wrap(protection, header, key)
    opened = open_block(block, protection, Purpose("P0", algorithm, "E"), is_legacy_allowed=True)
    assert opened.value == key
    assert opened.header.optional("KS") == "00604B120F9292800000"


@given(SYMMETRIC, OPTIONAL, st.integers(0, 3000), st.integers(1, 0x7F))
@settings(max_examples=100, deadline=None)
def test_no_altered_character_goes_unseen(
    key: bytes, blocks: dict[str, str], place: int, change: int
) -> None:
    header = Header("P0", "A", "E", blocks=tuple(blocks.items()))
    block = build(Key(header, key), PROTECTION, zeros)
    assert open_block(block, PROTECTION, PIN_KEY) == Key(header, key)
    place %= len(block)
    altered = block[:place] + chr(ord(block[place]) ^ change) + block[place + 1 :]
    with pytest.raises(KeyBlockRefused):
        open_block(altered, PROTECTION, PIN_KEY)


@given(st.text(max_size=80) | st.from_regex(r"D00[0-9]{2}P0AE00[ENS]0[0-2]00[0-9A-FKS]{0,90}"))
@settings(max_examples=200)
def test_any_text_is_a_key_or_refused(text: str) -> None:
    with pytest.raises(KeyBlockRefused):
        open_block(text, PROTECTION, PIN_KEY)


@pytest.mark.parametrize(
    ("purpose", "field"),
    [
        (Purpose("M3", "A", "E"), "usage is P0, wanted M3"),
        (Purpose("P0", "T", "E"), "algorithm is A, wanted T"),
        (Purpose("P0", "A", "DN"), "mode of use is E, wanted D or N"),
        (Purpose("P0", "A", "E", "E"), "exportability is N, wanted E"),
    ],
)
def test_a_key_for_something_else_is_refused_by_name(purpose: Purpose, field: str) -> None:
    block = build(Key(HEADER, bytes(16)), PROTECTION, zeros)
    with pytest.raises(KeyBlockRefused, match=field):
        open_block(block, PROTECTION, purpose)


def test_version_b_is_off_until_somebody_allows_it(published: dict[str, Any]) -> None:
    case = next(case for case in published["cases"] if case["block"][0] == "B")
    with pytest.raises(KeyBlockRefused, match="version B is off"):
        open_block(case["block"], bytes.fromhex(case["kbpk"]), any_purpose(case["block"]))


def test_lower_case_is_refused() -> None:
    block = build(Key(HEADER, bytes(range(16))), PROTECTION, zeros)
    for text in (block.lower(), block[:16] + block[16:].lower()):
        with pytest.raises(KeyBlockRefused):
            open_block(text, PROTECTION, PIN_KEY)


def test_a_key_is_never_protected_by_a_weaker_one() -> None:
    with pytest.raises(KeyBlockRefused, match="stronger"):
        build(Key(HEADER, bytes(32)), PROTECTION[:16], zeros)


def test_a_check_value_that_travels_along_must_be_the_keys_own() -> None:
    for name, value in (("KC", "01C72C"), ("KP", "01C72C")):
        header = Header("P0", "A", "E", blocks=((name, value),))
        block = build(Key(header, bytes(range(16))), PROTECTION, zeros)
        with pytest.raises(KeyBlockRefused, match=f"check value {name}"):
            open_block(block, PROTECTION, PIN_KEY)


def test_keys_of_different_lengths_can_look_alike() -> None:
    blocks = [
        build(Key(HEADER, bytes(length)), PROTECTION, zeros, padded_to=32) for length in (16, 32)
    ]
    assert len(blocks[0]) == len(blocks[1])


@pytest.mark.parametrize(
    "header",
    [
        Header("P0", "A", "E", version="B"),
        Header("p0", "A", "E"),
        Header("P0", "A", "E", blocks=(("PB", "00"),)),
        Header("P0", "A", "E", blocks=(("KS", "1"), ("KS", "2"))),
        Header("P0", "A", "E", blocks=(("KS", "\n"),)),
    ],
)
def test_a_header_that_cannot_be_read_back_is_not_written(header: Header) -> None:
    with pytest.raises(KeyBlockRefused):
        build(Key(header, bytes(16)), PROTECTION, zeros)


@pytest.mark.parametrize(
    ("header", "key", "fault"),
    [
        (Header("P0", "A", "E", version="B"), bytes(16), "only D is built"),
        (HEADER, bytes(15), "no key of algorithm A is so long"),
        (HEADER, b"", "no key of algorithm A is so long"),
    ],
)
def test_what_is_not_built_is_named(header: Header, key: bytes, fault: str) -> None:
    with pytest.raises(KeyBlockRefused, match=fault):
        build(Key(header, key), PROTECTION, zeros)


@pytest.mark.parametrize("length", [1, 14, 15, 30])
def test_a_key_of_another_kind_may_have_any_length_but_none(length: int) -> None:
    """14 and 30 bytes fill their blocks without a byte to hide how long they are."""
    header, purpose = Header("P0", "R", "E"), Purpose("P0", "R", "E")
    key = Key(header, bytes(range(1, length + 1)))
    assert open_block(build(key, PROTECTION, zeros), PROTECTION, purpose) == key
    with pytest.raises(KeyBlockRefused, match="impossible key length"):
        open_block(build(Key(header, b""), PROTECTION, zeros), PROTECTION, purpose)


def test_a_key_stronger_than_its_protection_is_not_taken() -> None:
    header = psec.tr31.Header("D", "P0", "A", "E", "00", "N")
    block = psec.tr31.wrap(PROTECTION[:16], header, bytes(range(32)))
    with pytest.raises(KeyBlockRefused, match="stronger"):
        open_block(block, PROTECTION[:16], PIN_KEY)


@pytest.mark.parametrize(
    ("start", "rest", "fault"),
    [
        ("P0AE00N0000", "00" * 16, "does not fill whole blocks"),
        ("P0AE00N0000", "00" * 31, "does not fill whole blocks"),
        ("P0AE00N0000", "00" * 15, "does not fill whole blocks"),
        ("P0AE00N0100KS06AB", "00" * 32, "header does not fill"),
    ],
)
def test_a_block_is_made_of_whole_blocks(start: str, rest: str, fault: str) -> None:
    length = len(start) + len(rest) + 5
    with pytest.raises(KeyBlockRefused, match=fault):
        open_block(f"D{length:04}{start}{rest}", PROTECTION, PIN_KEY)


@pytest.mark.parametrize("length", [0, 15, 17, 33])
def test_a_protection_key_is_an_aes_key(length: int) -> None:
    block = build(Key(HEADER, bytes(16)), PROTECTION, zeros)
    with pytest.raises(KeyBlockRefused, match="not an AES key"):
        open_block(block, bytes(length), PIN_KEY)


@pytest.mark.parametrize(
    ("version", "why"), [("A", "withdrawn"), ("C", "withdrawn"), ("E", "unknown"), ("0", "unknown")]
)
def test_another_version_is_told_apart(version: str, why: str) -> None:
    block = version + build(Key(HEADER, bytes(16)), PROTECTION, zeros)[1:]
    with pytest.raises(KeyBlockRefused, match=why):
        open_block(block, PROTECTION, PIN_KEY)


def test_no_key_is_in_a_repr_or_an_error() -> None:
    key = bytes(range(16))
    assert key.hex() not in repr(Key(HEADER, key)).lower()
    block = build(Key(HEADER, key), PROTECTION, zeros)
    with pytest.raises(KeyBlockRefused) as refusal:
        open_block(block, bytes(32), PIN_KEY)
    assert block[16:] not in str(refusal.value)
