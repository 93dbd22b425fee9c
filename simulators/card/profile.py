"""What makes one simulated card unlike the next: its profile, read from TOML."""

from __future__ import annotations

import enum
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import msgspec

from simulators.card.errors import BadProfile, UnknownProfile

FOLDER = Path(__file__).parent / "profiles"

KERNEL_MASTERCARD = 2
KERNELS_EMV_MODE = (4, 5, 6)
KERNEL_8 = 8

AID_VISA_CREDIT_OR_DEBIT = bytes.fromhex("A0000000031010")

PAN = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{12,16}$")]
HexName = Annotated[str, msgspec.Meta(pattern=r"^([0-9A-F]{2}){5,16}$")]


class Decision(enum.StrEnum):
    """How a card wants to settle a payment, if the reader lets it."""

    ONLINE = "online"
    OFFLINE = "offline"
    DECLINE = "decline"


class Method(enum.StrEnum):
    """A way to verify the cardholder."""

    DEVICE = "device"
    ONLINE_PIN = "online-pin"
    SIGNATURE = "signature"


class Flaw(enum.StrEnum):
    """What a forger could not make."""

    CERTIFICATE = "certificate"
    CRYPTOGRAM = "cryptogram"
    SIGNATURE = "signature"
    """The card's own, over its cryptogram."""
    AUTHORITY = "authority"
    """A scheme key that no till knows."""
    IAD_MAC = "iad-mac"
    """Of a kernel 8 card: the one that binds the transaction to the channel."""


class Unlock(enum.StrEnum):
    """When a phone's owner proves who he is."""

    BEFORE = "before"
    WHEN_ASKED = "when-asked"
    NEVER = "never"


class ApplicationProfile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One application of a card."""

    aid: HexName = AID_VISA_CREDIT_OR_DEBIT.hex().upper()
    """5 to 16 bytes, hexadecimal."""
    kernel: Literal[2, 3, 4, 5, 6, 7, 8] = 3
    """Which contactless kernel the directory asks for, and the application speaks with."""
    label: str = "VISA CREDIT"
    """Tag 50, at most 16 characters."""
    priority: Annotated[int, msgspec.Meta(ge=1, le=15)] = 1
    """Tag 87; the lowest goes first."""
    pan: PAN | None = None
    """The card's own number where there is none."""


