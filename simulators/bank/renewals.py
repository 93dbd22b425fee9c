"""What a till asks once it is enrolled: new certificates, which are revoked, and to leave."""

from __future__ import annotations

from simulators.bank.desk import Desk
from simulators.bank.errors import EnrolmentRefused, Refused
from simulators.bank.messages import (
    Answer,
    CertificatesAnswer,
    CertificatesRequest,
    LeaveRequest,
    RevocationsAnswer,
    RevocationsRequest,
    moment,
)
from simulators.bank.trust import credentials, enrolment
from simulators.bank.trust.authority import certificate_pem


def renew(desk: Desk, request: CertificatesRequest) -> CertificatesAnswer:
    """Certify a till's new keys. Raises Refused."""
    asked = {"tls_csr": request.tls_csr, "signing_csr": request.signing_csr}
    caller = credentials.Caller("till", desk.caller, desk.merchant, "", desk.signing_key)
    try:
        made = enrolment.renew(
            desk.connection, desk.secrets.authority(), caller, asked, desk.now_ms
        )
    except EnrolmentRefused as refused:
        raise Refused(422, "renewal_refused", str(refused)) from refused
    return CertificatesAnswer(at=moment(desk.now_ms), **made, **desk.secrets.public)


def revocations(desk: Desk, _request: RevocationsRequest) -> RevocationsAnswer:
    """Return the list of what is not to be trusted any more."""
    serials = credentials.revoked_serials(desk.connection)
    listed = desk.secrets.authority().list_revoked(serials, desk.now_ms)
    return RevocationsAnswer(at=moment(desk.now_ms), revoked=certificate_pem(listed))


def leave(desk: Desk, _request: LeaveRequest) -> Answer:
    """Let a till go: its keys open nothing any more, what it booked stands."""
    credentials.remove(desk.connection, "till", desk.caller)
    return Answer(at=moment(desk.now_ms))
