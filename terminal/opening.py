"""Opens a till: from a shop's settings to a till that takes money.

Which drivers there are is handed in; a live shop refuses, by name, whatever
only a bench may have.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from config.schema import Device, Settings, Shop, find_zone
from drivers.protocols import Scanner, TypedScanner
from drivers.registry import Drivers
from emv.authentication import CAKey, CAKeyStore
from emv.entry_point import EntryPointConfig, Terminal, Transaction
from emv.errors import ConfigurationError
from terminal.bank.desk import BankDesk
from terminal.bank.dialects import (
    speaks_iso8583,
)
from terminal.batch import records
from terminal.batch.day import ShopDay
from terminal.bench import Bench
from terminal.checkout.beside import display_worker, keyboard_scanner, receipt_desk
from terminal.checkout.card_facts import entry_of
from terminal.checkout.cards import CardRules, CardWorker
from terminal.checkout.codes import CodeWorker
from terminal.checkout.counter import Counter, Worker
from terminal.checkout.kernels import combinations, contact_rules, enabled, kernels
from terminal.checkout.pin import PinWorker
from terminal.core.book import RECENT_MAX
from terminal.core.following import Patience
from terminal.core.step import Core, Limits
from terminal.devices import configured_devices
from terminal.errors import LiveShopRefused
from terminal.events import Arm, Started
from terminal.journal import Journal
from terminal.linking import Keys, bank_clients, key_upkeep
from terminal.money import amount_with_unit, plain_amount
from terminal.people.staff import Staff
from terminal.receipts.receipt import Letterhead, ReceiptWriter
from terminal.runner import Runner
from terminal.seams import Clock, Randomness
from terminal.store import CurrencyLimits, OfflineLimits
from terminal.till import Till
from terminal.view import ShopFacts

if TYPE_CHECKING:
    from terminal.doctor.examination import Doctor


def open_till(
    settings: Settings,
    home: Path,
    drivers: Drivers,
    clock: Clock,
    random: Randomness,
    staff: Staff,
    *,
    bench: Bench | None = None,
    doctor: Callable[[], Doctor] | None = None,
    with_counter: bool = True,
) -> Till:
    """Return a till that is open, with what it left unfinished taken up again.

    Devices and bank link come up with its begin().

    home: the till's own folder; journal and keys are in it. staff: closed with the till.
    with_counter: False for a till that takes no sale: no reader, no camera.
    Raises LiveShopRefused, KeysUnusable, JournalUnavailable, JournalCorrupt,
    ConfigurationError, UnknownDriver.
    """
    refuse_unknown_drivers(settings, drivers)
    refuse_pin_pads(settings)
    if settings.shop.mode == "live":
        refuse_bench_things(settings, drivers, bench)
    keys = Keys(home / "keys", settings.bank, random)
    claim(home, settings.shop.mode)
    journal = Journal(home, clock)
    try:
        core = Core(clock, _limits(settings), journal.payment, random, journal.batch_payments)
        runner = Runner(core, journal, clock)
        desk = BankDesk(
            bank_clients(settings, keys, clock, random),
            runner.post,
            journal.sealed,
            code_valid_s=settings.shop.code_valid_s,
        )
        pin = _pin_worker(settings, drivers, keys, runner) if with_counter else None
        keyboard = keyboard_scanner(settings, drivers) if with_counter else None
        workers = _workers(settings, drivers, keys, clock, random, runner, pin, keyboard)
        counter = Counter(workers if with_counter else (), pin)
        first = Started(
            tuple(journal.unfinished()),
            tuple(journal.payments(limit=RECENT_MAX)),
            journal.next_number(),
            counter.places,
            journal.open_batch(records.fresh_number(clock.wall_ms())),
            tuple(journal.unsettled_batches()),
        )
    except BaseException:
        journal.close()
        raise
    writer = ReceiptWriter(journal.payment, Letterhead.of(settings.shop, settings.currencies))
    receipts = receipt_desk(settings, drivers, writer, runner.post)
    display = display_worker(settings, drivers, shop_facts(settings), clock, runner.post)
    beside = [each for each in (receipts, display) if each is not None]
    for each in beside:
        runner.subscribe(each)
    upkeep = [each for each in (key_upkeep(settings, keys, clock, random),) if each is not None]
    # First of all the core hears what was left open; devices may speak later.
    runner.start(first, counter, desk)
    return Till(
        shop_facts(settings),
        writer,
        runner,
        journal,
        clock,
        random,
        staff,
        bench=bench,
        receipts=receipts,
        keyboard=keyboard,
        doctor=doctor,
        starters=(desk.start, counter.start, *(each.start for each in (*beside, *upkeep))),
        # The last receipt comes out before the rest goes.
        closers=(*(each.close for each in (*beside, *upkeep)), counter.close, desk.close),
    )


def refuse_unknown_drivers(settings: Settings, drivers: Drivers) -> None:
    """Raise UnknownDriver for a driver nobody knows: a mistake in config."""
    for registry, device in configured_devices(settings, drivers):
        registry.is_simulated(device.driver)


def refuse_pin_pads(settings: Settings) -> None:
    """Raise ConfigurationError for a PIN pad at a bank that cannot be told its PINs."""
    if speaks_iso8583(settings.bank) and settings.devices.pin_pads:
        raise ConfigurationError(
            "devices.pin_pads: ISO 8583 has no room for a PIN of format 4. "
            "Take the PIN pad out, or use a bank of the signed link"
        )


def refuse_bench_things(settings: Settings, drivers: Drivers, bench: Bench | None) -> None:
    """Raise LiveShopRefused, naming it, for anything only a bench may have."""
    for registry, device in configured_devices(settings, drivers):
        if registry.is_simulated(device.driver):
            raise LiveShopRefused(
                f"A live shop has no simulators: {registry.kind} {device.name!r} uses driver "
                f"{device.driver!r}. Give it a real driver, or set shop.mode to 'bench'"
            )
    for key in settings.ca_keys:
        if key.test:
            raise LiveShopRefused(
                f"A live shop trusts no test keys: CA key {key.name} is one. "
                "Take it out of files.ca_keys"
            )
    if bench is not None:
        raise LiveShopRefused("A live shop has no bench panel")


def claim(home: Path, mode: str) -> None:
    """Keep a folder for one kind of shop: bench keys and journals never turn live.

    mode: 'bench' or 'live'. Raises LiveShopRefused if the folder is the other's.
    """
    mark = home / "shop-mode"
    if not mark.exists():
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        mark.write_text(mode, "ascii")
    kept_for = mark.read_text("ascii")
    if kept_for != mode:
        raise LiveShopRefused(
            f"{home} is a {kept_for} shop's, and this shop is {mode}: "
            "set OPENTILL_HOME to a folder of its own"
        )


def shop_facts(settings: Settings) -> ShopFacts:
    """Return what the screens show of a shop."""
    shop, currency = settings.shop, settings.currency
    kept = settings.offline.currencies.get(currency.letters)
    return ShopFacts(
        name=shop.name,
        name_zh=shop.name_zh,
        till_name=shop.till_name,
        cashier=shop.cashier,
        currency=currency.letters,
        currency_symbol=currency.symbol,
        currency_digits=currency.digits,
        amount_max_minor=shop.amount_max_minor,
        is_bench=shop.mode == "bench",
        is_training=shop.training,
        has_printer=bool(settings.devices.printers) and settings.receipts.print != "never",
        has_drawer=bool(settings.devices.printers) and settings.receipts.drawer,
        refund_limit_minor=shop.refund_limit_minor,
        idle_sign_out_s=shop.idle_sign_out_s,
        kept_max=settings.offline.count_max,
        kept_sum_max_minor=None if kept is None else kept.sum_max_minor,
        wallets=tuple(dict.fromkeys(rule.name for rule in settings.payment_codes)),
    )


def card_rules(settings: Settings) -> CardRules:
    """Return what a conversation with a card needs of a shop's settings.

    Raises ConfigurationError naming the application or the key.
    """
    shop = settings.shop
    store = CAKeyStore(
        CAKey(key.rid, key.index, key.modulus, key.exponent, key.expires, key.sha1)
        for key in settings.ca_keys
    )
    exceptions = {(card.pan, card.sequence_number) for card in settings.exceptions}

    def is_on_exception_file(pan: str, sequence_number: int | None) -> bool:
        return (pan, None) in exceptions or (pan, sequence_number) in exceptions

    terminal = Terminal(
        country=shop.country,
        merchant_category=int(shop.merchant_category),
        merchant_id=shop.merchant_id,
        merchant_name=shop.name,
        terminal_id=shop.terminal_id,
    )
    return CardRules(
        config=EntryPointConfig(terminal, combinations(settings)),
        kernels=kernels(settings, store),
        brands={bytes(one.aid): one.label for one in enabled(settings)},
        is_on_exception_file=is_on_exception_file,
        contact=contact_rules(settings, store, terminal),
    )


def _limits(settings: Settings) -> Limits:
    return Limits(
        amount_max_minor=settings.shop.amount_max_minor,
        in_words=partial(amount_with_unit, currency=settings.currency),
        present_s=settings.shop.present_timeout_s,
        pin_s=settings.shop.pin_timeout_s,
        patience=Patience(
            payer_s=settings.shop.payer_timeout_s,
            code_s=settings.shop.code_valid_s,
            answer_s=settings.bank.answer_s,
        ),
        offline=_offline_limits(settings),
        day=shop_day(settings.shop),
    )


def shop_day(shop: Shop) -> ShopDay:
    """Return the shop's calendar."""
    zone = None if shop.time_zone is None else find_zone(shop.time_zone)
    return ShopDay(zone, datetime.time.fromisoformat(shop.day_ends_at))


