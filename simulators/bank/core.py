"""The bank as one plain function: a request in, an answer out.

No socket, clock or random source in here; the service, the tests and a
whole simulated world hand them in.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from simulators.bank import batches, bulletins, chain_ends, parameters, payments, renewals, wallets
from simulators.bank.accounts import Accounts, load_accounts
from simulators.bank.desk import Desk, Secrets
from simulators.bank.errors import BankFileWrong, Refused, StoreBusy
from simulators.bank.messages import (
    BODY_BYTES_MAX,
    UUID_PATTERN,
    AdviceRequest,
    Answer,
    BalanceRequest,
    BatchAnswer,
    BatchCloseRequest,
    BatchLinesRequest,
    BatchTotalsRequest,
    BulletinsAnswer,
    BulletinsRequest,
    CertificatesAnswer,
    CertificatesRequest,
    ChainEndsAnswer,
    ChainEndsRequest,
    CloseRequest,
    CodesAnswer,
    CodesRequest,
    DecisionRequest,
    EchoRequest,
    LeaveRequest,
    LinesAnswer,
    Message,
    OrderRequest,
    ParametersAnswer,
    ParametersRequest,
    PaymentRequest,
    PayRequest,
    PendingAnswer,
    PendingRequest,
    Refusal,
    ReversalRequest,
    RevocationsAnswer,
    RevocationsRequest,
    StatusRequest,
    WalletAnswer,
    moment,
    read,
)
from simulators.bank.place import BankPlace
from simulators.bank.schema import answers, nonces
from simulators.bank.store import Store
from simulators.bank.trust import clones
from simulators.bank.trust.authority import URI_PREFIX, Authority
from simulators.bank.trust.credentials import Caller, find_caller, promote
from simulators.bank.trust.keys import SERVER_NAMES, Keys
from simulators.bank.trust.signatures import (
    SKEW_S,
    FieldLines,
    SignedRequest,
    can_be_bound_to,
    sign_answer,
    verify_request,
)

NONCE_MEMORY_MS = 3 * SKEW_S * 1000
"""A signature from a fast clock is good for twice the skew; this is longer."""


@dataclass(frozen=True, slots=True)
class Peer:
    """Who showed a certificate of ours in the TLS handshake."""

    uris: tuple[str, ...]
    fingerprint: str
    """SHA-256 of the certificate, hex."""


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request as it came off the wire."""

    method: str
    target: str
    """Path and query, percent-encoded as sent."""
    headers: FieldLines
    body: bytes
    peer: Peer | None


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """An answer, ready for the wire."""

    status: int
    headers: dict[str, str]
    body: bytes
    summary: str
    """For the log: state and code, or the refusal. No card data."""
    nudges: tuple[str, ...] = ()
    """Tills that should ask now what became of their payments."""


@dataclass(frozen=True, slots=True)
class Route:
    """What one path takes, does and answers."""

    takes: type[Message]
    does: Callable[[Desk, Any], Message]
    answers: type[Message] = Answer
    is_attempt: bool = False
    """Its idempotency key is the attempt's identity."""


def _echo(desk: Desk, _request: EchoRequest) -> Answer:
    is_cloned = clones.is_cloned(desk.connection, desk.caller)
    return Answer(
        at=moment(desk.now_ms),
        notice="cloned" if is_cloned else None,
        parameters=parameters.newest_version(desk.connection),
        bulletin=bulletins.newest_number(desk.connection, desk.caller),
    )


TILL_ROUTES = {
    "/v1/payments": Route(PaymentRequest, payments.pay, is_attempt=True),
    "/v1/advices": Route(AdviceRequest, payments.advise, is_attempt=True),
    "/v1/balances": Route(BalanceRequest, payments.balance, is_attempt=True),
    "/v1/payments/status": Route(StatusRequest, payments.status),
    "/v1/payments/reverse": Route(ReversalRequest, payments.reverse),
    "/v1/payments/close": Route(CloseRequest, payments.close),
    "/v1/orders": Route(OrderRequest, wallets.open_order),
    "/v1/batches/totals": Route(BatchTotalsRequest, batches.totals, BatchAnswer),
    "/v1/batches/close": Route(BatchCloseRequest, batches.close, BatchAnswer),
    "/v1/batches/lines": Route(BatchLinesRequest, batches.compare, LinesAnswer),
    "/v1/chain-ends": Route(ChainEndsRequest, chain_ends.keep_and_tell, ChainEndsAnswer),
    "/v1/echo": Route(EchoRequest, _echo),
    "/v1/certificates": Route(CertificatesRequest, renewals.renew, CertificatesAnswer),
    "/v1/leave": Route(LeaveRequest, renewals.leave),
    "/v1/parameters": Route(ParametersRequest, parameters.tell, ParametersAnswer),
    "/v1/bulletins": Route(BulletinsRequest, bulletins.tell, BulletinsAnswer),
    "/v1/revocations": Route(RevocationsRequest, renewals.revocations, RevocationsAnswer),
}

