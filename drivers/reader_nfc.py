"""Contactless readers through nfcpy: USB, serial PN532 by any path, and UDP.

nfcpy finds the card and carries frames; the block protocol above them is
drivers.iso_dep.
"""

from __future__ import annotations

import errno
import logging
import re
import struct
import termios
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nfc
import nfc.clf
import nfc.clf.pn53x
import nfc.clf.pn532
import nfc.clf.transport
import nfc.clf.udp

from drivers.apdu import check_command
from drivers.errors import (
    CardClash,
    CardRemoved,
    DeviceLost,
    DeviceTimeout,
    DeviceUnavailable,
    DriverError,
)
from drivers.iso_dep import Fault, Initiator, LinkBroken, Parameters
from drivers.protocols import Diagnosis, Health, Interface, Signal

log = logging.getLogger(__name__)

POLL_PAUSE_S = 0.05
"""Between two looks: the field is off meanwhile, which also keeps phones cool."""
UDP_SENSE_S = {"106A": 0.12, "106B": 0.05}
"""How long a request on the UDP link waits for its answer; nfcpy waits a second."""
UDP_SENSE_NFCPY_S = 1.0
ACTIVATION_S = 0.03
ACKNOWLEDGED_MS = 500
"""A chip acknowledges within 15 ms; nfcpy waits 100, and then takes it for gone."""
ISO_DEP_BIT = 0x20  # SAK bit 6: it speaks ISO/IEC 14443-4.
FRAME_SIZE_256 = 8
FRAME_SIZE_128 = 7

# nfcpy reads answer frames without looking how long they are, and pyserial
# flushes with a function whose error is no OSError.
DEVICE_FAULTS = (
    OSError,
    termios.error,
    IndexError,
    struct.error,
    nfc.clf.pn53x.Chipset.Error,
)
SERIAL_PATH = re.compile(r"/[A-Za-z0-9/_.:+-]+")
"""nfcpy hands the path to a shell."""


class _UdpDevice(nfc.clf.udp.Device):  # type: ignore[misc]  # nfcpy has no types
    """nfcpy's UDP link, with less patience for a card that is not there."""

    def _recv_data(self, timeout: float, *rates: str) -> Any:
        if timeout == UDP_SENSE_NFCPY_S:
            timeout = UDP_SENSE_S.get(rates[0], timeout)
        return super()._recv_data(timeout, *rates)


class _PatientTTY(nfc.clf.transport.TTY):  # type: ignore[misc]  # nfcpy has no types
    """nfcpy's serial line, with patience for a machine that is busy elsewhere."""

    def read(self, timeout: float) -> Any:
        return super().read(max(timeout, ACKNOWLEDGED_MS))


class _Frontend(nfc.ContactlessFrontend):  # type: ignore[misc]  # nfcpy has no types
    """nfcpy's front end, on paths that nfcpy itself would not open."""

    def open_with(self, device: Any, path: str) -> None:
        """Use a device that is open already."""
        device._path = path
        self.device = device