def _offline_limits(settings: Settings) -> OfflineLimits:
    offline = settings.offline
    return OfflineLimits(
        # ISO 8583 has no words for a sale that nobody has approved.
        defers=offline.enabled and not speaks_iso8583(settings.bank),
        count_max=offline.count_max,
        age_max_s=offline.age_max_h * 3600,
        by_currency={
            letters: CurrencyLimits(limits.amount_max_minor, limits.sum_max_minor)
            for letters, limits in offline.currencies.items()
        },
    )


def _workers(
    settings: Settings,
    drivers: Drivers,
    keys: Keys,
    clock: Clock,
    random: Randomness,
    runner: Runner,
    pin: PinWorker | None,
    keyboard: TypedScanner | None,
) -> list[Worker]:
    def open_scanner(device: Device) -> Scanner:
        if keyboard is not None and drivers.scanners.is_typed(device.driver):
            return keyboard
        return drivers.scanners.open(device.driver, device.options)

    rules = card_rules(settings)
    workers: list[Worker] = [
        CardWorker(
            partial(drivers.readers.open, device.driver, device.options),
            device.name,
            rules,
            partial(_transaction, settings, clock),
            lambda attempt, record: keys.sealer.seal_card(attempt, record, entry=entry_of(record)),
            partial(_prove, keys, clock),
            random,
            runner.post,
            keep_for_pin=None if pin is None else pin.keep,
        )
        for device in settings.devices.readers
    ]
    workers += [
        CodeWorker(
            partial(open_scanner, device),
            device.name,
            settings.payment_codes,
            lambda attempt, code: keys.sealer.seal_code(attempt, code),
            runner.post,
        )
        for device in settings.devices.scanners
    ]
    return workers