WALLET_ROUTES = {
    "/wallet/v1/codes": Route(CodesRequest, wallets.issue, CodesAnswer),
    "/wallet/v1/pay": Route(PayRequest, wallets.pay_order, WalletAnswer),
    "/wallet/v1/pending": Route(PendingRequest, wallets.pending, PendingAnswer),
    "/wallet/v1/confirm": Route(DecisionRequest, wallets.confirm, WalletAnswer),
    "/wallet/v1/refuse": Route(DecisionRequest, wallets.refuse, WalletAnswer),
}


@dataclass(frozen=True, slots=True, repr=False)
class Bank:
    """Everything an answer is made with, but time and chance."""

    store: Store
    accounts: Accounts
    keys: Keys
    secrets: Secrets
    host_names: frozenset[str]
    """What a signed request may call this bank."""

    @classmethod
    def open(cls, place: BankPlace, database: str | None = None) -> Bank:
        """Open a bank that bench.prepare has made.

        database: a postgresql:// address; without one, the file in its folder.
        Raises BankError.
        """
        keys = Keys.load(place)
        secrets = Secrets(
            sealing=keys.sealing,
            authority=lambda: Authority.load(place),
            public=keys.public(),
            issuer_key=lambda: _read_issuer_key(place),
            pin_base_key=lambda: _read_key(place.pin_base_key),
        )
        store = Store.open(place, database)
        return cls(store, load_accounts(), keys, secrets, frozenset(SERVER_NAMES))

    def close(self) -> None:
        """Let the database go. Safe to call twice."""
        self.store.close()


