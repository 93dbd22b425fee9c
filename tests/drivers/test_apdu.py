"""What goes out on a link is a command, in the form the link takes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.apdu import check_command, for_t0
from drivers.errors import CommandRefused

# ISO/IEC 7816-3:2006, 12.1.3: the four cases, as APDU and as T=0 carries them.
CASES = {
    "00A40400": "00A40400",
    "00B2010C00": "00B2010C00",
    "00A40400023F00": "00A40400023F00",
    "00A40400023F0000": "00A40400023F00",
}


@pytest.mark.parametrize(("command", "sent"), CASES.items())
def test_t0_leaves_le_out_where_data_goes_in(command: str, sent: str) -> None:
    assert for_t0(bytes.fromhex(command)).hex().upper() == sent


@pytest.mark.parametrize("command", ["00A4040000012C", "00A40400000001AA"])
def test_t0_carries_no_extended_lengths(command: str) -> None:
    with pytest.raises(CommandRefused, match="extended"):
        for_t0(bytes.fromhex(command))


@given(st.binary(max_size=3))
def test_less_than_a_header_is_refused(noise: bytes) -> None:
    with pytest.raises(CommandRefused):
        check_command(noise)


@given(st.binary(min_size=4, max_size=300))
def test_a_header_is_enough(command: bytes) -> None:
    check_command(command)
