"""The chip's frames, as its manual draws them and however they arrive."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.readers.errors import ReaderSimulatorError
from simulators.readers.pn532 import ACK, Pn532, frame_of, split_frames
from simulators.responses import Answer, Response

# UM0701-02, 6.2.1 and 7.2.2: GetFirmwareVersion and its answer.
ASK_FIRMWARE = bytes.fromhex("00 00 FF 02 FE D4 02 2A 00")
TELL_FIRMWARE = bytes.fromhex("00 00 FF 06 FA D5 03 32 01 06 07 E8 00")


class Card:
    def power_up(self) -> None: ...

    def respond(self, command: bytes) -> Response:
        return Answer(b"\x90\x00")

    def returns_after_s(self) -> float | None:
        return None


def test_frames_are_as_the_manual_has_them() -> None:
    assert frame_of(bytes.fromhex("D402")) == ASK_FIRMWARE
    assert frame_of(bytes.fromhex("D50332010607")) == TELL_FIRMWARE
    assert split_frames(ASK_FIRMWARE) == ([bytes.fromhex("D402")], b"\x00")


@given(st.lists(st.binary(min_size=1, max_size=265), max_size=5), st.integers(1, 40))
def test_frames_come_out_whole_however_the_line_cuts_them(bodies: list[bytes], piece: int) -> None:
    stream = bytes(10) + b"".join(ACK + frame_of(body) for body in bodies)
    found, rest = [], b""
    for at in range(0, len(stream), piece):
        more, rest = split_frames(rest + stream[at : at + piece])
        found += more

    assert found == bodies


@given(st.binary(max_size=600))
def test_noise_is_no_frame_and_no_crash(noise: bytes) -> None:
    bodies, rest = split_frames(noise)

    assert sum(map(len, bodies)) + len(rest) <= len(noise)


@pytest.mark.parametrize("damaged", ["0000FF02FED4022B00", "0000FF02FDD4022A00"])
def test_a_frame_with_a_wrong_check_byte_is_skipped(damaged: str) -> None:
    assert split_frames(bytes.fromhex(damaged) + ASK_FIRMWARE)[0] == [bytes.fromhex("D402")]


def test_three_cards_are_more_than_the_chip_can_list() -> None:
    chip = Pn532()
    with pytest.raises(ReaderSimulatorError, match="3 cards"):
        chip.present(Card(), Card(), Card())
    chip.close()


def test_the_link_names_the_pty_that_is_there_now(tmp_path: Path) -> None:
    link = tmp_path / "reader"
    chip = Pn532(link=link)
    assert link.resolve().exists()
    chip.unplug()
    assert not link.is_symlink()
    chip.replug()
    assert link.resolve().exists()
    chip.close()
    chip.close()
    assert not link.is_symlink()


def test_a_link_that_is_taken_is_named(tmp_path: Path) -> None:
    (tmp_path / "reader").write_text("mine", "ascii")

    with pytest.raises(ReaderSimulatorError, match="reader"):
        Pn532(link=tmp_path / "reader")