def answer(
    bank: Bank, request: HttpRequest, now_ms: int, random: Callable[[int], bytes]
) -> HttpAnswer:
    """Answer a till or a wallet; every promise of docs/bank-link.md is kept here.

    now_ms: Unix time. random: returns as many random bytes as asked.
    """
    path = request.target.partition("?")[0]
    is_signed = not path.startswith("/wallet/")
    nudges: tuple[str, ...] = ()
    try:
        caller = identify(bank, request.peer, now_ms)
        route = _route(caller, path, request)
        if caller.role == "till":
            status, body = _answer_till(bank, caller, route, request, now_ms, random)
        else:
            desk_of = desk_maker(bank, caller, now_ms, random)
            asked = read(request.body, route.takes)

            def work(connection: Connection) -> tuple[bytes, tuple[str, ...]]:
                desk = desk_of(connection, 0)
                return msgspec.json.encode(route.does(desk, asked)), tuple(desk.nudged)

            body, nudges = bank.store.write(work)
            status = 200
        summary = _summary(body)
    except StoreBusy as error:
        refusal = Refused(503, "busy", "ask again")
        status, body, summary = 503, _refusal_body(refusal, now_ms), str(error)
    except Refused as error:
        status, body, summary = error.status, _refusal_body(error, now_ms), str(error)
    headers = {"content-type": "application/json"}
    if is_signed:
        bound = request.headers if can_be_bound_to(request.headers) else None
        headers = sign_answer(status, body, bound, bank.keys.answer, now_ms // 1000)
    return HttpAnswer(status, headers, body, f"{path} {summary}", nudges)


def _answer_till(
    bank: Bank,
    caller: Caller,
    route: Route,
    request: HttpRequest,
    now_ms: int,
    random: Callable[[int], bytes],
) -> tuple[int, bytes]:
    """Return status and body for a till whose certificate is known.

    Raises Refused for whatever does not carry a good signature.
    """
    key = request.headers.single("idempotency-key") or ""
    if not re.fullmatch(UUID_PATTERN, key):
        raise Refused(400, "key_malformed", "idempotency-key is not one UUID in lower case")
    host = request.headers.single("host") or ""
    if re.sub(r":\d+$", "", host).lower() not in bank.host_names:
        raise Refused(401, "host_unknown", "this bank has another name")
    signature = verify_request(
        _signed_part(request),
        request.body,
        key_id=caller.id,
        key_pem=caller.signing_key,
        algorithm=caller.algorithm,
        now_s=now_ms // 1000,
    )
    desk_of = desk_maker(bank, caller, now_ms, random)

    def work(connection: Connection) -> bytes | Refused:
        _remember_nonce(connection, caller.id, signature.nonce, now_ms)
        if caller.is_next:
            promote(connection, caller, now_ms)
        if signature.counter is not None:
            clones.count(connection, caller.id, signature.counter, now_ms)
        try:
            # Refused, everything but the nonce is forgotten.
            with connection.begin_nested():
                desk = desk_of(connection, signature.created_s)
                return _once(desk, route, request, key)
        except Refused as refusal:
            return refusal

    done = bank.store.write(work)
    if isinstance(done, Refused):
        raise done
    return 200, done


def _once(desk: Desk, route: Route, request: HttpRequest, key: str) -> bytes:
    """Do what is asked, or find the answer to the same thing asked before."""
    asked = read(request.body, route.takes)
    if route.is_attempt and getattr(asked, "attempt", None) != key:
        raise Refused(422, "key_differs", "here the idempotency key is the attempt itself")
    path, digest = request.target, hashlib.sha256(request.body).digest()
    where = (answers.c.keyid == desk.caller) & (answers.c.key == key)
    stored = desk.connection.execute(select(answers).where(where)).first()
    if stored is not None:
        if (stored.path, stored.body_digest) != (path, digest):
            raise Refused(409, "key_used", "this key came with another body before")
        if not (route.is_attempt and _is_reversed(desk, key)):
            return bytes(stored.body)
        # Told "approved" once more, a till would take the goods for paid.
        return msgspec.json.encode(route.does(desk, asked))
    body = msgspec.json.encode(route.does(desk, asked))
    desk.connection.execute(
        answers.insert(),
        {
            "keyid": desk.caller,
            "key": key,
            "path": path,
            "body_digest": digest,
            "body": body,
            "made_ms": desk.now_ms,
        },
    )
    return body


def _is_reversed(desk: Desk, attempt: str) -> bool:
    found = desk.payment(attempt)
    return found is not None and found.state == "reversed"


def identify(bank: Bank, peer: Peer | None, now_ms: int) -> Caller:
    """Return who the certificate names, if it is one that is good now.

    Raises Refused.
    """
    names = [uri for uri in (peer.uris if peer else ()) if uri.startswith(URI_PREFIX)]
    if peer is None or len(names) != 1:
        raise Refused(401, "certificate_unknown", "the certificate names no till and no wallet")
    role, _, id = names[0].removeprefix(URI_PREFIX).partition(":")
    return bank.store.write(
        lambda connection: find_caller(connection, role, id, peer.fingerprint, now_ms)
    )


def _route(caller: Caller, path: str, request: HttpRequest) -> Route:
    routes = TILL_ROUTES if caller.role == "till" else WALLET_ROUTES
    route = routes.get(path)
    if route is None:
        raise Refused(404, "no_such_path", f"a {caller.role} finds nothing here")
    if request.target != path:
        raise Refused(400, "query_unknown", "no path here takes a query")
    if request.method != "POST":
        raise Refused(405, "method_wrong", "every path takes POST")
    if len(request.body) > BODY_BYTES_MAX:
        raise Refused(413, "too_large", f"a body has at most {BODY_BYTES_MAX} bytes")
    if request.headers.single("content-type") != "application/json":
        raise Refused(400, "type_wrong", "content-type is not application/json")
    return route


def desk_maker(
    bank: Bank, caller: Caller, now_ms: int, random: Callable[[int], bytes]
) -> Callable[[Connection, int], Desk]:
    """Return what makes a desk of a transaction and the moment its request was signed."""

    def make(connection: Connection, signed_s: int) -> Desk:
        return Desk(
            connection=connection,
            now_ms=now_ms,
            random=random,
            accounts=bank.accounts,
            secrets=bank.secrets,
            caller=caller.id,
            merchant=caller.merchant,
            signed_s=signed_s,
            signing_key=caller.signing_key,
        )

    return make


def _remember_nonce(connection: Connection, key_id: str, nonce: str, now_ms: int) -> None:
    """Raise Refused for a nonce this key has used before."""
    # Its own old ones only: nobody is to be in another till's way.
    is_old = (nonces.c.keyid == key_id) & (nonces.c.seen_ms < now_ms - NONCE_MEMORY_MS)
    connection.execute(nonces.delete().where(is_old))
    where = (nonces.c.keyid == key_id) & (nonces.c.nonce == nonce)
    if connection.execute(select(nonces).where(where)).first() is not None:
        raise Refused(401, "replayed", "this nonce was used before")
    connection.execute(nonces.insert(), {"keyid": key_id, "nonce": nonce, "seen_ms": now_ms})


def _signed_part(request: HttpRequest) -> SignedRequest:
    host = request.headers.single("host") or "unknown.invalid"
    return SignedRequest(request.method, f"https://{host}{request.target}", request.headers)


def _refusal_body(refused: Refused, now_ms: int) -> bytes:
    refusal = Refusal(error=refused.word, detail=refused.detail[:400], at=moment(now_ms))
    return msgspec.json.encode(refusal)


def _summary(body: bytes) -> str:
    """Return the decision in a body. A payment code's own text stays out of it."""
    told = msgspec.json.decode(body)
    return " ".join(filter(None, (told.get("state"), told.get("code") if "state" in told else "")))


def _read_issuer_key(place: BankPlace) -> bytes:
    key = _read_key(place.issuer_key)
    if key is None:
        raise Refused(503, "issuer_key_missing", "no card has been made here yet")
    return key


def _read_key(path: Path) -> bytes | None:
    """Return the 16 bytes in a file of hex; None if there is no file yet."""
    try:
        key = bytes.fromhex(path.read_text("ascii"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise BankFileWrong(f"{path} is not a key in hex") from error
    if len(key) != 16:
        raise BankFileWrong(f"{path} is not 16 bytes")
    return key
