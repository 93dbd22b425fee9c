"""What is plugged in, and who may use it: read from trees laid out as Linux lays them out."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from drivers.inspection import nfc_trouble
from drivers.machine import Machine, access, holder_of, is_meant
from drivers.protocols import FoundDevice, Symptom

AsNobody = Callable[[Callable[[], Any]], Any]


@pytest.fixture
def plug(tmp_path: Path) -> Callable[..., Path]:
    """Lay out a USB device below a root of its own."""

    def plug(vendor: str, product: str, module: str = "") -> Path:
        device = tmp_path / "sys/bus/usb/devices/1-2"
        interface = device / "1-2:1.0"
        interface.mkdir(parents=True)
        for name, text in {
            "idVendor": vendor,
            "idProduct": product,
            "busnum": "1",
            "devnum": "7",
        }.items():
            (device / name).write_text(text + "\n", "ascii")
        if module:
            driver = tmp_path / "sys/bus/usb/drivers" / module
            driver.mkdir(parents=True)
            (interface / "driver").symlink_to(driver)
        return tmp_path

    return plug


def test_an_nfc_reader_is_known_by_its_numbers(plug: Callable[..., Path]) -> None:
    [reader] = Machine(root := plug("072f", "2200")).usb_readers()

    assert reader.name == "ACS ACR122U"
    assert reader.node == root / "dev/bus/usb/001/007"
    assert reader.module == ""
    [found] = Machine(root).found()
    assert (found.role, found.driver) == ("readers", "nfc")
    assert found.options == {"path": "usb:072f:2200"}


@pytest.mark.parametrize(("module", "seen"), [("pn533_usb", "pn533_usb"), ("usbfs", "")])
def test_a_kernel_module_in_the_way_is_named(
    plug: Callable[..., Path], module: str, seen: str
) -> None:
    [reader] = Machine(plug("04e6", "5591", module)).usb_readers()
    assert reader.module == seen


def test_a_reader_the_kernel_has_taken_is_no_readers_fault(plug: Callable[..., Path]) -> None:
    machine = Machine(plug("04e6", "5591", "pn533_usb"))

    taken = nfc_trouble("usb:04e6:5591", machine)
    other = nfc_trouble("usb:072f:2200", machine)

    assert taken is not None
    assert taken.symptom is Symptom.KERNEL_HOLDS_IT
    assert taken.facts["module"] == "pn533_usb"
    assert other is not None
    assert other.symptom is Symptom.NO_READER


def test_a_reader_whose_file_is_gone_is_absent(plug: Callable[..., Path]) -> None:
    trouble = nfc_trouble("usb", Machine(plug("072f", "2200")))
    assert trouble is not None
    assert trouble.symptom is Symptom.ABSENT
    assert nfc_trouble("udp:localhost:54321", Machine()) is None


def test_other_usb_devices_are_none_of_ours(plug: Callable[..., Path]) -> None:
    assert not Machine(plug("1d6b", "0002")).found()


def test_cameras_lines_and_printers_are_found(tmp_path: Path) -> None:
    for number, index in (("video0", "0"), ("video1", "1")):
        folder = tmp_path / "sys/class/video4linux" / number
        folder.mkdir(parents=True)
        (folder / "name").write_text("Shop Camera\n")
        (folder / "index").write_text(f"{index}\n")
    by_id = tmp_path / "dev/serial/by-id"
    by_id.mkdir(parents=True)
    for line in (0, 1):
        (tmp_path / f"dev/ttyUSB{line}").touch()
    (by_id / "usb-Maker_Scanner-if00").symlink_to("../../ttyUSB0")
    (tmp_path / "dev/usb").mkdir()
    (tmp_path / "dev/usb/lp0").touch()

    found = Machine(tmp_path).found()

    assert [(device.role, device.driver, *device.options.values()) for device in found] == [
        ("scanners", "camera", "/dev/video0"),
        ("printers", "escpos", "/dev/usb/lp0"),
        ("", "scanner-serial", "/dev/serial/by-id/usb-Maker_Scanner-if00"),
        ("", "scanner-serial", "/dev/ttyUSB1"),
    ]


def test_an_empty_machine_has_nothing(tmp_path: Path) -> None:
    assert not Machine(tmp_path).found()


@pytest.mark.parametrize(
    ("driver", "options", "is_it"),
    [
        ("camera", {"source": 0}, True),
        ("camera", {"source": 1}, False),
        ("camera", {"source": "/dev/video0"}, True),
        ("camera", {"source": "http://127.0.0.1/"}, False),
        ("pcsc", {"name": "video"}, False),
    ],
)
def test_what_the_shop_names_is_known_again(
    driver: str, options: dict[str, object], is_it: bool
) -> None:
    found = FoundDevice("scanners", "Shop Camera", "camera", {"source": "/dev/video0"})
    assert is_meant(found, driver, options) is is_it


@pytest.mark.parametrize(
    ("options", "is_it"), [({}, True), ({"name": "acme"}, True), ({"name": "Other"}, False)]
)
def test_a_part_of_a_readers_name_is_enough(options: dict[str, object], is_it: bool) -> None:
    found = FoundDevice("readers", "ACME PICC 00 00", "pcsc", {"name": "ACME PICC 00 00"})
    assert is_meant(found, "pcsc", options) is is_it


def test_the_files_own_group_is_what_helps(as_nobody: AsNobody) -> None:
    """A user who may not: the till's own, or for root somebody else."""
    terminal, line = os.openpty()
    path = Path(os.ttyname(line))
    try:
        path.chmod(0o660)
        if os.geteuid() == 0:
            os.chown(path, 0, 20)
        else:
            path.chmod(0o060)
        group_is_right = as_nobody(lambda: access(path, "tty"))
        path.chmod(0o600 if os.geteuid() == 0 else 0)
        only_root = as_nobody(lambda: access(path, "tty"))
    finally:
        os.close(terminal)
        os.close(line)

    assert group_is_right.symptom is Symptom.NOT_ALLOWED
    assert group_is_right.facts["path"] == str(path)
    assert only_root.symptom is Symptom.NO_RULE
    assert only_root.facts["rule"] == (
        f'SUBSYSTEM=="tty", KERNEL=="{path.name}", GROUP="dialout", MODE="0660"'
    )


