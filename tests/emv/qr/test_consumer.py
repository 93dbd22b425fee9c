"""Consumer-presented codes: cases from outside, then properties."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emv import tlv
from emv.errors import MalformedData
from emv.qr.consumer import HEAD, ConsumerCode, Template, build, parse

AID = bytes.fromhex("A000000333010102")


@pytest.fixture(scope="module")
def cases(shared: Path) -> list[dict[str, Any]]:
    loaded: list[dict[str, Any]] = json.loads((shared / "vectors/qr/qr_cpm.json").read_text())[
        "vectors"
    ]
    return loaded


def values_of(template: Template | None) -> dict[str, str]:
    assert template is not None
    everything = {**template.data, **(template.transparent or {})}
    return {f"{tag:02X}": value.hex().upper() for tag, value in everything.items()}


def leaves(tree: list[dict[str, Any]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for node in tree:
        found.update(leaves(node["fields"]) if "fields" in node else {node["tag"]: node["hex"]})
    return found


def test_codes_of_others_are_read_or_refused_as_they_say(cases: list[dict[str, Any]]) -> None:
    read = 0
    for case in cases:
        if not case["valid"]:
            with pytest.raises(MalformedData):
                parse(case["base64"])
            continue
        code = parse(case["base64"])
        templates = [node for node in case["fields"] if node["tag"] == "61"]
        assert len(code.applications) == len(templates), case["name"]
        for application, node in zip(code.applications, templates, strict=True):
            assert values_of(application) == leaves(node["fields"]), case["name"]
        for node in case["fields"]:
            if node["tag"] == "62":
                assert values_of(code.common) == leaves(node["fields"])
        read += 1
    assert read >= 6


def test_a_code_that_was_read_is_written_back_to_the_letter(cases: list[dict[str, Any]]) -> None:
    for case in cases:
        if case["valid"]:
            code = parse(case["base64"])
            assert build(code.applications, code.common, code.others) == case["base64"]


def test_every_code_has_the_head_by_which_it_is_known(cases: list[dict[str, Any]]) -> None:
    assert all(case["base64"].startswith(HEAD) for case in cases)


def encoded(content: str) -> str:
    return base64.b64encode(bytes.fromhex(content)).decode()


GOOD = "8505 4350563031 6107 4F05 A000000333"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "does not begin with tag 85"),
        ("00" + GOOD, "does not begin with tag 85"),
        ("6107 4F05 A000000333 8505 4350563031", "does not begin with tag 85"),
        ("85", "85"),
        ("8505 4350563032", "tag 85 is not 'CPV01'"),
        (GOOD + "8505 4350563031", "85 at offset 16: stands twice"),
        ("8505 4350563031 6106 4F04 A0000003", "61/4F at offset 9: 4 bytes, must be 5 to 16"),
        ("8505 4350563031 6103 5001 41", "61 at offset 7: no AID"),
        ("8505 4350563031 610B 4F05 A000000333 500141 9F", "61/9F"),
        ("8505 4350563031 610D 4F05 A000000333 500141 500142", "61/50 at offset 19: stands twice"),
        ("8505 4350563031 610D 4F05 A000000333 6301009F26 0100", ""),
        (GOOD + "6203 500141 6203 500141", "62 at offset 21: stands twice"),
        (GOOD + "6203 9F27 00", "62/9F27"),
        ("8505 4350563031 610D 4F05 A000000333 6300 6302 C200", "61/63: stands twice"),
        (GOOD + "620A 6403 820100 6403 820100", "62/64/82"),
    ],
)
def test_a_damaged_code_is_refused_with_its_place(content: str, says: str) -> None:
    with pytest.raises(MalformedData) as refusal:
        parse(encoded(content))
    assert says in str(refusal.value)


@pytest.mark.parametrize("text", [HEAD + "é", HEAD + "!", HEAD, HEAD + "A" * 2048, HEAD + " MQ=="])
def test_what_is_not_base64_is_refused_and_not_quoted(text: str) -> None:
    with pytest.raises(MalformedData) as refusal:
        parse(text)
    assert HEAD not in str(refusal.value)


@pytest.mark.parametrize("stranger", ["\n", " ", "-", "*"])
def test_characters_of_no_alphabet_are_not_passed_over(stranger: str) -> None:
    good = encoded(GOOD)
    assert parse(good).applications

    with pytest.raises(MalformedData, match="not Base64"):
        parse(good[:12] + stranger + good[12:])


def test_an_application_has_a_name_or_none() -> None:
    assert Template({}).aid == b""
    assert Template({}).label == ""
    assert Template({0x4F: AID, 0x50: "Käse".encode()}).label == "K\ufffd\ufffdse"


def test_further_objects_are_written_back() -> None:
    others = ((0x70, bytes.fromhex("9A0100")), (0xDF01, b""))
    code = parse(build([Template({0x4F: AID})], others=others))

    assert code == ConsumerCode((Template({0x4F: AID}),), others=others)


def test_a_code_is_at_most_so_long() -> None:
    longest = build([Template({0x4F: AID, 0xC1: bytes(1509)})])
    assert len(longest) == 2048
    assert parse(longest).applications
    with pytest.raises(MalformedData, match="2052 characters, at most 2048"):
        parse(longest + "AAAA")


def test_unknown_objects_are_kept() -> None:
    text = encoded(GOOD.replace("6107", "610B") + "C102 1234" + "7003 9A0100" + "DF01 00")
    code = parse(text)

    assert code.applications[0].data[0xC1] == bytes.fromhex("1234")
    assert code.others == ((0x70, bytes.fromhex("9A0100")), (0xDF01, b""))


def test_card_data_is_in_no_repr() -> None:
    pan = bytes.fromhex("6212345678901232")
    code = parse(build([Template({0x4F: AID, 0x5A: pan}, {0x9F26: pan})], Template({0x5A: pan})))

    assert "62" not in repr(code).replace("Template", "")
    assert code.applications[0].aid == AID


def test_a_code_without_an_application_is_read() -> None:
    """The till refuses it later: the shape is right, and it cannot pay."""
    assert parse("hQVDUFYwMQ==") == ConsumerCode(())


def test_a_code_that_could_not_be_read_back_is_not_built() -> None:
    with pytest.raises(MalformedData):
        build([Template({0x50: b"no AID"})])
    with pytest.raises(MalformedData):
        build([Template({0x4F: AID, 0x63: b""})])


templates = st.builds(
    lambda aid, rest, transparent: Template({0x4F: aid, **rest}, transparent),
    st.binary(min_size=5, max_size=16),
    st.dictionaries(st.sampled_from([0xC1, 0xDF01, 0x9F74]), st.binary(max_size=30), max_size=3),
    st.none() | st.dictionaries(st.sampled_from([0xC2, 0x9F7C]), st.binary(max_size=150)),
)


@given(st.lists(templates, max_size=3))
def test_reading_undoes_writing(applications: list[Template]) -> None:
    assert parse(build(applications)).applications == tuple(applications)


@settings(max_examples=200)
@given(
    st.one_of(
        st.text(max_size=40),
        st.binary(max_size=60).map(lambda rest: base64.b64encode(rest).decode()),
        st.binary(max_size=60).map(
            lambda rest: base64.b64encode(bytes.fromhex("85054350563031") + rest).decode()
        ),
        st.binary(max_size=40).map(
            lambda rest: base64.b64encode(
                bytes.fromhex("85054350563031") + tlv.encode(0x61, b"\x4f\5aid..") + rest
            ).decode()
        ),
    )
)
def test_any_text_is_read_or_refused(noise: str) -> None:
    try:
        code = parse(noise)
    except MalformedData:
        return
    assert all(5 <= len(application.aid) <= 16 for application in code.applications)
