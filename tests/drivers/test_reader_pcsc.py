"""What PC/SC can do to a till, done to it through pcscd, libpcsclite and pyscard."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from drivers.errors import (
    CardMute,
    CardRemoved,
    CommandRefused,
    DeviceLost,
    DeviceTimeout,
    DeviceUnavailable,
    ServiceLost,
)
from drivers.protocols import Health, Interface, Signal
from drivers.reader_pcsc import PcscReader, choose, interface_of, reader_names
from simulators.card.faults import with_faults
from simulators.readers import atr
from simulators.readers.pcscd import Pcscd
from simulators.readers.vpcd import VpcdReader
from simulators.responses import Answer, Silent

pytestmark = pytest.mark.wire

PING = bytes.fromhex("00A40400")
OK = b"\x90\x00"
LONG_S = 60.0
SEEN_S = 8.0

Opened = Callable[..., PcscReader]


@pytest.fixture
def opened() -> Iterator[Opened]:
    """Open readers, and close them after the test."""
    readers: list[PcscReader] = []

    def open_one(name: str = "", **options: Any) -> PcscReader:
        readers.append(PcscReader(name, **{"silence_s": 0.4, **options}))
        return readers[-1]

    yield open_one
    for reader in readers:
        reader.close()


@pytest.fixture
def antenna(pcscd: Pcscd[VpcdReader]) -> Iterator[VpcdReader]:
    yield pcscd.readers[0]
    pcscd.readers[0].remove()


@pytest.fixture
def slot(pcscd: Pcscd[VpcdReader]) -> Iterator[VpcdReader]:
    yield pcscd.readers[1]
    pcscd.readers[1].remove()


@pytest.fixture
def beside() -> Iterator[Callable[[Callable[[], Any]], Future[Any]]]:
    with ThreadPoolExecutor(2) as pool:
        yield pool.submit


def until_ready(reader: PcscReader) -> None:
    """Wait until a reader that was lost is found again, as the till does: by asking."""
    deadline = time.monotonic() + SEEN_S
    while True:
        try:
            reader.wait_for_card(0)
        except DeviceLost:
            assert time.monotonic() < deadline, "the reader does not come back"
        else:
            return


# Several readers, and how they are told apart.


def test_two_readers_work_side_by_side(
    opened: Opened, antenna: VpcdReader, slot: VpcdReader, scripted: Any
) -> None:
    contactless, contact = opened(interface="contactless"), opened(interface="contact")
    antenna.present(scripted(Answer(b"\x01" + OK)))
    slot.present(scripted(Answer(OK)), stay=True)

    assert (contactless.interface, contact.interface) == (
        Interface.CONTACTLESS,
        Interface.CONTACT,
    )
    assert contactless.wait_for_card(SEEN_S)
    assert contact.wait_for_card(SEEN_S)
    assert contact.transceive(PING)[0] == OK
    assert contactless.transceive(PING)[0] == b"\x01" + OK


def test_a_silent_card_keeps_nobody_else_waiting(
    opened: Opened, antenna: VpcdReader, slot: VpcdReader, scripted: Any
) -> None:
    contactless, contact = opened(interface="contactless"), opened(interface="contact")
    antenna.present(scripted(Silent()), stay=True)
    slot.present(scripted(), stay=True)
    assert contactless.wait_for_card(SEEN_S)
    with pytest.raises(DeviceTimeout):
        contactless.transceive(PING)

    assert contact.wait_for_card(SEEN_S)
    assert contact.transceive(PING)[0] == OK
    assert contactless.wait_for_card(0.05) is False
    health = contactless.diagnose()
    assert health.health is Health.FAULTY
    assert "out" in health.remedy


def test_a_card_is_talked_to_by_one_program_alone(
    opened: Opened, antenna: VpcdReader, scripted: Any
) -> None:
    mine, other = opened(interface="contactless"), opened(interface="contactless")
    antenna.present(scripted(), stay=True)
    assert mine.wait_for_card(SEEN_S)

    assert other.wait_for_card(0.2) is False
    assert "another program" in other.diagnose().summary
    mine.transceive(PING)
    mine.release()
    assert other.wait_for_card(SEEN_S) is True


NAMES = ("ACS ACR1252 Dual Reader PICC 00 00", "ACS ACR1252 Dual Reader SAM 01 00", "Slot 02 00")


@pytest.mark.parametrize(
    ("wanted", "interface", "found"),
    [
        ("", None, NAMES[0]),
        ("slot", None, NAMES[2]),
        ("acr1252 dual reader sam", None, NAMES[1]),
        (NAMES[1], Interface.CONTACTLESS, NAMES[1]),
        ("", Interface.CONTACT, NAMES[1]),
        ("slot", Interface.CONTACTLESS, NAMES[2]),
        ("omnikey", None, None),
    ],
)
def test_a_reader_is_found_by_a_part_of_its_name(
    wanted: str, interface: Interface | None, found: str | None
) -> None:
    """pcscd's count at the end of a name changes with the order of plugging in."""
    assert choose(NAMES, wanted, interface) == found


