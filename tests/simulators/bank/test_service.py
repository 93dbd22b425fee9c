"""The real thing: uvicorn, TLS 1.3 and requests, on loopback."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from simulators.bank.core import HttpAnswer, HttpRequest
from simulators.bank.service import BankServer, create_app
from simulators.bank.trust.authority import Authority, certificate_pem, private_pem
from simulators.faults import FaultProxy

if TYPE_CHECKING:
    from tests.simulators.bank.conftest import Shop, Till

PROJECT = Path(__file__).parents[3]


@pytest.fixture
def server(shop: Shop) -> Iterator[BankServer]:
    with BankServer(shop.place, lambda: shop.now_ms / 1000, shop.chance.randbytes) as server:
        yield server


def certificate(folder: Path, chain: str, key: ec.EllipticCurvePrivateKey) -> tuple[str, str]:
    paths = folder / "client.pem", folder / "client-key.pem"
    paths[0].write_text(chain)
    paths[1].write_bytes(private_pem(key))
    return str(paths[0]), str(paths[1])


@pytest.fixture
def session(shop: Shop, till: Till, tmp_path: Path) -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        session.verify = str(shop.place.ca_certificate)
        session.cert = certificate(tmp_path, till.enrolled["tls_chain"], till.tls_key)
        yield session


def carry(session: requests.Session, url: str, request: HttpRequest) -> HttpAnswer:
    told = session.request(
        request.method,
        url + request.target,
        data=request.body,
        headers=dict(request.headers.items()),
        timeout=10,
    )
    return HttpAnswer(
        told.status_code, {k.lower(): v for k, v in told.headers.items()}, told.content, ""
    )


def test_a_sale_over_the_wire(
    shop: Shop, till: Till, server: BankServer, session: requests.Session
) -> None:
    sale = till.sale(1250)
    host = f"127.0.0.1:{server.port}"
    request = till.request("/v1/payments", sale, key=sale["attempt"], host=host)

    status, told = till.check(request, carry(session, server.url, request))

    assert (status, told["state"]) == (200, "approved")
    assert shop.taken() == 1250


def test_refusals_come_signed_over_the_wire(
    till: Till, server: BankServer, session: requests.Session
) -> None:
    host = f"127.0.0.1:{server.port}"
    for path, method, expected in (("/v1/nothing", "POST", 404), ("/v1/echo", "PUT", 405)):
        request = till.request(path, {}, method=method, host=host)
        assert till.check(request, carry(session, server.url, request))[0] == expected
    large = till.request("/v1/echo", b" " * 100_000, host=host)
    assert till.check(large, carry(session, server.url, large))[0] == 413


def test_tills_at_once_are_each_served_once(
    shop: Shop, server: BankServer, session: requests.Session, till: Till
) -> None:
    """The same sale from four lanes at once, and others beside it."""
    host = f"127.0.0.1:{server.port}"
    sale = till.sale(100)
    sent = [till.request("/v1/payments", sale, key=sale["attempt"], host=host) for _ in range(4)]
    for _ in range(8):
        other = till.sale(10)
        sent.append(till.request("/v1/payments", other, key=other["attempt"], host=host))

    with ThreadPoolExecutor(4) as pool:
        told = list(pool.map(lambda request: carry(session, server.url, request), sent))

    assert [each.status for each in told] == [200] * 12
    assert len({each.body for each in told[:4]}) == 1
    assert shop.taken() == 180


def context(shop: Shop, **changes: Any) -> ssl.SSLContext:
    made = ssl.create_default_context(cafile=str(shop.place.ca_certificate))
    if "cert" in changes:
        made.load_cert_chain(*changes["cert"])
    if "maximum" in changes:
        made.maximum_version = changes["maximum"]
    return made


def is_served(port: int, tls: ssl.SSLContext) -> bool:
    """Return whether the bank answers at all. In TLS 1.3 a refusal comes after the handshake."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as plain:
        try:
            with tls.wrap_socket(plain, server_hostname="127.0.0.1") as channel:
                channel.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
                return bool(channel.recv(100))
        except (ssl.SSLError, ConnectionError):
            return False


