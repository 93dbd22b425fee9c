"""What a kernel may ask for, and the answers it gets.

A kernel is a generator. It yields a command for the card or a question,
and is sent the reply; it never opens, sleeps, logs, or reads a clock.
Whoever pumps it throws LinkLost into it when the card's link fails.
"""

from __future__ import annotations

import enum
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from emv.authentication import PublicKey
from emv.errors import CardRefused, MalformedData
from emv.outcome import CVM, UserInterfaceRequest


@dataclass(frozen=True, slots=True)
class Command:
    """A C-APDU for the card; answered with a Reply."""

    encoded: bytes


@dataclass(frozen=True, slots=True)
class RandomBytes:
    """Fresh random bytes, as many as count; answered with bytes."""

    count: int


@dataclass(frozen=True, slots=True)
class OnExceptionFile:
    """Is this card on the terminal's exception file? Answered with a bool."""

    pan: str = field(repr=False)
    sequence_number: int | None


@dataclass(frozen=True, slots=True)
class LoggedAmount:
    """What did this card pay here last, unsettled? Answered with minor units, 0 for nothing."""

    pan: str = field(repr=False)
    sequence_number: int | None


@dataclass(frozen=True, slots=True)
class ChooseApplication:
    """Which application does the cardholder want? Answered with an index, None for none.

    A single name asks whether he agrees to it.
    """

    names: tuple[str, ...]
    """As the cardholder knows them, the card's first choice in front."""
    language: str = ""
    """ISO 639 code of the language to ask in; empty for the terminal's own."""


@dataclass(frozen=True, slots=True)
class VerifyPIN:
    """Have the card check the cardholder's PIN; answered with a PINAnswer.

    Whoever takes the PIN builds VERIFY and sends it; the kernel sees the
    card's status word and never the PIN.
    """

    icc_key: PublicKey | None
    """What the PIN is enciphered with; None for a plaintext VERIFY."""
    challenge: bytes
    """The card's fresh bytes for the encipherment; empty for plaintext."""
    tries_left: int | None
    """As the card told; None if it did not."""
    is_retry: bool = False
    """The PIN before was wrong."""


@dataclass(frozen=True, slots=True)
class TakeOnlinePIN:
    """Have the PIN enciphered for the issuer; answered with a PINAnswer."""

    pan: str = field(repr=False)


class PINEntry(enum.Enum):
    """What became of a question for a PIN."""

    ENTERED = "entered"
    BYPASSED = "bypassed"
    """The cardholder does not know it and may go on without."""
    CANCELLED = "cancelled"
    NO_PIN_PAD = "no PIN pad"
    """There is none, or it does not work."""


@dataclass(frozen=True, slots=True)
class PINAnswer:
    """How a PIN question ended."""

    entry: PINEntry
    status: int | None = None
    """The card's answer to VERIFY, for an offline PIN that was entered."""


@dataclass(frozen=True, slots=True)
class AskIssuer:
    """Ask the card's issuer; answered with an IssuerAnswer, None if it cannot be had."""

    data_record: Mapping[int, bytes] = field(repr=False)
    """Tag to value: what the authorisation request carries."""
    cvm: CVM
    """How the cardholder was verified, or is still to be."""


RESPONSE_APPROVED = frozenset({b"00", b"10", b"11"})
"""Approved, in part, and VIP. Source: ISO 8583:1987 field 39."""


@dataclass(frozen=True, slots=True)
class IssuerAnswer:
    """What the issuer said, as the card will hear it."""

    response_code: bytes
    """Authorisation Response Code, tag 8A, 2 characters."""
    authentication_data: bytes = field(default=b"", repr=False)
    """Issuer Authentication Data, the value of tag 91; empty if there is none."""
    scripts: bytes = field(default=b"", repr=False)
    """Templates 71 and 72, one after the other, as the issuer sent them."""

    @property
    def is_approval(self) -> bool:
        """Whether the issuer approves, in whole or in part."""
        return self.response_code in RESPONSE_APPROVED


@dataclass(frozen=True, slots=True)
class Show:
    """A user-interface request in mid-conversation; answered with None."""

    request: UserInterfaceRequest


