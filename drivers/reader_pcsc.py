"""Any PC/SC reader, contact or contactless, through pyscard.

Of pyscard only the PC/SC functions are used: its connections keep what they
negotiated with the last card and print when they are forgotten, and its
monitor ends for good when pcscd does.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from smartcard import scard

from drivers.apdu import check_command, for_t0
from drivers.errors import (
    CardMute,
    CardRemoved,
    DeviceLost,
    DeviceTimeout,
    DeviceUnavailable,
    DriverError,
    ServiceLost,
)
from drivers.lane import Lane
from drivers.pcsc_errors import (
    CANCELLED,
    MUTE,
    SHARING_VIOLATION,
    SUCCESS,
    TIMEOUT,
    error_of,
    unsigned,
)
from drivers.pcsc_watchdog import Watchdog, open_with_line
from drivers.protocols import Diagnosis, Health, Interface, Signal

log = logging.getLogger(__name__)

T = TypeVar("T")

SERVICE_S = 5.0
"""pcscd answers at once or not at all; a card's own start is part of some answers."""
RETRY_S = 0.1
"""How soon a card that is there and would not start is tried again."""
IN_USE = scard.SCARD_STATE_INUSE | scard.SCARD_STATE_EXCLUSIVE
GONE = scard.SCARD_STATE_UNKNOWN | scard.SCARD_STATE_UNAVAILABLE | scard.SCARD_STATE_IGNORE
ESCAPE = scard.SCARD_CTL_CODE(3500) if hasattr(scard, "SCARD_CTL_CODE") else 0x42000DAC
"""How a command for the reader itself goes out. Source: CCID driver, SCARDCONTROL.txt."""

CONTACTLESS_WORDS = ("picc", "contactless", " cl ", "nfc", "rfid")
ACR122_WORDS = ("acr122", "acr1222", "acr128", "acr1281")

# FF 00 40: lights, then on time, off time, repeats, buzzer.
# Source: ACR122U Application Programming Interface, 6.2.
ACR122_SIGNALS = {
    Signal.READY: bytes.fromhex("FF 00 40 0E 04 00 00 00 00"),
    Signal.DONE: bytes.fromhex("FF 00 40 0E 04 01 00 01 01"),
    Signal.ALERT: bytes.fromhex("FF 00 40 0D 04 01 01 02 01"),
    Signal.OFF: bytes.fromhex("FF 00 40 0C 04 00 00 00 00"),
}


@dataclass(slots=True)
class _Link:
    """What one lane holds open at pcscd."""

    context: int | None = None
    card: int | None = None
    protocol: int = 0
    name: str = ""
    watchdog: Watchdog | None = None

    def disconnect(self) -> None:
        """Power the card down and let it go, if there is one."""
        card, self.card = self.card, None
        if card is not None:
            if self.watchdog is not None:
                self.watchdog.watch(False)
            result = scard.SCardDisconnect(card, scard.SCARD_UNPOWER_CARD)
            if unsigned(result) != SUCCESS:
                log.debug("card let go: %s", error_of(result))

    def close(self) -> None:
        """Give everything back, explicitly: nothing is left to a destructor."""
        self.disconnect()
        if self.watchdog is not None:
            self.watchdog.stop()
        context, self.context = self.context, None
        if context is not None:
            scard.SCardReleaseContext(context)