class NfcReader:
    """One contactless reader that nfcpy drives."""

    def __init__(self, path: str = "usb", *, silence_s: float = 5.0) -> None:
        """path: as nfcpy names it: 'usb', 'usb:072f:2200', 'udp:localhost:54321',
        'tty:USB0:pn532'; or a device file with a PN532 behind it, '/dev/ttyUSB0'.

        silence_s: how long to wait for a silent card, in seconds.
        Raises DeviceUnavailable if it cannot be opened.
        """
        self._path = path
        self._silence_s = silence_s
        self._closed = threading.Event()
        self._card: Initiator | None = None
        self._rate = ""
        self._greeting = b""
        self._clf = _open(path)

    @property
    def interface(self) -> Interface:
        """An antenna."""
        return Interface.CONTACTLESS

    def wait_for_card(self, timeout_s: float) -> bool:
        """True once a card is active, False when the time is up.

        Raises CardClash if two cards answer, DeviceLost if the reader is gone.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            self._check_open()
            if self._card is not None:
                return True
            if self._poll():
                return True
            remaining_s = deadline - time.monotonic()
            if remaining_s <= 0:
                return False
            if not self._is_udp:
                self._closed.wait(min(POLL_PAUSE_S, remaining_s))

    def transceive(self, command: bytes) -> tuple[bytes, int]:
        """Send a C-APDU; return the R-APDU and the time it took, in microseconds.

        The time is that of nfcpy, the reader and the card.
        Raises CardRemoved if the card left, DeviceTimeout if it is silent,
        DeviceLost if the reader is gone, CommandRefused for what is no command.
        """
        check_command(command)
        self._check_open()
        card = self._card
        if card is None:
            raise CardRemoved("no card is active in the field")
        started_ns = time.perf_counter_ns()
        try:
            response = self._carry(card, command)
        except LinkBroken as broken:
            self._card = None
            if broken.fault is Fault.TIMEOUT and self._is_there():
                raise DeviceTimeout("the card is there and says nothing") from broken
            raise CardRemoved("the card left while it was being talked to") from broken
        except DriverError:
            self._card = None
            raise
        elapsed_us = (time.perf_counter_ns() - started_ns) // 1000
        if len(response) < 2:
            self._card = None
            raise CardRemoved(f"an answer of {len(response)} bytes has no status word")
        return response, elapsed_us

    def release(self) -> None:
        """Switch the field off. Safe to call twice."""
        self._card = None
        if not self._closed.is_set():
            try:
                # Looking for nothing is how nfcpy switches the field off.
                self._device(self._clf.sense)
            except DriverError as error:
                log.debug("%s: field not switched off: %s", self._path, error)

    def greeting(self) -> bytes:
        """Return the active card's ATS, or ATQB of Type B; empty if there is none."""
        return self._greeting if self._card is not None else b""

    def signal(self, signal: Signal) -> None:
        """Show the readers that have lights; nfcpy knows them for USB readers of ACS."""
        device = self._clf.device
        if self._closed.is_set() or not hasattr(device, "turn_on_led_and_buzzer"):
            return
        is_on = signal in (Signal.DONE, Signal.ALERT)
        light = device.turn_on_led_and_buzzer if is_on else device.turn_off_led_and_buzzer
        try:
            self._device(light)
        except DriverError as error:
            log.debug("%s shows no %s: %s", self._path, signal.value, error)

    def diagnose(self) -> Diagnosis:
        """Say how the reader is, without disturbing it."""
        if self._closed.is_set() or self._clf.device is None or self._is_unplugged:
            return Diagnosis(
                Health.ABSENT, f"the reader at {self._path} is gone", "Plug the reader in"
            )
        device = self._clf.device
        words = (device.vendor_name, device.product_name, device.chipset_name)
        return Diagnosis(Health.READY, f"{' '.join(filter(None, words))} at {self._path}")

    def close(self) -> None:
        """Let the reader go; whoever waits learns it. Safe to call twice."""
        if self._closed.is_set():
            return
        self._closed.set()
        try:
            self._clf.close()
        except DEVICE_FAULTS as error:
            # It was unplugged, or it is switched off.
            log.debug("%s: not closed in order: %r", self._path, error)
            self._clf.device = None

    # What goes on in the field.

    @property
    def _is_udp(self) -> bool:
        return self._path.startswith("udp")

    @property
    def _is_unplugged(self) -> bool:
        """A device file leaves with its device."""
        return self._path.startswith("/") and not Path(self._path).exists()

    def _check_open(self) -> None:
        if self._closed.is_set():
            raise DeviceLost("the reader is closed")

    def _device(self, work: Callable[..., Any], *args: Any) -> Any:
        """Make a call to nfcpy. Raises DeviceLost for what the device itself does wrong."""
        try:
            return work(*args)
        except nfc.clf.CommunicationError:
            raise
        except DEVICE_FAULTS as error:
            if self._closed.is_set():
                raise DeviceLost("the reader is closed") from error
            raise DeviceLost(f"the reader at {self._path} is gone: {error!r}") from error

    def _sense(self, rate: str) -> Any:
        """Look for one kind of card; None if there is none, or it does not finish answering."""
        try:
            return self._device(self._clf.sense, nfc.clf.RemoteTarget(rate))
        except nfc.clf.CommunicationError as error:
            log.debug("%s: %s: %r", self._path, rate, error)
            return None

    def _is_there(self) -> bool:
        return self._sense(self._rate) is not None

    def _poll(self) -> bool:
        """Look once for Type A and once for Type B; activate what is found."""
        found = self._sense("106A")
        if found is not None:
            self._check_alone()
            found = self._sense("106A") if self._chipset is not None else found
        else:
            found = self._sense("106B")
        return found is not None and self._activate(found)

    @property
    def _chipset(self) -> Any:
        """nfcpy's chip of the PN53x family, None for other readers."""
        chipset = getattr(self._clf.device, "chipset", None)
        return chipset if isinstance(chipset, nfc.clf.pn53x.Chipset) else None

    def _check_alone(self) -> None:
        """Raise CardClash if a second card answers.

        nfcpy always asks for one card, and the chip then picks one of two.
        Source: PN532 User Manual, 7.3.5; EMV Contactless Book D, 9.3.
        """
        chipset = self._chipset
        if chipset is None:
            return
        self._device(self._clf.sense)
        two_of_type_a = bytearray((2, 0))
        listed = self._device(chipset.command, 0x4A, two_of_type_a, 1.0)
        if listed and listed[0] > 1:
            raise CardClash("two cards answer at once")
        one_of_type_b = bytearray((1, 3, 0))
        listed = self._device(chipset.command, 0x4A, one_of_type_b, 1.0)
        if listed and listed[0] > 0:
            raise CardClash("a Type A and a Type B card answer at once")

    def _activate(self, target: Any) -> bool:
        """Start the block protocol with a card; False if it does not take part."""
        is_type_a = target.brty.endswith("A")
        if is_type_a and not (target.sel_res and target.sel_res[0] & ISO_DEP_BIT):
            log.debug("%s: a card that is no payment card", self._path)
            return False
        size = FRAME_SIZE_256 if self._clf.max_recv_data_size >= 256 else FRAME_SIZE_128
        if is_type_a:
            request = bytes((0xE0, size << 4))
        else:
            pupi = bytes(target.sensb_res[1:5])
            request = b"\x1d" + pupi + bytes((0x00, size, 0x01, 0x00))
        try:
            answer = bytes(self._device(self._clf.exchange, request, ACTIVATION_S) or b"")
        except nfc.clf.CommunicationError as error:
            log.debug("%s: not activated: %r", self._path, error)
            return False
        if not answer:
            return False
        parameters = (
            Parameters.of_ats(answer) if is_type_a else Parameters.of_atqb(bytes(target.sensb_res))
        )
        if parameters.guard_s:
            self._closed.wait(parameters.guard_s)
        self._rate = target.brty
        self._greeting = answer if is_type_a else bytes(target.sensb_res)
        self._card = Initiator(
            parameters, frame_size_max=min(256, self._clf.max_send_data_size + 2)
        )
        return True

    def _carry(self, card: Initiator, command: bytes) -> bytes:
        """Carry one command through the block protocol. Raises LinkBroken."""
        exchange = card.exchange(command)
        deadline = time.monotonic() + self._silence_s
        received: bytes | Fault | None = None
        while True:
            try:
                frame, wait_s = next(exchange) if received is None else exchange.send(received)
            except StopIteration as finished:
                response: bytes = finished.value
                return response
            remaining_s = deadline - time.monotonic()
            if remaining_s <= 0:
                # It asks for more and more time, or was taken away in the middle of that.
                raise LinkBroken(f"no answer for {self._silence_s:g} s", fault=Fault.TIMEOUT)
            received = self._frame(frame, min(wait_s, remaining_s))

    def _frame(self, frame: bytes, wait_s: float) -> bytes | Fault:
        try:
            answer = self._device(self._clf.exchange, frame, wait_s)
        except nfc.clf.TimeoutError:
            return Fault.TIMEOUT
        except nfc.clf.CommunicationError:
            return Fault.DAMAGED
        if answer is None:
            raise DeviceLost("the reader is closed")
        return bytes(answer)


