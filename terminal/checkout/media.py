"""What reads a customer's card, code or PIN, each with the rules of the shop.

The kernels come in with this module. It is imported once the first screen
stands, by the thread that opens the counter.
"""

from __future__ import annotations

import datetime
import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path

from msgspec.structs import replace

from config.schema import Device, Settings
from drivers.protocols import Scanner, TypedScanner
from drivers.registry import Drivers
from emv.authentication import CAKey, CAKeyStore
from emv.entry_point import EntryPointConfig, Terminal, Transaction
from emv.errors import ConfigurationError
from terminal.bank.messages import format_moment
from terminal.bank.proof import prove_sale
from terminal.checkout.card_facts import entry_of
from terminal.checkout.cards import CardRules, CardWorker
from terminal.checkout.codes import CodeWorker
from terminal.checkout.counter import Media, Worker
from terminal.checkout.exception_file import exception_file
from terminal.checkout.kernels import combinations, contact_rules, enabled, kernels
from terminal.checkout.pin import PinWorker
from terminal.errors import KeyModuleLost
from terminal.events import Arm, InboxEvent
from terminal.linking import Keys
from terminal.money import plain_amount
from terminal.news.terms import InForce
from terminal.seams import Clock, Randomness
from terminal.traces.folder import MS_PER_DAY, Bounds
from terminal.traces.keeper import TraceKeeper, Witness, unwitnessed

log = logging.getLogger(__name__)

Post = Callable[[InboxEvent], None]


def open_media(
    in_force: InForce,
    drivers: Drivers,
    keys: Keys,
    clock: Clock,
    random: Randomness,
    post: Post,
    keyboard: TypedScanner | None,
    home: Path | None = None,
) -> Media:
    """Return a worker for each device of the shop's counter; none has been started.

    in_force: what the shop works by; its devices are those it opened with.
    keyboard: the scanner that types, which is open already. home: where
    traces go; None: nowhere.
    Raises ConfigurationError naming the application or the key.
    """

    def open_scanner(device: Device) -> Scanner:
        if keyboard is not None and drivers.scanners.is_typed(device.driver):
            return keyboard
        return drivers.scanners.open(device.driver, device.options)

    settings = in_force.terms.settings
    devices = settings.devices
    in_force.terms.tried()
    pin = _pin_worker(in_force, drivers, keys, post)
    traces = _trace_keeper(settings, home, clock)
    workers: list[Worker] = [
        CardWorker(
            partial(drivers.readers.open, device.driver, device.options),
            device.name,
            lambda must_go_online: in_force.terms.cards_for(must_go_online),
            partial(_transaction, in_force, clock),
            lambda attempt, record: keys.sealer.seal_card(attempt, record, entry=entry_of(record)),
            partial(_prove, keys, clock),
            random,
            post,
            pins=pin,
            witness=_witness(traces, settings, drivers, device),
        )
        for device in devices.readers
    ]
    workers += [
        CodeWorker(
            partial(open_scanner, device),
            device.name,
            lambda: in_force.terms.settings.payment_codes,
            lambda attempt, code: keys.sealer.seal_code(attempt, code),
            post,
        )
        for device in devices.scanners
    ]
    return Media(workers, pin, traces)


def _trace_keeper(settings: Settings, home: Path | None, clock: Clock) -> TraceKeeper | None:
    """Return what keeps the traces of conversations; None in a shop that keeps none."""
    own = settings.traces
    if home is None or not own.count_max:
        return None
    bounds = Bounds(own.count_max, round(own.age_max_days * MS_PER_DAY), own.size_max_mb * 10**6)
    return TraceKeeper(home, bounds, clock)


def _witness(
    traces: TraceKeeper | None, settings: Settings, drivers: Drivers, device: Device
) -> Witness:
    """Return what writes down one reader's conversations: whole only if it is simulated."""
    if traces is None:
        return unwitnessed
    is_simulated = drivers.readers.is_simulated(device.driver)
    return traces.witness(device.name, whole=is_simulated and settings.traces.masks == "real-cards")


def card_rules(settings: Settings) -> CardRules:
    """Return what a conversation with a card needs of a shop's settings.

    Raises ConfigurationError naming the application or the key.
    """
    shop = settings.shop
    store = CAKeyStore(
        CAKey(key.rid, key.index, key.modulus, key.exponent, key.expires, key.sha1)
        for key in settings.ca_keys
    )
    terminal = Terminal(
        country=shop.country,
        merchant_category=int(shop.merchant_category),
        merchant_id=shop.merchant_id,
        merchant_name=shop.name,
        terminal_id=shop.terminal_id,
    )
    speaking = kernels(settings, store)
    for application in enabled(settings):
        if application.kernel not in speaking:
            name = application.aid.hex().upper()
            raise ConfigurationError(
                f"applications: AID {name}: this release has no kernel {application.kernel}"
            )
    return CardRules(
        config=EntryPointConfig(terminal, combinations(settings)),
        kernels=speaking,
        brands={bytes(one.aid): one.label for one in enabled(settings)},
        is_on_exception_file=exception_file(settings),
        contact=contact_rules(settings, store, terminal),
    )


def without_floor_limits(settings: Settings) -> Settings:
    """Return settings by which every card has to ask its bank, whatever the amount."""
    applications = tuple(
        replace(
            application,
            floor_limit_minor=0,
            # An inquiry is of nothing.
            zero_amount_allowed=True,
            chip=replace(application.chip, floor_limit_minor=0, random_threshold_minor=0),
            limit_sets=tuple(replace(one, floor_limit_minor=0) for one in application.limit_sets),
        )
        for application in settings.applications
    )
    return replace(settings, applications=applications)


def _prove(keys: Keys, clock: Clock, arm: Arm, sealed: str) -> str:
    """Sign a card sale as it is made; '' if the key's module does not answer."""
    try:
        return _proof(keys, clock, arm, sealed)
    except KeyModuleLost as error:
        log.warning("this sale cannot be kept: %s", error)
        return ""


def _proof(keys: Keys, clock: Clock, arm: Arm, sealed: str) -> str:
    return prove_sale(
        attempt=arm.attempt,
        amount_minor=arm.amount_minor,
        currency=arm.currency,
        sealed=sealed,
        at=format_moment(clock.wall_ms()),
        key=keys.keys.signer,
        key_id=keys.keys.till_id,
    )


def _pin_worker(in_force: InForce, drivers: Drivers, keys: Keys, post: Post) -> PinWorker | None:
    """Return the worker of the shop's PIN pad, the first it names; None if it has none."""
    pads = in_force.terms.settings.devices.pin_pads
    if not pads:
        return None
    device = pads[0]

    def amount_text(amount_minor: int, letters: str) -> str:
        currency = in_force.terms.settings.currencies[letters]
        return f"{letters} {plain_amount(amount_minor, currency.digits)}"

    return PinWorker(
        partial(drivers.pin_pads.open, device.driver, device.options),
        amount_text,
        lambda attempt, record, pin: keys.sealer.seal_card(
            attempt, record, entry=entry_of(record), pin=pin
        ),
        post,
        may_skip=lambda: in_force.terms.settings.shop.pin_may_be_skipped,
    )


def _transaction(in_force: InForce, clock: Clock, arm: Arm) -> Transaction:
    currency = in_force.terms.settings.currencies[arm.currency]
    now = datetime.datetime.fromtimestamp(clock.wall_ms() / 1000).astimezone()
    return Transaction(
        amount_authorised_minor=arm.amount_minor,
        currency=currency.numeric,
        currency_exponent=currency.digits,
        date=now.date(),
        time=now.time(),
    )
