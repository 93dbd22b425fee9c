"""5.2: GET PROCESSING OPTIONS, and what may come back instead of options."""

from __future__ import annotations

from collections.abc import Mapping

from emv import tags
from emv.apdu import (
    STATUS_COMMAND_NOT_ALLOWED,
    STATUS_CONDITIONS_NOT_SATISFIED,
    STATUS_DATA_INVALIDATED,
    STATUS_OK,
    get_processing_options,
)
from emv.bits import AIP
from emv.conversation import Kernel, exchange, fresh_bytes, note
from emv.kernels.c3.session import Session
from emv.kernels.endings import end_application, see_phone, select_next, try_contact
from emv.kernels.objects import pdol_data, response_objects, take
from emv.outcome import (
    Outcome,
    Reason,
)


def initiate_application(session: Session) -> Kernel[Outcome | None]:
    """Send GET PROCESSING OPTIONS; return the outcome if that is the end.

    Raises MalformedData if the PDOL or the response cannot be read.

    Source: Book C-3, 5.2.2.
    """
    terminal = session.terminal
    number = yield from fresh_bytes(4)
    terminal[tags.TAG_9F37_UNPREDICTABLE_NUMBER] = number
    terminal[tags.TAG_9F66_TTQ] = session.ttq.encoded
    # This kernel keeps no TVR: a card that asks for one signs zeros.
    terminal[tags.TAG_95_TVR] = bytes(5)
    pdol = session.fci.get(tags.TAG_9F38_PDOL, b"")
    reply = yield from exchange(get_processing_options(pdol_data(pdol, terminal)))
    if reply.status == STATUS_OK:
        take(session.card, response_objects(reply.data))
        if not _is_stripe_alone(session.card):
            return None
        yield from note(
            "the card has magnetic stripe data alone", session.cite("magnetic stripe mode")
        )
        return end_application(Reason.MODE_NOT_SUPPORTED, "magnetic stripe mode")
    yield from note("GPO answered {status}", session.cite("5.2.2.2"), status=f"{reply.status:04X}")
    if reply.status == STATUS_DATA_INVALIDATED:
        return try_contact(Reason.SWITCH_INTERFACE, reply.status)
    if reply.status == STATUS_CONDITIONS_NOT_SATISFIED:
        return select_next("GPO", reply.status)
    if reply.status == STATUS_COMMAND_NOT_ALLOWED:
        return see_phone(reply.status)
    # unsettled: the book's own text for the rest could not be seen; public
    # implementations end the application.
    return end_application(Reason.CARD_REFUSED, "GPO", reply.status)


def _is_stripe_alone(card: Mapping[int, bytes]) -> bool:
    """True if the card offers magnetic stripe data, and no cryptogram.

    Source: Book C-3, magnetic stripe mode.
    """
    return tags.TAG_9F26_APPLICATION_CRYPTOGRAM not in card and AIP.EMV_MODE in AIP.decode(
        card.get(tags.TAG_82_AIP, bytes(2))
    )
