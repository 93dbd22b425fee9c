"""A shop's kernels, each as its settings want it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import TypeVar

from config import cards
from config.cards import Application, Kernel2, Kernel8, Relay
from config.schema import Settings
from emv.actions import ActionCodes
from emv.authentication import CAKeyStore
from emv.bits import CID_TC, TTQ, TVR, TVR8, TerminalCapabilities
from emv.entry_point import Combination, KernelFactory, LimitSet, Terminal
from emv.kernels import c2, c3, c4, c5, c6, c7, c8, contact, emv_mode
from emv.kernels.c2.configuration import AMOUNT_MAX
from emv.keys import data_storage
from emv.risk import RiskLimits
from terminal.checkout.chip import ContactRules

T = TypeVar("T")


def combinations(settings: Settings) -> tuple[Combination, ...]:
    """Return what the Entry Point chooses from, in the order of the settings.

    Kernels 2 and 8 compare their limits themselves: they are not the Entry
    Point's. Of kernel 8 that is not so for the transaction limit.
    """
    return tuple(
        Combination(
            aid=application.aid,
            kernel_id=application.kernel,
            ttq=_ttq(settings, application),
            transaction_limit_minor=(
                application.transaction_limit_minor if application.kernel != c2.KERNEL_ID else None
            ),
            floor_limit_minor=_limit(application, application.floor_limit_minor),
            cvm_required_limit_minor=_limit(application, application.cvm_limit_minor),
            status_check=application.status_check,
            zero_amount_allowed=application.zero_amount_allowed,
            extended_selection=application.extended_selection,
            partial_match=application.partial_match,
            limit_sets=tuple(
                LimitSet(
                    one.program,
                    one.transaction_limit_minor,
                    one.floor_limit_minor,
                    one.cvm_limit_minor,
                )
                for one in application.limit_sets
            ),
        )
        for application in enabled(settings)
    )


def kernels(settings: Settings, ca_keys: CAKeyStore) -> Mapping[int, KernelFactory]:
    """Return the kernels by number. Each call begins a torn log of its own.

    Raises ConfigurationError naming the setting.
    """
    by_kernel: dict[int, list[Application]] = {}
    for application in enabled(settings):
        by_kernel.setdefault(application.kernel, []).append(application)

    def configured(kernel_id: int, configure: Callable[[Application], T]) -> dict[bytes, T]:
        return {bytes(one.aid): configure(one) for one in by_kernel.get(kernel_id, ())}

    kernel_2 = partial(_kernel_2, settings, ca_keys=ca_keys)
    plain = partial(_emv_mode, settings, ca_keys=ca_keys)
    kernel_7 = partial(_kernel_7, ca_keys=ca_keys)
    return {
        2: c2.kernel(configured(2, kernel_2), c2.TornLog()),
        3: c3.kernel(c3.Configuration(ca_keys=ca_keys)),
        4: c4.kernel(configured(4, plain)),
        5: c5.kernel(configured(5, plain)),
        6: c6.kernel(configured(6, plain)),
        7: c7.kernel(configured(7, kernel_7)),
        8: c8.kernel(configured(8, partial(_kernel_8, settings))),
    }


# What every acquirer's tables agree on, where a shop's settings say no more:
# nothing is denied unasked but a forbidden service; what was not proved, not
# verified, expired or over a limit goes online, and is refused offline.
# Source: EMV 4.4 Book 3, 10.7.
CONTACT_ACTION_CODES = ActionCodes(
    denial=TVR.SERVICE_NOT_ALLOWED,
    online=TVR(0xFC_78_FC_F8_00),
    default=TVR(0xFC_50_FC_80_00),
)
CHIP_CAPABILITIES = (
    TerminalCapabilities.CONTACT_CHIP
    | TerminalCapabilities.SIGNATURE
    | (
        TerminalCapabilities.NO_CVM
        | TerminalCapabilities.SDA
        | TerminalCapabilities.DDA
        | TerminalCapabilities.CDA
    )
)
LANGUAGES = {"both": ("zh", "en"), "zh": ("zh",), "en": ("en",)}
"""What the customer's screen speaks, by the shop's setting."""
GOODS_AND_SERVICES = bytes.fromhex("6000F0A001")
"""Tag 9F40: what is sold, the keys, printer and displays; code table 1."""


def contact_rules(settings: Settings, ca_keys: CAKeyStore, terminal: Terminal) -> ContactRules:
    """Return what a chip in a slot is paid with.

    Every PIN pad enciphers, for the bank and for cards; a PIN in clear is a
    matter of the slot.
    """
    capabilities = CHIP_CAPABILITIES
    if settings.devices.pin_pads:
        capabilities |= TerminalCapabilities.ONLINE_PIN | TerminalCapabilities.ENCIPHERED_PIN
    return ContactRules(
        contact.Configuration(
            tuple(_in_a_slot(application) for application in enabled(settings)),
            ca_keys,
            languages=LANGUAGES[settings.shop.customer_languages],
        ),
        replace(
            terminal,
            capabilities=capabilities.encoded,
            additional_capabilities=GOODS_AND_SERVICES,
        ),
    )


def _in_a_slot(application: Application) -> contact.Application:
    """Return an application as the contact kernel has it."""
    chip = application.chip
    codes = CONTACT_ACTION_CODES if chip.action_codes is None else _masks(chip.action_codes)
    return contact.Application(
        bytes(application.aid),
        application.partial_match,
        version=bytes(chip.version),
        action_codes=codes,
        limits=RiskLimits(
            application.chip_floor_limit_minor,
            chip.random_threshold_minor,
            chip.random_percent,
            chip.random_percent_max,
        ),
    )


def enabled(settings: Settings) -> Iterable[Application]:
    """Return the applications that are switched on."""
    return [application for application in settings.applications if application.enabled]


def _limit(application: Application, limit_minor: int | None) -> int | None:
    return None if application.kernel in (c2.KERNEL_ID, c8.KERNEL_ID) else limit_minor


def _ttq(settings: Settings, application: Application) -> bytes | None:
    """Return what the reader tells a card it can do: online PIN only with a PIN pad."""
    if application.ttq is None:
        return None
    ttq = TTQ.decode(application.ttq)
    has_pin_pad = bool(settings.devices.pin_pads)
    return (ttq | TTQ.ONLINE_PIN if has_pin_pad else ttq.without(TTQ.ONLINE_PIN)).encoded


def _capabilities(settings: Settings, application: Application) -> TerminalCapabilities:
    """Return what the reader can do for a tap: online PIN only with a PIN pad."""
    able = TerminalCapabilities.NO_CVM | TerminalCapabilities.SDA | TerminalCapabilities.CDA
    if application.signature:
        able |= TerminalCapabilities.SIGNATURE
    if application.contact_chip:
        able |= TerminalCapabilities.CONTACT_CHIP
    if settings.devices.pin_pads:
        able |= TerminalCapabilities.ONLINE_PIN
    return able


def _action_codes(application: Application) -> ActionCodes:
    """Return an application's action codes; the schema has seen that they are there."""
    codes = application.action_codes
    return ActionCodes() if codes is None else _masks(codes)


