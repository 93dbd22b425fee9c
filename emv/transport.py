"""Carries one command over a contact link: waiting data, corrected lengths, T=0.

Sans-I/O: each function is a generator that yields the bytes to send, is
sent the bytes that came back, and returns the whole R-APDU. The card's
'61xx', '6Cxx' and procedure bytes end here; kernels never see them.
Source: EMV 4.4 Book 1, 9.2 and 9.3, Annex A.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace

from emv.apdu import INS_GET_RESPONSE, LE_SHORT_MAX, CommandAPDU
from emv.errors import MalformedData

Link = Generator[bytes, bytes, bytes]
"""Yields what to send, is sent what came back, returns data and status word."""

ROUNDS_MAX = 512
"""A card with more to say than 64 KiB in pieces of 128 bytes is not honest."""

_WAIT = 0x60  # Procedure byte NULL: the card needs more time.


def carry_apdu(command: bytes) -> Link:
    """Carry a command over a link that takes whole APDUs, such as PC/SC.

    Raises MalformedData if the command is no C-APDU, an answer has no
    status word, or the card never comes to an end.
    """
    return _carry(CommandAPDU.parse(command), _send_apdu)


def carry_tpdu(command: bytes) -> Link:
    """Carry a command over a bare T=0 link, procedure bytes and all.

    The link is sent headers and data apart; it is sent nothing where the
    card needs more time, and is then only to listen.
    Raises MalformedData as carry_apdu does, for an extended command, and
    where the card breaks the rules of T=0.
    """
    parsed = CommandAPDU.parse(command)
    if parsed.extended:
        raise MalformedData("T=0 carries no extended lengths")
    return _carry(parsed, _send_tpdu)


def _carry(command: CommandAPDU, send: Callable[[CommandAPDU], Link]) -> Link:
    """Send a command, and fetch whatever the card says is waiting."""
    is_case_4 = bool(command.data) and command.le is not None
    collected = b""
    warning = b""
    sending = command
    for _ in range(ROUNDS_MAX):
        response = yield from send(sending)
        if len(response) < 2:
            raise MalformedData(f"R-APDU of {len(response)} bytes has no status word")
        collected += response[:-2]
        sw1, sw2 = response[-2:]
        if sw1 == 0x61:
            sending = CommandAPDU(0x00, INS_GET_RESPONSE, le=sw2 or LE_SHORT_MAX)
        elif sw1 == 0x6C:
            sending = replace(sending, le=sw2 or LE_SHORT_MAX)
        elif is_case_4 and sw1 in (0x62, 0x63) and not collected and not warning:
            # A warning may hide the data that belongs to it.
            warning = response[-2:]
            sending = CommandAPDU(0x00, INS_GET_RESPONSE, le=LE_SHORT_MAX)
        else:
            return collected + (warning or response[-2:])
    raise MalformedData(f"no end to the answer after {ROUNDS_MAX} exchanges")


def _send_apdu(command: CommandAPDU) -> Link:
    """Send a whole C-APDU at once."""
    return (yield command.encode())


def _send_tpdu(command: CommandAPDU) -> Link:
    """Send a header, and data as the card's procedure bytes ask for it."""
    unsent = command.data
    # Case 4 goes without Le: GET RESPONSE fetches the data afterwards.
    p3 = len(unsent) if unsent else (command.le or 0) % LE_SHORT_MAX
    received = b""
    answer = yield bytes((command.cla, command.ins, command.p1, command.p2, p3))
    while True:
        answer = answer.lstrip(bytes((_WAIT,)))
        if not answer:
            answer = yield b""
            continue
        procedure = answer[0]
        if procedure & 0xF0 in (0x60, 0x90):
            if len(answer) != 2:
                raise MalformedData(f"T=0: {len(answer)} bytes where a status word belongs")
            return received + answer
        if procedure == command.ins and unsent:
            answer, unsent = (yield unsent), b""
        elif procedure == command.ins:
            return received + answer[1:]
        elif procedure == command.ins ^ 0xFF and unsent:
            answer, unsent = (yield unsent[:1]), unsent[1:]
        elif procedure == command.ins ^ 0xFF and len(answer) > 1:
            received, answer = received + answer[1:2], answer[2:]
        else:
            raise MalformedData(f"T=0: {procedure:02X} is no procedure byte here")
