"""What a shop's card settings come to, and where they contradict themselves.

The schema has refused what cannot be; here is what can be, and is seldom meant.
Source: EMV Contactless Book A, 5, and Book B, 3.1; EMV 4.4 Book 2, 11.2,
and Book 3, 10.5 to 10.7.
"""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from config.cards import Application, CAKey
from config.schema import Settings
from emv.bits import TTQ, TVR
from emv.entry_point.selection import DEFAULT_KERNELS
from terminal.doctor.wording import Level
from terminal.money import plain_amount

EXPIRY_NOTICE: Final = datetime.timedelta(days=90)
KERNELS_WITH_TTQ_CVM: Final = (3, 7)
UNPROVED: Final = TVR.ODA_NOT_PERFORMED | TVR.CDA_FAILED
KERNEL_EC: Final = 8
"""Its cards prove themselves by keys of their own kind, files.ca_keys' [[ec_keys]]."""


@dataclass(frozen=True, slots=True)
class Wording:
    """How a finding is put, and what mends it."""

    level: Level
    text: str
    step: str


WORDINGS: Mapping[str, Wording] = {
    "kernel-unknown": Wording(
        Level.FAULT,
        "no kernel {kernel} is here: every tap fails",
        "Set kernel to one of {known}, or enabled = false",
    ),
    "kernel-of-another-scheme": Wording(
        Level.WARNING,
        "kernel {kernel} is not this scheme's, which is {usual}",
        "Set kernel = {usual}, unless the acquirer says otherwise",
    ),
    "cvm-limit-never-reached": Wording(
        Level.WARNING,
        "CVM limit {cvm} is not below the transaction limit {transaction}: nobody is ever verified",
        "Lower cvm_limit_minor, or raise transaction_limit_minor",
    ),
    "floor-over-cvm": Wording(
        Level.WARNING,
        "floor limit {floor} is above the CVM limit {cvm}: what lies between stays offline",
        "Lower floor_limit_minor to the CVM limit or below, unless the acquirer allows this",
    ),
    "floor-never-reached": Wording(
        Level.WARNING,
        "floor limit {floor} is not below the transaction limit {transaction}: nothing goes online",
        "Lower floor_limit_minor",
    ),
    "no-cvm-limit": Wording(
        Level.WARNING,
        "no CVM limit: no amount demands that the cardholder is verified",
        "Set cvm_limit_minor, as the acquirer's table has it",
    ),
    "no-way-to-verify": Wording(
        Level.WARNING,
        "above the CVM limit {cvm} only phones that verify their holder can pay",
        "Name a PIN pad in devices.pin_pads, or allow a signature",
    ),
    "offline-unproved": Wording(
        Level.FAULT,
        "a card that was not proved genuine may be approved offline: nothing follows from {bits}",
        "Set these bits of action_codes.online",
    ),
    "stripe-mode": Wording(
        Level.WARNING,
        "the qualifiers offer magnetic stripe mode, which this kernel refuses",
        "Clear byte 1, bit 8 of ttq",
    ),
    "no-emv-mode": Wording(
        Level.FAULT,
        "the qualifiers offer no EMV mode: no card can pay",
        "Set byte 1, bit 6 of ttq",
    ),
    "offline-only": Wording(
        Level.WARNING,
        "the qualifiers say that the reader is offline only: what must go online is declined",
        "Clear byte 1, bit 4 of ttq",
    ),
    "no-keys": Wording(
        Level.WARNING,
        "no CA key of scheme {rid}: no card proves itself offline",
        "Add the scheme's keys to a file of files.ca_keys",
    ),
    "key-expired": Wording(
        Level.WARNING,
        "expired on {expires}: cards that name it fail offline authentication",
        "Take it out, and its successor in; the acquirer or the scheme has it",
    ),
    "key-expires": Wording(
        Level.WARNING,
        "expires on {expires}, in {days} days",
        "Ask the acquirer for its successor",
    ),
    "key-unused": Wording(
        Level.WARNING,
        "of scheme {rid}, of which no application is enabled",
        "Take it out, or enable an application of the scheme",
    ),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is seldom meant."""

    subject: str
    """The application's AID, or the key's name."""
    code: str
    """A key of WORDINGS."""
    facts: Mapping[str, str] = field(default_factory=dict)

    @property
    def level(self) -> Level:
        """How grave it is."""
        return WORDINGS[self.code].level

    @property
    def text(self) -> str:
        """What was found."""
        return WORDINGS[self.code].text.format_map(self.facts)

    @property
    def step(self) -> str:
        """What mends it."""
        return WORDINGS[self.code].step.format_map(self.facts)


def examine(
    settings: Settings, kernels: Collection[int], today: datetime.date
) -> Iterator[Finding]:
    """Yield what is seldom meant of the applications that are enabled, then of the keys.

    kernels: the numbers of those there are.
    """
    enabled = [one for one in settings.applications if one.enabled]
    for application in enabled:
        for code, facts in _of_application(settings, application, kernels):
            yield Finding(application.aid.hex().upper(), code, facts)
    schemes = {bytes(one.aid[:5]) for one in enabled}
    for key in settings.ca_keys:
        for code, facts in _of_key(key, schemes, today):
            yield Finding(f"CA key {key.name}", code, facts)


Found = Iterator[tuple[str, Mapping[str, str]]]


def _of_application(
    settings: Settings, application: Application, kernels: Collection[int]
) -> Found:
    kernel = application.kernel
    usual = DEFAULT_KERNELS.get(bytes(application.aid[:5]))
    if kernel not in kernels:
        known = ", ".join(map(str, sorted(kernels)))
        yield "kernel-unknown", {"kernel": str(kernel), "known": known}
    elif usual is not None and kernel not in (usual, KERNEL_EC):
        yield "kernel-of-another-scheme", {"kernel": str(kernel), "usual": str(usual)}
    yield from _of_limits(settings, application)
    yield from _of_qualifiers(application)
    yield from _of_action_codes(application)
    scheme = bytes(application.aid[:5])
    keys = settings.ec_keys if kernel == KERNEL_EC else settings.ca_keys
    if not any(key.rid == scheme for key in keys):
        yield "no-keys", {"rid": scheme.hex().upper()}


def _of_limits(settings: Settings, application: Application) -> Found:
    floor, cvm = application.floor_limit_minor, application.cvm_limit_minor
    transaction = application.transaction_limit_minor
    digits = settings.currency.digits
    limits = {"floor": floor, "cvm": cvm, "transaction": transaction}
    facts = {
        name: plain_amount(limit, digits) for name, limit in limits.items() if limit is not None
    }
    if application.electronic_cash and cvm is None:
        # A purse: what is in it is spent without a word, and without the issuer.
        return
    if cvm is None:
        yield "no-cvm-limit", facts
    elif transaction is not None and cvm >= transaction:
        yield "cvm-limit-never-reached", facts
    elif not _verifies(settings, application):
        yield "no-way-to-verify", facts
    if floor is not None and cvm is not None and floor > cvm:
        yield "floor-over-cvm", facts
    if floor is not None and transaction is not None and floor >= transaction:
        yield "floor-never-reached", facts


def _verifies(settings: Settings, application: Application) -> bool:
    """True if a plastic card's holder can be verified: by PIN, or by signature."""
    if settings.devices.pin_pads:
        return True
    if application.kernel in KERNELS_WITH_TTQ_CVM and application.ttq is not None:
        return TTQ.SIGNATURE in TTQ.decode(application.ttq)
    return application.signature


def _of_qualifiers(application: Application) -> Found:
    if application.ttq is None:
        return
    qualifiers = TTQ.decode(application.ttq)
    if TTQ.EMV_MODE not in qualifiers and TTQ.FULL_CONTACTLESS not in qualifiers:
        yield "no-emv-mode", {}
    if TTQ.MSD in qualifiers:
        yield "stripe-mode", {}
    if TTQ.OFFLINE_ONLY in qualifiers:
        yield "offline-only", {}


def _of_action_codes(application: Application) -> Found:
    codes = application.action_codes
    if codes is None or application.kernel == KERNEL_EC:
        # Kernel 8 has a TVR of its own, and no default.
        return
    missing = UNPROVED.without(TVR.decode(codes.online) | TVR.decode(codes.denial))
    if missing and application.floor_limit_minor != 0:
        yield "offline-unproved", {"bits": ", ".join(missing.labels())}


def _of_key(key: CAKey, schemes: Collection[bytes], today: datetime.date) -> Found:
    if bytes(key.rid) not in schemes:
        yield "key-unused", {"rid": key.rid.hex().upper()}
    if key.expires is None:
        return
    facts = {"expires": key.expires.isoformat(), "days": str((key.expires - today).days)}
    if key.expires < today:
        yield "key-expired", facts
    elif key.expires - today <= EXPIRY_NOTICE:
        yield "key-expires", facts
