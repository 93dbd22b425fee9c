"""Opens a till: from a shop's settings to a till that takes money.

Which drivers there are is handed in; a live shop refuses, by name, whatever
only a bench may have.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from config.schema import Settings, Shop, find_zone
from drivers.protocols import TypedScanner
from drivers.registry import Drivers
from emv.errors import ConfigurationError
from terminal.bank.desk import BankDesk
from terminal.bank.dialects import open_signed_client, speaks_iso8583
from terminal.bank.push import PushListener
from terminal.batch import records
from terminal.batch.day import ShopDay
from terminal.bench import Bench
from terminal.chains import Chains
from terminal.checkout.beside import display_worker, keyboard_scanner, receipt_desk
from terminal.checkout.counter import Counter, Media, counter_places
from terminal.core.book import RECENT_MAX
from terminal.core.limits import Limits, Patience
from terminal.core.step import Core
from terminal.devices import configured_devices
from terminal.errors import LiveShopRefused
from terminal.events import InboxEvent, Started
from terminal.journal import Journal
from terminal.linking import Keys, bank_clients, upkeeps
from terminal.money import amount_with_unit
from terminal.news.bulletins import note_read, read_through
from terminal.news.events import Nudged
from terminal.news.parameters import Load, ParameterStore
from terminal.news.terms import InForce, Terms
from terminal.news.worker import NewsWorker
from terminal.people.staff import Staff
from terminal.receipts.receipt import Letterhead, ReceiptWriter
from terminal.runner import Runner
from terminal.seams import Clock, Randomness
from terminal.security.upkeep import Upkeep
from terminal.store import CurrencyLimits, OfflineLimits
from terminal.till import Till
from terminal.view import ShopFacts, StoryLine

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
    load: Load | None = None,
    with_counter: bool = True,
) -> Till:
    """Return a till that is open, with what it left unfinished taken up again.

    Devices and bank link come up with its begin().

    home: the till's own folder; journal and keys are in it. staff: closed with the till.
    load: reads the shop's settings with other parameters of the bank's in them;
    None where the till is to keep to those it opens with.
    with_counter: False for a till that takes no sale: no reader, no camera.
    Raises LiveShopRefused, KeysUnusable, JournalUnavailable, JournalCorrupt,
    ConfigurationError, UnknownDriver.
    """
    refuse_unknown_drivers(settings, drivers)
    refuse_pin_pads(settings)
    if settings.shop.mode == "live":
        refuse_bench_things(settings, drivers, bench)
    keys = Keys(home / "keys", settings.bank, random)
    in_force = InForce(terms_of(settings))
    claim(home, settings.shop.mode)
    journal = Journal(home, clock)
    try:
        core = Core(clock, in_force.terms.limits, journal.payment, random, journal.batch_payments)
        runner = Runner(core, journal, clock)
        chains = Chains(journal, lambda: staff.log)
        desk = BankDesk(
            bank_clients(settings, keys, clock, random),
            runner.post,
            journal.sealed,
            code_valid_s=settings.shop.code_valid_s,
            chains=chains,
        )
        keyboard = keyboard_scanner(settings, drivers) if with_counter else None
        counter = Counter(
            counter_places(settings) if with_counter else (),
            partial(
                _open_media, in_force, drivers, keys, clock, random, runner.post, keyboard, home
            ),
            runner.post,
        )
        first = first_event(
            journal, clock, counter.places, settings.parameters_version, read_through(home)
        )
    except BaseException:
        journal.close()
        raise
    writer = ReceiptWriter(journal.payment, lambda: in_force.terms.letterhead)

    def shop() -> ShopFacts:
        return in_force.terms.shop

    receipts = receipt_desk(settings, drivers, writer, runner.post)
    display = display_worker(settings, drivers, shop, clock, runner.post)
    beside = [each for each in (receipts, display) if each is not None]
    for each in beside:
        runner.subscribe(each)
    upkeep: list[Upkeep | NewsWorker | PushListener] = [
        *upkeeps(settings, keys, chains, clock, random)
    ]
    news = None
    if load is not None and not speaks_iso8583(settings.bank):
        news = NewsWorker(
            in_force,
            partial(_parameter_store, home, keys, load),
            lambda: open_signed_client(settings.bank, keys.keys, clock, random),
            terms_of,
            lambda line: staff.log.append(line),
            runner.post,
        )
        upkeep.append(news)
    if settings.bank.push_url is not None:
        push_url = settings.bank.push_url
        upkeep.append(PushListener(push_url, lambda: keys.keys, lambda: runner.post(Nudged())))
    # First of all the core hears what was left open; devices may speak later.
    runner.start(first, counter, desk, news)
    return Till(
        shop,
        writer,
        runner,
        journal,
        clock,
        random,
        staff,
        bench=bench,
        # The sealer loads with its libraries when a number is typed.
        seal_keyed=lambda attempt, pan, expires: keys.sealer.seal_keyed(attempt, pan, expires),
        receipts=receipts,
        keyboard=keyboard,
        doctor=doctor,
        story=partial(_story, home),
        note_read=partial(note_read, home),
        starters=(desk.start, counter.start, *(each.start for each in (*beside, *upkeep))),
        # The last receipt comes out before the rest goes.
        closers=(*(each.close for each in (*beside, *upkeep)), counter.close, desk.close),
    )


def first_event(
    journal: Journal,
    clock: Clock,
    devices: tuple[tuple[str, str], ...],
    parameters: int = 0,
    bulletins_read: int = 0,
) -> Started:
    """Return what the core of a till begins with: all that its journal left open.

    devices: name and role of each. parameters: the version of the bank's.
    bulletins_read: the number of its message that was read last.
    """
    return Started(
        tuple(journal.unfinished()),
        tuple(journal.payments(limit=RECENT_MAX)),
        journal.next_number(),
        devices,
        journal.open_batch(records.fresh_number(clock.wall_ms())),
        tuple(journal.unsettled_batches()),
        parameters,
        bulletins_read,
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
    tests = [key.name for key in settings.ca_keys if key.test]
    tests += [key.name for key in settings.ec_keys if key.test]
    if tests:
        raise LiveShopRefused(
            f"A live shop trusts no test keys: CA key {tests[0]} is one. "
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
        takes_tips=shop.tip_percent_max > 0,
        refund_limit_minor=shop.refund_limit_minor,
        idle_sign_out_s=shop.idle_sign_out_s,
        kept_max=settings.offline.count_max,
        kept_sum_max_minor=None if kept is None else kept.sum_max_minor,
        wallets=tuple(dict.fromkeys(rule.name for rule in settings.payment_codes)),
        welcome=settings.texts.welcome,
        welcome_zh=settings.texts.welcome_zh,
    )


def terms_of(settings: Settings) -> Terms:
    """Return what a till works by, of a shop's settings."""
    return Terms(
        settings=settings,
        limits=core_limits(settings),
        shop=shop_facts(settings),
        letterhead=Letterhead.of(settings.shop, settings.currencies, foot=settings.texts.receipt),
    )


