"""Assembles the parts. The one file that sees every package.

It fills the drivers' closed table, builds the simulated shop round a bench
till, and names the commands; each is imported when it is used.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

import config
from config.errors import ConfigError
from config.schema import Parameters, Settings
from drivers.errors import DriverError
from drivers.protocols import ReceiptPrinter
from drivers.registry import Drivers, Entry, Registry
from emv.errors import EmvError
from terminal.bank import dialects
from terminal.bench import Bench, BenchPerson, Group, Offer
from terminal.commands.place import Place
from terminal.errors import BenchRefused, KeysUnusable, NotAllowed, TillError
from terminal.seams import SystemClock, system_boot, system_randomness

if TYPE_CHECKING:
    from drivers.protocols import Camera
    from simulators.people import SimulatedPeople, SimulatedPerson
    from simulators.shop import SimulatedShop
    from terminal.doctor.examination import Doctor
    from terminal.people.register import Register
    from terminal.people.staff import Staff
    from terminal.till import Till
    from terminal.view import View

COMMANDS = {
    "run": "terminal.commands.run:run",
    "customer": "terminal.commands.run:customer",
    "sale": "terminal.commands.sale:command",
    "payments": "terminal.commands.payments:payments",
    "show": "terminal.commands.payments:show",
    "refund": "terminal.commands.give_back:refund",
    "void": "terminal.commands.give_back:void",
    "totals": "terminal.commands.settle:totals",
    "settle": "terminal.commands.settle:settle",
    "recover": "terminal.commands.recover:command",
    "sync": "terminal.commands.store:sync",
    "inbox": "terminal.commands.store:inbox",
    "export": "terminal.commands.store:export",
    "journal": "terminal.commands.journal:journal",
    "enrol": "terminal.commands.enrol:command",
    "keys": "terminal.commands.keys:keys",
    "config": "terminal.commands.config:config",
    "people": "terminal.commands.people:people",
    "audit": "terminal.commands.people:audit",
    "decode": "terminal.commands.decode:command",
    "qr": "terminal.commands.qr:command",
    "scan": "terminal.commands.scan:command",
    "doctor": "terminal.commands.doctor:command",
    "sim": "simulators.commands:command",
}

SUMMARIES = {
    "run": "Open the till.",
    "customer": "Show the customer's side of the till.",
    "sale": "Take a payment without a screen.",
    "payments": "List payments.",
    "show": "Show one payment, or its receipt.",
    "refund": "Give money back.",
    "void": "Undo a whole sale.",
    "people": "See and change who works here.",
    "audit": "Show who did what, and check that nothing was altered.",
    "totals": "Show what is to be closed, beside the bank's.",
    "settle": "Close the day at the bank.",
    "recover": "Bring what is open to its end.",
    "sync": "Send the card sales that were kept.",
    "inbox": "See and settle what the bank refused for good.",
    "export": "Write the kept card sales to a file for the bank.",
    "enrol": "Have a bank take this till in.",
    "keys": "See, renew and protect the keys of this till.",
    "config": "See what this till works by, and from where it has it.",
    "decode": "Show card data objects in words.",
    "qr": "Read and make payment codes.",
    "scan": "Show what a camera sees, and read codes.",
    "doctor": "Say what works here, what does not, and what mends it.",
    "sim": "Run the simulators by themselves.",
}

TILL_ID = "till-1"
MERCHANT_ACCOUNT = "merchant"
PIN_PAD_ON_SCREEN = "pinpad-screen"


class Commands(click.Group):
    """The commands by name; a command's module is imported when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands, in the table's order."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command. Help alone imports none."""
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list for --help from the table."""
        with formatter.section("Commands"):
            formatter.write_dl(list(SUMMARIES.items()))


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--home",
    type=click.Path(path_type=Path, file_okay=False),
    envvar="OPENTILL_HOME",
    help="State directory. [default: $OPENTILL_HOME, else ~/.local/state/opentill]",
)
@click.option(
    "--shop",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar="OPENTILL_SHOP",
    help="The shop's TOML file; a simulated shop if absent.",
)
@click.option(
    "--bank",
    metavar="URL",
    envvar="OPENTILL_BANK",
    help="A simulated bank that runs already ('till sim bank'), instead of one of the till's own.",
)
@click.option(
    "--pin-pad",
    metavar="PATH",
    envvar="OPENTILL_PIN_PAD",
    help="Ask for PINs on the pad at this serial line ('till sim pinpad' makes one).",
)
@click.version_option(package_name="opentill", prog_name="OpenTill")
@click.pass_context
def main(
    context: click.Context,
    home: Path | None,
    shop: Path | None,
    bank: str | None,
    pin_pad: str | None,
) -> None:
    """OpenTill: a merchant's payment terminal. Uncertified; test keys only.

    \b
    Example:
      till run
      till sale 12.50 --present card:visa-online
    """
    context.obj = Assembly(home or default_home(), shop, bank, pin_pad).place()


def default_home() -> Path:
    """Return the state directory. Source: XDG Base Directory Specification."""
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "opentill"


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
            shop_file=self._shop_file or config.BENCH,
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
            return self._load({}, ())
        except ConfigError as error:
            raise click.UsageError(str(error)) from error

    def _load(self, overrides: Mapping[str, object], ca_keys: Sequence[Path]) -> Settings:
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

        return load(self._parameters(load))

    def _parameters(self, load: Callable[[Parameters | None], Settings]) -> Parameters | None:
        """Return what the bank has set here; a start without any loads no cryptography."""
        from terminal import parameters

        if not parameters.has_any(self._till_folder):
            return None
        from terminal.security.keys import read_answer_key

        try:
            key = read_answer_key(self._till_folder / "keys")
        except KeysUnusable:
            # Said where the keys are needed; without them nothing of the bank's is proved.
            return None
        return parameters.newest_that_fits(self._till_folder, key, load)

    def doctor(self) -> Doctor:
        """Return the doctor of a till that does not run, whatever its settings are like."""

        def load() -> Settings:
            settings = self._load({}, ())
            if settings.shop.mode == "live" or self._bank_url is None:
                return settings
            return self._load({"bank.url": self._bank_url, "bank.server_name": "localhost"}, ())

        return self._doctor(load, drivers(None), has_bank=self._bank_url is not None)

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
        )
        try:
            self._enrol(shop, self._till_folder / "keys")
            if speaks_iso8583:
                self._carry_transport_key(shop, self._till_folder / "keys")
            settings = self._load(
                {"bank.url": shop.bank_url, "bank.server_name": "localhost"}, [shop.ca_keys]
            )
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


def take_in(register: Register, person: SimulatedPerson) -> None:
    """Take one of a simulated shop's people in, with their app."""
    from terminal.people.privileges import Role

    register.add(person.name, person.called, Role(person.role), person.secret, by=person.name)
    if person.code_key:
        register.set_code_key(person.name, bytes.fromhex(person.code_key), by=person.name)


