"""What the card refuses, and with which status word."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulators.card import Answer, AnyCard

Make = Callable[[str], AnyCard]

SELECT_VISA = "00A4040007A000000003101000"
PDOL_DATA = "22004080 000000010000 000000000000 0156 0000000000 0156 261124 00 7FBC4049"
OPTIONS = f"80A80000238321 {PDOL_DATA} 00"


def play(card: AnyCard, *commands: str) -> str:
    """Send commands in a fresh field; the last one's status word."""
    card.power_up()
    status = ""
    for command in commands:
        response = card.respond(bytes.fromhex(command))
        assert isinstance(response, Answer)
        status = response.data[-2:].hex()
    return status


@pytest.mark.parametrize(
    ("commands", "status"),
    [
        pytest.param((SELECT_VISA, OPTIONS), "9000", id="as it should be"),
        pytest.param(("00A4040005A00000000300",), "9000", id="a name in part"),
        pytest.param(("00A4040007A000000004101000",), "6a82", id="another scheme"),
        pytest.param(("00A404000000",), "6700", id="a length of nothing"),
        pytest.param(("00A4040200",), "6a82", id="next of nothing"),
        pytest.param((SELECT_VISA, "00A4040207A000000003101000"), "6a82", id="no second one"),
        pytest.param(("00A4000002A00000",), "6a86", id="select by file"),
        pytest.param(("80A4040007A000000003101000",), "6e00", id="a class of its own"),
        pytest.param(("00840000",), "6d00", id="no challenge here"),
        pytest.param(("00A4",), "6700", id="half a header"),
        pytest.param((OPTIONS,), "6985", id="options before selection"),
        pytest.param((SELECT_VISA, OPTIONS, OPTIONS), "6985", id="options twice"),
        pytest.param((SELECT_VISA, f"80A80100238321 {PDOL_DATA} 00"), "6a86", id="options with P1"),
        pytest.param((SELECT_VISA, "80A8000002830000"), "6700", id="options without data"),
        pytest.param((SELECT_VISA, f"80A80000248322 {PDOL_DATA} AA00"), "6700", id="too much"),
        pytest.param((SELECT_VISA, "80A8000002770000"), "6a80", id="another template"),
        pytest.param((SELECT_VISA, "80A8000002830500"), "6a80", id="a template cut short"),
        pytest.param(
            (SELECT_VISA, OPTIONS.replace("22004080", "82004080")), "6985", id="no EMV mode"
        ),
        pytest.param(("00B2011400",), "6985", id="a record before selection"),
        pytest.param((SELECT_VISA, OPTIONS, "00B2011400"), "6a83", id="an online card has none"),
        pytest.param((SELECT_VISA, OPTIONS, "00B2010C00"), "6a82", id="another file"),
        pytest.param((SELECT_VISA, OPTIONS, "00B2011200"), "6a86", id="a record by name"),
    ],
)
def test_a_command_is_answered_with(card: Make, commands: tuple[str, ...], status: str) -> None:
    assert play(card("visa-online"), *commands) == status


def test_the_next_occurrence_is_the_second_application(card: Make) -> None:
    both = card("two-applications")
    rest = "00A4040{}07A000000003101000"

    assert play(both, rest.format(0), rest.format(2)) == "9000"
    response = both.respond(bytes.fromhex(OPTIONS))
    assert isinstance(response, Answer)
    assert bytes.fromhex("4012000033330026") in response.data
    assert play(both, rest.format(0), rest.format(2), rest.format(2)) == "6a82"


def test_power_forgets_what_was_selected(card: Make) -> None:
    online = card("visa-online")

    assert play(online, SELECT_VISA) == "9000"
    assert play(online, OPTIONS) == "6985"


def test_the_directory_names_every_application_with_its_priority(card: Make, reader: Any) -> None:
    both = card("two-applications")
    both.power_up()
    answer = reader.send(both, "00A404000E325041592E5359532E444446303100")

    first, second = answer.hex().upper().split("4F08")[1:]
    assert first.startswith("A000000003101002")
    assert "870102" in first
    assert second.startswith("A000000003101001")
    assert "870101" in second


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    commands=st.lists(
        st.one_of(
            st.binary(max_size=40),
            st.builds(
                lambda head, rest: bytes.fromhex(head) + rest,
                st.sampled_from(["00A40400", "00A40402", "80A80000", "00B2", "80A8000023832122"]),
                st.binary(max_size=40),
            ),
            st.sampled_from([bytes.fromhex(SELECT_VISA), bytes.fromhex(OPTIONS)]),
        ),
        max_size=5,
    )
)
def test_any_bytes_get_a_status_word(card: Make, commands: list[bytes]) -> None:
    offline = card("visa-offline")
    offline.power_up()
    for command in commands:
        response = offline.respond(command)
        assert isinstance(response, Answer)
        assert response.data[-2] >> 4 in (6, 9)
        assert len(response.data) == 2 or response.data[-2:] == b"\x90\x00"