@dataclass(frozen=True, slots=True)
class Note:
    """A decision and the rule that made it, for the trace; answered with None."""

    text: str
    """In English, no card data in it; what stands in braces is in values."""
    source: str
    """Book and section."""
    values: Mapping[str, str | int] = field(default_factory=dict)

    @property
    def said(self) -> str:
        """The whole sentence, in English."""
        return self.text.format_map(self.values) if self.values else self.text


@dataclass(frozen=True, slots=True)
class Reply:
    """An R-APDU, and the time it took next to the wire."""

    data: bytes = field(repr=False)
    status: int
    elapsed_us: int

    @classmethod
    def parse(cls, response: bytes, elapsed_us: int) -> Reply:
        """Split the status word off. Raises MalformedData under 2 bytes."""
        if len(response) < 2:
            raise MalformedData(f"R-APDU of {len(response)} bytes has no status word")
        return cls(response[:-2], int.from_bytes(response[-2:], "big"), elapsed_us)


Question = (
    RandomBytes
    | OnExceptionFile
    | LoggedAmount
    | ChooseApplication
    | VerifyPIN
    | TakeOnlinePIN
    | AskIssuer
    | Show
    | Note
)
Request = Command | Question
Answer = Reply | bytes | bool | int | PINAnswer | IssuerAnswer | None

T = TypeVar("T")
Kernel = Generator[Request, Answer, T]


def exchange(command: bytes) -> Kernel[Reply]:
    """Send the card a command and return its reply."""
    reply = yield Command(command)
    if not isinstance(reply, Reply):
        raise TypeError(f"a command was answered with {type(reply).__name__}")
    return reply


def fresh_bytes(count: int) -> Kernel[bytes]:
    """Return count fresh random bytes."""
    answer = yield RandomBytes(count)
    if not isinstance(answer, bytes) or len(answer) != count:
        raise TypeError(f"{count} random bytes were asked for and not given")
    return answer


def on_exception_file(pan: str, sequence_number: int | None) -> Kernel[bool]:
    """Return whether the card is on the exception file."""
    answer = yield OnExceptionFile(pan, sequence_number)
    if not isinstance(answer, bool):
        raise TypeError("the exception file question was not answered")
    return answer


def logged_amount(pan: str, sequence_number: int | None) -> Kernel[int]:
    """Return what the card's last unsettled payment here came to, in minor units."""
    answer = yield LoggedAmount(pan, sequence_number)
    if not isinstance(answer, int) or answer < 0:
        raise TypeError("the question for logged amounts was not answered")
    return answer


def choose_application(names: tuple[str, ...], language: str = "") -> Kernel[int | None]:
    """Return the place of the application the cardholder wants; None for none."""
    answer = yield ChooseApplication(names, language)
    if answer is None:
        return None
    if not isinstance(answer, int) or not 0 <= answer < len(names):
        raise TypeError("the choice of an application was not answered")
    return answer


def take_pin(question: VerifyPIN | TakeOnlinePIN) -> Kernel[PINAnswer]:
    """Return how a question for a PIN ended."""
    answer = yield question
    if not isinstance(answer, PINAnswer):
        raise TypeError("a question for a PIN was not answered")
    return answer


def ask_issuer(data_record: Mapping[int, bytes], cvm: CVM) -> Kernel[IssuerAnswer | None]:
    """Return what the issuer said; None if it cannot be asked."""
    answer = yield AskIssuer(data_record, cvm)
    if answer is not None and not isinstance(answer, IssuerAnswer):
        raise TypeError("the issuer's answer is none")
    return answer


def show(request: UserInterfaceRequest) -> Kernel[None]:
    """Have the reader show a message now."""
    yield Show(request)


def note(text: str, source: str, **values: str | int) -> Kernel[None]:
    """Write a decision into the trace. values: what stands in the text's braces."""
    yield Note(text, source, values)


def note_refusal(refused: CardRefused, source: str) -> Kernel[None]:
    """Write into the trace that the card refused a command."""
    yield from note(
        "{command} refused with status {status}",
        source,
        command=refused.command,
        status=f"{refused.status:04X}",
    )
