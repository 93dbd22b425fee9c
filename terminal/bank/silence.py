"""What it means that no answer came: provably nothing left, or nobody knows."""

from __future__ import annotations

from terminal.bank import trust
from terminal.errors import AnswerLost, LinkNotSecure, NeverLeft

_NOT_HTTP = frozenset({"BadStatusLine", "LineTooLong", "InvalidHeader", "InvalidChunkLength"})


def meaning(
    error: BaseException, line: trust.Line, host: str, port: int, *, had_left: bool = False
) -> NeverLeft | AnswerLost:
    """Return what to raise for an exchange that ended in an error.

    line: as it stands after the error. had_left: an earlier try of the same
    request may have reached the bank.
    """
    # A handshake that the bank ended over our certificate was never finished:
    # no byte of the request was handed on.
    never_finished = line.is_fresh and not line.has_heard and trust.is_certificate_refusal(error)
    is_out = line.has_written and not never_finished
    if line.is_cut:
        reason = "the till closed its bank link"
    elif is_out:
        reason = _why_lost(error)
    else:
        reason = trust.explain(error, host, port)
    if had_left or is_out:
        return AnswerLost(reason)
    if not line.is_cut and trust.is_insecure(error):
        return LinkNotSecure(reason)
    return NeverLeft(reason)


def _why_lost(error: BaseException) -> str:
    found = trust.causes(error)
    if any(isinstance(cause, TimeoutError) for cause in found):
        return "the bank did not answer in time"
    kinds = {type(cause).__name__ for cause in found}
    if "ContentDecodingError" in kinds:
        return "the bank's answer does not end"
    if kinds & _NOT_HTTP:
        return "the bank's answer is not HTTP"
    return "the connection ended before the bank's answer was whole"
