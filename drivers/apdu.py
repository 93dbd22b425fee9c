"""What every card link asks of a command before it goes out.

Waiting data ('61xx') and corrected lengths ('6Cxx') are not here: they are
the same over every reader, and are dealt with above all of them.
"""

from __future__ import annotations

from drivers.errors import CommandRefused

HEADER_BYTES = 4


def check_command(command: bytes) -> None:
    """Raise CommandRefused for what is too short to be a C-APDU.

    A single byte is worse than nonsense: vpcd takes it for one of its own
    control bytes, the card stays silent, and pcscd waits without end.
    """
    if len(command) < HEADER_BYTES:
        raise CommandRefused(f"{len(command)} bytes are no command: its header alone has four")


def for_t0(command: bytes) -> bytes:
    """Return a command as a T=0 link takes it: with data, then without Le.

    Raises CommandRefused for an extended command, which T=0 cannot carry.

    Source: ISO/IEC 7816-3:2006, 12.2; EMV 4.4 Book 1, 9.3.1.
    """
    if len(command) <= HEADER_BYTES + 1:
        return command
    if command[HEADER_BYTES] == 0:
        raise CommandRefused("T=0 carries no extended lengths")
    return command[: HEADER_BYTES + 1 + command[HEADER_BYTES]]