def _open(path: str) -> _Frontend:
    """Return nfcpy's front end on a path. Raises DeviceUnavailable, naming the step."""
    frontend = _Frontend()
    try:
        if path.startswith("udp"):
            host, _, port = path.removeprefix("udp").strip(":").rpartition(":")
            device = _UdpDevice(host or "localhost", int(port or 54321))
            device._vendor_name, device._device_name = "nfcpy", "UDP link"
            device._chipset_name = ""
            frontend.open_with(device, path)
        elif path.startswith("/"):
            frontend.open_with(_open_pn532(path), path)
        elif not frontend.open(path):
            raise DeviceUnavailable(f"no NFC reader at {path!r}: plug it in, or name its path")
    except DEVICE_FAULTS as error:
        raise DeviceUnavailable(f"NFC reader at {path!r}: {error}; {_step(error)}") from error
    except ValueError as error:
        raise DeviceUnavailable(f"NFC reader path {path!r}: {error}") from error
    return frontend


def _open_pn532(path: str) -> Any:
    """Return nfcpy's driver on a device file; nfcpy itself finds only names directly in /dev."""
    if SERIAL_PATH.fullmatch(path) is None:
        raise DeviceUnavailable(f"NFC reader path {path!r}: use letters, digits and / _ . : + -")
    port = _PatientTTY(path)
    try:
        return nfc.clf.pn532.init(port)
    except BaseException:
        port.tty.close()
        raise


def _step(error: Exception) -> str:
    """Return the step that mends an error from opening a reader."""
    number = getattr(error, "errno", None)
    if number == errno.EACCES:
        return "allow this user to open it: add it to the group of the device file"
    if number == errno.EBUSY:
        return "another program uses it: pcscd, or the kernel module pn533_usb"
    if number in (errno.ENODEV, errno.ENOENT, errno.ENXIO):
        return "plug it in, or name its path"
    return "unplug it and plug it in again"
