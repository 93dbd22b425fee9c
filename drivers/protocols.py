"""What the terminal asks of its devices. Bytes and images, never payments."""

from __future__ import annotations

import enum
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

    Image = NDArray[numpy.uint8]
    """Height × width grey levels, or height × width × 3 in blue, green, red."""


class Health(enum.Enum):
    """How a device is, for the status line and the doctor."""

    READY = "ready"
    STARTING = "starting"
    FAULTY = "faulty"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One line about a device, and the step that mends it."""

    health: Health
    summary: str
    remedy: str = ""


class Symptom(enum.StrEnum):
    """What a close look at a device can find. Scripts read the values: they stay as they are."""

    WORKS = "works"
    HELD = "held"
    """The till that runs has it open."""
    UNSEEN = "unseen"
    """It can be used, and nothing tells whether it is there."""
    SIMULATED = "simulated"
    PAPER_LOW = "paper-low"
    LIBRARY_MISSING = "library-missing"
    SYSTEM_LIBRARY_MISSING = "system-library-missing"
    SERVICE_MISSING = "service-missing"
    SERVICE_STOPPED = "service-stopped"
    SERVICE_SILENT = "service-silent"
    SERVICE_NOT_ALLOWED = "service-not-allowed"
    NO_READER = "no-reader"
    ABSENT = "absent"
    NOT_ALLOWED = "not-allowed"
    """The file's group is allowed, and this user is not in it."""
    NOT_ALLOWED_YET = "not-allowed-yet"
    """The user was put into the group after logging in."""
    NO_RULE = "no-udev-rule"
    """Only root is allowed."""
    BUSY = "busy"
    WRONG_FILE = "wrong-file"
    KERNEL_HOLDS_IT = "kernel-holds-it"
    SILENT = "silent"
    GARBLED = "garbled"
    NO_PICTURE = "no-picture"
    PAPER_OUT = "paper-out"
    COVER_OPEN = "cover-open"
    OFFLINE = "offline"
    DAMAGED = "damaged"
    NO_KEYS = "no-keys"
    OPTION_REFUSED = "option-refused"
    UNKNOWN_DRIVER = "unknown-driver"
    FAILS = "fails"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a close look at one device found."""

    symptom: Symptom
    facts: Mapping[str, str] = field(default_factory=dict)
    """Path, group, program and the like, for the sentence about it."""


@dataclass(frozen=True, slots=True)
class FoundDevice:
    """Something that is plugged in, and how a shop's file would name it."""

    role: str
    """'readers', 'scanners' or 'printers'; '' for a serial line, which may be anything."""
    name: str
    driver: str
    options: Mapping[str, Any]


class Device(Protocol):
    """What every device can do."""

    def diagnose(self) -> Diagnosis:
        """Say how the device is, without disturbing it."""

    def close(self) -> None:
        """Let the device go. Safe to call twice."""


class Interface(enum.Enum):
    """How a card meets the reader."""

    CONTACTLESS = "contactless"
    CONTACT = "contact"


class Signal(enum.Enum):
    """What the lights and the buzzer of a reader can say."""

    READY = "ready"
    """A card may come."""
    DONE = "done"
    """The card was read and may leave."""
    ALERT = "alert"
    """That did not work."""
    OFF = "off"


class CardReader(Device, Protocol):
    """A slot or an antenna that holds one card at a time."""

    @property
    def interface(self) -> Interface:
        """Antenna or slot."""

    def wait_for_card(self, timeout_s: float) -> bool:
        """True once a card is active, False when the time is up.

        Raises CardClash if two cards answer, CardMute if one is in a slot and does
        not start, DeviceLost if the reader is gone.
        """

    def transceive(self, command: bytes) -> tuple[bytes, int]:
        """Send a C-APDU; return the R-APDU and the time it took.

        command: at least 4 bytes.
        R-APDU: data, then 2 status bytes. Time in microseconds, taken
        next to the wire.
        Raises CardRemoved if the card left, DeviceTimeout if it is silent,
        DeviceLost if the reader is gone, CommandRefused for what is no command.
        """

    def release(self) -> None:
        """Power the card down. Safe to call twice."""

    def signal(self, signal: Signal) -> None:
        """Light and sound it, where the reader can; elsewhere do nothing.

        It is a courtesy: it never raises, and never disturbs a card.
        """


