"""Kernel 7: UnionPay's qPBOC (quickPass), with electronic cash.

One GET PROCESSING OPTIONS with the reader's qualifiers, the records the card
lists, then decisions: the steps are kernel 3's, and are taken there. Here is
what differs: what the card is told of electronic cash, the balance that is
read while it is near, and which way to verify the cardholder goes first.

The Chinese algorithms (SM2, SM3, SM4) are not here; the reader says so in tag
DF69, and a card then uses the international ones.

Source: EMV Contactless Book C-7. unsettled: public descriptions are thin.
Where they are silent, kernel 3's rule stands; the card's own CVM limit (tag
9F6B) is among what they leave open, and is not looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from emv import tags, tlv
from emv.apdu import STATUS_OK, get_data
from emv.conversation import Kernel, exchange, note
from emv.entry_point import Activation, KernelFactory
from emv.entry_point.configuration import digits
from emv.errors import LinkLost, MalformedData
from emv.kernels import c3
from emv.kernels.c3.session import Session
from emv.kernels.choice import choose
from emv.outcome import CVM, Outcome

KERNEL_ID = 7

AMOUNT_BYTES = 6
YES, NO = b"\x01", b"\x00"


@dataclass(frozen=True, slots=True)
class Configuration(c3.Configuration):
    """What the acquirer decides for this kernel."""

    electronic_cash: bool = True
    """The reader takes electronic cash; tag 9F7A."""
    electronic_cash_limit_minor: int | None = None
    """The most that is paid with it; tag 9F7B. Absent, the card is told none."""
    reads_balance: bool = True
    """Ask for the electronic cash balance, tag 9F79, to show it."""


def kernel(configurations: Mapping[bytes, Configuration]) -> KernelFactory:
    """Return the kernel, ready for the Entry Point to activate.

    configurations: by the AID of the reader's combination.
    """

    def activate(activation: Activation) -> Kernel[Outcome]:
        return process(choose(configurations, activation, KERNEL_ID), activation)

    return activate


def process(configuration: Configuration, activation: Activation) -> Kernel[Outcome]:
    """Carry out one transaction with a selected qPBOC application.

    Raises ConfigurationError if the combination has no TTQ.
    """
    session = c3.begin(configuration, activation, KERNEL_ID)
    session.unasked_cvms = (CVM.ONLINE_PIN, CVM.SIGNATURE)
    session.terminal |= _electronic_cash(configuration)
    asks = configuration.electronic_cash and configuration.reads_balance
    return (yield from c3.carry_out(session, read_balance if asks else None))


def _electronic_cash(configuration: Configuration) -> dict[int, bytes]:
    """Return what a card may ask of the reader's electronic cash and algorithms."""
    told = {
        tags.TAG_9F7A_EC_TERMINAL_SUPPORT_INDICATOR: YES if configuration.electronic_cash else NO,
        tags.TAG_DF60_CAPP_TRANSACTION_INDICATOR: NO,
        tags.TAG_DF69_SM_ALGORITHM_SUPPORT_INDICATOR: NO,
    }
    limit_minor = configuration.electronic_cash_limit_minor
    if limit_minor is not None:
        told[tags.TAG_9F7B_EC_TERMINAL_TRANSACTION_LIMIT] = digits(
            limit_minor, AMOUNT_BYTES, "tag 9F7B"
        )
    return told


def read_balance(session: Session) -> Kernel[None]:
    """Read the electronic cash balance, unless the card has told what it has left.

    A card without one, or with none that can be read, simply tells nothing.
    """
    if session.balance is not None:
        return
    try:
        reply = yield from exchange(get_data(tags.TAG_9F79_EC_BALANCE))
    except LinkLost:
        # The cryptogram is here: a balance is not worth another tap.
        yield from note("the card left before it told its balance", session.cite("9F79"))
        return
    if reply.status != STATUS_OK:
        return
    try:
        value = tlv.find(tlv.decode(reply.data), tags.TAG_9F79_EC_BALANCE)
    except MalformedData:
        value = None
    if value is None or len(value) != AMOUNT_BYTES or not value.hex().isdecimal():
        yield from note("the electronic cash balance cannot be read", session.cite("9F79"))
        return
    session.card[tags.TAG_9F79_EC_BALANCE] = value