def test_no_reader_at_all_is_no_contactless_one() -> None:
    assert choose(NAMES[2:], "", Interface.CONTACTLESS) is None


@pytest.mark.parametrize(
    ("name", "interface"),
    [
        ("ACS ACR122U PICC Interface 00 00", Interface.CONTACTLESS),
        ("HID Global OMNIKEY 5422 CL Smartcard Reader 00 00", Interface.CONTACTLESS),
        ("Gemalto PC Twin Reader 00 00", Interface.CONTACT),
    ],
)
def test_the_makers_names_say_what_a_reader_has(name: str, interface: Interface) -> None:
    assert interface_of(name) is interface


def test_an_interface_nobody_knows_is_named(pcscd: Pcscd[VpcdReader]) -> None:
    with pytest.raises(DeviceUnavailable, match="magnetic"):
        PcscReader(interface="magnetic")


def test_a_reader_that_is_not_there_is_named_with_those_that_are(pcscd: Pcscd[VpcdReader]) -> None:
    with pytest.raises(DeviceLost, match=r"omnikey.*Contract PICC"):
        PcscReader("omnikey")


# pcscd goes and comes back.


def test_pcscd_killed_while_idle(
    opened: Opened, pcscd: Pcscd[VpcdReader], antenna: VpcdReader, scripted: Any
) -> None:
    reader = opened("Contract PICC")
    pcscd.kill()
    with pytest.raises(ServiceLost):
        reader.wait_for_card(0)
    assert reader.diagnose().health is Health.ABSENT
    assert "pcscd" in reader.diagnose().remedy
    with pytest.raises(DeviceUnavailable, match="PC/SC"):
        reader_names()

    pcscd.start()
    until_ready(reader)
    antenna.present(scripted())
    assert reader.wait_for_card(SEEN_S)


