"""One till, its shop and its bank, put together on demand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

import config
from config.errors import ConfigError
from config.schema import Parameters, Settings
from drivers.protocols import ReceiptPrinter
from drivers.registry import Drivers
from terminal.assembly.devices import (
    drivers,
    has_pin_pad_on_screen,
    installed_versions,
    load_image,
    open_camera,
)
from terminal.assembly.faces import (
    block_columns,
    blocks_are_narrow,
    show_customer,
    show_lines,
    show_screen,
)
from terminal.assembly.simulated import Panel, picture_of_shown_code, take_in, when_over
from terminal.bank import dialects
from terminal.commands.place import Place
from terminal.errors import KeysUnusable, NotAllowed
from terminal.seams import SystemClock, system_boot, system_randomness

if TYPE_CHECKING:
    from simulators.people import SimulatedPeople
    from simulators.shop import SimulatedShop
    from terminal.doctor.examination import Doctor
    from terminal.news.parameters import Load, ParameterStore
    from terminal.people.staff import Staff
    from terminal.till import Till


TILL_ID = "till-1"
MERCHANT_ACCOUNT = "merchant"


class Assembly:
    """The parts of one till, put together on demand."""

    def __init__(
        self,
        home: Path,
        shop_file: Path | None,
        bank_url: str | None,
        pin_pad: str | None = None,
    ) -> None:
        """pin_pad: the serial line of a PIN pad to use instead of the shop's."""
        self._home = home
        self._till_folder = home / "till"
        self._shop_file = shop_file
        self._bank_url = bank_url
        self._pin_pad = pin_pad
        self._clock = SystemClock()

    def place(self) -> Place:
        """Return what the commands are handed."""
        return Place(
            home=self._home,
            clock=self._clock,
            settings=lambda: self.settings,
            card_settings=self.card_settings,
            shop_file=self._shop_file or config.BENCH,
            parameters=lambda: self._parameters(self._loader({}, ())),
            open_till=self.open_till,
            open_staff=self.open_staff,
            show_screen=show_screen,
            show_lines=show_lines,
            show_customer=show_customer,
            open_printer=self.open_printer,
            open_symbol_reader=lambda: drivers(None).symbol_readers.open(
                "zxing", {"thorough": True}
            ),
            load_image=load_image,
            open_camera=open_camera,
            blocks_are_narrow=blocks_are_narrow,
            doctor=self.doctor,
            block_columns=block_columns,
        )

    @cached_property
    def settings(self) -> Settings:
        """The shop's settings. A ConfigError is a usage error: it names file and key."""
        try:
            return self._load_with_bank()
        except ConfigError as error:
            raise click.UsageError(str(error)) from error

    def card_settings(self) -> Settings:
        """Return what cards are read by: in a bench shop with the simulated scheme's key."""
        if self.settings.shop.mode == "live":
            return self.settings
        from simulators.shop import scheme_key

        return self._load({}, [scheme_key(self._home, self._clock.wall_ms())])

    def _load_with_bank(self) -> Settings:
        """Read the settings; a bench shop's bank is the one that was named."""
        settings = self._load({}, ())
        if settings.shop.mode == "live" or self._bank_url is None:
            return settings
        return self._load({"bank.url": self._bank_url, "bank.server_name": "localhost"}, ())

    def _load(self, overrides: Mapping[str, object], ca_keys: Sequence[Path]) -> Settings:
        """Read the shop's settings, with what the bank has set here in them."""
        from terminal.news.parameters import has_any

        load = self._loader(overrides, ca_keys)
        if not has_any(self._till_folder):
            # A start without any loads no cryptography.
            return load(None)
        try:
            store = self._parameters(load)
        except KeysUnusable:
            # Said where the keys are needed; without them nothing of the bank's is proved.
            return load(None)
        return load(store.newest())

    def _loader(self, overrides: Mapping[str, object], ca_keys: Sequence[Path]) -> Load:
        """Return what reads the shop's settings with other parameters in them."""
        shop = self._shop_file or config.BENCH
        if self._pin_pad is not None:
            pad = {
                "name": "PIN pad",
                "driver": "pinpad-serial",
                "options": {"path": self._pin_pad},
            }
            overrides = {**overrides, "devices.pin_pads": [pad]}

        def load(parameters: Parameters | None) -> Settings:
            return config.load_settings(
                shop, overrides=overrides, more_ca_keys=ca_keys, parameters=parameters
            )

        return load

    def _parameters(self, load: Load) -> ParameterStore:
        """Return what the bank has set here. Raises KeysUnusable."""
        from terminal.news.parameters import ParameterStore
        from terminal.security.keys import read_answer_key

        key = read_answer_key(self._till_folder / "keys")
        return ParameterStore(self._till_folder, key, load)

    def doctor(self) -> Doctor:
        """Return the doctor of a till that does not run, whatever its settings are like."""
        return self._doctor(
            self._load_with_bank, drivers(None), has_bank=self._bank_url is not None
        )

    def _doctor(
        self, load: Callable[[], Settings], table: Drivers, *, has_bank: bool = True
    ) -> Doctor:
        from drivers.inspection import pcsc_readers
        from drivers.machine import Machine, is_meant
        from terminal.doctor.examination import Doctor

        return Doctor(
            home=self._till_folder,
            shop_file=self._shop_file or config.BENCH,
            load_settings=load,
            drivers=table,
            find_devices=lambda: [*pcsc_readers(), *Machine().found()],
            is_meant=lambda found, device: is_meant(found, device.driver, device.options),
            versions=installed_versions,
            clock=self._clock,
            random=system_randomness,
            has_bank=has_bank,
        )

    def open_printer(self) -> ReceiptPrinter:
        """Open the shop's printer by itself. Raises NotAllowed, DriverError."""
        for device in self.settings.devices.printers:
            return drivers(None).printers.open(device.driver, device.options)
        raise NotAllowed("This shop has no printer: name one in devices.printers")

    @cached_property
    def _people(self) -> SimulatedPeople:
        from simulators.people import SimulatedPeople

        return SimulatedPeople(self._home, system_randomness)

    def _staff(self, face: str) -> Staff:
        """Return who works at this face. In a bench shop its own cashier is there already."""
        from terminal.people.staff import Staff

        is_bench = self.settings.shop.mode == "bench"
        staff = Staff(
            self._till_folder,
            self._clock,
            system_randomness,
            system_boot(),
            face=face,
            is_bench=is_bench,
        )
        if is_bench:
            if staff.register.is_empty:
                self._people.hire(partial(take_in, staff.register))
            staff.let_in(self.settings.shop.cashier)
        return staff

    @contextmanager
    def open_staff(self) -> Iterator[Staff]:
        """Open the register of people alone; close it after."""
        staff = self._staff("command")
        try:
            yield staff
        finally:
            staff.close()

    @contextmanager
    def open_till(
        self, *, at_once: bool = True, with_counter: bool = True, face: str = "command"
    ) -> Iterator[Till]:
        """Open the till, and in a bench shop the simulators around it; close both after.

        at_once: devices and bank link come up now, not when the till begins.
        with_counter: False for a till that takes no sale: no reader, no camera.
        face: 'screen', 'lines' or 'command', for the audit log.
        """
        if self.settings.shop.mode == "bench":
            opened = self.open_bench(at_once=at_once, with_counter=with_counter, face=face)
            with opened as (till, _shop):
                yield till
            return
        from terminal.log import write_log
        from terminal.opening import open_till
        from terminal.security.own_memory import keep_private

        keep_private()
        write_log(self._till_folder)
        table = drivers(None)
        till = open_till(
            self.settings,
            self._till_folder,
            table,
            self._clock,
            system_randomness,
            self._staff(face),
            doctor=partial(self._doctor, lambda: self.settings, table),
            load=self._loader({}, ()),
            with_counter=with_counter,
        )
        with closing(till):
            if at_once:
                till.begin()
            yield till

    @contextmanager
    def open_bench(
        self, *, at_once: bool = True, with_counter: bool = True, face: str = "command"
    ) -> Iterator[tuple[Till, SimulatedShop]]:
        """Open a simulated shop and the till in it; close both after."""
        from simulators.shop import SimulatedShop
        from terminal.log import write_log
        from terminal.opening import open_till

        write_log(self._till_folder)
        speaks_iso8583 = dialects.speaks_iso8583(self.settings.bank)
        if speaks_iso8583 and self._bank_url is not None:
            raise click.UsageError("--bank is for the signed link: leave it out with iso8583://")
        shop = SimulatedShop(
            self._home,
            self._clock.wall_ms,
            system_randomness,
            bank_url=self._bank_url,
            speaks_iso8583=speaks_iso8583,
            has_keys_on_slot=has_pin_pad_on_screen(self.settings),
            push_url=self.settings.bank.push_url,
        )
        try:
            self._enrol(shop, self._till_folder / "keys")
            if speaks_iso8583:
                self._carry_transport_key(shop, self._till_folder / "keys")
            here = {"bank.url": shop.bank_url, "bank.server_name": "localhost"}
            settings = self._load(here, [shop.ca_keys])
            table = drivers(shop)
            till = open_till(
                settings,
                self._till_folder,
                table,
                self._clock,
                system_randomness,
                self._staff(face),
                bench=Panel(
                    shop,
                    self._people,
                    self._clock.wall_ms,
                    takes_pin=has_pin_pad_on_screen(settings),
                ),
                doctor=partial(self._doctor, lambda: settings, table),
                load=self._loader(here, [shop.ca_keys]),
                with_counter=with_counter,
            )
            shop.see_shown_code = partial(picture_of_shown_code, till)
            till.subscribe(when_over(shop.put_phone_away))
            with closing(till):
                if at_once:
                    till.begin()
                yield till, shop
        finally:
            shop.close()

    def _carry_transport_key(self, shop: SimulatedShop, folder: Path) -> None:
        from terminal.bank.iso8583.opening import TRANSPORT_KEY
        from terminal.security.files import write_file

        if not (folder / TRANSPORT_KEY).exists():
            write_file(folder / TRANSPORT_KEY, shop.transport_key(TILL_ID).hex().encode("ascii"))

    def _enrol(self, shop: SimulatedShop, folder: Path) -> None:
        """At first run, take the till in at its bank, the way every till is."""
        from terminal.security.folder import is_enrolled

        if is_enrolled(folder):
            return
        from terminal.security import passphrase
        from terminal.security.enrolment import enrol

        secret = passphrase.find(folder) or passphrase.make_beside(folder, system_randomness(32))
        enrol(folder, shop.issue_code("till", TILL_ID, MERCHANT_ACCOUNT), shop.enrol, secret)


@contextmanager
def closing(till: Till) -> Iterator[None]:
    """Close the till, however the block ends."""
    try:
        yield
    finally:
        till.close()
