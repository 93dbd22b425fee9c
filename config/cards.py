"""What a shop may set about cards: applications, their limits, and the schemes' keys.

Plain numbers, text and bytes. Money is in minor units of the shop's currency.
"""

from __future__ import annotations

import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from config.values import HexBytes, Line, Minor

TVR_BYTES = 5
KERNEL_MASTERCARD = 2
KERNEL_VISA = 3
KERNEL_UNIONPAY = 7
KERNELS_WITH_TTQ = (KERNEL_VISA, 6, KERNEL_UNIONPAY)
KERNEL_8 = 8
KERNELS_WITH_ACTION_CODES = (KERNEL_MASTERCARD, 4, 5, 6, KERNEL_8)
"""Kernel 8 has no default code: its is not looked at."""


class Relay(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How quickly a card must answer, in units of 100 microseconds.

    Source: EMV Contactless Book C-2, relay resistance; tags DF8132 to DF8137.
    """

    grace_min: Annotated[int, Meta(ge=0, le=65535)] = 20
    """How far below its announced minimum an answer may come."""
    grace_max: Annotated[int, Meta(ge=0, le=65535)] = 50
    """How far above its announced maximum an answer may come."""
    expected_command: Annotated[int, Meta(ge=0, le=65535)] = 18
    """What the command needs on the air; measured for the reader in use."""
    expected_response: Annotated[int, Meta(ge=0, le=65535)] = 24
    """What the answer needs on the air; measured for the reader in use."""
    accuracy_threshold: Annotated[int, Meta(ge=0, le=65535)] = 300
    """How far above the card's minimum an answer still measures a distance."""
    mismatch_threshold_percent: Annotated[int, Meta(ge=0, le=100)] = 50
    """How alike both sides' times on the air must be, in percent."""


class ActionCodes(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An acquirer's terminal action codes: what follows from what was found, bits of the TVR.

    Source: EMV 4.4 Book 3, 10.7.
    """

    denial: HexBytes
    """Findings that decline; 5 bytes."""
    online: HexBytes
    """Findings that send a payment online; 5 bytes."""
    default: HexBytes
    """Findings that decline where the bank cannot be asked; 5 bytes."""

    def __post_init__(self) -> None:
        """Check what a pattern cannot say. Raises ValueError naming the key."""
        for name in ("denial", "online", "default"):
            if len(getattr(self, name)) != TVR_BYTES:
                raise ValueError(f"{name}: {len(getattr(self, name))} bytes, must be {TVR_BYTES}")


class DataStorage(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the shop keeps on its customers' Mastercard cards, such as a count of visits.

    Written with an approval or a request for one, read at each tap.
    Source: EMV Contactless Book C-2, integrated data storage.
    """

    operator_id: HexBytes
    """Who the shop is to cards; 8 bytes."""
    right: HexBytes
    """What the shop shows to write over what it wrote itself; 8 bytes."""
    data: HexBytes
    """At most 160 bytes; a card may keep fewer."""

    def __post_init__(self) -> None:
        """Check what a pattern cannot say. Raises ValueError naming the key."""
        for name in ("operator_id", "right"):
            if len(getattr(self, name)) != 8:
                raise ValueError(f"{name}: {len(getattr(self, name))} bytes, must be 8")
        if len(self.data) > 160:
            raise ValueError(f"data: {len(self.data)} bytes, at most 160")


class Kernel2(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What an acquirer sets for a Mastercard application.

    Source: EMV Contactless Book C-2, Annex A.
    """

    device_transaction_limit_minor: Minor | None = None
    """Above this amount no tap, for a phone that verifies its holder; minor units."""
    device_verification: bool = True
    """A phone that has verified its holder is believed."""
    relay_resistance: bool = True
    """Measure how far away a card is, where it takes part."""
    relay: Relay = Relay()
    mag_stripe: bool = False
    """Take cards that have the magnetic stripe mode alone."""
    torn_records: Annotated[int, Meta(ge=0, le=255)] = 3
    """How many taps that broke off are remembered, to be taken up again."""
    torn_lifetime_s: Annotated[int, Meta(ge=1, le=65535)] = 300
    """How long one is remembered, in seconds."""
    balance: bool = False
    """Ask a card for its offline balance, to show it."""


class Kernel8(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What an acquirer sets for an application of kernel 8.

    Source: EMV Contactless Book C-8, Annex A.
    """

    local_authentication: bool = True
    """Have a card prove itself here, by its scheme's ECC key."""
    relay_resistance: bool = True
    """Measure how far away a card is, where it takes part."""
    relay: Relay = Relay()


class Chip(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What an acquirer sets for an application in a slot.

    Source: EMV 4.4 Book 3, 10.6 and 10.7.
    """

    floor_limit_minor: Minor | None = None
    """From this amount on a chip must go online; absent: as far as for a tap."""
    random_threshold_minor: Minor = 0
    """Below it every amount is as likely to go online; minor units."""
    random_percent: Annotated[int, Meta(ge=0, le=99)] = 0
    """How many in a hundred below the threshold go online by chance."""
    random_percent_max: Annotated[int, Meta(ge=0, le=99)] = 0
    """How many would just below the floor limit; between, in proportion."""
    action_codes: ActionCodes | None = None
    """Absent: what could not be proved or verified, is expired or over a limit goes
    online, and is declined where the bank cannot be asked."""
    version: HexBytes = HexBytes(b"\x00\x8c")
    """Application version number, tag 9F09; 2 bytes."""

    def __post_init__(self) -> None:
        """Check what a pattern cannot say. Raises ValueError naming the key."""
        if self.random_percent > self.random_percent_max:
            raise ValueError(f"random_percent: above random_percent_max, {self.random_percent_max}")
        if len(self.version) != 2:
            raise ValueError(f"version: {len(self.version)} bytes, must be 2")


class LimitSet(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Limits of a tap for cards of one program, in place of the application's.

    Source: EMV Contactless Book C-3, dynamic reader limits.
    """

    program: HexBytes
    """With what the card's Application Program Identifier begins; tag 9F5A, 1 to 16 bytes."""
    transaction_limit_minor: Minor | None = None
    floor_limit_minor: Minor | None = None
    cvm_limit_minor: Minor | None = None

    def __post_init__(self) -> None:
        """Check what a pattern cannot say. Raises ValueError naming the key."""
        if not 1 <= len(self.program) <= 16:
            raise ValueError(f"program: {len(self.program)} bytes, must be 1 to 16")


class Application(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One card application the till accepts, its limits for a tap, and for a chip.

    The comparison belongs to each limit; an absent limit is not tested.
    Source: EMV Contactless Book A, 5.3; Book B, 3.1.
    """

    aid: HexBytes
    """5 to 16 bytes; tag 9F06."""
    label: Line
    """What people call it."""
    kernel: Annotated[int, Meta(ge=1, le=255)]
    """Which contactless kernel speaks with it; 2 is Mastercard's, 3 Visa's,
    4 American Express's, 5 JCB's, 6 Discover's, 7 UnionPay's, 8 any scheme's."""
    enabled: bool = True
    ttq: HexBytes | None = None
    """Terminal Transaction Qualifiers, tag 9F66, 4 bytes; kernels 3, 6 and 7 need them."""
    transaction_limit_minor: Minor | None = None
    """From this amount on a tap is not allowed, with kernel 2 above it; minor units."""
    floor_limit_minor: Minor | None = None
    """Above this amount a tap must go online; minor units."""
    cvm_limit_minor: Minor | None = None
    """From this amount on the cardholder must be verified, with kernels 2 and 8 above it."""
    limit_sets: tuple[LimitSet, ...] = ()
    """For cards of certain programs; kernel 3."""
    signature: bool = True
    """A signature can verify the cardholder; kernels 2, 4, 5, 6 and 8."""
    contact_chip: bool = False
    """There is a slot for a card that declines a tap; kernels 2, 4, 5 and 6."""
    action_codes: ActionCodes | None = None
    """For a tap; kernels 2, 4, 5, 6 and 8 need them."""
    chip: Chip = Chip()
    """For a card in a slot, whatever the kernel of a tap."""
    kernel_2: Kernel2 | None = None
    """What only kernel 2 has."""
    kernel_8: Kernel8 | None = None
    """What only kernel 8 has."""
    electronic_cash: bool = False
    """Take UnionPay electronic cash, and show what is left of it; kernel 7."""
    status_check: bool = False
    """A sale of one unit of currency asks for an online cryptogram."""
    zero_amount_allowed: bool = False
    """A tap for nothing goes online instead of being refused."""
    extended_selection: bool = False
    """Tag 9F29 of the directory is appended to the name that is selected."""
    partial_match: bool = True
    """A card's longer AID that begins with this one matches too."""

    def __post_init__(self) -> None:
        """Check what a pattern cannot say. Raises ValueError naming the key."""
        if not 5 <= len(self.aid) <= 16:
            raise ValueError(f"aid: {len(self.aid)} bytes, must be 5 to 16")
        if self.ttq is not None and len(self.ttq) != 4:
            raise ValueError(f"ttq: {len(self.ttq)} bytes, must be 4")
        if self.kernel in KERNELS_WITH_TTQ and self.ttq is None:
            raise ValueError(f"ttq: missing, and kernel {self.kernel} needs it")
        if self.electronic_cash and self.kernel != KERNEL_UNIONPAY:
            raise ValueError(f"electronic_cash: not for it; its kernel is {self.kernel}")
        if self.kernel in KERNELS_WITH_ACTION_CODES and self.action_codes is None:
            raise ValueError(f"action_codes: missing, and kernel {self.kernel} needs them")
        if self.limit_sets and self.kernel != KERNEL_VISA:
            raise ValueError(f"limit_sets: not for it; its kernel is {self.kernel}")
        if self.kernel_2 is not None and self.kernel != KERNEL_MASTERCARD:
            raise ValueError(f"kernel_2: not for it; its kernel is {self.kernel}")
        if self.kernel_8 is not None and self.kernel != KERNEL_8:
            raise ValueError(f"kernel_8: not for it; its kernel is {self.kernel}")
        if self.chip.random_threshold_minor > self.chip_floor_limit_minor:
            raise ValueError(
                f"chip: random_threshold_minor is above the floor limit, "
                f"{self.chip_floor_limit_minor}"
            )

    @property
    def chip_floor_limit_minor(self) -> int:
        """From this amount on a chip goes online; 0 where nothing is said: always."""
        if self.chip.floor_limit_minor is not None:
            return self.chip.floor_limit_minor
        return self.floor_limit_minor or 0


class CAKey(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One public key of a card scheme's certification authority.

    Source: EMV 4.4 Book 2, 11.2.
    """

    rid: HexBytes
    """Registered application provider, the first 5 bytes of its AIDs."""
    index: Annotated[int, Meta(ge=0, le=255)]
    """Tag 9F22; cards name their key by it."""
    modulus: HexBytes
    """As long as the key; 1984 bits are 248 bytes."""
    exponent: Literal[3, 65537]
    expires: datetime.date | None = None
    """The last day it may be used; absent when the scheme published none."""
    sha1: HexBytes
    """Over RID, index, modulus and exponent, as published; 20 bytes."""
    test: bool = False
    """A test key: a live shop refuses it by name."""

    @property
    def name(self) -> str:
        """What errors call it: 'A000000003 index 92'."""
        return f"{self.rid.hex().upper()} index {self.index:02X}"

    def __post_init__(self) -> None:
        """Check what a pattern cannot say. Raises ValueError naming the key."""
        if len(self.rid) != 5:
            raise ValueError(f"rid: {len(self.rid)} bytes, must be 5")
        if not 64 <= len(self.modulus) <= 248:
            raise ValueError(f"modulus: {len(self.modulus)} bytes, must be 64 to 248")
        if not self.modulus[0] & 0x80:
            raise ValueError("modulus: its first bit is zero, so it is shorter than it looks")
        if len(self.sha1) != 20:
            raise ValueError(f"sha1: {len(self.sha1)} bytes, must be 20")


class ECKey(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One ECC public key of a card scheme's certification authority, on P-256.

    Source: EMV Contactless Book E, 5.
    """

    rid: HexBytes
    """Registered application provider, the first 5 bytes of its AIDs."""
    index: Annotated[int, Meta(ge=0, le=255)]
    """Tag 8F; cards name their key by it."""
    x: HexBytes
    """32 bytes."""
    y: HexBytes
    """32 bytes."""
    expires: datetime.date | None = None
    """The last day it may be used; absent when the scheme published none."""
    test: bool = False
    """A test key: a live shop refuses it by name."""

    @property
    def name(self) -> str:
        """What errors call it: 'A000000003 index 92'."""
        return f"{self.rid.hex().upper()} index {self.index:02X}"

    def __post_init__(self) -> None:
        """Check what a pattern cannot say. Raises ValueError naming the key."""
        for key, length in (("rid", 5), ("x", 32), ("y", 32)):
            if len(getattr(self, key)) != length:
                raise ValueError(f"{key}: {len(getattr(self, key))} bytes, must be {length}")


class ExceptionCard(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One card that is never accepted. Bench shops only: a number in plain text."""

    pan: Annotated[str, Meta(pattern=r"^[0-9]{12,19}\Z")]
    """A published test number."""
    sequence_number: Annotated[int, Meta(ge=0, le=99)] | None = None
    """Tag 5F34; absent: every card with this number."""

    def __repr__(self) -> str:
        """Show that there is a card, never which."""
        return "ExceptionCard(pan=hidden)"


class ListedCards(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Cards that a bank wants accepted nowhere, known by keyed digests only.

    A digest is the first 16 bytes of HMAC-SHA-256, under the list's key, over the
    card's number; where one card of several is meant, a stroke and its sequence
    number in two digits behind it.
    """

    key_check: HexBytes
    """The first 8 bytes of HMAC-SHA-256 over nothing: which key it is."""
    digests: tuple[HexBytes, ...]
    key: HexBytes = HexBytes()
    """Comes beside the list and rests apart from it; never in a file of settings."""

    def __post_init__(self) -> None:
        """Check what a pattern cannot say. Raises ValueError naming the key."""
        if len(self.key_check) != 8:
            raise ValueError(f"key_check: {len(self.key_check)} bytes, must be 8")
        for digest in self.digests:
            if len(digest) != 16:
                raise ValueError(f"digests: {len(digest)} bytes, must be 16")

    def __repr__(self) -> str:
        """Show how many there are, and no key."""
        return f"ListedCards({len(self.digests)} cards)"