def core_limits(settings: Settings) -> Limits:
    """Return what the core needs of a shop's settings."""
    return Limits(
        amount_max_minor=settings.shop.amount_max_minor,
        in_words=partial(amount_with_unit, currency=settings.currency),
        completion_percent_max=settings.shop.completion_percent_max,
        tip_percent_max=settings.shop.tip_percent_max,
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


def _parameter_store(home: Path, keys: Keys, load: Load) -> ParameterStore:
    return ParameterStore(home, keys.keys.answer_key, load)


def _open_media(
    in_force: InForce,
    drivers: Drivers,
    keys: Keys,
    clock: Clock,
    random: Randomness,
    post: Callable[[InboxEvent], None],
    keyboard: TypedScanner | None,
    home: Path,
) -> Media:
    """Bring what reads cards and codes, with kernels and all; no screen waits for it."""
    from terminal.checkout.media import open_media

    return open_media(in_force, drivers, keys, clock, random, post, keyboard, home)


def _story(home: Path, attempt: str) -> Sequence[StoryLine]:
    """Return what was written of an attempt's cards, told; no start waits for it."""
    from terminal.traces.folder import TraceFolder
    from terminal.traces.story import tell

    return tell(TraceFolder(home).of(attempt))


Opener = Callable[[], Till]
"""How the command line gets a till without knowing how it is put together."""
