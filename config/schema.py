"""Every key a shop may set, with its unit and meaning; those about cards are in cards.

Plain numbers, text and bytes; nothing here knows a payment. Unknown keys are
refused. Money is in minor units of the shop's currency.
"""

from __future__ import annotations

import datetime
import zoneinfo
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from config.cards import Application, CAKey, DataStorage, ECKey, ExceptionCard, ListedCards
from config.values import CurrencyLetters, Line, Minor, Seconds, Wording


def find_zone(name: str) -> datetime.tzinfo | None:
    """Return the time zone of this name; None if this machine has none."""
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return None


class Shop(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Whose till this is, and how long it waits."""

    name: Line
    name_zh: Line
    address: Annotated[tuple[Line, ...], Meta(max_length=4)] = ()
    """Lines below the name on a receipt."""
    mode: Literal["bench", "live"]
    """'bench' allows simulators, test keys and the bench panel; 'live' refuses them."""
    training: bool = False
    """Every screen and receipt says so, and no sale is sent for settlement."""
    country: Annotated[int, Meta(ge=1, le=999)] = 156
    """ISO 3166-1 number; tag 9F1A."""
    currency: CurrencyLetters = "CNY"
    """What amounts are entered in; one of the currency table's."""
    merchant_id: Annotated[str, Meta(pattern=r"^[0-9A-Za-z]{15}\Z")]
    """As the acquirer gave it; DE 42, tag 9F16."""
    terminal_id: Annotated[str, Meta(pattern=r"^[0-9A-Za-z]{8}\Z")]
    """As the acquirer gave it; DE 41, tag 9F1C."""
    merchant_category: Annotated[str, Meta(pattern=r"^[0-9]{4}\Z")]
    """ISO 18245; tag 9F15."""
    customer_languages: Literal["both", "zh", "en"] = "both"
    """What a customer display shows, as far as it can; both languages take turns."""
    till_name: Line = "1"
    """What people call this till."""
    cashier: Line = "1"
    """Who operates it; printed on receipts."""
    time_zone: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_+/-]{1,64}\Z")] | None = None
    """Where the shop is, by the IANA database: 'Asia/Shanghai'. Absent: as the machine."""
    day_ends_at: Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]\Z")] = "00:00"
    """When the shop's day ends, by its own clock: what is paid before '04:00' belongs
    to the day before. It names batches and reminds of the close; it splits none."""
    completion_percent_max: Annotated[int, Meta(ge=100, le=115)] = 115
    """The most that may be taken of the money held under a pre-authorisation, in percent
    of it; banks allow 115 at most, and some no more than was held."""
    tip_percent_max: Annotated[int, Meta(ge=0, le=50)] = 0
    """The largest tip, in percent of what it is given on; 0: the shop takes none."""
    refund_limit_minor: Minor | None = None
    """A refund above it takes two supervisors; minor units. Absent: no such limit."""
    idle_sign_out_s: Annotated[float, Meta(ge=30, le=86_400)] | None = None
    """After so long without a key the cashier is signed out; absent: never, in seconds."""
    amount_max_minor: Annotated[int, Meta(ge=1, le=999_999_999)] = 5_000_000
    """The largest sale, in minor units; the screen takes nine digits."""
    present_timeout_s: Seconds = 60.0
    """How long a customer may take to present a card or code, in seconds."""
    pin_timeout_s: Annotated[float, Meta(ge=1, le=600)] = 60.0
    """How long a customer may take to enter a PIN, in seconds."""
    pin_may_be_skipped: bool = False
    """A customer who does not know the PIN that the card checks may go on without;
    card and bank hear of it, and may refuse."""
    payer_timeout_s: Seconds = 90.0
    """How long a wallet payment may await its payer before it is closed, in seconds."""
    code_valid_s: Annotated[int, Meta(ge=10, le=3600)] = 120
    """How long a shown code can be paid, in seconds by the bank's clock."""

    def __post_init__(self) -> None:
        """Check what a pattern cannot say. Raises ValueError naming the key."""
        if self.time_zone is not None and find_zone(self.time_zone) is None:
            raise ValueError(f"time_zone: this machine knows no {self.time_zone}; is tzdata there?")