def test_a_till_with_its_certificate_is_served(
    shop: Shop, till: Till, server: BankServer, tmp_path: Path
) -> None:
    cert = certificate(tmp_path, till.enrolled["tls_chain"], till.tls_key)

    assert is_served(server.port, context(shop, cert=cert))


@pytest.mark.parametrize("claim", ["none", "other CA", "server's purpose", "expired"])
def test_a_client_without_a_good_certificate_is_not_served(
    shop: Shop, server: BankServer, tmp_path: Path, claim: str
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    # TLS looks at the machine's clock, whatever the bank's own says.
    import time

    now_ms = int(time.time() * 1000)
    ours = Authority.load(shop.place)
    issued = {
        "other CA": lambda: Authority.create("Evil bank", now_ms).issue_client(
            "till", "till-1", key.public_key(), now_ms, 9
        ),
        "server's purpose": lambda: ours.issue_server(["localhost"], key.public_key(), now_ms),
        "expired": lambda: ours.issue_client(
            "till", "till-1", key.public_key(), now_ms - 10**10, 9
        ),
    }
    changes = {}
    if claim in issued:
        changes["cert"] = certificate(tmp_path, certificate_pem(issued[claim]()), key)

    assert not is_served(server.port, context(shop, **changes))


def test_an_older_tls_is_not_served(
    shop: Shop, till: Till, server: BankServer, tmp_path: Path
) -> None:
    cert = certificate(tmp_path, till.enrolled["tls_chain"], till.tls_key)

    assert not is_served(server.port, context(shop, cert=cert, maximum=ssl.TLSVersion.TLSv1_2))


def test_the_banks_certificate_is_for_loopback_only(shop: Shop) -> None:
    loaded = x509.load_pem_x509_certificate(shop.place.server_certificate.read_bytes())
    names = loaded.extensions.get_extension_for_class(x509.SubjectAlternativeName).value

    assert {str(name.value) for name in names} == {"127.0.0.1", "localhost"}
    assert isinstance(
        serialization.load_pem_private_key(shop.place.server_key.read_bytes(), None),
        ec.EllipticCurvePrivateKey,
    )


def test_an_answer_that_is_lost_is_still_booked_once(
    shop: Shop, till: Till, server: BankServer, session: requests.Session
) -> None:
    """The wire is cut in the middle of the answer; the till asks, then sends again."""
    with FaultProxy(server.port) as wire:
        sale = till.sale(1250)
        host = f"127.0.0.1:{wire.port}"
        echo = till.request("/v1/echo", {}, host=host)
        carry(session, wire.url, echo)
        wire.cut_after("answer", 40)
        request = till.request("/v1/payments", sale, key=sale["attempt"], host=host)
        with pytest.raises(requests.RequestException):
            carry(session, wire.url, request)
        wire.heal()
        ask = till.request("/v1/payments/status", {"attempt": sale["attempt"]}, host=host)
        asked = till.check(ask, carry(session, wire.url, ask))
        again = till.request("/v1/payments", sale, key=sale["attempt"], host=host)
        repeated = till.check(again, carry(session, wire.url, again))

    assert (asked[1]["state"], repeated[1]["state"]) == ("approved", "approved")
    assert shop.taken() == 1250


def test_the_contract_in_the_documents_is_current(shop: Shop) -> None:
    """Make it anew with: till sim bank --openapi docs/bank-link.openapi.yaml"""
    written = yaml.safe_load((PROJECT / "docs/bank-link.openapi.yaml").read_text("utf-8"))

    assert create_app(shop.bank, lambda: 0.0, bytes).openapi() == written


def test_the_bank_serves_its_contract(server: BankServer, session: requests.Session) -> None:
    told = session.get(f"{server.url}/openapi.json", timeout=10).json()

    assert told["info"]["title"] == "OpenTill bank link"
    assert "/v1/payments" in told["paths"]