@runtime_checkable
class TellsGreeting(Protocol):
    """A reader that can tell how its card introduced itself."""

    def greeting(self) -> bytes:
        """Return the active card's ATR, ATS or ATQB; empty if there is none."""


class Symbology(enum.Enum):
    """The printed forms we read."""

    QR = "qr"
    CODE_128 = "code128"


@dataclass(frozen=True, slots=True)
class Symbol:
    """One code seen in an image."""

    symbology: Symbology
    data: bytes
    """The payload to the byte; no text decoding has touched it."""
    corners: tuple[tuple[int, int], ...] = ()
    """Pixels, clockwise from top left; empty when a hand scanner read it."""


class SymbolReader(Protocol):
    """Finds codes in one image after another."""

    def read(self, image: Image) -> Sequence[Symbol]:
        """Return the codes that count in this image.

        A doubtful bar code counts once two views agree, which may be in
        a later image: feed the frames of one stream to one reader.
        """


@dataclass(frozen=True, slots=True)
class Sight:
    """One frame, and what was read in it."""

    frame: Image
    symbols: Sequence[Symbol]
    read_ms: float
    """How long the reading took, in milliseconds."""


class Scanner(Device, Protocol):
    """A camera or a hand scanner: delivers codes while it is on."""

    def start(self) -> None:
        """Begin to look. Returns at once; safe to call twice."""

    def stop(self) -> None:
        """Stop looking, and forget what was seen. Safe to call twice."""

    def wait_for_symbols(self, timeout_s: float) -> Sequence[Symbol]:
        """Return the codes of the next frame that has any, or nothing in time.

        Raises DeviceLost if the scanner is gone and cannot be reopened now.
        """


class Camera(Scanner, Protocol):
    """A scanner that shows its pictures too."""

    def look(self, timeout_s: float) -> Sight | None:
        """Return the next frame and what was read in it, or None in time.

        Raises as wait_for_symbols does.
        """


@runtime_checkable
class TypedScanner(Scanner, Protocol):
    """A hand scanner that types like a keyboard: whoever has the keys hands it its codes."""

    @property
    def prefix(self) -> str:
        """What every code begins with, as the scanner is set; empty for nothing."""

    @property
    def suffix(self) -> str:
        r"""How every code ends; '\r' is Enter."""

    def offer(self, text: str) -> bool:
        """Hand over a code that was typed. False: nobody looks for one now."""


@dataclass(frozen=True, slots=True)
class PrinterStatus:
    """What a printer says of itself, now."""

    is_online: bool = True
    is_cover_open: bool = False
    is_paper_out: bool = False
    is_paper_low: bool = False
    is_faulty: bool = False
    """Its cutter or its head; switch it off and on."""


class ReceiptPrinter(Device, Protocol):
    """Prints lines of text and cuts."""

    @property
    def columns(self) -> int:
        """How many cells a line has; a Chinese character takes two."""

    def print_lines(
        self, lines: Sequence[str], *, code: str = "", on_begin: Callable[[], None] | None = None
    ) -> None:
        """Print the lines, a QR code below them if there is one, and cut.

        on_begin: called just before the first byte leaves; if it is never
        called, nothing of this receipt is on paper.
        Returns once the paper is out, as far as the printer tells.
        Raises DeviceNotReady if a person must see to it, DeviceLost or
        DeviceTimeout; then the paper may be half printed.
        """

    def open_drawer(self) -> None:
        """Open the cash drawer at the printer. Raises as print_lines does."""

    def status(self) -> PrinterStatus | None:
        """Return what the printer says of itself; None if it never says anything.

        Raises DeviceLost or DeviceTimeout.
        """


