"""A whole simulated shop: bank, network, cards, phones, wallets and camera.

The bank runs in a process of its own, as a bank does; everything else is
threads of whoever opens the shop. A network that can be cut stands between
till and bank. What can be presented or broken has a name; do() does it.
"""

from __future__ import annotations

import datetime
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drivers.protocols import Interface
from simulators.bank import bench as bank_bench
from simulators.bank.place import BankPlace
from simulators.counter_top import CounterTop
from simulators.deeds import FAULTS, PINS, Deed, NoSuchDeed
from simulators.faults import FaultProxy
from simulators.readers.in_process import InProcessReader
from simulators.readers.keyed_slot import KeyedSlot

if TYPE_CHECKING:
    from simulators.camera import CameraSimulator
    from simulators.customers import Customers
    from simulators.pinpad import ScreenPinPad
    from simulators.wallet import Profile, Wallet

BANK_START_S = 60.0
"""The bank's own imports take a second or two; a busy machine needs patience."""
BANK_STOP_S = 5.0
HOLD_S = 20.0
"""How long a phone is held before the camera."""
PIN_ASKED_S = 2.0
"""How long a customer's fingers wait for the PIN pad to ask, in seconds."""
SLOW_S = 4.0
_FAULTS = frozenset(fault.id for fault in FAULTS)
TEAR = "tear-before:3"
"""In the middle of the tap: the card has been selected, and not been asked to pay."""


