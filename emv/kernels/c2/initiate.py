"""GET PROCESSING OPTIONS, and which mode the card and the reader share."""

from __future__ import annotations

from emv import tags
from emv.apdu import STATUS_OK, get_processing_options
from emv.bits import AIP
from emv.conversation import Kernel, exchange, fresh_bytes, note
from emv.kernels.c2.integrated import offer, take_stored
from emv.kernels.c2.session import Session, set_terminal_capabilities
from emv.kernels.endings import select_next
from emv.kernels.objects import pdol_data, require, response_objects, take
from emv.outcome import Outcome

MAG_STRIPE_RECORD = bytes.fromhex("08010100")
"""The locator's entry for record 1 of file 1, which holds the magnetic stripe."""


def initiate_application(session: Session) -> Kernel[Outcome | None]:
    """Send GET PROCESSING OPTIONS; return the outcome if that is the end.

    Raises DataMissing without AIP or AFL, MalformedData for what cannot be read.

    Source: Book C-2, states 1 to 3.
    """
    terminal = session.terminal
    terminal[tags.TAG_9F37_UNPREDICTABLE_NUMBER] = yield from fresh_bytes(4)
    terminal[tags.TAG_95_TVR] = session.tvr.encoded
    set_terminal_capabilities(session)
    offer(session)
    session.lists_data = pdol_data(session.fci.get(tags.TAG_9F38_PDOL, b""), terminal)
    reply = yield from exchange(get_processing_options(session.lists_data))
    if reply.status != STATUS_OK:
        # unsettled: one public implementation ends the application here.
        yield from note("GPO answered {status}", "Book C-2, state 2", status=f"{reply.status:04X}")
        return select_next("GPO", reply.status)
    take(session.card, response_objects(reply.data))
    session.aip = AIP.decode(require(session.card, tags.TAG_82_AIP))
    locator = require(session.card, tags.TAG_94_AFL)
    yield from take_stored(session)
    knows_stripe = session.configuration.supports_mag_stripe
    if knows_stripe and is_emv(session) and locator.startswith(MAG_STRIPE_RECORD):
        session.card[tags.TAG_94_AFL] = locator[len(MAG_STRIPE_RECORD) :]
    return None


def is_emv(session: Session) -> bool:
    """True if card and reader share the EMV mode."""
    return session.configuration.supports_emv and AIP.EMV_MODE in session.aip
