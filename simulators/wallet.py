"""A wallet on a customer's phone: shows codes, scans codes, asks its owner.

What it does is its profile's; how its bank is reached is handed in. It moves
no money: the bank does.
"""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from simulators.wallet_door import WalletError

if TYPE_CHECKING:
    import threading

    from drivers.protocols import Image

PROFILES = Path(__file__).parent / "wallets"

_CHOICES = {
    "form": ("digits", "cpm"),
    "symbol": ("qr", "code128"),
    "owner": ("", "confirms", "refuses", "waits"),
    "trick": ("", "foreign", "unknown", "two_codes"),
}


class UnknownWallet(WalletError):
    """No profile has this name."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What one wallet shows, and how its owner behaves."""

    name: str
    title: str
    title_zh: str
    expect: str
    """The outcome of a sale, one line."""
    expect_zh: str
    order: int
    """Place in the list; the first is the plain approval."""
    account: str
    """The wallet's identity at its bank."""
    brand: str
    colour: str
    """Of the screen's top bar, as 'RRGGBB'."""
    form: str = "digits"
    """'digits', or 'cpm' for an EMV consumer-presented code."""
    symbol: str = "qr"
    """'qr' or 'code128'."""
    owner: str = ""
    """What the owner does when asked: 'confirms', 'refuses', 'waits' to be told."""
    after_s: float = 2.0
    """How long the owner thinks before that, in seconds."""
    trick: str = ""
    """'foreign' shows no payment code, 'unknown' one that no wallet issued,
    'two_codes' two at once."""
    is_dark: bool = False
    """Draws white on black."""

    def __post_init__(self) -> None:
        for key, choices in _CHOICES.items():
            if getattr(self, key) not in choices:
                raise WalletError(f"{self.name}.{key}: one of {choices}")


@dataclass(frozen=True, slots=True)
class Shown:
    """What the phone shows now."""

    image: Image
    codes: tuple[str, ...]
    expires_at: str
    """RFC 3339, by the bank's clock; empty where the bank issued nothing."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A payment that waits for the owner's word."""

    attempt: str
    amount_minor: int
    currency: str
    merchant: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the bank tells the payer."""

    state: str
    """'approved', 'declined' or 'closed'."""
    code: str
    amount_minor: int | None = None
    currency: str = ""
    merchant: str = ""


class Door(Protocol):
    """The way to the bank."""

    def ask(self, path: str, body: Mapping[str, object]) -> dict[str, Any]:
        """Return the bank's answer, or raise WalletError."""


class Wallet:
    """One customer's wallet."""

    def __init__(self, profile: Profile, door: Door) -> None:
        self.profile = profile
        self._door = door

    def show(self) -> Shown:
        """Return a screen with a fresh payment code on it, good for one payment.

        Raises WalletError if the bank gives none.
        """
        codes, expires_at = self.new_codes()
        return Shown(screen(self.profile, codes), tuple(codes), expires_at)

    def new_codes(self) -> tuple[Sequence[str], str]:
        """Return what the screen is to show, and when the bank says that ends.

        Raises WalletError if the bank gives no code.
        """
        expires_at = ""
        if self.profile.trick == "foreign":
            codes = ["https://menu.example/table/12"]
        elif self.profile.trick == "unknown":
            codes = ["280000000000000000"]
        else:
            codes = []
            for _ in range(2 if self.profile.trick == "two_codes" else 1):
                answer = self._ask("codes", form=self.profile.form)
                codes.append(str(answer["code"]))
                expires_at = str(answer["expires_at"])
        return codes, expires_at

    def pay(self, shown_code: str) -> Verdict:
        """Pay the code a till shows. Raises WalletError if the bank cannot be asked."""
        return _verdict(self._ask("pay", shown_code=shown_code))

    def scan(self, image: Image) -> Verdict:
        """Find the till's code in a picture, and pay it.

        Raises WalletError if there is not exactly one QR code in it.
        """
        return self.pay(read_code(image))

    def pending(self) -> Sequence[Pending]:
        """Return what waits for the owner, the oldest first."""
        return [
            Pending(
                str(entry["attempt"]),
                int(entry["amount_minor"]),
                str(entry["currency"]),
                str(entry["merchant"]),
            )
            for entry in self._ask("pending")["payments"]
        ]

    def confirm(self, attempt: str) -> Verdict:
        """Let a waiting payment happen."""
        return _verdict(self._ask("confirm", attempt=attempt))

    def refuse(self, attempt: str) -> Verdict:
        """End a waiting payment."""
        return _verdict(self._ask("refuse", attempt=attempt))

    def answer_pending(self) -> Sequence[Verdict]:
        """Do with all that waits what this owner does; nothing if he waits to be told."""
        decide = {"confirms": self.confirm, "refuses": self.refuse}.get(self.profile.owner)
        return [decide(payment.attempt) for payment in self.pending()] if decide else []

    def attend(self, stop: threading.Event, *, every_s: float = 0.3) -> None:
        """Look at the phone until told to stop, and answer what waits there.

        Blocks: give it a thread. A bank out of reach is tried again.
        """
        if self.profile.owner not in ("confirms", "refuses"):
            return
        while not stop.wait(every_s):
            try:
                if self.pending() and not stop.wait(self.profile.after_s):
                    self.answer_pending()
            except WalletError:
                # A phone without a network shows nothing, and looks again.
                continue

    def _ask(self, what: str, **body: object) -> dict[str, Any]:
        return self._door.ask(f"/wallet/v1/{what}", {"wallet": self.profile.account, **body})


def screen(profile: Profile, codes: Sequence[str]) -> Image:
    """Return this wallet's screen with these codes on it."""
    from simulators.phone_screen import draw_screen  # loads OpenCV

    red, green, blue = bytes.fromhex(profile.colour)
    return draw_screen(
        profile.brand,
        (blue, green, red),
        codes,
        symbol=profile.symbol,
        is_dark=profile.is_dark,
    )


def read_code(image: Image) -> str:
    """Return the text of the one QR code in a picture, as a phone reads it.

    Raises WalletError if there is none, or more than one.
    """
    import zxingcpp

    qr = zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.QRCode])
    found = {code.text for code in zxingcpp.read_barcodes(image, qr)}
    if len(found) != 1:
        raise WalletError(f"the picture holds {len(found)} QR codes, not one")
    return found.pop()


def profiles(folder: Path = PROFILES) -> Sequence[Profile]:
    """Return every wallet there is, the plain approval first.

    Raises WalletError naming the file and key of a profile that is wrong.
    """
    return sorted((_load(path) for path in folder.glob("*.toml")), key=lambda each: each.order)


def profile(name: str) -> Profile:
    """Return the wallet of this name. Raises UnknownWallet listing the names."""
    known = {each.name: each for each in profiles()}
    if name not in known:
        raise UnknownWallet(f"no wallet {name!r}; there is: {', '.join(known)}")
    return known[name]


def _load(path: Path) -> Profile:
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise WalletError(f"{path.name}: {error}") from error
    fields = {field.name: field for field in dataclasses.fields(Profile)}
    for key in values:
        if key not in fields or key == "name":
            raise WalletError(f"{path.name}: {key}: unknown key")
    for key, field in fields.items():
        if field.default is dataclasses.MISSING and key not in values and key != "name":
            raise WalletError(f"{path.name}: {key}: missing")
    return Profile(name=path.stem, **values)


def _verdict(answer: Mapping[str, Any]) -> Verdict:
    return Verdict(
        str(answer["state"]),
        str(answer["code"]),
        answer.get("amount_minor"),
        str(answer.get("currency", "")),
        str(answer.get("merchant", "")),
    )
