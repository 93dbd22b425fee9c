"""The short loop that joins a kernel and a card reader."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TypeVar

from drivers.errors import CardRemoved, DeviceTimeout, DriverError
from drivers.protocols import CardReader
from emv.conversation import (
    Answer,
    Command,
    Kernel,
    Note,
    OnExceptionFile,
    Question,
    RandomBytes,
    Reply,
    Show,
)
from emv.errors import LinkLost
from emv.outcome import UserInterfaceRequest
from emv.transport import carry_apdu
from terminal.seams import Randomness

T = TypeVar("T")


class Answers:
    """Whoever can answer what a kernel asks and the card cannot."""

    def __init__(
        self,
        random: Randomness,
        is_on_exception_file: Callable[[str, int | None], bool],
        show: Callable[[UserInterfaceRequest], None],
        note: Callable[[Note], None],
    ) -> None:
        self._random = random
        self._is_on_exception_file = is_on_exception_file
        self._show = show
        self._note = note

    def ask(self, request: Question) -> Answer:
        """Return the answer to one question."""
        match request:
            case RandomBytes(count):
                return self._random(count)
            case OnExceptionFile(pan, sequence_number):
                return self._is_on_exception_file(pan, sequence_number)
            case Show(wanted):
                self._show(wanted)
            case Note():
                self._note(request)
        return None


def converse(kernel: Kernel[T], reader: CardReader, answers: Answers) -> T:
    """Carry a kernel's requests to the card, or to whoever can answer.

    Raises DeviceLost if the reader itself is gone.
    """
    talk = questions_of(kernel, reader)
    answer: Answer = None
    failed: DriverError | None = None
    while True:
        try:
            question = talk.send(answer) if failed is None else talk.throw(failed)
        except StopIteration as finished:
            outcome: T = finished.value
            return outcome
        failed = None
        try:
            answer = answers.ask(question)
        except (CardRemoved, DeviceTimeout) as error:
            failed = error


def questions_of(kernel: Kernel[T], reader: CardReader) -> Generator[Question, Answer, T]:
    """Carry a kernel's commands to the card; give out what the card cannot answer.

    A card that leaves or falls silent is thrown into the kernel as LinkLost:
    what that means is the kernel's to say. So is one that does while a question
    is open, thrown in here as CardRemoved or DeviceTimeout.
    Raises DeviceLost if the reader itself is gone.
    """
    reply: Answer = None
    lost: LinkLost | None = None
    while True:
        try:
            request = kernel.send(reply) if lost is None else kernel.throw(lost)
        except StopIteration as finished:
            outcome: T = finished.value
            return outcome
        lost = None
        try:
            if isinstance(request, Command):
                reply = Reply.parse(*carry(request.encoded, reader))
            else:
                reply = yield request
        except CardRemoved:
            lost = LinkLost("transmission")
        except DeviceTimeout:
            lost = LinkLost("timeout")


def carry(command: bytes, reader: CardReader) -> tuple[bytes, int]:
    """Send a command; fetch what the card says is waiting, over whichever reader.

    Returns the whole R-APDU and the time on the wire, in microseconds.
    Raises what transceive raises, and MalformedData for an answer without end.
    """
    link = carry_apdu(command)
    sending, elapsed_us = next(link), 0
    while True:
        response, took_us = reader.transceive(sending)
        elapsed_us += took_us
        try:
            sending = link.send(response)
        except StopIteration as finished:
            whole: bytes = finished.value
            return whole, elapsed_us