class Relay(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a card says of its speed, and how fast it is. Units of 100 microseconds."""

    least: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 0
    """The quickest it says to answer."""
    most: Annotated[int, msgspec.Meta(ge=0, le=65535)]
    """The slowest it says to answer."""
    on_air: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 24
    """How long it thinks that its answer travels."""
    takes: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 0
    """How long it really takes."""

    @property
    def told(self) -> bytes:
        """What it tells of its times: least, most, and on the air."""
        return b"".join(each.to_bytes(2, "big") for each in (self.least, self.most, self.on_air))


class MChip(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What only a card of kernel 2 has."""

    cda: bool = True
    """Sign the cryptogram; kernels 4, 5 and 6 too."""
    relay: Relay | None = None
    """Relay resistance, where it has it."""
    leaves_early: bool = False
    """Leave once with the cryptogram unsaid, and tell it at the next tap."""
    denies_expired: bool = False
    """Have the reader decline once it has expired: the issuer's action code."""
    is_magstripe: bool = False
    """Speak magnetic stripe mode alone."""
    balance_minor: Annotated[int, msgspec.Meta(ge=0, le=999_999_999_999)] | None = None
    """The offline balance it tells, in minor units."""
    has_storage: bool = False
    """Keep what a shop writes: tags 9F70 to 9F79 while it is powered, and one slot for good."""


class Kernel8(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What only a card of kernel 8 has."""

    local_authentication: bool = True
    """Prove itself to the reader with ECC certificates."""
    relay: Relay | None = None
    """Relay resistance, where it has it."""


class Profile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One card, and what a till should make of it."""

    name: str
    title: str
    title_zh: str
    expect: str
    """The outcome to expect, in one line."""
    expect_zh: str
    order: int
    """Its place in the list; the plain approval is first."""
    pan: PAN
    """A published test number, on no other card."""
    expiry: Annotated[str, msgspec.Meta(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$")]
    """The last month it is valid, YYYY-MM."""
    sequence_number: Annotated[int, msgspec.Meta(ge=0, le=99)] = 1
    """Tag 5F34."""
    decision: Decision = Decision.ONLINE
    cvm: tuple[Method, ...] = (Method.SIGNATURE,)
    """What the card takes above the reader's CVM limit; the first that both can."""
    always_verifies: bool = False
    """Below that limit too."""
    insists_on_cvm: bool = False
    """Demand the first method though the reader cannot do it."""
    cryptogram_version: Annotated[int, msgspec.Meta(ge=10, le=18)] = 18
    """10 or 18."""
    fdda: Annotated[int, msgspec.Meta(ge=0, le=1)] = 1
    """Version of the dynamic signature."""
    icc_key_bits: Annotated[int, msgspec.Meta(ge=1024, le=1152)] = 1024
    """Above 1024 the signature stands in the last record."""
    flaw: Flaw | None = None
    mchip: MChip = MChip()
    """For applications of kernel 2."""
    kernel8: Kernel8 = Kernel8()
    """For applications of kernel 8."""
    program: Annotated[str, msgspec.Meta(pattern=r"^([0-9A-F]{2}){1,16}$")] | None = None
    """Tag 9F5A of a kernel 3 application, hexadecimal: the program it belongs to."""
    is_updated: bool = False
    """Of a kernel 3 application: takes its issuer's answer at a second tap."""
    is_msd: bool = False
    """Of a kernel 3 application: has magnetic stripe data alone."""
    purse_minor: Annotated[int, msgspec.Meta(ge=0, le=999_999_999_999)] | None = None
    """Electronic cash of a kernel 7 application, in minor units."""
    applications: tuple[ApplicationProfile, ...] = (ApplicationProfile(),)


class PhoneProfile(Profile, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One phone that pays like a card."""

    unlock: Unlock
    returns_after_s: Annotated[float, msgspec.Meta(ge=0, le=60)] = 1.5
    """How long the owner looks at the phone, when asked to, before the second tap."""


P = TypeVar("P", bound=Profile)


def load_profiles(folder: Path = FOLDER) -> dict[str, Profile]:
    """Return every card by name, the plain approval first.

    Raises BadProfile, naming file and key.
    """
    return load_folder(folder, Profile)


def load_folder(folder: Path, kind: type[P]) -> dict[str, P]:
    """Return every profile of a folder by name, in their order.

    Raises BadProfile, naming file and key.
    """
    loaded = [_load(path, kind) for path in sorted(folder.glob("*.toml"))]
    return {profile.name: profile for profile in sorted(loaded, key=lambda each: each.order)}


def find(name: str, load: Callable[[], dict[str, P]]) -> P:
    """Return one profile. Raises UnknownProfile, listing those there are."""
    known = load()
    if name not in known:
        raise UnknownProfile(f"no {name!r} here; there are: {', '.join(known)}")
    return known[name]


def _load(path: Path, kind: type[P]) -> P:
    try:
        profile = msgspec.toml.decode(path.read_bytes(), type=kind)
    except (msgspec.DecodeError, OSError) as error:
        raise BadProfile(f"{path}: {error}") from error
    if profile.name != path.stem:
        raise BadProfile(f"{path}: name: {profile.name!r} is not the file's")
    if profile.cryptogram_version not in (10, 18):
        raise BadProfile(f"{path}: cryptogram_version: 10 or 18")
    if profile.icc_key_bits % 8:
        raise BadProfile(f"{path}: icc_key_bits: not whole bytes")
    if not profile.applications:
        raise BadProfile(f"{path}: applications: a card needs one")
    if profile.insists_on_cvm and not profile.cvm:
        raise BadProfile(f"{path}: insists_on_cvm: there is no cvm to insist on")
    for application in profile.applications:
        label = application.label
        if not (label.isascii() and label.isprintable() and 1 <= len(label) <= 16):
            raise BadProfile(f"{path}: applications.label: 1 to 16 printable characters")
    return profile
