"""What makes one simulated chip card unlike the next, read from TOML."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from simulators.card.errors import BadProfile
from simulators.card.profile import AID_VISA_CREDIT_OR_DEBIT, PAN, Decision, HexName

PIN_TRIES = 3
FOLDER = Path(__file__).parent / "profiles"


class Authentication(enum.StrEnum):
    """How the card proves itself offline."""

    NONE = "none"
    SDA = "sda"
    DDA = "dda"
    CDA = "cda"


class Method(enum.StrEnum):
    """A way to verify the cardholder."""

    ENCIPHERED_PIN = "enciphered-pin"
    PLAINTEXT_PIN = "plaintext-pin"
    PLAINTEXT_PIN_AND_SIGNATURE = "plaintext-pin-and-signature"
    ONLINE_PIN = "online-pin"
    SIGNATURE = "signature"
    NONE = "none"


class Flaw(enum.StrEnum):
    """What a forger could not make, or a fault of the chip."""

    SIGNATURE = "signature"
    """The combined signature does not fit."""
    CRYPTOGRAM = "cryptogram"
    """The issuer does not know the card's key."""
    BLOCKED = "blocked"
    """The issuer has blocked the whole card."""


class Application(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One name under which the card is in its directory."""

    aid: HexName = AID_VISA_CREDIT_OR_DEBIT.hex().upper()
    label: str = "VISA CREDIT"
    """Tag 50, at most 16 characters."""
    priority: Annotated[int, msgspec.Meta(ge=1, le=15)] = 1
    needs_confirmation: bool = False
    """Not to be used without the cardholder's consent."""
    pan: PAN | None = None
    """The card's own number where there is none."""


class ContactProfile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One chip card, and what a till should make of it."""

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
    authentication: Authentication = Authentication.CDA
    decision: Decision = Decision.ONLINE
    cvm: tuple[Method, ...] = (Method.SIGNATURE, Method.NONE)
    """In this order, each if the terminal can do it."""
    insists_on_cvm: bool = False
    """The first method always, and no other."""
    pin: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{4,12}$")] = "1234"
    """A test PIN, checked by the card itself."""
    pin_tries: Annotated[int, msgspec.Meta(ge=0, le=15)] = PIN_TRIES
    """How many wrong PINs in a row it takes; 0 is a PIN that is blocked."""
    offline_max: tuple[int, int] | None = None
    """Lower and upper limit of payments in a row without the issuer."""
    cryptogram_version: Literal[10, 18] = 18
    external_authentication: bool = True
    """The issuer's answer is checked by a command of its own; else within GENERATE AC."""
    insists_on_issuer: bool = False
    """It approves nothing online without the issuer's proof."""
    refuses_approval: bool = False
    """It declines what the issuer has approved."""
    flaw: Flaw | None = None
    applications: tuple[Application, ...] = (Application(),)

    @property
    def pin_tries_max(self) -> int:
        """How many tries a right PIN, or the issuer, gives back."""
        return self.pin_tries or PIN_TRIES


def load_profiles(folder: Path = FOLDER) -> dict[str, ContactProfile]:
    """Return every chip card by name, the plain approval first.

    Raises BadProfile, naming file and key.
    """
    loaded = [_load(path) for path in sorted(folder.glob("*.toml"))]
    return {profile.name: profile for profile in sorted(loaded, key=lambda each: each.order)}


def _load(path: Path) -> ContactProfile:
    try:
        profile = msgspec.toml.decode(path.read_bytes(), type=ContactProfile)
    except (msgspec.DecodeError, OSError) as error:
        raise BadProfile(f"{path}: {error}") from error
    if profile.name != path.stem:
        raise BadProfile(f"{path}: name: {profile.name!r} is not the file's")
    if not profile.applications:
        raise BadProfile(f"{path}: applications: a card needs one")
    if profile.insists_on_cvm and not profile.cvm:
        raise BadProfile(f"{path}: insists_on_cvm: there is no cvm to insist on")
    if (
        profile.offline_max is not None
        and not 0 <= profile.offline_max[0] <= profile.offline_max[1] <= 255
    ):
        raise BadProfile(f"{path}: offline_max: two numbers up to 255, the lower first")
    for application in profile.applications:
        label = application.label
        if not (label.isascii() and label.isprintable() and 1 <= len(label) <= 16):
            raise BadProfile(f"{path}: applications.label: 1 to 16 printable characters")
    return profile