class PcscReader:
    """One slot or antenna that pcscd knows. Opens with its service and its reader there."""

    def __init__(self, name: str = "", *, interface: str = "", silence_s: float = 5.0) -> None:
        """name: the reader's name or a part of it; the first reader if empty.

        interface: 'contact' or 'contactless'; the name tells it if empty.
        silence_s: how long to wait for a silent card, in seconds.
        Raises DeviceUnavailable, ServiceLost or DeviceLost.
        """
        try:
            self._wanted = Interface(interface) if interface else None
        except ValueError as error:
            raise DeviceUnavailable(
                f"reader interface {interface!r}: there are 'contact' and 'contactless'"
            ) from error
        self._name = name
        self._silence_s = silence_s
        self._is_closed = False
        self._is_shared = False
        self._silent = False
        self._is_mute = False
        self._link = _Link()
        self._lane: Lane | None = None
        self._stuck: Lane | None = None
        self._connect_service()

    @property
    def name(self) -> str:
        """The reader's whole name, as pcscd has it."""
        return self._link.name

    @property
    def interface(self) -> Interface:
        """Antenna or slot."""
        return self._wanted or interface_of(self._link.name)

    def wait_for_card(self, timeout_s: float) -> bool:
        """True once a card is active, False when the time is up.

        A service or a reader that came back is found again by itself.
        Raises CardMute for a card in a slot that has not started by then,
        DeviceLost if the reader is gone, ServiceLost if pcscd is.
        """
        deadline = time.monotonic() + timeout_s
        if self._is_held_up(timeout_s):
            return False
        self._connect_service()
        if self._link.card is not None:
            if self._state(0)[1] & scard.SCARD_STATE_PRESENT:
                return True
            self._do(self._link.disconnect)
        known = scard.SCARD_STATE_UNAWARE
        while True:
            remaining_s = deadline - time.monotonic()
            changed, state = self._state(max(0.0, remaining_s), known)
            if not changed and state == known:
                return False
            known = state
            # One that is in use is somebody else's, or still owes us an answer:
            # pcscd would make us wait for that, however long it takes.
            is_free = not state & IN_USE
            self._is_shared = not is_free and not self._silent
            if state & scard.SCARD_STATE_PRESENT and is_free and self._start_card():
                return True
            if not state & scard.SCARD_STATE_PRESENT:
                self._silent = self._is_mute = False
            if time.monotonic() >= deadline:
                if self._is_mute and is_free and self.interface is Interface.CONTACT:
                    raise CardMute("the card in the slot does not start")
                return False
            if state & scard.SCARD_STATE_PRESENT and is_free:
                # It may be on its way in or out; its state alone may not change again.
                time.sleep(min(RETRY_S, max(0.0, deadline - time.monotonic())))
                known = scard.SCARD_STATE_UNAWARE

    def transceive(self, command: bytes) -> tuple[bytes, int]:
        """Send a C-APDU; return the R-APDU and the time it took, in microseconds.

        The time is that of pcscd, the reader and the card.
        Raises CardRemoved if the card left, DeviceTimeout if it is silent,
        DeviceLost if the reader is gone, CommandRefused for what is no command.
        """
        check_command(command)
        link = self._link
        if self._is_closed:
            raise DeviceLost("the reader is closed")
        if link.card is None:
            raise CardRemoved("no card is active in the reader")
        card, protocol = link.card, link.protocol
        is_t0 = protocol == scard.SCARD_PROTOCOL_T0
        header = scard.SCARD_PCI_T0 if is_t0 else scard.SCARD_PCI_T1
        sending = list(for_t0(command) if is_t0 else command)

        def transmit() -> tuple[int, Sequence[int], int]:
            started_ns = time.perf_counter_ns()
            result, response = scard.SCardTransmit(card, header, sending)
            return result, response, time.perf_counter_ns() - started_ns

        if link.watchdog is None:
            result, response, elapsed_ns = self._do(transmit, self._silence_s)
        else:
            result, response, elapsed_ns = link.watchdog.guard(transmit)
            if link.watchdog.has_bitten:
                self._silent = True
                self._drop_lane()
                raise DeviceTimeout(f"the card said nothing for {self._silence_s:g} s")
        if unsigned(result) != SUCCESS:
            raise self._lost(error_of(result))
        if len(response) < 2:
            # pcscd calls it a success: the card left in mid-exchange.
            raise self._lost(CardRemoved("the card left while it was being talked to"))
        return bytes(byte & 0xFF for byte in response), elapsed_ns // 1000

    def release(self) -> None:
        """Power the card down. Safe to call twice."""
        if self._lane is not None and self._link.card is not None:
            self._quietly(self._link.disconnect)

    def greeting(self) -> bytes:
        """Return the active card's ATR; empty if there is none."""
        link = self._link
        if self._lane is None or link.card is None:
            return b""
        told = self._quietly(lambda: scard.SCardStatus(link.card))
        return bytes(told[-1]) if told and unsigned(told[0]) == SUCCESS else b""

    def signal(self, signal: Signal) -> None:
        """Light and sound it, where the reader can; elsewhere do nothing."""
        if self._lane is None or not is_acr122(self._link.name):
            return
        command = list(ACR122_SIGNALS[signal])
        link = self._link

        def tell() -> int:
            if link.card is not None:
                # A reader of this family takes it for itself, not for the card.
                result, _ = scard.SCardTransmit(link.card, scard.SCARD_PCI_T1, command)
                return unsigned(result)
            result, reader, _ = scard.SCardConnect(
                link.context, link.name, scard.SCARD_SHARE_DIRECT, 0
            )
            if unsigned(result) == SUCCESS:
                result, _ = scard.SCardControl(reader, ESCAPE, command)
                scard.SCardDisconnect(reader, scard.SCARD_LEAVE_CARD)
            return unsigned(result)

        result = self._quietly(tell)
        if result:
            log.debug("%s shows no %s: PC/SC %08X", link.name, signal.value, result)

    def diagnose(self) -> Diagnosis:
        """Say how the reader is, without disturbing it."""
        if self._is_closed:
            return Diagnosis(Health.ABSENT, "the reader is closed")
        if self._silent or (self._stuck is not None and not self._stuck.ended.is_set()):
            return Diagnosis(
                Health.FAULTY, f"{self._link.name}: its card does not answer", "Take the card out"
            )
        try:
            names = reader_names()
        except DeviceUnavailable as error:
            return Diagnosis(Health.ABSENT, str(error), SERVICE_REMEDY)
        name = choose(names, self._name, self._wanted)
        if name is None:
            there = ", ".join(names) or "none"
            return Diagnosis(
                Health.ABSENT,
                f"no reader {self._name!r}; PC/SC has: {there}",
                "Plug the reader in, or name one of these in the shop's devices.readers",
            )
        if self._is_shared:
            return Diagnosis(
                Health.FAULTY, f"{name}: another program uses its card", "Close the other program"
            )
        return Diagnosis(Health.READY, name)

    def close(self) -> None:
        """Let the reader go; whoever waits learns it. Safe to call twice."""
        if self._is_closed:
            return
        self._is_closed = True
        context, lane = self._link.context, self._lane
        if context is not None:
            scard.SCardCancel(context)
        if lane is not None:
            lane.end()
            self._lane = None

    # What goes on at pcscd.

    def _connect_service(self) -> None:
        """Have a lane with a context and a reader, now. Raises DriverError."""
        if self._is_closed:
            raise DeviceLost("the reader is closed")
        if self._lane is not None:
            return
        link = _Link()
        lane = Lane("pcsc-reader", link.close)
        wanted, interface, silence_s = self._name, self._wanted, self._silence_s

        def connect() -> None:
            (result, context), line = open_with_line(
                lambda: scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
            )
            if unsigned(result) != SUCCESS:
                raise ServiceLost(f"{error_of(result)}; {SERVICE_REMEDY}")
            link.context = context
            if line is not None:
                link.watchdog = Watchdog(line, silence_s)
            names = _names(context)
            chosen = choose(names, wanted, interface)
            if chosen is None:
                there = ", ".join(names) or "none"
                raise DeviceLost(f"no PC/SC reader {wanted!r}; there is: {there}")
            link.name = chosen

        try:
            lane.call(connect, SERVICE_S)
        except DriverError:
            lane.end()
            raise
        self._link, self._lane = link, lane

    def _state(self, timeout_s: float, known: int = scard.SCARD_STATE_UNAWARE) -> tuple[bool, int]:
        """Return whether the reader's state changed in time, and the state.

        known: a state that was returned before; UNAWARE is answered at once.
        """
        link = self._link
        milliseconds = round(timeout_s * 1000)

        def watch() -> tuple[int, list[tuple[str, int, Sequence[int]]]]:
            found: tuple[int, list[tuple[str, int, Sequence[int]]]] = scard.SCardGetStatusChange(
                link.context, milliseconds, [(link.name, known)]
            )
            return found

        result, states = self._do(watch, timeout_s + SERVICE_S)
        code = unsigned(result)
        if code == TIMEOUT:
            return False, known
        if code == CANCELLED:
            raise DeviceLost("the reader is closed")
        if code != SUCCESS:
            raise self._lost(error_of(result))
        state = states[0][1]
        if state & GONE:
            raise self._lost(DeviceLost(f"{link.name} is gone"))
        return bool(state & scard.SCARD_STATE_CHANGED), state & ~scard.SCARD_STATE_CHANGED

    def _start_card(self) -> bool:
        """Power the card up on a connection of its own; False if it will not start."""
        link = self._link

        def connect() -> int:
            # Nobody else may talk to a card that is being paid with.
            result, card, protocol = scard.SCardConnect(
                link.context,
                link.name,
                scard.SCARD_SHARE_EXCLUSIVE,
                scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1,
            )
            if unsigned(result) == SUCCESS:
                link.card, link.protocol = card, protocol
                if link.watchdog is not None:
                    link.watchdog.watch(True)
            return unsigned(result)

        code = self._do(connect, self._silence_s + SERVICE_S)
        self._is_shared = code == SHARING_VIOLATION
        self._is_mute = code in MUTE
        if code == SUCCESS:
            self._silent = False
            return True
        error = error_of(code)
        if isinstance(error, DeviceLost):
            raise self._lost(error)
        log.debug("%s: card not started: %s", link.name, error)
        return False

    def _lost(self, error: DriverError) -> DriverError:
        """Let go of what an error has ended; return the error to raise."""
        if isinstance(error, DeviceLost):
            self._drop_lane()
        elif isinstance(error, CardRemoved):
            self._quietly(self._link.disconnect)
        return error

    def _drop_lane(self) -> None:
        """Let the lane end, and everything it holds with it."""
        lane, self._lane = self._lane, None
        self._link.card = None
        if lane is not None:
            lane.end()

    def _do(self, work: Callable[[], T], patience_s: float = SERVICE_S) -> T:
        """Make one call on the lane. Raises DeviceTimeout when it is late."""
        lane = self._lane
        if lane is None:
            raise DeviceLost("the reader is closed")
        try:
            return lane.call(work, patience_s)
        except DeviceTimeout as late:
            # The call still runs. The lane ends behind it, and lets the card go.
            self._stuck, self._lane = lane, None
            raise DeviceTimeout(f"the card said nothing for {patience_s:g} s") from late

    def _quietly(self, work: Callable[[], T]) -> T | None:
        """Make a call whose failure changes nothing for anybody."""
        try:
            return self._do(work)
        except DriverError as error:
            log.debug("%s: %s", self._link.name, error)
            return None

    def _is_held_up(self, timeout_s: float) -> bool:
        """Wait for a silent card's last call to end; True if it has not.

        pcscd serves nobody on this reader before that.
        """
        if self._stuck is None:
            return False
        if not self._stuck.ended.wait(timeout_s):
            return True
        self._stuck = None
        return False