class CustomerDisplay(Device, Protocol):
    """Two lines that face the customer."""

    @property
    def columns(self) -> int:
        """How many cells a line has; a Chinese character takes two."""

    @property
    def can_show_chinese(self) -> bool:
        """False: write to it in English, or the customer sees question marks."""

    def show(self, upper: str, lower: str) -> None:
        """Replace both lines; what does not fit is cut off.

        Raises DeviceLost or DeviceTimeout.
        """


@dataclass(frozen=True, slots=True)
class EncryptedPin:
    """A PIN as only the bank can read it. Never kept, never logged."""

    block: bytes = field(repr=False)
    """ISO 9564-1 format 4, 16 bytes."""
    ksn: bytes
    """The serial number of its key, 12 bytes; AES DUKPT."""


class NoPin(enum.Enum):
    """Why a customer gave no PIN."""

    CANCELLED = "cancelled"
    """By the customer."""
    LATE = "late"
    SKIPPED = "skipped"
    """The customer goes on without, where that is allowed."""
    STOPPED = "stopped"
    """By the till."""


@dataclass(frozen=True, slots=True)
class CardKey:
    """The public key that a card's PIN is enciphered with."""

    modulus: bytes
    """As long as the key; 1984 bits are 248 bytes."""
    exponent: int


@dataclass(frozen=True, slots=True)
class PinTries:
    """How a customer stands who enters a PIN that the card checks."""

    left: int | None = None
    """As the card told; None if it did not."""
    is_retry: bool = False
    """The PIN before was wrong."""
    may_skip: bool = False
    """Enter without a digit goes on without a PIN."""


FIRST_TRY = PinTries()
"""Nothing is told, and nothing may be skipped."""


class PinPad(Device, Protocol):
    """Takes a PIN and gives back only its encrypted block."""

    def encrypted_pin(
        self,
        pan: str,
        timeout_s: float,
        *,
        amount: str = "",
        on_digits: Callable[[int], None] | None = None,
        stop: threading.Event | None = None,
    ) -> EncryptedPin | NoPin:
        """Ask the customer for a PIN.

        pan: 12 to 19 digits; the block is bound to it. amount: as the customer
        reads it, ASCII.
        on_digits: told how many digits stand there, and never which.
        stop: set, from any thread, by whoever no longer wants an answer. Each
        question has its own, so that no call to end it can come too early.
        Raises DeviceNotReady if it has no keys, DeviceLost or DeviceTimeout.
        """

    def card_pin(
        self,
        key: CardKey,
        challenge: bytes,
        timeout_s: float,
        *,
        tries: PinTries = FIRST_TRY,
        amount: str = "",
        on_digits: Callable[[int], None] | None = None,
        stop: threading.Event | None = None,
    ) -> bytes | NoPin:
        """Ask the customer for a PIN that the card checks; return it enciphered by the card's key.

        challenge: the card's 8 bytes. What is returned is the data of VERIFY.
        The rest is as for encrypted_pin.
        """


@runtime_checkable
class PinReader(CardReader, Protocol):
    """A slot with keys of its own: a PIN goes from them to the card and to nobody else.

    Only such a device can have a card check a PIN that is not enciphered.
    """

    def verify_pin(
        self,
        timeout_s: float,
        *,
        tries: PinTries = FIRST_TRY,
        amount: str = "",
        on_digits: Callable[[int], None] | None = None,
        stop: threading.Event | None = None,
    ) -> int | NoPin:
        """Ask the customer for a PIN, send VERIFY, and return the card's status word.

        It may be called from another thread than transceive, which rests meanwhile.
        Raises CardRemoved, DeviceTimeout if the card is silent, DeviceLost.
        """
