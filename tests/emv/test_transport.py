"""The contact link: scripts of emv-utils, then a card that never ends."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emv import apdu
from emv.errors import MalformedData
from emv.transport import Link, carry_apdu, carry_tpdu

pytestmark = pytest.mark.spec("Book 1, 9.2", "Book 1, 9.3", source="ours")

CARRIERS = {"emv_ttl_tpdu_test": carry_tpdu, "emv_ttl_pcsc_test": carry_apdu}


def cases(shared: Path, suite: str) -> list[dict[str, Any]]:
    """One suite of openemv/emv-utils."""
    suites = json.loads((shared / "vectors/emv/emvutils_transport.json").read_text())["suites"]
    [found] = [entry["cases"] for entry in suites if entry["name"] == suite]
    return list(found)


def run(link: Link, script: list[tuple[bytes, bytes]]) -> bytes:
    """Answer what the link sends from a script; return what it makes of it."""
    sent = next(link)
    for expected, answer in script:
        assert sent == expected
        try:
            sent = link.send(answer)
        except StopIteration as finished:
            return bytes(finished.value)
    raise AssertionError(f"the script ends, the link sends {sent.hex()}")


@pytest.mark.spec("Book 1, 9.2", "Book 1, 9.3", source="outside")
@pytest.mark.parametrize("suite", list(CARRIERS))
def test_answers_are_gathered_as_emv_utils_gathers_them(shared: Path, suite: str) -> None:
    found = cases(shared, suite)
    assert len(found) >= 13
    for case in found:
        script = [
            (bytes.fromhex(step["command"]), bytes.fromhex(step["response"]))
            for step in case["xpdus"]
        ]
        expected = bytes.fromhex(case["expected_rapdu"])
        status = bytes.fromhex(case["expected_sw"])

        response = run(CARRIERS[suite](bytes.fromhex(case["capdu"])), script)

        assert response[-2:] == status, case["id"]
        # Where a helper of emv-utils took the status word off, so do we.
        assert expected in (response, response[:-2]), case["id"]


@pytest.mark.spec("Book 1, 9.2", "Book 1, 9.3", source="outside")
def test_the_builders_build_what_emv_utils_sends(shared: Path) -> None:
    built = {
        "READ RECORD helper": apdu.read_record(1, 1),
        "SELECT helper (1PAY.SYS.DDF01)": apdu.select(b"1PAY.SYS.DDF01"),
    }
    seen = 0
    for suite in CARRIERS:
        for case in cases(shared, suite):
            if "via" in case:
                assert built[case["via"]].hex().upper() == case["capdu"]
                seen += 1
    assert seen >= 18


def test_a_card_that_always_has_more_is_given_up() -> None:
    endless = [(apdu.get_challenge(), b"\x61\x00")] + [(apdu.get_response(256), b"\x61\x00")] * 600

    with pytest.raises(MalformedData, match="no end"):
        run(carry_apdu(apdu.get_challenge()), endless)


def test_an_answer_without_a_status_word_is_malformed() -> None:
    link = carry_apdu(apdu.get_challenge())
    next(link)
    with pytest.raises(MalformedData, match="1 bytes has no status word"):
        link.send(b"\x90")


def test_a_failed_fetch_leaves_the_warning() -> None:
    """A blocked application (6283) that refuses GET RESPONSE is still blocked."""
    script = [
        (apdu.select(b"A0000"), b"\x62\x83"),
        (apdu.get_response(256), b"\x69\x85"),
    ]

    assert run(carry_apdu(apdu.select(b"A0000")), script) == b"\x62\x83"


@pytest.mark.parametrize("command", [apdu.read_record(1, 1), apdu.external_authenticate(bytes(8))])
@pytest.mark.parametrize("warning", ["6283", "63C1"])
def test_a_warning_hides_data_only_where_data_were_sent_and_wanted(
    command: bytes, warning: str
) -> None:
    assert run(carry_apdu(command), [(command, bytes.fromhex(warning))]).hex().upper() == warning
    script = [
        (apdu.select(b"A0000"), bytes.fromhex(warning)),
        (apdu.get_response(256), bytes.fromhex("6F00 9000")),
    ]
    found = run(carry_apdu(apdu.select(b"A0000")), script)
    assert found == bytes.fromhex("6F00" + warning)


@pytest.mark.parametrize(
    "answers", [["4DAA", "4DBB", "9000"], ["4DAA4DBB9000"], ["60", "4DAA", "B2BB9000"]]
)
def test_data_comes_byte_by_byte_where_the_card_sends_it_so(answers: list[str]) -> None:
    """Procedure byte 4D is the complement of INS B2; after B2 all the rest comes."""
    sent = [bytes.fromhex("00B2010C00")] + [b""] * (len(answers) - 1)
    script = list(zip(sent, map(bytes.fromhex, answers), strict=True))

    assert run(carry_tpdu(apdu.read_record(1, 1)), script) == bytes.fromhex("AABB9000")


@pytest.mark.parametrize("answer", ["4D", "900000", "90", "33"])
def test_what_is_no_procedure_byte_is_malformed(answer: str) -> None:
    link = carry_tpdu(apdu.read_record(1, 1))
    next(link)
    with pytest.raises(MalformedData):
        link.send(bytes.fromhex(answer))


def test_data_are_sent_once() -> None:
    """A second time the procedure byte announces the answer."""
    script = [
        (bytes.fromhex("0082000002"), b"\x82"),
        (b"\xaa\xbb", b"\x82\x01\x02\x90\x00"),
    ]

    response = run(carry_tpdu(apdu.external_authenticate(b"\xaa\xbb")), script)
    assert response == bytes.fromhex("0102 9000")


def test_data_goes_byte_by_byte_where_the_card_asks_so() -> None:
    """Procedure byte 7D is the complement of INS 82; 60 is a request for time."""
    script = [
        (bytes.fromhex("0082000002"), b"\x7d"),
        (b"\xaa", b"\x60"),
        (b"", b"\x7d"),
        (b"\xbb", b"\x90\x00"),
    ]

    assert run(carry_tpdu(apdu.external_authenticate(b"\xaa\xbb")), script) == b"\x90\x00"


def test_extended_commands_do_not_fit_t_0() -> None:
    with pytest.raises(MalformedData, match="extended"):
        carry_tpdu(apdu.CommandAPDU(0x80, 0xAE, data=bytes(300)).encode())


@given(
    st.sampled_from([carry_apdu, carry_tpdu]),
    st.sampled_from([apdu.select(b"A0000"), apdu.read_record(1, 1), apdu.get_response(4)]),
    st.lists(st.binary(max_size=6) | st.sampled_from([b"\xa4", b"\x5b\x01", b"\xb2\x90\x00"])),
)
def test_any_answers_end_in_a_response_or_malformed(
    carry: Any, command: bytes, answers: list[bytes]
) -> None:
    link = carry(command)
    next(link)
    try:
        for answer in answers:
            link.send(answer)
    except StopIteration as finished:
        response = finished.value
    except MalformedData:
        return
    else:
        return
    assert len(response) >= 2
