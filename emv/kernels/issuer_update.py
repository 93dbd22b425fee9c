"""The issuer's answer, taken to its card by a second tap.

The payment is decided when the card comes again: what it makes of the answer
is reported, and changes nothing.

Source: EMV Contactless Book C-3, issuer update processing; EMV 4.4 Book 3,
10.9 and 10.10.
"""

from __future__ import annotations

from emv import scripts, tags
from emv.apdu import STATUS_OK, external_authenticate
from emv.conversation import IssuerAnswer, Kernel, exchange, note
from emv.errors import LinkLost, MalformedData
from emv.outcome import MessageId, Outcome, ReaderStatus, Reason, Status, UserInterfaceRequest


def update(issuer: IssuerAnswer, source: str) -> Kernel[Outcome]:
    """Authenticate the issuer to the card and deliver its scripts; return what it decided.

    source: book and section, for the trace.
    """
    results: list[scripts.ScriptResult] = []
    try:
        if (yield from _is_believed(issuer, source)):
            for script in scripts.parse_scripts(issuer.scripts):
                results.append((yield from scripts.deliver(script)))
                yield from note(
                    "issuer script: {outcome}",
                    source,
                    outcome=scripts.OUTCOMES[results[-1].outcome],
                )
    except MalformedData as error:
        results.append(scripts.UNREADABLE)
        yield from note("issuer scripts cannot be read: {error}", source, error=str(error))
    except LinkLost:
        yield from note("the card left before all was told", source)
    told = b"".join(result.encoded for result in results)
    is_approved = issuer.is_approval
    message = MessageId.APPROVED if is_approved else MessageId.NOT_AUTHORISED
    return Outcome(
        Status.APPROVED if is_approved else Status.DECLINED,
        ui=UserInterfaceRequest(message, ReaderStatus.CARD_READ_OK),
        discretionary={tags.TAG_9F5B_ISSUER_SCRIPT_RESULTS: told} if told else {},
        reason="" if is_approved else Reason.ISSUER_DECLINED,
    )


def _is_believed(issuer: IssuerAnswer, source: str) -> Kernel[bool]:
    """Prove the answer to the card, if there is a proof.

    unsettled: what follows a proof that the card refuses. It would refuse the
    scripts as well, so they are not sent.
    """
    if not issuer.authentication_data:
        return True
    reply = yield from exchange(external_authenticate(issuer.authentication_data))
    is_believed = reply.status == STATUS_OK
    text = "card believes its issuer" if is_believed else "issuer not authentic: {status}"
    yield from note(text, source, status=f"{reply.status:04X}")
    return is_believed