def drivers(shop: SimulatedShop | None) -> Drivers:
    """Return the closed table of drivers; simulated ones work in a simulated shop."""
    return Drivers(
        readers=Registry(
            "reader",
            {
                "pcsc": Entry(
                    "drivers.reader_pcsc:PcscReader",
                    extra="pcsc",
                    inspector="drivers.inspection:pcsc",
                ),
                "nfc": Entry(
                    "drivers.reader_nfc:NfcReader",
                    extra="nfc",
                    inspector="drivers.inspection:nfc",
                ),
                "simulated": Entry(partial(simulated_reader, shop), simulated=True),
                "simulated-slot": Entry(partial(simulated_slot, shop), simulated=True),
            },
        ),
        scanners=Registry(
            "scanner",
            {
                "camera": Entry(
                    "drivers.scanner_camera:CameraScanner", inspector="drivers.inspection:camera"
                ),
                "scanner-serial": Entry(
                    "drivers.scanner_serial:SerialScanner",
                    inspector="drivers.inspection:serial_scanner",
                ),
                "scanner-wedge": Entry(
                    "drivers.scanner_wedge:WedgeScanner",
                    typed=True,
                    inspector="drivers.inspection:wedge",
                ),
                "simulated-camera": Entry(partial(simulated_camera, shop), simulated=True),
            },
        ),
        symbol_readers=Registry(
            "symbol reader", {"zxing": Entry("drivers.symbols:ZXingSymbolReader")}
        ),
        printers=Registry(
            "printer",
            {
                "escpos": Entry(
                    "drivers.printer_escpos:EscposPrinter", inspector="drivers.inspection:escpos"
                ),
                "simulated": Entry(partial(simulated_printer, shop), simulated=True),
            },
        ),
        displays=Registry(
            "display",
            {
                "display-serial": Entry(
                    "drivers.display_serial:SerialDisplay",
                    inspector="drivers.inspection:serial_display",
                ),
                "simulated": Entry(partial(simulated_display, shop), simulated=True),
            },
        ),
        pin_pads=Registry(
            "PIN pad",
            {
                "pinpad-serial": Entry(
                    "drivers.pinpad_serial:SerialPinPad",
                    inspector="drivers.inspection:serial_pin_pad",
                ),
                PIN_PAD_ON_SCREEN: Entry(partial(screen_pin_pad, shop), simulated=True),
            },
        ),
    )


def no_shop() -> Any:
    """Refuse a simulated device where there is no simulated shop."""
    raise DriverError("simulated devices are there in a simulated shop only")


def simulated_reader(shop: SimulatedShop | None) -> Any:
    """Return the reader that the shop's cards are held to."""
    return shop.reader.open() if shop else no_shop()


def simulated_slot(shop: SimulatedShop | None) -> Any:
    """Return the reader that the shop's chip cards are put into."""
    return shop.slot.open() if shop else no_shop()


def simulated_camera(shop: SimulatedShop | None) -> Any:
    """Open the real camera driver on the simulated camera's stream."""
    from drivers.scanner_camera import CameraScanner

    return CameraScanner(shop.camera.url) if shop else no_shop()


def screen_pin_pad(shop: SimulatedShop | None) -> Any:
    """Return the PIN pad that is made of the till's own screen and keyboard."""
    return shop.pin_pad if shop else no_shop()


