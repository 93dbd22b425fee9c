"""till scan: a real capture of a simulated camera's stream, on a pty where it draws."""

from __future__ import annotations

import json
import os
import pty
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from drivers.scanner_camera import CameraScanner
from emv.qr import consumer
from simulators.camera import CameraSimulator
from simulators.phone_screen import draw_screen
from terminal.commands import scan

CODE, OTHER = "281234567890123456", "134567890123456789"
PAN = "4761739001010119"
LONG_S = 20.0
"""Nothing here takes this long unless it is broken."""


@pytest.fixture
def camera() -> Iterator[CameraSimulator]:
    simulator = CameraSimulator(seed=1, frames_per_s=30)
    simulator.show(draw_screen("Alipay", (200, 90, 20), [CODE]))
    yield simulator
    simulator.close()


def place(shop_camera: str | None = None) -> Any:
    """What the assembly hands in, with the real camera driver."""
    scanners = []
    if shop_camera is not None:
        scanners = [SimpleNamespace(driver="camera", options={"source": shop_camera})]
    return SimpleNamespace(
        open_camera=lambda source: CameraScanner(source, open_timeout_s=1, read_timeout_s=0.3),
        settings=lambda: SimpleNamespace(devices=SimpleNamespace(scanners=scanners)),
        blocks_are_narrow=lambda: True,
    )


def till(*arguments: str, shop_camera: str | None = None) -> Result:
    return CliRunner().invoke(scan.command, arguments, obj=place(shop_camera))


def test_one_code_is_told_as_json_and_that_is_the_end(camera: CameraSimulator) -> None:
    result = till("--camera", camera.url, "--once", "--json")

    told = json.loads(result.output)
    assert result.exit_code == 0
    assert (told["symbology"], told["wallet"], told["text"]) == ("qr", "alipay", CODE)
    assert told["can_pay"]
    assert len(told["corners"]) == 4
    assert told["waited_ms"] >= told["read_ms"] > 0
    assert camera.wait_for(lambda: camera.viewers == 0, LONG_S)


def test_the_shops_own_camera_is_looked_through(camera: CameraSimulator) -> None:
    result = till("--once", "--plain", shop_camera=camera.url)

    assert result.output.startswith(f"qr; wallet code, Alipay, 18 digits; {CODE}; ")
    assert "ms to find it" in result.output


def test_card_data_in_a_customers_code_is_masked(camera: CameraSimulator) -> None:
    template = consumer.Template({0x4F: bytes.fromhex("A0000000031010"), 0x5A: bytes.fromhex(PAN)})
    camera.show(draw_screen("Bank", (9, 9, 9), [consumer.build([template])]))
    result = till("--camera", camera.url, "--once", "--json")

    assert PAN not in result.output
    told = json.loads(result.output)
    assert told["consumer"]["applications"][0]["pan"] == "476173******0119"


def test_a_code_that_stays_in_view_is_told_once(camera: CameraSimulator) -> None:
    result = till("--camera", camera.url, "--plain", "--timeout", "1.5")

    assert len(result.output.splitlines()) == 1
    assert result.exit_code == 0


def test_an_empty_counter_ends_with_the_time(camera: CameraSimulator) -> None:
    camera.show(None)
    result = till("--camera", camera.url, "--json", "--timeout", "0.5")

    assert (result.output, result.exit_code) == ("", scan.NOTHING_READ)


def test_no_camera_is_an_error_with_the_next_step() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    source = f"http://user:secret@127.0.0.1:{port}/stream"
    result = till("--camera", source, "--once", "--timeout", "0.5")

    assert result.exit_code == 1
    assert "cannot be opened" in result.output
    assert "check the address" in result.output
    assert "till sim camera" in result.output
    assert "secret" not in result.output


def test_a_camera_that_stalls_is_reported_after_a_while(
    camera: CameraSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scan, "PATIENCE_S", 0.2)
    camera.stall()
    result = till("--camera", camera.url)

    assert result.exit_code == 1
    assert "127.0.0.1" in result.output


def test_a_wrong_option_is_refused() -> None:
    assert till("--timeout", "-1").exit_code == click.UsageError.exit_code


def drawn(url: str, home: Path, ended: Callable[[bytes], bool]) -> tuple[bytes, int]:
    """Run the command on a pty until its output satisfies; press Control-C; return all of it."""
    leader, follower = pty.openpty()
    environment = {**os.environ, "OPENTILL_HOME": str(home), "TERM": "xterm", "LC_ALL": "C.UTF-8"}
    run = subprocess.Popen(
        [sys.executable, "-m", "terminal", "scan", "--camera", url],
        stdin=subprocess.DEVNULL,
        stdout=follower,
        stderr=follower,
        env=environment,
    )
    os.close(follower)
    output = b""
    told = False
    while True:
        try:
            chunk = os.read(leader, 65536)
        except OSError:  # what a pty says at its end
            break
        if not chunk:
            break
        output += chunk
        if not told and ended(output):
            run.send_signal(signal.SIGINT)
            told = True
    os.close(leader)
    return output, run.wait(LONG_S)


def test_a_terminal_shows_the_picture_with_a_box_and_gets_its_screen_back(
    camera: CameraSimulator, tmp_path: Path
) -> None:
    output, status = drawn(
        camera.url, tmp_path, lambda seen: b"38;2;0;255;0" in seen and b"ms to find it" in seen
    )

    assert status == 0
    assert output.startswith(b"\x1b[?1049h\x1b[?25l")
    before, _, after = output.partition(b"\x1b[?25h\x1b[?1049l")
    assert "▀".encode() in before
    assert b"1280 \xc3\x97 720" in before
    assert after.decode().startswith(f"qr; wallet code, Alipay, 18 digits; {CODE}")