def _masks(codes: cards.ActionCodes) -> ActionCodes:
    return ActionCodes(
        denial=TVR.decode(codes.denial),
        online=TVR.decode(codes.online),
        default=TVR.decode(codes.default),
    )


def _emv_mode(
    settings: Settings, application: Application, *, ca_keys: CAKeyStore
) -> emv_mode.Configuration:
    """Return the configuration of kernels 4, 5 and 6 for one application."""
    return emv_mode.Configuration(
        ca_keys=ca_keys,
        action_codes=_action_codes(application),
        capabilities=_capabilities(settings, application).encoded,
    )


def _kernel_7(application: Application, *, ca_keys: CAKeyStore) -> c7.Configuration:
    """Return kernel 7's configuration for one application."""
    return c7.Configuration(ca_keys=ca_keys, electronic_cash=application.electronic_cash)


def _kernel_2(
    settings: Settings, application: Application, *, ca_keys: CAKeyStore
) -> c2.Configuration:
    """Return kernel 2's configuration for one application."""
    own = application.kernel_2 or Kernel2()
    able = _capabilities(settings, application)
    return c2.Configuration(
        ca_keys=ca_keys,
        floor_limit_minor=_or_any(application.floor_limit_minor),
        transaction_limit_minor=_or_any(application.transaction_limit_minor),
        transaction_limit_device_minor=_or_any(own.device_transaction_limit_minor),
        cvm_required_limit_minor=_or_any(application.cvm_limit_minor),
        action_codes=_action_codes(application),
        supports_mag_stripe=own.mag_stripe,
        on_device_verification=own.device_verification,
        relay_resistance=_relay(own.relay) if own.relay_resistance else None,
        card_data_input=able.encoded[0],
        # Above the limit somebody has to be verified: "no CVM" is no way.
        cvm_capability_required=able.without(TerminalCapabilities.NO_CVM).encoded[1],
        torn_records_max=own.torn_records,
        torn_record_lifetime_s=own.torn_lifetime_s,
        reads_balance_after=own.balance,
        storage=_data_storage(settings),
    )


def _data_storage(settings: Settings) -> c2.DataStorage | None:
    """Return what the shop keeps on cards: with a TC, or the ARQC that asks for one."""
    own = settings.data_storage
    if own is None:
        return None
    return c2.DataStorage(
        operator_id=own.operator_id,
        one_way=data_storage.digest,
        info=c2.VOLATILE_SLOT,
        data=own.data,
        cryptogram=CID_TC,
        info_for_reader=c2.USABLE_FOR_ARQC,
        input_card=own.right,
        input_term=own.right,
    )


def _kernel_8(settings: Settings, application: Application) -> c8.Configuration:
    """Return kernel 8's configuration for one application."""
    own = application.kernel_8 or Kernel8()
    able = _capabilities(settings, application)
    codes = _action_codes(application)
    return c8.Configuration(
        ca_keys=c8.ECKeyStore(
            c8.ECKey(key.rid, key.index, key.x, key.y, key.expires) for key in settings.ec_keys
        ),
        floor_limit_minor=_or_any(application.floor_limit_minor),
        cvm_required_limit_minor=_or_any(application.cvm_limit_minor),
        action_denial=TVR8(int(codes.denial)),
        action_online=TVR8(int(codes.online)),
        local_authentication=own.local_authentication,
        relay_resistance=_relay(own.relay) if own.relay_resistance else None,
        card_data_input=able.encoded[0],
        # Above the limit somebody has to be verified: "no CVM" is no way.
        cvm_capability_required=c8.ON_DEVICE | able.without(TerminalCapabilities.NO_CVM).encoded[1],
        cvm_capability_not_required=c8.ON_DEVICE | able.encoded[1],
    )


def _or_any(limit_minor: int | None) -> int:
    """Return a limit; an absent one is never exceeded."""
    return AMOUNT_MAX if limit_minor is None else limit_minor


def _relay(relay: Relay) -> c2.RelayResistance:
    return c2.RelayResistance(
        grace_min=relay.grace_min,
        grace_max=relay.grace_max,
        expected_command=relay.expected_command,
        expected_response=relay.expected_response,
        accuracy_threshold=relay.accuracy_threshold,
        mismatch_threshold_percent=relay.mismatch_threshold_percent,
    )