def has_pin_pad_on_screen(settings: Settings) -> bool:
    """Say whether the PIN pad that is asked is the till's own screen and keyboard."""
    return any(pad.driver == PIN_PAD_ON_SCREEN for pad in settings.devices.pin_pads[:1])


def simulated_printer(shop: SimulatedShop | None) -> Any:
    """Open the real printer driver on the simulated printer's line."""
    from drivers.printer_escpos import EscposPrinter

    return EscposPrinter(str(shop.counter_top.printer_path())) if shop else no_shop()


def simulated_display(shop: SimulatedShop | None) -> Any:
    """Open the real display driver on the simulated display's line."""
    from drivers.display_serial import SerialDisplay

    if shop is None:
        return no_shop()
    return SerialDisplay(str(shop.counter_top.display_path()), chinese="gb18030")


class Panel(Bench):
    """The bench panel of a simulated shop."""

    def __init__(
        self,
        shop: SimulatedShop,
        people: SimulatedPeople,
        wall_ms: Callable[[], int],
        *,
        takes_pin: bool = False,
    ) -> None:
        """takes_pin: the PIN pad is the one on the till's screen."""
        self._shop = shop
        self._people = people
        self._wall_ms = wall_ms
        self._takes_pin = takes_pin

    def offers(self) -> Sequence[Offer]:
        """List what can be presented or done."""
        return [
            Offer(
                deed.id,
                Group(deed.group.value),
                deed.title,
                deed.title_zh,
                deed.expect,
                deed.expect_zh,
                deed.is_on,
            )
            for deed in self._shop.deeds()
        ]

    @property
    def takes_pin(self) -> bool:
        """Whether the PIN pad is the one on the till's screen."""
        return self._takes_pin

    def press(self, key: str) -> None:
        """Press a key of the PIN pad on the screen. Raises BenchRefused."""
        from simulators.card.errors import CardSimulatorError

        try:
            self._shop.pin_pad.press(key)
        except CardSimulatorError as unusable:
            raise BenchRefused(str(unusable)) from unusable

    def do(self, offer: str) -> str:
        """Present or do it. Raises BenchRefused."""
        from simulators.deeds import NoSuchDeed

        try:
            return self._shop.do(offer)
        except NoSuchDeed as refusal:
            raise BenchRefused(str(refusal)) from refusal

    def people(self) -> Sequence[BenchPerson]:
        """List who works in the simulated shop, with what they would type now."""
        now_s = self._wall_ms() // 1000
        return [
            BenchPerson(person.name, person.role, person.secret, person.code(now_s))
            for person in self._people.all()
        ]


def when_over(leave: Callable[[], None]) -> Callable[[View], None]:
    """Return an observer that calls this once for each payment that has a result.

    Else a phone held up for one sale would be read again by the next.
    """
    from terminal.view import Stage

    seen = ""

    def observe(view: View) -> None:
        nonlocal seen
        if view.stage is Stage.RESULT and view.payment is not None and view.payment.id != seen:
            seen = view.payment.id
            leave()

    return observe


def picture_of_shown_code(till: Till) -> bytes | None:
    """Return the code on the till's customer screen as a PNG; None if there is none."""
    from terminal.pictures.code_drawing import png_bytes, qr_modules

    code = till.view().code
    return None if code is None else png_bytes(qr_modules(code.text))


def load_image(path: Path) -> Any:
    """Return the pixels of a picture file. Raises DriverError."""
    from drivers.symbols import load_image as load

    return load(path)


def open_camera(source: int | str) -> Camera:
    """Return a camera by device number, path or address; it looks once it is started."""
    from drivers.scanner_camera import CameraScanner

    return CameraScanner(source)


def blocks_are_narrow() -> bool:
    """Return False if the terminal draws half blocks two columns wide."""
    from ui.probe import blocks_are_narrow as measured

    return measured("zh")


def block_columns() -> int | None:
    """Return how many columns a half block takes; None if the terminal does not tell."""
    from ui.probe import block_columns as measured

    return measured()


def installed_versions() -> Mapping[str, str]:
    """Return the versions of our libraries by name; '' for one that is not installed."""
    from importlib import metadata

    from terminal.doctor.surroundings import CORE, EXTRAS

    def version(name: str) -> str:
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            return ""

    return {
        name: version(name) for name in ("opentill", *CORE, *(lib for lib, _ in EXTRAS.values()))
    }


def show_screen(till: Till, language: str, theme: str | None) -> None:
    """Show the till until the cashier closes it."""
    from ui.app import run

    run(till, language, theme)


def show_lines(till: Till, language: str, stdin: TextIO, stdout: TextIO) -> None:
    """Serve the cashier in lines."""
    from ui.plain import run

    run(till, language, stdin, stdout)


def show_customer(socket: Path, language: str) -> None:
    """Show the customer's side of a till that runs."""
    from ui.customer import run

    run(socket, language)


def cli() -> None:
    """Run the command line; what no command foresaw is one line, never a traceback."""
    try:
        main(prog_name="till")
    except (TillError, DriverError, EmvError, ConfigError) as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    cli()
