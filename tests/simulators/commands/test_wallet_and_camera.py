"""till sim wallet and till sim camera, as a developer types them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import pytest
from click.testing import CliRunner, Result

from drivers.scanner_camera import CameraScanner
from drivers.symbols import ZXingSymbolReader, load_image
from simulators.bank import bench
from simulators.bank.service import BankServer
from simulators.commands import camera, wallet

PROJECT = Path(__file__).parent.parent.parent.parent
LONG_S = 20.0


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def bank(home: Path) -> Iterator[str]:
    place = bench.prepare(home, int(time.time() * 1000))
    with BankServer(place, time.time, os.urandom) as server:
        yield server.url


@pytest.fixture
def camera_url() -> Iterator[str]:
    """The camera as a program of its own, which ends with its standard input."""
    code = "from simulators.commands.camera import command; command()"
    with subprocess.Popen(
        [sys.executable, "-c", code, "--json", "--until-eof", "--fps", "30"],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stdout is not None
        yield json.loads(running.stdout.readline())["url"]
        assert running.stdin is not None
        running.stdin.close()
        assert running.wait(LONG_S) == 0


def use_wallet(*arguments: str | Path) -> Result:
    return CliRunner().invoke(wallet.command, [str(argument) for argument in arguments])


def use_camera(*arguments: str | Path) -> Result:
    return CliRunner().invoke(camera.command, [str(argument) for argument in arguments])


def test_the_list_names_each_wallet_with_the_outcome_to_expect() -> None:
    lines = use_wallet("--list").output.splitlines()
    assert lines[0].split() == ["alipay-qr", "Alipay,", "QR", "code", "approved"]
    listed = json.loads(use_wallet("--list", "--json").output)
    assert [line.split()[0] for line in lines] == [each["name"] for each in listed]
    assert listed[0]["expect_zh"] == "批准"


def test_help_has_an_example() -> None:
    for result in (use_wallet("--help"), use_camera("--help")):
        assert "Example:\n    till sim " in result.output


def test_a_wallet_asks_the_bank_and_draws_its_code(home: Path, bank: str, tmp_path: Path) -> None:
    png = tmp_path / "screen.png"
    result = use_wallet("unionpay-cpm", "--bank", bank, "--home", home, "--png", png, "--json")
    assert result.exit_code == 0, result.output
    shown = json.loads(result.output)
    assert shown["expires_at"].endswith("Z")
    (read,) = ZXingSymbolReader().read(load_image(png))
    assert [read.data.decode()] == shown["codes"]


def test_a_wallet_is_held_before_a_camera(camera_url: str) -> None:
    """Two programs and the till's own scanner: text, screen, lens, code."""
    scanner = CameraScanner(camera_url)
    scanner.start()
    result = use_wallet("wechat-barcode", "--code", "134567890123456789", "--camera", camera_url)
    assert result.exit_code == 0, result.output
    (read,) = scanner.wait_for_symbols(LONG_S)
    assert read.data == b"134567890123456789"
    scanner.close()


def test_paying_what_no_till_shows_is_declined(home: Path, bank: str, tmp_path: Path) -> None:
    """Given as text, and as a picture of it."""
    place = tmp_path / "code.png"
    assert use_wallet("alipay-qr", "--code", "HTTPS://NOBODY", "--png", place).exit_code == 0
    for what in ("HTTPS://NOBODY", place):
        result = use_wallet("alipay-qr", "--bank", bank, "--home", home, "--pay", what, "--json")
        assert json.loads(result.output) == {"state": "declined", "code": "C3"}


def test_nothing_waits_for_a_new_wallet(home: Path, bank: str) -> None:
    result = use_wallet("wechat-waits", "--bank", bank, "--home", home, "--pending", "--json")
    assert json.loads(result.output) == {"payments": []}


@pytest.mark.parametrize(
    ("arguments", "status", "complaint"),
    [
        ([], 2, "name a wallet"),
        (["alipay-qr"], 2, "--bank"),
        (["purse", "--bank", "https://localhost:1"], 1, "no wallet 'purse'; there is: alipay-qr"),
        (["alipay-qr", "--pay", "x", "--pending"], 2, "one of --code, --pay"),
        (["alipay-qr", "--code", "9" * 9000], 2, "too dense"),
        (["wechat-barcode", "--code", "支付"], 2, "printable ASCII"),
        (["alipay-qr", "--code", "1", "--camera", "http://127.0.0.1:1"], 1, "no camera at"),
    ],
)
def test_a_wrong_use_of_a_wallet_says_what_is_wrong(
    arguments: list[str], status: int, complaint: str
) -> None:
    result = use_wallet(*arguments)
    assert (result.exit_code, complaint in result.output) == (status, True), result.output


def test_a_bank_out_of_reach_is_named(home: Path, bank: str) -> None:
    use_wallet("alipay-qr", "--bank", bank, "--home", home)
    result = use_wallet("alipay-qr", "--bank", "https://127.0.0.1:1", "--home", home)
    assert result.exit_code == 1
    assert "the bank at 127.0.0.1:1" in result.output


def test_one_frame_is_written_to_a_file(tmp_path: Path) -> None:
    png = tmp_path / "frame.png"
    code = "281234567890123456"
    assert use_camera("--code", code, "--symbol", "code128", "--png", png).exit_code == 0
    frame = load_image(png)
    assert frame.shape == (720, 1280, 3)
    assert [read.data.decode() for read in ZXingSymbolReader().read(frame)] == [code]
    again = tmp_path / "again.png"
    assert use_camera("--show", png, "--scene", "clear", "--png", again).exit_code == 0
    assert cv2.imread(str(again)) is not None


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--scene", "moon"], "one of clear, counter"),
        (["--show", __file__], "not a picture"),
        (["--show", __file__, "--code", "1"], "not both"),
        (["--symbol", "code128", "--code", "支付"], "printable ASCII"),
    ],
)
def test_a_wrong_use_of_a_camera_says_what_is_wrong(arguments: list[str], complaint: str) -> None:
    result = use_camera(*arguments)
    assert result.exit_code in (1, 2)
    assert complaint in result.output


def test_the_scenes_are_listed() -> None:
    assert [line.split()[0] for line in use_camera("--list").output.splitlines()] == list(
        json.loads(use_camera("--list", "--json").output)
    )
