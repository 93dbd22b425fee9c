"""Dynamic reader limits: what the amount means to a card of this program."""

from __future__ import annotations

from emv import tags
from emv.bits import TTQ
from emv.conversation import Kernel, note
from emv.entry_point import assess
from emv.kernels.c3.session import Session
from emv.kernels.endings import over_limit
from emv.outcome import Outcome


def choose_limits(session: Session) -> Kernel[Outcome | None]:
    """Hold the amount against the limits of the card's program, if the reader has a set.

    Returns the outcome if the program allows no tap for this amount.

    Source: Book C-3, dynamic reader limits; Book B, 3.1.1. unsettled: whether an
    identifier is compared whole or, as here, by what it begins with.
    """
    program = session.fci.get(tags.TAG_9F5A_APPLICATION_PROGRAM_IDENTIFIER, b"")
    combination = session.activation.combination.for_program(program)
    if combination is None:
        return None
    indicators = assess(combination, session.activation.transaction)
    yield from note("limits of the card's program", session.cite("dynamic reader limits"))
    if indicators.not_allowed or indicators.ttq is None:
        return over_limit()
    session.ttq = TTQ.decode(indicators.ttq)
    return None