def test_the_group_of_root_is_nobody_elses(as_nobody: AsNobody) -> None:
    """To be put into root's group is no remedy."""
    terminal, line = os.openpty()
    path = Path(os.ttyname(line))
    try:
        if os.geteuid() == 0:
            os.chown(path, 0, 0)
            path.chmod(0o660)
        else:
            path.chmod(0)
        found = as_nobody(lambda: access(path, "tty"))
    finally:
        os.close(terminal)
        os.close(line)
    assert found.symptom is Symptom.NO_RULE


def test_the_other_end_of_a_line_is_not_in_its_way() -> None:
    """Simulators keep both ends of a pseudo-terminal open."""
    terminal, line = os.openpty()
    try:
        assert access(Path(os.ttyname(line)), "tty") is None
    finally:
        os.close(terminal)
        os.close(line)


def test_a_missing_file_and_one_that_is_no_device_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "note").touch()

    missing = access(tmp_path / "gone", "tty")
    wrong = access(tmp_path / "note", "tty")

    assert missing is not None
    assert missing.symptom is Symptom.ABSENT
    assert wrong is not None
    assert wrong.symptom is Symptom.WRONG_FILE


def test_who_has_a_device_open_is_named() -> None:
    terminal, line = os.openpty()
    path = Path(os.ttyname(line))
    holder = subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()"],
        stdin=subprocess.PIPE,
        stdout=line,
    )
    try:
        while holder_of(path) is None and holder.poll() is None:
            time.sleep(0.01)
        found = access(path, "tty")
        assert found is not None
        assert found.symptom is Symptom.BUSY
        assert found.facts["pid"] == str(holder.pid)
        assert "python" in found.facts["program"]
    finally:
        assert holder.stdin is not None
        holder.stdin.close()
        holder.wait()
        os.close(terminal)
        os.close(line)
    assert holder_of(path) is None


def test_this_process_is_a_holder_like_others(tmp_path: Path) -> None:
    path = tmp_path / "held"
    with path.open("wb"):
        holder = holder_of(path)
    assert holder is not None
    assert holder[0] == os.getpid()
    assert holder_of(path) is None
