"""Whom the till trusts on the network: the bank's CA, TLS 1.3, and nothing else.

No certificate of the system or of certifi, no proxy, no .netrc and no
variable of the environment has a say. A connection here knows whether any
byte of a request was written to it, which is what tells "not sent" from
"unknown".
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPSConnection
from urllib3.connectionpool import HTTPSConnectionPool
from urllib3.exceptions import NameResolutionError, NewConnectionError
from urllib3.poolmanager import PoolManager

from terminal.errors import KeysUnusable

if TYPE_CHECKING:
    from terminal.security.keys import TillKeys

# What a bank's TLS says when it will not have our certificate. In TLS 1.3 the
# till has written its request by then, but the bank's handshake never ended,
# so no byte of the request was handed on. Source: RFC 8446, 6.2 and 4.4.4.
_CLIENT_REFUSED = frozenset(
    {
        "SSLV3_ALERT_BAD_CERTIFICATE",
        "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE",
        "SSLV3_ALERT_CERTIFICATE_REVOKED",
        "SSLV3_ALERT_CERTIFICATE_EXPIRED",
        "SSLV3_ALERT_CERTIFICATE_UNKNOWN",
        "TLSV1_ALERT_UNKNOWN_CA",
        "TLSV1_ALERT_ACCESS_DENIED",
        "TLSV13_ALERT_CERTIFICATE_REQUIRED",
    }
)

_NO_COMMON_VERSION = frozenset(
    {
        "TLSV1_ALERT_PROTOCOL_VERSION",
        "UNSUPPORTED_PROTOCOL",
        "WRONG_SSL_VERSION",
        "NO_PROTOCOLS_AVAILABLE",
    }
)

# X509_V_ERR_… of OpenSSL, x509_vfy.h.
_CERTIFICATE_FAULTS = {
    9: "the bank's certificate is not yet valid; check the till's clock",
    10: "the bank's certificate has expired; check the till's clock, then call the bank",
    18: "the bank's certificate is signed by itself, not by the bank's CA",
    19: "the bank's certificate is not from the bank's CA",
    20: "the bank's certificate is not from the bank's CA",
    21: "the bank's certificate is not from the bank's CA",
    23: "the bank's certificate has been revoked",
    26: "the bank's certificate is not one for a server",
    62: "the bank's certificate is for another name",
    64: "the bank's certificate is for another address",
}


class Line:
    """What one client knows of its one connection to the bank.

    Used by the client's thread; only cut() may come from another.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        """monotonic: seconds that never go back; deadlines are counted in it."""
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._deadline = 0.0
        self._answer_s = 0.0
        self._sending: Callable[[], None] | None = None
        self.is_cut = False
        self.has_written = False
        """Some byte of the request may have left."""
        self.is_fresh = False
        """The connection was opened for this request."""
        self.has_heard = False
        """Some byte of an answer came."""

    def prepare(
        self, connect_s: float, answer_s: float, sending: Callable[[], None] | None = None
    ) -> None:
        """Begin a request: connect_s to be connected, then answer_s for the whole of it.

        sending: called just before its first byte.
        """
        self.has_written = self.is_fresh = self.has_heard = False
        self._deadline = self._monotonic() + connect_s
        self._answer_s = answer_s
        self._sending = sending

    def left_s(self) -> float:
        """Return the seconds to the deadline. Raises TimeoutError when it is past."""
        left = self._deadline - self._monotonic()
        if left <= 0:
            raise TimeoutError("the time is up")
        return left

    def first_byte(self) -> None:
        """Note that the request goes out now; from here on silence is no refusal."""
        if self.has_written:
            return
        # Before the write, not after it: a write that fails may have sent some.
        self.has_written = True
        self._deadline = self._monotonic() + self._answer_s
        if self._sending is not None:
            self._sending()

    def hold(self, held: socket.socket) -> None:
        """Make this the socket that cut() cuts. Raises ConnectionAbortedError after a cut."""
        with self._lock:
            self._socket = held
            if self.is_cut:
                raise ConnectionAbortedError("the till is closing its bank link")

    def cut(self) -> None:
        """End whatever waits on the line, at once, and let nothing begin again."""
        with self._lock:
            self.is_cut = True
            if self._socket is None:
                return
            # Not SSLSocket.shutdown, which would turn the reader's socket into
            # a plain one under its hands. Where nothing waits any more there
            # is nothing to shut down either.
            with contextlib.suppress(OSError):
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


