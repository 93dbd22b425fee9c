"""`till doctor` as a merchant and a script run it: a process of its own."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import config
from simulators.printer import PrinterSimulator
from simulators.serial_line import SerialLine

PROJECT = Path(__file__).parent.parent.parent.parent
EXTRAS = ("smartcard", "nfc", "fastapi", "sqlalchemy", "uvicorn", "pyscard", "nfcpy")


def till(
    home: Path, *arguments: str, library: Path | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run the till. library: a folder that stands for what is installed."""
    paths = [str(PROJECT), *([str(library)] if library else [])]
    start = f"import sys; sys.path[1:1] = {paths!r}; from terminal.__main__ import cli; cli()"
    flags = ["-S", "-E"] if library else []
    return subprocess.run(
        [sys.executable, *flags, "-c", start, "--home", str(home), *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )


def told(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert not done.stderr, done.stderr
    plain: dict[str, Any] = json.loads(done.stdout)
    return plain


def codes(plain: dict[str, Any]) -> dict[str, str]:
    return {line["subject"]: line["code"] for line in plain["lines"]}


def shop(folder: Path, *devices: str) -> Path:
    """Write the bench's shop with these devices instead of its own."""
    text = config.BENCH.read_text("utf-8")
    begin, end = text.index("[[devices"), text.index("[files]")
    path = folder / "shop.toml"
    path.write_text(text[:begin] + "\n".join(devices) + "\n" + text[end:], "utf-8")
    return path


def device(role: str, name: str, driver: str, options: str = "") -> str:
    return f'[[devices.{role}]]\nname = "{name}"\ndriver = "{driver}"\noptions = {{ {options} }}\n'


def test_a_fresh_bench_is_well_and_nothing_is_started(tmp_path: Path) -> None:
    done = till(tmp_path / "home", "doctor", "--json")
    plain = told(done)

    assert done.returncode == 0
    assert plain["schema"] == 1
    assert plain["result"] == "ok"
    assert {line["group"] for line in plain["lines"]} >= {
        "shop", "devices", "bank", "keys", "journal", "screen", "software",
    }  # fmt: skip
    assert codes(plain)["Counter reader"] == "simulated"
    assert not (tmp_path / "home").exists()


def test_lines_have_a_sign_a_word_and_a_step(tmp_path: Path) -> None:
    path = shop(tmp_path, device("scanners", "Hand", "scanner-serial", 'path = "/dev/none"'))
    done = till(tmp_path / "home", "--shop", str(path), "doctor")

    assert done.returncode == 1
    [at] = [n for n, line in enumerate(done.stdout.splitlines()) if "Hand" in line]
    lines = done.stdout.splitlines()
    assert "✗ fault Hand" in lines[at]
    assert "/dev/none does not exist" in lines[at]
    assert "Plug it in" in lines[at + 1]
    assert lines[-1].endswith("faults: 1")


def test_each_device_is_looked_at_by_its_own_options(tmp_path: Path) -> None:
    (tmp_path / "note").touch()
    path = shop(
        tmp_path,
        device("readers", "Odd", "radar"),
        device("scanners", "Camera", "camera", f'source = "{tmp_path}/gone.avi"'),
        device("printers", "Printer", "escpos", f'address = "{tmp_path}/note"'),
        device("displays", "Pole", "display-serial", 'path = "/dev/none", colour = 1'),
    )
    found = codes(told(till(tmp_path / "home", "--shop", str(path), "doctor", "--json")))

    assert found["Odd"] == "unknown-driver"
    assert found["Camera"] == "absent"
    assert found["Printer"] == "wrong-file"
    assert found["Pole"] == "option-refused"


def test_a_broken_shop_file_is_named_and_the_rest_is_still_looked_at(tmp_path: Path) -> None:
    path = shop(tmp_path)
    path.write_text(path.read_text("utf-8").replace("till_name", "till_nam"), "utf-8")
    done = till(tmp_path / "home", "--shop", str(path), "doctor", "--json")
    plain = told(done)

    assert done.returncode == 1
    [line] = [line for line in plain["lines"] if line["group"] == "shop"]
    assert line["code"] == "shop-unreadable"
    assert "shop.till_nam: unknown key" in line["text"]
    assert {"journal", "software"} <= {line["group"] for line in plain["lines"]}


@pytest.fixture(scope="module")
def core_only(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything that is installed here but the extras."""
    folder = tmp_path_factory.mktemp("core")
    for place in map(Path, sys.path):
        if place.name != "site-packages":
            continue
        for each in place.iterdir():
            if not each.name.startswith(EXTRAS) and not (folder / each.name).exists():
                (folder / each.name).symlink_to(each)
    return folder


def test_with_nothing_but_the_core_it_says_what_to_install(tmp_path: Path, core_only: Path) -> None:
    path = shop(tmp_path, device("readers", "Slot", "pcsc"), device("readers", "Antenna", "nfc"))
    done = till(tmp_path / "home", "--shop", str(path), "doctor", "--json", library=core_only)
    plain = told(done)
    steps = {line["subject"]: line["step"] for line in plain["lines"]}

    assert done.returncode == 1
    assert codes(plain)["Slot"] == codes(plain)["Antenna"] == "library-missing"
    assert steps["Slot"] == "pip install 'opentill[pcsc]'"
    assert steps["Antenna"] == "pip install 'opentill[nfc]'"
    assert steps["link"] == "pip install 'opentill[bank]'"
    assert codes(plain)["pcsc"] == "extra-absent"


def test_a_pcscd_that_does_not_run_is_told_with_its_command(tmp_path: Path) -> None:
    path = shop(tmp_path, device("readers", "Slot", "pcsc"))
    done = till(
        tmp_path / "home",
        *("--shop", str(path), "doctor", "--json"),
        PCSCLITE_CSOCK_NAME=str(tmp_path / "none"),
    )
    [line] = [line for line in told(done)["lines"] if line["subject"] == "Slot"]

    assert line["level"] == "fault"
    if line["code"] == "service-stopped":
        assert line["step"] == "sudo systemctl enable --now pcscd.socket"
    else:
        assert "apt-get install" in line["step"] or "pip install" in line["step"]


@pytest.mark.slow
@pytest.mark.wire
def test_a_pcscd_that_answers_nobody_does_not_hold_the_doctor_up(tmp_path: Path) -> None:
    """It takes the connection, and that is all."""
    path = shop(tmp_path, device("readers", "Slot", "pcsc"))
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(tmp_path / "pcscd.comm"))
        door.listen(16)
        done = till(
            tmp_path / "home",
            *("--shop", str(path), "doctor", "--json"),
            PCSCLITE_CSOCK_NAME=str(tmp_path / "pcscd.comm"),
        )
    plain = told(done)

    assert codes(plain)["Slot"] == "service-silent"
    assert "software" in {line["group"] for line in plain["lines"]}


def test_the_documented_keys_are_the_ones_there_are(tmp_path: Path) -> None:
    """docs/doctor.md is what scripts are written from."""
    documented = (PROJECT / "docs/doctor.md").read_text("utf-8")
    plain = told(till(tmp_path / "home", "doctor", "--json"))

    for key in (*plain, *plain["lines"][0]):
        assert f"`{key}`" in documented


def test_a_printer_is_tried_from_the_command_line(tmp_path: Path) -> None:
    printer = PrinterSimulator()
    with SerialLine(printer, tmp_path / "printer") as line:
        wanted = f"--print=escpos:{line.link}"
        done = till(tmp_path / "home", "doctor", wanted)
        as_json = told(till(tmp_path / "home", "doctor", wanted, "--json"))

    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == "✓ passed"
    assert len(printer.receipts) == 2
    assert as_json["result"] == "ok"
    assert as_json["tests"][0]["passed"] is True


def test_a_trial_that_fails_is_the_exit_status(tmp_path: Path) -> None:
    done = till(tmp_path / "home", "doctor", "--print", f"escpos:{tmp_path}/none")
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == "✗ failed"


def test_a_simulated_device_is_not_tried_by_itself(tmp_path: Path) -> None:
    done = till(tmp_path / "home", "doctor", "--tap", "Counter reader")
    assert done.returncode == 2
    assert "till run" in done.stderr
