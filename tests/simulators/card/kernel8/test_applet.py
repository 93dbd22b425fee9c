"""A kernel 8 card with readers that do what they should not."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emv import tlv
from emv.kernels.c8.channel import KernelKey, SecureChannel
from simulators.card import Answer, AnyCard

SELECT = bytes.fromhex("00A4040006F0000000080100")
CDOL1_BYTES = 37


@pytest.fixture
def send(card: Callable[[str], AnyCard]) -> Callable[[str], bytes]:
    """Exchange one command with a selected card; the whole answer."""
    chip = card("c8-online")
    chip.power_up()
    assert isinstance(chip.respond(SELECT), Answer)

    def exchange(command: str) -> bytes:
        response = chip.respond(bytes.fromhex(command))
        assert isinstance(response, Answer)
        return response.data

    return exchange


def options(key: bytes) -> str:
    return "80A800004A8348" + key.hex() + "02800010FFFF0000" + "00"


@pytest.fixture
def channel(send: Callable[[str], bytes]) -> SecureChannel:
    """What a reader and the selected card agreed on."""
    key = KernelKey(77)
    answer = send(options(key.data))
    assert answer[-2:] == b"\x90\x00"
    data = tlv.find(tlv.decode(answer[:-2]), 0x9F8103)
    assert data is not None
    return key.agree(data)


def test_a_point_off_the_curve_gets_no_keys(send: Callable[[str], bytes]) -> None:
    assert send(options(bytes(64))) == bytes.fromhex("6A80")


def test_nothing_is_told_before_keys_are_agreed_on(send: Callable[[str], bytes]) -> None:
    for command in ("00B2011400", "84320000039F811100", "843400000401020304 00"):
        assert send(command) == bytes.fromhex("6985")


def test_what_is_written_is_read_at_the_next_tap(
    send: Callable[[str], bytes], channel: SecureChannel
) -> None:
    assert send(f"80AE8000{CDOL1_BYTES:02X}" + "00" * CDOL1_BYTES + "00")[-2:] == b"\x90\x00"
    plain = tlv.encode(0x9F8111, b"bonus")
    sent = channel.encipher(plain)

    mac = send(f"84340000{len(sent):02X}{sent.hex()}00")[:-2]

    channel.check_written(plain, mac)
    send(SELECT.hex())
    key = KernelKey(78)
    again = tlv.find(tlv.decode(send(options(key.data))[:-2]), 0x9F8103)
    assert again is not None
    assert key.agree(again).open_data(send("84320000039F811100")[:-2]) == plain


def test_no_two_taps_look_alike(send: Callable[[str], bytes]) -> None:
    """The same reader with the same key sees another blinded one."""
    key = options(KernelKey(77).data)
    first = send(key)
    send(SELECT.hex())

    assert send(key) != first


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["80A8", "00B2", "80EA", "8432", "8434", "80AE"]),
            st.binary(min_size=2, max_size=2),
            st.binary(max_size=50),
        ),
        max_size=6,
    )
)
def test_a_hostile_reader_gets_a_status_word(
    send: Callable[[str], bytes], commands: list[tuple[str, bytes, bytes]]
) -> None:
    send(SELECT.hex())
    send(options(KernelKey(77).data))
    for head, parameters, data in commands:
        body = f"{len(data):02X}{data.hex()}" if data else ""
        assert len(send(f"{head}{parameters.hex()}{body}00")) >= 2