class BankContext(ssl.SSLContext):
    """The till's TLS settings, for the connections of one line."""

    line: Line
    revoked: frozenset[int] = frozenset()
    """Serial numbers of the bank's certificates that are not to be trusted any more."""


class RevokedCertificate(ssl.SSLCertVerificationError):
    """What OpenSSL would say if it looked at the list; it refuses one that is out of date."""

    verify_code = 23
    verify_message = "certificate revoked"


class BankSocket(ssl.SSLSocket):
    """A TLS socket on which one deadline holds for a whole exchange.

    A plain timeout starts anew with every byte, so that a bank that sends
    one byte a second could hold the till for ever.
    """

    context: BankContext

    def do_handshake(self, block: bool = False) -> None:
        """Shake hands before the deadline."""
        self.context.line.hold(self)
        self.settimeout(self.context.line.left_s())
        super().do_handshake(block)
        shown = self.getpeercert()
        if shown and int(str(shown["serialNumber"]), 16) in self.context.revoked:
            raise RevokedCertificate("the bank's certificate is on its CA's list")

    def recv_into(self, buffer: Any, nbytes: int | None = None, flags: int = 0) -> int:
        """Read what comes before the deadline."""
        self.settimeout(self.context.line.left_s())
        count = super().recv_into(buffer, nbytes, flags)
        if count:
            self.context.line.has_heard = True
        return count

    def send(self, data: Any, flags: int = 0) -> int:
        """Write what fits before the deadline."""
        self.settimeout(self.context.line.left_s())
        return super().send(data, flags)


def dial(line: Line, host: str, port: int) -> socket.socket:
    """Return a connection to one of a host's addresses, made before the line's deadline.

    Raises socket.gaierror if the name cannot be found, OSError if nobody answers.
    """
    try:
        places = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise socket.gaierror(str(error)) from error
    failure: OSError = ConnectionError("the name has no address")
    for tried, (family, kind, protocol, _, address) in enumerate(places):
        dialled = socket.socket(family, kind, protocol)
        try:
            line.hold(dialled)
            # A silent first address must not take the time of the others.
            dialled.settimeout(line.left_s() / (len(places) - tried))
            dialled.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            dialled.connect(address)
        except OSError as error:
            dialled.close()
            failure = error
        else:
            return dialled
    raise failure


class BankConnection(HTTPSConnection):
    """One connection that tells its line what happens on it."""

    ssl_context: BankContext

    def connect(self) -> None:
        """Connect and shake hands, or raise before anything of a request is written."""
        super().connect()
        self.ssl_context.line.is_fresh = True

    def _new_conn(self) -> socket.socket:
        try:
            return dial(self.ssl_context.line, self._dns_host, self.port)
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self, error) from error
        except OSError as error:
            raise NewConnectionError(self, "no address of the bank answered") from error

    def send(self, data: Any) -> None:
        """Write part of a request."""
        if self.sock is None:
            self.connect()
        self.ssl_context.line.first_byte()
        super().send(data)


class BankPool(HTTPSConnectionPool):
    """A pool of such connections."""

    ConnectionCls = BankConnection  # type: ignore[assignment] # narrower context on purpose


class BankAdapter(HTTPAdapter):
    """Posts requests over one line, and trusts only the bank's CA.

    Used without a requests.Session: a session reads proxies, CA bundles and
    .netrc from the environment and follows redirects. The adapter does not.
    """

    def __init__(self, context: BankContext, bank_ca: Path, server_name: str | None = None) -> None:
        """bank_ca: the file of the CA in the context.

        requests would add certifi's roots to the context if it were not told
        a file. server_name: what the bank's certificate is for, where that is
        not the host of the address.
        """
        self._context = context
        self._bank_ca = bank_ca
        self._server_name = server_name
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)

    def init_poolmanager(
        self, connections: int, maxsize: int, block: bool = False, **options: Any
    ) -> None:
        """Make the one pool, on our context."""
        self.poolmanager = PoolManager(
            connections,
            maxsize=maxsize,
            block=block,
            ssl_context=self._context,
            server_hostname=self._server_name,
            **options,
        )
        self.poolmanager.pool_classes_by_scheme = {"https": BankPool}

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> requests.Response:
        """Post the body; the answer's own body is still to be read.

        The caller has prepared the line. Raises what requests and urllib3
        raise; the line tells what it means.
        """
        request = requests.Request("POST", url, headers=dict(headers), data=body).prepare()
        return self.send(
            request,
            stream=True,
            timeout=self._context.line.left_s(),
            verify=str(self._bank_ca),
            proxies={},
        )


