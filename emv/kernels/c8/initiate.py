"""What the card says when it is selected, GET PROCESSING OPTIONS, and the keys agreed on."""

from __future__ import annotations

from emv import tags
from emv.apdu import STATUS_OK, get_processing_options
from emv.bits import AIP, TVR8
from emv.conversation import Kernel, exchange, fresh_bytes, note
from emv.errors import DataMissing, MalformedData
from emv.kernels.c8.channel import KEY_RANDOM_BYTES, KernelKey, SecureChannel
from emv.kernels.c8.session import SOURCE, Session, set_terminal_capabilities
from emv.kernels.endings import select_next
from emv.kernels.objects import pdol_data, require, response_template, take
from emv.kernels.relay import Measurement, measure
from emv.outcome import Outcome

VERSION = 0x02
LOCAL_AUTHENTICATION_ENABLED = 0x80
SUITE = 0x00
"""P-256, SHA-256, AES-128: the one this kernel has."""
CERTIFICATE_SUITES = bytes.fromhex("10FFFF")
"""EC-SDSA over P-256, and no other."""


def check_selection(session: Session) -> Outcome | None:
    """Return the outcome if this is no application for kernel 8.

    Raises MalformedData if the card has no suite that the kernel has.

    Source: Book C-8, state 1; the suites: Book E, 8.1.
    """
    qualifier = session.fci.get(tags.TAG_9F2C_CARD_QUALIFIER, b"")
    if not session.fci.get(tags.TAG_84_DF_NAME) or not qualifier or not qualifier[0]:
        return select_next("card qualifier")
    if SUITE not in qualifier[1:4]:
        raise MalformedData("tag 9F2C: no algorithm suite that is here")
    return None


def initiate_application(session: Session) -> Kernel[SecureChannel | Outcome]:
    """Send GET PROCESSING OPTIONS; return the channel, or the outcome if that is the end.

    Raises DataMissing for an object that must be there, MalformedData for
    what cannot be read.

    Source: Book C-8, states 2 and 20.
    """
    terminal = session.terminal
    terminal[tags.TAG_9F37_UNPREDICTABLE_NUMBER] = yield from fresh_bytes(4)
    key = KernelKey.made_from((yield from fresh_bytes(KEY_RANDOM_BYTES)))
    local = LOCAL_AUTHENTICATION_ENABLED if session.configuration.local_authentication else 0
    terminal[tags.TAG_9E_KERNEL_KEY_DATA] = key.data
    terminal[tags.TAG_9F2B_KERNEL_QUALIFIER] = bytes(
        (VERSION, local, SUITE, *CERTIFICATE_SUITES, 0, 0)
    )
    terminal[tags.TAG_95_TVR] = session.tvr.encoded
    set_terminal_capabilities(session)
    session.covered = pdol_data(session.fci.get(tags.TAG_9F38_PDOL, b""), terminal)
    reply = yield from exchange(get_processing_options(session.covered))
    if reply.status != STATUS_OK:
        yield from note("GPO answered {status}", SOURCE, status=f"{reply.status:04X}")
        return select_next("GPO", reply.status)
    take(session.card, response_template(reply.data))
    require(session.card, tags.TAG_94_AFL)
    session.cdol1 = session.card.get(tags.TAG_8C_CDOL1) or session.configuration.default_cdol1
    if not session.cdol1:
        raise DataMissing(tags.TAG_8C_CDOL1)
    session.aip = AIP.decode(require(session.card, tags.TAG_82_AIP))
    return key.agree(require(session.card, tags.TAG_9F8103_CARD_KEY_DATA))


def resist_relay(session: Session) -> Kernel[Measurement | None]:
    """Measure the card, and write what was found into the TVR; None if it was not done.

    Raises CardRefused or MalformedData, as measure does.

    Source: Book C-8, state 21.
    """
    limits = session.configuration.relay_resistance
    if limits is None or AIP.RELAY_RESISTANCE not in session.aip:
        session.tvr |= TVR8.RELAY_RESISTANCE_NOT_PERFORMED
        return None
    measurement = yield from measure(limits, f"{SOURCE}, state 21")
    session.terminal[tags.TAG_9F37_UNPREDICTABLE_NUMBER] = measurement.entropy
    excess = min(measurement.excess, 0xFFFF)
    session.terminal[tags.TAG_9F810C_RELAY_RESISTANCE_TIME_EXCESS] = excess.to_bytes(2, "big")
    session.tvr |= TVR8(int(measurement.findings))
    return measurement
