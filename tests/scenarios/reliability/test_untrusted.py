"""Whoever cannot prove to be the bank gets no byte of a payment, and the payment is kept.

A sale that the card approved waits in the till. A server that is not the bank
listens in its place; then the bank itself is back, and gets the sale once.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from simulators.bank.trust.authority import Authority, certificate_pem, private_pem
from simulators.bank.trust.keys import SERVER_NAMES
from terminal.security.folder import REVOKED
from terminal.states import State
from terminal.view import Readiness

YEAR_MS = 366 * 86_400_000
Issue = Callable[[Authority, Any, int], x509.Certificate]


def right(authority: Authority, key: Any, now_ms: int) -> x509.Certificate:
    return authority.issue_server(list(SERVER_NAMES), key, now_ms)


def expired(authority: Authority, key: Any, now_ms: int) -> x509.Certificate:
    return right(authority, key, now_ms - 40 * YEAR_MS)


def not_yet_valid(authority: Authority, key: Any, now_ms: int) -> x509.Certificate:
    return right(authority, key, now_ms + 2 * YEAR_MS)


def wrong_name(authority: Authority, key: Any, now_ms: int) -> x509.Certificate:
    return authority.issue_server(["other.example"], key, now_ms)


def wrong_purpose(authority: Authority, key: Any, now_ms: int) -> x509.Certificate:
    return authority.issue_client("till", "till-1", key, now_ms, 90)


def foreign(authority: Authority, key: Any, now_ms: int) -> x509.Certificate:
    return right(Authority.create("Another authority", now_ms), key, now_ms)


def revoked(authority: Authority, key: Any, now_ms: int) -> x509.Certificate:
    """The bank's own, stolen; the till has heard of it."""
    return right(authority, key, now_ms)


@contextmanager
def posing(city: Any, folder: Path, issue: Issue, newest: ssl.TLSVersion) -> Iterator[Any]:
    """Listen in the bank's place.

    Gives the address, the certificate, and what was read behind a handshake.
    """
    now_ms = time.time_ns() // 1_000_000
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = issue(Authority.load(city.place), key.public_key(), now_ms)
    file = folder / "posing.pem"
    file.write_bytes(private_pem(key) + certificate_pem(certificate).encode())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    context.maximum_version = newest
    read: list[bytes] = []

    def serve(listener: socket.socket) -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            try:
                with near, context.wrap_socket(near, server_side=True) as talk:
                    if got := talk.recv(1):
                        read.append(got)
            except OSError:
                continue

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        yield f"https://localhost:{listener.getsockname()[1]}", certificate, read
        listener.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def stored(city: Any, open_counter: Any) -> Any:
    """A till's home with one sale in it that waits for the bank, and that sale."""
    home = city.new_home()
    counter = open_counter(home)
    counter.until(lambda view: view.reader is Readiness.READY)
    counter.do("fault:bank-cut")
    attempt = counter.begin()
    counter.do("card:visa-offline")
    counter.until_state(attempt, State.STORED)
    counter.till.close()
    return home, attempt


@pytest.mark.parametrize(
    ("issue", "newest"),
    [
        (expired, ssl.TLSVersion.TLSv1_3),
        (not_yet_valid, ssl.TLSVersion.TLSv1_3),
        (wrong_name, ssl.TLSVersion.TLSv1_3),
        (wrong_purpose, ssl.TLSVersion.TLSv1_3),
        (foreign, ssl.TLSVersion.TLSv1_3),
        (revoked, ssl.TLSVersion.TLSv1_3),
        (right, ssl.TLSVersion.TLSv1_2),
    ],
)
def test_a_sale_that_waits_is_kept_from_whoever_is_not_the_bank(
    city: Any,
    open_counter: Any,
    stored: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    issue: Issue,
    newest: ssl.TLSVersion,
) -> None:
    """The environment vouches for the server, and names a proxy and a password for it."""
    home, attempt = stored
    with posing(city, tmp_path, issue, newest) as (url, certificate, read):
        if issue is revoked:
            authority = Authority.load(city.place)
            listed = authority.list_revoked([certificate.serial_number], time.time_ns() // 10**6)
            (home / "till" / "keys" / REVOKED).write_text(certificate_pem(listed))
        for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
            monkeypatch.setenv(name, str(tmp_path / "posing.pem"))
        monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
        (tmp_path / ".netrc").write_text("machine localhost login a password b")
        monkeypatch.setenv("HOME", str(tmp_path))
        counter = open_counter(home, bank_url=url)
        counter.until(lambda view: view.bank is Readiness.FAULTY)
        assert counter.till.payment(attempt).state is State.STORED
        counter.till.close()
        assert read == []
    assert counter.booked.state(attempt) == ""

    later = open_counter(home)

    assert later.until_state(attempt, State.APPROVED).id == attempt
    assert later.booked.transfers_of(attempt) == ["sale"]