def test_pcscd_killed_while_armed(
    opened: Opened,
    pcscd: Pcscd[VpcdReader],
    antenna: VpcdReader,
    scripted: Any,
    beside: Any,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """pyscard's own monitor would die with it, and its connections print when forgotten."""
    reader = opened("Contract PICC")
    waiting = beside(lambda: reader.wait_for_card(LONG_S))
    pcscd.kill()
    with pytest.raises(ServiceLost):
        waiting.result(LONG_S / 2)

    pcscd.start()
    until_ready(reader)
    antenna.present(scripted())
    assert reader.wait_for_card(SEEN_S)
    assert capfd.readouterr().err == ""


def test_pcscd_killed_in_mid_tap(
    opened: Opened, pcscd: Pcscd[VpcdReader], antenna: VpcdReader, scripted: Any, beside: Any
) -> None:
    card = scripted(Answer(OK, delay_us=30_000_000))
    reader = opened("Contract PICC", silence_s=LONG_S)
    antenna.present(card)
    assert reader.wait_for_card(SEEN_S)
    talking = beside(lambda: reader.transceive(PING))
    assert card.heard.wait(LONG_S)
    pcscd.kill()
    with pytest.raises(ServiceLost):
        talking.result(LONG_S / 2)
    antenna.remove()

    pcscd.start()
    until_ready(reader)
    antenna.present(scripted(Answer(b"\x05" + OK)))
    assert reader.wait_for_card(SEEN_S)
    assert reader.transceive(PING)[0] == b"\x05" + OK


def test_readers_unplugged_and_replugged_in_another_order(
    opened: Opened, pcscd: Pcscd[VpcdReader], antenna: VpcdReader, slot: VpcdReader, scripted: Any
) -> None:
    """A daemon that never had the reader is what its clients see of an unplugged one."""
    reader = opened("Contract PICC")
    both = list(pcscd.readers)
    try:
        pcscd.readers[:] = [slot]
        pcscd.restart()
        with pytest.raises(DeviceLost):
            reader.wait_for_card(0)
        with pytest.raises(DeviceLost, match="Contract PICC"):
            reader.wait_for_card(0)
        assert reader.diagnose().health is Health.ABSENT
        assert "Contract Slot" in reader.diagnose().summary

        pcscd.readers[:] = [slot, antenna]
        pcscd.restart()
        until_ready(reader)
        antenna.present(scripted(Answer(b"\x06" + OK)))
        assert reader.wait_for_card(SEEN_S)
        assert reader.transceive(PING)[0] == b"\x06" + OK
    finally:
        pcscd.readers[:] = both
        pcscd.restart()


def test_without_pcscd_a_new_process_is_told_so_in_one_line() -> None:
    """libpcsclite says the same when it is missing; both are a device that is unavailable."""
    code = (
        "from drivers.errors import DriverError\n"
        "from drivers.reader_pcsc import PcscReader\n"
        "try:\n    PcscReader()\nexcept DriverError as error:\n    print(error)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code],
        env={"PCSCLITE_CSOCK_NAME": "/nonexistent/pcscd.comm", "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
        timeout=LONG_S,
    )

    assert "pcscd" in ended.stdout
    assert "Traceback" not in ended.stderr


# What vpcd and pcscd let through.


def test_t0_has_its_rules_and_a_connection_of_its_own(
    opened: Opened, slot: VpcdReader, scripted: Any
) -> None:
    """The slot's cards speak T=0: the simulator refuses what a real one would."""
    contact = opened("Contract Slot")
    card = scripted(Answer(b"\x6f\x00" + OK))
    slot.present(card)
    assert contact.wait_for_card(SEEN_S)

    assert contact.transceive(bytes.fromhex("00A40400023F0000"))[0] == b"\x61\x02"
    assert contact.transceive(bytes.fromhex("00C0000002"))[0] == b"\x6f\x00" + OK
    with pytest.raises(CommandRefused, match="T=0"):
        contact.transceive(bytes.fromhex("00A4040000012C") + bytes(300))


def test_a_reader_takes_a_card_of_another_protocol_after_the_first(
    opened: Opened, slot: VpcdReader, scripted: Any
) -> None:
    """A kept pyscard connection would ask for the first card's protocol."""
    contact = opened("Contract Slot")
    first = slot.atr
    slot.atr = atr.ATR.parse(atr.CONTACT_T1)
    try:
        slot.present(scripted())
        assert contact.wait_for_card(SEEN_S)
        # T=1 takes data and Le together.
        assert contact.transceive(bytes.fromhex("00A40400023F0000"))[0] == OK
        contact.release()
    finally:
        slot.atr = first
    slot.present(scripted(Answer(b"\x6f\x00" + OK)))
    assert contact.wait_for_card(SEEN_S)
    assert contact.transceive(bytes.fromhex("00A40400023F0000"))[0] == b"\x61\x02"


@pytest.mark.parametrize("name", ["Contract Slot", "Contract PICC"])
def test_a_card_that_does_not_start_is_told_of_in_a_slot_alone(
    opened: Opened, pcscd: Pcscd[VpcdReader], scripted: Any, name: str
) -> None:
    """Over an antenna it may still be on its way."""
    reader = opened(name)
    front = pcscd.readers[name == "Contract Slot"]
    front.present(with_faults(scripted(), ["mute"]), stay=True)
    try:
        if name == "Contract Slot":
            with pytest.raises(CardMute, match="does not start"):
                until_it_starts(reader)
        else:
            assert not reader.wait_for_card(1.0)
        front.remove()
        front.present(scripted(Answer(OK)))
        assert reader.wait_for_card(SEEN_S), "the next one is read"
    finally:
        front.remove()


def until_it_starts(reader: PcscReader) -> None:
    """Look as the till does, again and again."""
    deadline = time.monotonic() + SEEN_S
    while not reader.wait_for_card(0.25):
        assert time.monotonic() < deadline, "nothing is told of it"


def test_a_card_that_comes_back_at_once_is_seen_every_time(
    opened: Opened, antenna: VpcdReader, scripted: Any
) -> None:
    """Without an empty slot between, pcscd misses every other one for seconds."""
    reader = opened("Contract PICC")
    for number in range(6):
        antenna.present(scripted(Answer(bytes((number,)) + OK)))
        assert reader.wait_for_card(SEEN_S)
        assert reader.transceive(PING)[0][0] == number
        reader.release()


def test_a_command_does_not_wait_for_a_delayed_acknowledgement(
    opened: Opened, antenna: VpcdReader, scripted: Any
) -> None:
    """44 ms each without it: five seconds where 20 ms are usual."""
    reader = opened("Contract PICC", silence_s=LONG_S)
    antenna.present(scripted(), stay=True)
    assert reader.wait_for_card(SEEN_S)

    assert sum(reader.transceive(PING)[1] for _ in range(120)) < 3_000_000


def test_nothing_of_it_listens_beyond_loopback(
    pcscd: Pcscd[VpcdReader], antenna: VpcdReader
) -> None:
    """vpcd itself would listen on every address."""
    listening = [
        line.split()[1]
        for line in open("/proc/net/tcp").read().splitlines()[1:]  # noqa: SIM115, PTH123
        if line.split()[3] == "0A"
    ]
    ours = {reader.port + extra for reader in pcscd.readers for extra in (0, 1)}

    for address in listening:
        host, port = address.split(":")
        if int(port, 16) in ours:
            assert socket.inet_ntoa(bytes.fromhex(host)[::-1]) == "127.0.0.1"


def test_the_daemon_runs_unprivileged_and_is_removed(pcscd: Pcscd[VpcdReader]) -> None:
    status = open(f"/proc/{pcscd.pid}/status").read()  # noqa: SIM115, PTH123
    uid = next(line.split()[1] for line in status.splitlines() if line.startswith("Uid:"))

    assert uid != "0"


# Lights and buzzer.


def test_an_acr122_lights_and_beeps_and_its_card_hears_nothing(
    pcscd: Pcscd[VpcdReader], opened: Opened, scripted: Any
) -> None:
    both = list(pcscd.readers)
    lit = VpcdReader(is_acr122=True)
    card = scripted()
    try:
        pcscd.readers.append(lit)
        pcscd.restart()
        reader = opened("ACR122")
        until_ready(reader)
        assert reader.interface is Interface.CONTACTLESS
        lit.present(card)
        assert reader.wait_for_card(SEEN_S)
        reader.transceive(PING)
        reader.signal(Signal.DONE)
        reader.transceive(PING)
    finally:
        pcscd.readers[:] = both
        lit.close()
        pcscd.restart()

    assert [light[:3] for light in lit.lights] == [bytes.fromhex("FF0040")]
    assert card.commands == [PING, PING]


def test_a_card_that_leaves_with_the_watchdog_awake_costs_the_next_one_nothing(
    opened: Opened, antenna: VpcdReader, scripted: Any
) -> None:
    reader = opened("Contract PICC")
    antenna.present(scripted())
    assert reader.wait_for_card(SEEN_S)
    antenna.remove()
    with pytest.raises(CardRemoved):
        reader.transceive(PING)
    antenna.present(scripted(Answer(OK, delay_us=200_000)))

    assert reader.wait_for_card(SEEN_S)
    assert reader.transceive(PING)[0] == OK