def client_context(keys: TillKeys, line: Line) -> BankContext:
    """Return TLS settings that trust the bank's CA only and show the till's certificate.

    Raises KeysUnusable, naming the file, if one cannot be used.
    """
    context = _context(line)
    context.revoked = keys.revoked
    _equip(context, keys)
    return context


def broker_context(keys: TillKeys) -> ssl.SSLContext:
    """Return the same for a push broker, which looks after its sockets by itself.

    Raises KeysUnusable.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    _equip(context, keys)
    return context


def _equip(context: ssl.SSLContext, keys: TillKeys) -> None:
    try:
        context.load_verify_locations(cafile=keys.bank_ca)
    except OSError as error:
        raise KeysUnusable(f"{keys.bank_ca}: no CA certificate: {error.strerror}") from None
    try:
        # Without a passphrase, OpenSSL would ask the terminal for one.
        context.load_cert_chain(keys.certificates, keys.tls_key, keys.passphrase or b"")
    except OSError as error:
        raise KeysUnusable(
            f"{keys.certificates} and {keys.tls_key}: no certificate with its key: {error.strerror}"
        ) from None


def newcomer_context(bank_ca: str | None, line: Line) -> BankContext:
    """Return TLS settings of a till that has no certificate yet.

    bank_ca: PEM of the one CA to trust. None believes anybody: only good for
    asking what a bank's CA is, which the caller then proves.
    Raises ssl.SSLError if the PEM cannot be used.
    """
    context = _context(line)
    if bank_ca is None:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    else:
        context.load_verify_locations(cadata=bank_ca)
    return context


def _context(line: Line) -> BankContext:
    context = BankContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_3
    context.sslsocket_class = BankSocket
    context.line = line
    return context


def is_certificate_refusal(error: BaseException) -> bool:
    """True if the bank's TLS refused the till's certificate in the handshake."""
    return any(
        isinstance(cause, ssl.SSLError) and cause.reason in _CLIENT_REFUSED
        for cause in causes(error)
    )


def is_insecure(error: BaseException) -> bool:
    """True if either side's proof of itself failed, or there is no TLS 1.3."""
    return any(
        isinstance(cause, ssl.SSLCertVerificationError)
        or (
            isinstance(cause, ssl.SSLError) and cause.reason in _CLIENT_REFUSED | _NO_COMMON_VERSION
        )
        for cause in causes(error)
    )


def explain(error: BaseException, host: str, port: int | None) -> str:
    """Say in a sentence why there is no connection, and what to look at."""
    for cause in causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return _CERTIFICATE_FAULTS.get(
                cause.verify_code, f"the bank's certificate is not good: {cause.verify_message}"
            )
        if isinstance(cause, ssl.SSLError):
            if cause.reason in _NO_COMMON_VERSION:
                return f"{host}:{port} does not offer TLS 1.3"
            if cause.reason in _CLIENT_REFUSED:
                return (
                    f"the bank does not accept the till's certificate ({cause.reason}); enrol again"
                )
            return f"TLS with {host}:{port} failed ({cause.reason or 'cut off'})"
        if isinstance(cause, (NameResolutionError, socket.gaierror)):
            return f"the name {host} cannot be found; check the network and the bank's address"
        if isinstance(cause, ConnectionRefusedError):
            return f"{host}:{port} does not accept connections"
        if isinstance(cause, TimeoutError):
            return f"{host}:{port} did not answer in time; check the network"
    return f"no connection to {host}:{port}; check the network"


def causes(error: BaseException) -> list[BaseException]:
    """Return an exception and all it came from, nearest first.

    requests and urllib3 keep the reason in .reason, in their arguments or as
    the cause.
    """
    found: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting:
        each = waiting.pop(0)
        if isinstance(each, BaseException) and each not in found:
            found.append(each)
            waiting += [getattr(each, "reason", None), *each.args, each.__cause__, each.__context__]
    return found