def _prove(keys: Keys, clock: Clock, arm: Arm, sealed: str) -> str:
    """Sign a card sale as it is made."""
    from terminal.bank.messages import format_moment
    from terminal.bank.proof import prove_sale

    return prove_sale(
        attempt=arm.attempt,
        amount_minor=arm.amount_minor,
        currency=arm.currency,
        sealed=sealed,
        at=format_moment(clock.wall_ms()),
        key=keys.keys.signer,
        key_id=keys.keys.till_id,
    )


def _pin_worker(
    settings: Settings, drivers: Drivers, keys: Keys, runner: Runner
) -> PinWorker | None:
    """Return the worker of the shop's PIN pad, the first it names; None if it has none."""
    if not settings.devices.pin_pads:
        return None
    device = settings.devices.pin_pads[0]

    def amount_text(amount_minor: int, letters: str) -> str:
        return f"{letters} {plain_amount(amount_minor, settings.currencies[letters].digits)}"

    return PinWorker(
        partial(drivers.pin_pads.open, device.driver, device.options),
        amount_text,
        lambda attempt, record, pin: keys.sealer.seal_card(
            attempt, record, entry=entry_of(record), pin=pin
        ),
        runner.post,
    )


def _transaction(settings: Settings, clock: Clock, arm: Arm) -> Transaction:
    currency = settings.currencies[arm.currency]
    now = datetime.datetime.fromtimestamp(clock.wall_ms() / 1000).astimezone()
    return Transaction(
        amount_authorised_minor=arm.amount_minor,
        currency=currency.numeric,
        currency_exponent=currency.digits,
        date=now.date(),
        time=now.time(),
    )


Opener = Callable[[], Till]
"""How the command line gets a till without knowing how it is put together."""