class Receipts(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """When a receipt is printed, and what else the printer does."""

    print: Literal["always", "on-request", "never"] = "always"
    """'always': with each payment that was taken or given back. 'on-request': when
    somebody asks for it; what a customer has to sign is printed all the same.
    'never': on the screen only."""
    qr: bool = True
    """A code below the lines, with the payment's identity."""
    drawer: bool = False
    """A cash drawer is plugged into the printer."""


class Texts(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What shop or bank want to say to customers in words of their own."""

    receipt: Annotated[tuple[Wording, ...], Meta(max_length=4)] = ()
    """Lines at the foot of each receipt."""
    welcome: Wording = ""
    """In place of 'Welcome' while no sale is under way. A pole display has 20 cells."""
    welcome_zh: Wording = ""
    """The same in Chinese; a character takes two cells."""


class Iso8583(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a bank that speaks ISO 8583 wants its messages."""

    encoding: Literal["bcd", "ascii"] = "bcd"
    """Two digits in a byte, or a letter for each."""
    code: Literal["retail", "xor-block"] = "retail"
    """The message code in the last field: ISO/IEC 9797-1 algorithm 3, or UnionPay's."""
    tpdu: Annotated[str, Meta(pattern=r"^([0-9A-Fa-f]{10})?\Z")] = "6000030000"
    """What stands before each message, five bytes in hex; empty for none."""
    header: Annotated[str, Meta(pattern=r"^([0-9A-Fa-f]{2}){0,32}\Z")] = ""
    """What stands between it and the message, in hex."""
    original_elements: bool = False
    """A reversal names its original in field 90, too."""


class Bank(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where the bank is, and how long the till waits for it."""

    url: Annotated[
        str,
        Meta(pattern=r"^(https://[^\s/@?#]+|iso8583://([^\s/@?#:]+|\[[^\s\]]+\]):[0-9]{1,5})\Z"),
    ]
    """How it speaks, and where: 'https://bank.example:8443' for the signed link,
    'iso8583://bank.example:7001' for ISO 8583:1987 over TLS. No path."""
    standby_url: Annotated[str, Meta(pattern=r"^https://[^\s/@?#]+\Z")] | None = None
    """A second address of the same bank, under the same name and CA; asked only
    what provably could not be sent to the first."""
    push_url: Annotated[str, Meta(pattern=r"^mqtts?://[^\s/@?#]+\Z")] | None = None
    """An MQTT broker through which the bank has the till ask it at once: with TLS and
    the till's certificate 'mqtts://push.example:8883', without, in a bench shop only,
    'mqtt://…'. Absent: the till asks in its own time."""
    iso8583: Iso8583 = msgspec.field(default_factory=Iso8583)
    server_name: Annotated[str, Meta(pattern=r"^[A-Za-z0-9.:-]{1,253}\Z")] | None = None
    """The name its certificate must carry; absent: the host of the url."""
    connect_s: Annotated[float, Meta(gt=0, le=60)] = 5.0
    """Longest wait for the connection and the TLS handshake, in seconds."""
    answer_s: Annotated[float, Meta(gt=0, le=120)] = 30.0
    """Silence after which the payment is unknown, in seconds."""

    def __post_init__(self) -> None:
        """Check what a pattern cannot say. Raises ValueError naming the key."""
        if self.standby_url is not None and not self.url.startswith("https:"):
            raise ValueError("standby_url: for the signed link only; url is not https")
        if self.push_url is not None and not self.url.startswith("https:"):
            raise ValueError("push_url: for the signed link only; url is not https")


class OfflineLimit(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How much of one currency may be kept unapproved, in its minor units."""

    amount_max_minor: Minor
    """In one sale."""
    sum_max_minor: Minor
    """In all kept sales together, those that cards approved included."""

    def __post_init__(self) -> None:
        """Check what a pattern cannot say. Raises ValueError naming the key."""
        if self.amount_max_minor > self.sum_max_minor:
            raise ValueError(f"amount_max_minor: above sum_max_minor, {self.sum_max_minor}")


class Offline(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is kept for later while the bank is not reached.

    A sale that the card approves by itself needs no leave; count, age and sum
    hold for it too.
    """

    enabled: bool = False
    """The cashier may keep a card sale that nobody has approved, at the shop's
    risk: the bank may decline it when the goods are gone."""
    count_max: Annotated[int, Meta(ge=1, le=10_000)] = 500
    """Most sales kept at a time."""
    age_max_h: Annotated[float, Meta(gt=0, le=168)] = 24.0
    """While the oldest is older than this no further one is kept; in hours."""
    currencies: Mapping[CurrencyLetters, OfflineLimit] = msgspec.field(default_factory=dict)
    """By letters; what is not named here is not kept unapproved."""


class Traces(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What cards and till said to each other, kept to explain a payment afterwards.

    A card before a simulated reader is none of anybody's: its trace is whole.
    """

    count_max: Annotated[int, Meta(ge=0, le=100_000)] = 1_000
    """Most conversations kept; 0: none."""
    age_max_days: Annotated[float, Meta(gt=0, le=366)] = 30.0
    size_max_mb: Annotated[int, Meta(ge=1, le=10_000)] = 32
    """All of them together, in millions of bytes."""
    masks: Literal["real-cards", "all-cards"] = "real-cards"
    """Whose numbers, tracks and names become stars; a masked trace is not replayed."""


class Device(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One device, opened by the name of its driver."""

    name: Line
    """What people call it; no other device may have the same."""
    driver: Annotated[str, Meta(pattern=r"^[a-z0-9_-]{1,40}\Z")]
    """A name in the registry's table."""
    options: Mapping[str, Any] = msgspec.field(default_factory=dict)
    """The driver's own keys, such as a source, a port or a speed; the driver checks them."""


class Devices(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is plugged in, by role. An absent role is a device the shop has not."""

    readers: tuple[Device, ...] = ()
    scanners: tuple[Device, ...] = ()
    printers: Annotated[tuple[Device, ...], Meta(max_length=1)] = ()
    displays: Annotated[tuple[Device, ...], Meta(max_length=1)] = ()
    pin_pads: tuple[Device, ...] = ()

    def everything(self) -> tuple[Device, ...]:
        """Return all of them, whatever their role."""
        return self.readers + self.scanners + self.printers + self.displays + self.pin_pads


class Currency(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One currency as ISO 4217 and people know it."""

    letters: CurrencyLetters = "XXX"
    """Its key in the table; not written again."""
    numeric: Annotated[int, Meta(ge=1, le=999)]
    """ISO 4217 number; tag 5F2A."""
    digits: Annotated[int, Meta(ge=0, le=4)]
    """After the point; tag 5F36."""
    symbol: Annotated[str, Meta(max_length=4)] = ""
    """Shown before the amount; empty where the letters are shown instead."""
    name: Line
    name_zh: Line


class CodeRule(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which digits are a wallet's payment code.

    A code must have the length, one of the beginnings and one of the printed
    forms; the longest beginning wins where two rules fit.
    """

    wallet: Annotated[str, Meta(pattern=r"^[a-z0-9_]{1,32}\Z")]
    """A stable word for the wallet; several rules may share it."""
    name: Line
    name_zh: Line
    prefixes: tuple[Annotated[str, Meta(pattern=r"^[0-9]{1,12}\Z")], ...] = ()
    """Beginnings; none: any digits of this length."""
    lengths: Annotated[
        tuple[Annotated[int, Meta(ge=12, le=64)], Annotated[int, Meta(ge=12, le=64)]], Meta()
    ]
    """Fewest and most digits."""
    symbologies: Annotated[tuple[Literal["qr", "code128"], ...], Meta(min_length=1)] = (
        "qr",
        "code128",
    )
    """Printed forms it comes in."""

    def __post_init__(self) -> None:
        """Check what a pattern cannot say. Raises ValueError naming the key."""
        if self.lengths[0] > self.lengths[1]:
            raise ValueError(f"lengths: {self.lengths[0]} is more than {self.lengths[1]}")


class Files(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where the other tables are: paths from the folder of this file.

    A name without a folder that does not stand beside this file is one of
    those that come with the till.
    """

    applications: str = "applications.toml"
    more_applications: tuple[str, ...] = ()
    """Applications besides those."""
    ca_keys: tuple[str, ...] = ("ca_keys.toml",)
    currencies: str = "currencies.toml"
    payment_codes: str = "payment_codes.toml"
    exceptions: str | None = None


class ShopFile(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The shop's own file."""

    shop: Shop
    bank: Bank
    devices: Devices = Devices()
    receipts: Receipts = Receipts()
    texts: Texts = Texts()
    offline: Offline = Offline()
    data_storage: DataStorage | None = None
    traces: Traces = Traces()
    files: Files = Files()


class ApplicationsFile(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which card applications are accepted."""

    applications: Annotated[tuple[Application, ...], Meta(min_length=1)]


class CAKeysFile(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Public keys of certification authorities."""

    ca_keys: tuple[CAKey, ...] = ()
    """RSA."""
    ec_keys: tuple[ECKey, ...] = ()
    """ECC, for kernel 8."""


class CurrenciesFile(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The currency table, by letters."""

    currencies: dict[CurrencyLetters, Currency]


class PaymentCodesFile(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The grammar of payment codes; the acquirer may change it."""

    payment_codes: tuple[CodeRule, ...]


class ExceptionsFile(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Cards that are never accepted."""

    exceptions: tuple[ExceptionCard, ...]


class Parameters(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a bank sets in place of the shop's own; what is absent stays the shop's."""

    version: Annotated[int, Meta(ge=1)]
    """Rises with each that the bank gives out."""
    amount_max_minor: Annotated[int, Meta(ge=1, le=999_999_999)] | None = None
    """In place of shop.amount_max_minor."""
    refund_limit_minor: Minor | None = None
    """In place of shop.refund_limit_minor."""
    offline: Offline | None = None
    applications: Annotated[tuple[Application, ...], Meta(min_length=1)] | None = None
    ca_keys: tuple[CAKey, ...] | None = None
    currencies: dict[CurrencyLetters, Currency] | None = None
    payment_codes: tuple[CodeRule, ...] | None = None
    exceptions: ListedCards | None = None
    texts: Texts | None = None


class Settings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Everything a till is told, checked as a whole."""

    shop: Shop
    bank: Bank
    devices: Devices
    receipts: Receipts = Receipts()
    texts: Texts = Texts()
    offline: Offline = Offline()
    data_storage: DataStorage | None = None
    traces: Traces = Traces()
    applications: tuple[Application, ...]
    ca_keys: tuple[CAKey, ...]
    ec_keys: tuple[ECKey, ...] = ()
    currencies: Mapping[str, Currency]
    payment_codes: tuple[CodeRule, ...]
    exceptions: tuple[ExceptionCard, ...] = ()
    listed_cards: ListedCards | None = None
    """The bank's list, which goes beside the shop's own."""
    parameters_version: int = 0
    """Of the bank's parameters in it; 0: none."""

    @property
    def currency(self) -> Currency:
        """The shop's own currency."""
        return self.currencies[self.shop.currency]