class SimulatedShop:
    """Opens at once; what takes time comes up when somebody first needs it."""

    def __init__(
        self,
        home: Path,
        wall_ms: Callable[[], int],
        random: Callable[[int], bytes],
        *,
        bank_url: str | None = None,
        speaks_iso8583: bool = False,
        has_keys_on_slot: bool = False,
        push_url: str | None = None,
        bank_command: Sequence[str] = (sys.executable, "-m", "terminal", "sim", "bank"),
    ) -> None:
        """home: the state directory.

        bank_url: a simulated bank of the same state directory that runs already.
        speaks_iso8583: the till talks to the bank's other door; the bank is
        this shop's own then.
        has_keys_on_slot: the slot and the PIN pad on the screen are one device.
        push_url: the broker through which this shop's own bank nudges the till.
        bank_command: what starts one otherwise.
        """
        self._home = home
        self._wall_ms = wall_ms
        self._random = random
        self._bank_command = bank_command
        self._speaks_iso8583 = speaks_iso8583
        self._push_url = push_url
        self.place: BankPlace = bank_bench.prepare(home, wall_ms())
        self.ca_keys = scheme_key(home, wall_ms())
        """The simulated scheme's public key, as a file for the till."""
        self.reader = InProcessReader()
        self.slot = (
            KeyedSlot(lambda: self.pin_pad)
            if has_keys_on_slot
            else InProcessReader(interface=Interface.CONTACT)
        )
        self.counter_top = CounterTop(home / "counter")
        self.network = FaultProxy(self._wait_for_bank)
        self.see_shown_code: Callable[[], bytes | None] = lambda: None
        """Returns the code on the till's customer screen as a PNG; the assembly sets it."""
        self._bank: subprocess.Popen[str] | None = None
        self._bank_url = self._till_door = bank_url or ""
        self._bank_is_up = threading.Event()
        self._bank_lock = threading.Lock()
        self._is_bank_begun = bank_url is not None
        self._camera: CameraSimulator | None = None
        self._camera_lock = threading.Lock()
        self._held: threading.Timer | None = None
        self._owners_stop = threading.Event()
        self._on: set[str] = set()
        self._closed = False
        if bank_url is not None:
            self._bank_is_up.set()

    # --- what the till connects to -------------------------------------------

    @property
    def bank_url(self) -> str:
        """The bank behind the network that can be cut."""
        scheme = "iso8583" if self._speaks_iso8583 else "https"
        return f"{scheme}://localhost:{self.network.port}"

    @property
    def camera(self) -> CameraSimulator:
        """The camera; its picture library loads with the first look."""
        from simulators.camera import CameraSimulator

        with self._camera_lock:
            if self._camera is None:
                self._camera = CameraSimulator(seed=1)
            return self._camera

    @cached_property
    def pin_pad(self) -> ScreenPinPad:
        """The PIN pad on the till's screen; its cryptography loads with the first question."""
        from simulators.pinpad import PinPadKeys, ScreenPinPad

        return ScreenPinPad(PinPadKeys(self._home), self._random, time.monotonic)

    def issue_code(self, role: str, id: str, merchant: str = "") -> str:
        """Return the bank's one-time code that takes in a till or a wallet."""
        return bank_bench.issue_enrolment_code(
            self.place, role, id, self._wall_ms(), self._random, merchant=merchant
        )

    def enrol(self, request: Mapping[str, object]) -> dict[str, Any]:
        """Carry an enrolment request to the bank; return its answer."""
        return bank_bench.enrol(self.place, request, self._wall_ms())

    def transport_key(self, till: str) -> bytes:
        """Return what protects a till's keys of ISO 8583, as two people would carry it."""
        return bank_bench.transport_key(self.place, till, self._random)

    # --- what can be done -----------------------------------------------------

    def deeds(self) -> Sequence[Deed]:
        """List what can be presented or broken, in the order to show it."""
        faults = [replace(fault, is_on=fault.id in self._on) for fault in FAULTS]
        return [*self.customers.deeds(), *PINS, *faults, *self.counter_top.deeds()]

    def do(self, deed: str) -> str:
        """Present or break it; return one line on what was done.

        Returns at once: what follows comes through the devices.
        Raises NoSuchDeed.
        """
        kind, _, name = deed.partition(":")
        match kind:
            case "card":
                self.reader.present(self.customers.card(name, *self._faults_of_next()))
                return f"{name} is on the reader"
            case "chip":
                self.slot.present(self.customers.chip(name, *self._faults_of_next()))
                return f"{name} is in the slot"
            case "phone":
                self.reader.present(self.customers.phone(name, *self._faults_of_next()))
                return f"{name} is on the reader"
            case "pin":
                return self._type_pin(name)
            case "wallet":
                return self._hold(name)
            case "show-code":
                return self._scan_ours(name)
            case "fault" if deed in _FAULTS:
                return self._break(deed)
            case "fault" | "see":
                return self.counter_top.do(deed)
        raise NoSuchDeed(f"Nothing here is called {deed!r}")

    def close(self) -> None:
        """Close the shop; nothing of it is left running. Safe to call twice."""
        self._closed = True
        self._owners_stop.set()
        if self._held is not None:
            self._held.cancel()
        if self._camera is not None:
            self._camera.close()
        self.counter_top.close()
        self.network.close()
        self.reader.close()
        self.slot.close()
        bank = self._bank
        if bank is not None and bank.poll() is None:
            if bank.stdin is not None:
                bank.stdin.close()
            try:
                bank.wait(BANK_STOP_S)
            except subprocess.TimeoutExpired:
                bank.kill()
                bank.wait()

    # --- the bank --------------------------------------------------------------

    def _start_bank(self) -> None:
        command = [*self._bank_command, "--home", str(self._home), "--port", "0", "--until-eof"]
        if self._speaks_iso8583:
            command += ["--iso8583", "0"]
        if self._push_url is not None:
            command += ["--broker", self._push_url]
        bank = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        self._bank = bank
        line = bank.stdout.readline() if bank.stdout else ""
        if not line:
            # Its own words are on standard error; the till shows "no bank".
            return
        told = json.loads(line)
        self._bank_url = told["url"]
        self._till_door = told.get("iso8583", self._bank_url)
        self._bank_is_up.set()
        if self._closed:
            bank.kill()

    def _bring_bank_up(self) -> bool:
        """Start the bank if nobody has; return True once it is up, False if it never is.

        It is not started before it is needed: that would take the processor
        from a till that draws its first screen.
        """
        with self._bank_lock:
            if not self._is_bank_begun and not self._closed:
                self._is_bank_begun = True
                threading.Thread(target=self._start_bank, name="bank-starter", daemon=True).start()
        return self._bank_is_up.wait(BANK_START_S)

    def _wait_for_bank(self) -> int:
        """Return the bank's port once it is up. Raises OSError if it never is."""
        if not self._bring_bank_up():
            raise ConnectionError("the simulated bank has not come up")
        return int(self._till_door.rpartition(":")[2])

    # --- customers -------------------------------------------------------------

    @cached_property
    def customers(self) -> Customers:
        """Who can come to the counter; loaded when the first does."""
        from simulators.customers import Customers

        return Customers(self._home, self._open_wallet)

    def _open_wallet(self, profile: Profile) -> Wallet:
        from simulators.wallet import Wallet
        from simulators.wallet_door import HTTPSDoor, enrol_wallet

        if not self._bring_bank_up():
            raise NoSuchDeed("The simulated bank has not come up; its reason is on standard error")
        folder = self._home / "wallets" / profile.account
        enrol_wallet(folder, partial(self.issue_code, "wallet", profile.account), self.enrol)
        return Wallet(profile, HTTPSDoor(self._bank_url, folder))

    def _type_pin(self, pin: str) -> str:
        """Have the customer type on the till's screen; pin: test digits, 'skip' or 'cancel'."""
        keys = {"skip": ["enter"], "cancel": ["cancel"]}.get(pin)
        if keys is None:
            if not (pin.isascii() and pin.isdigit()):
                raise NoSuchDeed("A PIN has digits only: pin:1234")
            keys = [*pin, "enter"]
        threading.Thread(
            target=self.pin_pad.type, args=(keys, PIN_ASKED_S), name="customer", daemon=True
        ).start()
        return "the customer types as soon as the PIN pad asks"

    def _faults_of_next(self) -> tuple[str, ...]:
        """What is wrong with the next card, once."""
        if "fault:tear" not in self._on:
            return ()
        self._on.discard("fault:tear")
        return (TEAR,)

    def _hold(self, name: str) -> str:
        wallet, shown = self.customers.show_wallet(name)
        camera = self.camera
        camera.show(shown.image)
        if self._held is not None:
            self._held.cancel()
        self._held = threading.Timer(HOLD_S, camera.show, args=(None,))
        self._held.daemon = True
        self._held.start()
        threading.Thread(
            target=wallet.attend, args=(self._owners_stop,), name="wallet-owner", daemon=True
        ).start()
        return f"{name} is held before the camera"

    def put_phone_away(self) -> None:
        """Take away whatever is held before the camera, as its owner does once a sale is over."""
        if self._held is not None:
            self._held.cancel()
            self._held = None
            self.camera.show(None)

    def _scan_ours(self, name: str) -> str:
        picture = self.see_shown_code()
        if picture is None:
            raise NoSuchDeed("No code is on the customer's screen: press F7 first")
        return f"{name} scanned the code: {self.customers.scan(name, picture)}"

    # --- faults ----------------------------------------------------------------------

    def _break(self, fault: str) -> str:
        if fault == "fault:two-cards":
            cards = [self.customers.card(name) for name in ("visa-online", "visa-offline")]
            self.reader.present(*cards)
            return "two cards are on the reader"
        is_on = fault not in self._on
        (self._on.add if is_on else self._on.discard)(fault)
        match fault:
            case "fault:tear":
                pass  # Waits for the next card.
            case "fault:reader-unplugged":
                (self.reader.unplug if is_on else self.reader.replug)()
            case "fault:camera-stalled":
                (self.camera.stall if is_on else self.camera.resume)()
            case "fault:bank-silent":
                self._set_bank(is_on)
            case _:
                self._set_network()
        return f"{fault} is {'on' if is_on else 'off'}"

    def _set_network(self) -> None:
        if "fault:bank-cut" in self._on:
            self.network.refuse()
        elif "fault:network-slow" in self._on:
            self.network.delay(SLOW_S)
        else:
            self.network.heal()

    def _set_bank(self, is_silent: bool) -> None:
        """Tell the bank's own process."""
        if self._bank is None or self._bank.stdin is None:
            raise NoSuchDeed("The bank is not this shop's own: tell it 'mute' where it was started")
        self._bank.stdin.write("mute\n" if is_silent else "speak\n")
        self._bank.stdin.flush()


def scheme_key(home: Path, now_ms: int) -> Path:
    """Return the till's file of the simulated scheme's key, made at first run."""
    made = home / "cards" / "ca-public.toml"
    if not made.exists():
        from simulators.card import keys

        today = datetime.datetime.fromtimestamp(now_ms / 1000, datetime.UTC).date()
        made = keys.prepare(home, today)
    return made