SERVICE_REMEDY = "Install and start pcscd: apt-get install pcscd"


def reader_names() -> Sequence[str]:
    """Return the names of the readers that pcscd has now.

    Raises DeviceUnavailable if libpcsclite is missing or pcscd does not run:
    the library tells both in the same way.
    """
    result, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
    if unsigned(result) != SUCCESS:
        raise DeviceUnavailable(f"PC/SC is not available: {error_of(result)}")
    try:
        return _names(context)
    finally:
        scard.SCardReleaseContext(context)


def _names(context: int) -> Sequence[str]:
    result, names = scard.SCardListReaders(context, [])
    if unsigned(result) != SUCCESS:
        error = error_of(result)
        if isinstance(error, ServiceLost):
            raise error
        return ()
    return tuple(names)


def choose(names: Sequence[str], wanted: str, interface: Interface | None) -> str | None:
    """Return the reader that is meant: by its name, else by a part of it, else by its kind.

    wanted: a part is enough, since pcscd counts readers in the order they
    were plugged in and puts the count into their names.
    """
    if wanted in names:
        return wanted
    fitting = [name for name in names if wanted.casefold() in name.casefold()]
    if interface is not None:
        alike = [name for name in fitting if interface_of(name) is interface]
        fitting = alike or (fitting if wanted else [])
    return fitting[0] if fitting else None


def interface_of(name: str) -> Interface:
    """Return what a reader's name says: makers put PICC, CL or NFC into those with an antenna."""
    is_contactless = any(word in f" {name} ".casefold() for word in (*CONTACTLESS_WORDS, "acr122"))
    return Interface.CONTACTLESS if is_contactless else Interface.CONTACT


def is_acr122(name: str) -> bool:
    """Say whether a reader takes the lights and buzzer commands of the ACR122 family."""
    return any(word in name.casefold() for word in ACR122_WORDS)
