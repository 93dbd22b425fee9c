"""A serial line through the real library, at a pty that fails on command."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial

from drivers.errors import DeviceLost, DeviceTimeout, OptionRefused
from drivers.serial_port import SerialPort
from simulators.serial_line import Fault, SerialLine


class Echo:
    """Sends back what comes, and remembers it."""

    def __init__(self) -> None:
        self.heard = bytearray()

    def receive(self, data: bytes) -> bytes:
        self.heard += data
        return data


@pytest.fixture
def echo() -> Echo:
    return Echo()


@pytest.fixture
def line(tmp_path: Path, echo: Echo) -> Iterator[SerialLine]:
    with SerialLine(echo, tmp_path / "line") as line:
        yield line


@pytest.fixture
def port(line: SerialLine) -> Iterator[SerialPort]:
    port = SerialPort(str(line.link), write_timeout_s=0.3)
    yield port
    port.close()


def read_all(port: SerialPort, count: int) -> bytes:
    found = b""
    while len(found) < count:
        more = port.read(count - len(found), 5.0)
        assert more, f"only {len(found)} of {count} bytes came"
        found += more
    return found


def test_every_byte_arrives_as_it_was_sent(port: SerialPort) -> None:
    port.write(bytes(range(256)))
    assert read_all(port, 256) == bytes(range(256))


def test_silence_is_an_empty_answer(port: SerialPort) -> None:
    assert port.read(10, 0.01) == b""


def test_input_before_now_can_be_forgotten(port: SerialPort, line: SerialLine) -> None:
    port.write(b"old")
    read_all(port, 1)
    port.discard_input()
    port.write(b"new")
    assert read_all(port, 3)[-3:] == b"new"


@pytest.mark.parametrize("call", ["read", "write", "discard_input", "is_peer_ready"])
def test_a_pulled_plug_is_a_lost_device_whatever_was_called(
    port: SerialPort, line: SerialLine, call: str
) -> None:
    """pyserial reports it as SerialException, OSError or termios.error."""
    port.open()
    line.unplug()
    calls = {
        "read": lambda: port.read(1, 1.0),
        "write": lambda: port.write(b"x"),
        "discard_input": port.discard_input,
        "is_peer_ready": port.is_peer_ready,
    }
    with pytest.raises(DeviceLost, match="unplugged"):
        calls[call]()


def test_a_plug_pulled_while_a_read_waits_ends_it(port: SerialPort, line: SerialLine) -> None:
    port.open()
    threading.Timer(0.05, line.unplug).start()
    with pytest.raises(DeviceLost, match="unplugged"):
        port.read(1, 30.0)


def test_a_plug_pulled_in_mid_write_is_a_lost_device(port: SerialPort, line: SerialLine) -> None:
    line.unplug_after(1000)
    with pytest.raises(DeviceLost, match="unplugged"):
        port.write(bytes(1 << 20))


def test_a_lost_line_is_taken_again_once_it_is_back(port: SerialPort, line: SerialLine) -> None:
    port.open()
    line.unplug()
    with pytest.raises(DeviceLost, match="unplugged"):
        port.write(b"x")
    with pytest.raises(DeviceLost, match="plug it in"):
        port.write(b"x")
    line.plug()
    port.write(b"back")
    assert read_all(port, 4) == b"back"


def test_a_stuck_device_ends_a_write(port: SerialPort, line: SerialLine) -> None:
    line.break_with(Fault.STUCK)
    with pytest.raises(DeviceTimeout, match="stuck"):
        port.write(bytes(1 << 20))


def test_a_line_has_one_owner(port: SerialPort, line: SerialLine) -> None:
    port.open()
    with pytest.raises(DeviceLost, match="in use"):
        SerialPort(str(line.link)).open()


def test_a_line_without_modem_wires_says_nothing_about_them(port: SerialPort) -> None:
    assert port.is_peer_ready() is None


def test_a_waiting_read_can_be_ended(port: SerialPort) -> None:
    port.open()
    timer = threading.Timer(0.05, port.cancel_read)
    timer.start()
    assert port.read(1, 30.0) == b""
    timer.join()


def test_closing_twice_is_safe(port: SerialPort) -> None:
    port.open()
    port.close()
    port.close()
    assert not port.is_open


@pytest.mark.parametrize(
    ("path", "remedy"), [("/nowhere/tty", "plug it in"), ("/dev/null", "not a serial line")]
)
def test_what_cannot_be_opened_names_the_remedy(path: str, remedy: str) -> None:
    with pytest.raises(DeviceLost, match=remedy):
        SerialPort(path).open()


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("parity", "mark"),
        ("flow", "often"),
        ("write_timeout_s", 0),
        ("baud", -1),
        ("baud", "fast"),
        ("data_bits", 9),
        ("stop_bits", 3),
    ],
)
def test_a_wrong_option_is_refused_before_anything_is_opened(option: str, value: object) -> None:
    with pytest.raises(OptionRefused):
        SerialPort("/nowhere/tty", **{option: value})  # type: ignore[arg-type]


def test_every_speed_that_devices_are_set_to_is_taken(line: SerialLine) -> None:
    for baud in (1200, 9600, 19200, 115200, 921600):
        port = SerialPort(str(line.link), baud=baud, data_bits=7, parity="even", stop_bits=2)
        port.open()
        port.close()


def test_the_link_is_gone_when_the_plug_is(line: SerialLine) -> None:
    assert serial.Serial(str(line.link)).is_open
    line.unplug()
    assert not line.link.is_symlink()
    line.plug()
    assert line.link.exists()
    assert line.is_plugged


def test_a_file_of_somebody_is_never_replaced(tmp_path: Path, echo: Echo) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(FileExistsError, match="not a link"):
        SerialLine(echo, tmp_path / "file")
    assert (tmp_path / "file").read_text() == "mine"


def test_a_silent_device_takes_bytes_and_does_nothing(
    port: SerialPort, line: SerialLine, echo: Echo
) -> None:
    line.break_with(Fault.SILENCE)
    port.write(b"hello")
    assert line.wait_for(lambda: line.came == 5, 5.0)
    assert port.read(1, 0.01) == b""
    line.break_with(Fault.NONE)
    port.write(b"again")
    assert read_all(port, 5) == b"again"
    assert echo.heard == b"again"
