"""Certificates for whoever holds a code, and for nobody else."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from simulators.bank import bench
from simulators.bank.errors import BankFileWrong, EnrolmentRefused

if TYPE_CHECKING:
    from tests.simulators.bank.conftest import Shop

NOW_MS = 1_795_507_200_000


def p256() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@pytest.fixture
def csr(shop: Shop) -> Any:
    """Make a signing request, with the module's own subject in it."""
    from cryptography.hazmat.primitives import hashes, serialization

    def make(key: Any) -> str:
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "till-666")])
        algorithm = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
        request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, algorithm)
        return request.public_bytes(serialization.Encoding.PEM).decode()

    return make


def code(shop: Shop, **changes: Any) -> str:
    given = {"merchant": "corner-shop"} | changes
    return bench.issue_enrolment_code(
        shop.place, "till", "till-1", shop.now_ms, shop.chance.randbytes, **given
    )


def test_a_tills_certificate_says_who_it_is_and_no_more(shop: Shop) -> None:
    """What the till wished to be called is not what it is called."""
    enrolled = shop.till("till-1").enrolled
    leaf, authority = x509.load_pem_x509_certificates(enrolled["tls_chain"].encode())

    leaf.verify_directly_issued_by(authority)
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    purposes = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert leaf.subject.rfc4514_string() == "CN=till-1"
    assert list(names) == [x509.UniformResourceIdentifier("urn:opentill:till:till-1")]
    assert list(purposes) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert enrolled["bank_ca"] in enrolled["tls_chain"]
    assert set(enrolled["sealing_key"]) == {"kty", "crv", "x", "y"}


def test_the_signing_key_is_certified_apart(shop: Shop) -> None:
    till = shop.till("till-1")
    signer = x509.load_pem_x509_certificate(till.enrolled["signing_certificate"].encode())

    assert signer.public_key() == till.signing_key.public_key()
    with pytest.raises(x509.ExtensionNotFound):
        signer.extensions.get_extension_for_class(x509.ExtendedKeyUsage)


def test_a_code_is_good_for_the_keys_that_used_it_and_no_others(shop: Shop, csr: Any) -> None:
    """A till whose answer was lost asks again; whoever saw the code go by gets nothing."""
    request = {"code": code(shop), "tls_csr": csr(p256())}
    request["signing_csr"] = csr(ed25519.Ed25519PrivateKey.generate())
    first = bench.enrol(shop.place, request, shop.now_ms)
    again = bench.enrol(shop.place, request, shop.now_ms)

    assert again["id"] == first["id"]
    for changed in ({"tls_csr": csr(p256())}, {"signing_csr": csr(p256())}):
        with pytest.raises(EnrolmentRefused, match="used already"):
            bench.enrol(shop.place, request | changed, shop.now_ms)
    with pytest.raises(EnrolmentRefused, match="too old"):
        bench.enrol(shop.place, request, shop.now_ms + 3_600_000)


def test_a_code_ends_after_an_hour(shop: Shop, csr: Any) -> None:
    request = {"code": code(shop), "tls_csr": csr(p256())}
    request["signing_csr"] = csr(ed25519.Ed25519PrivateKey.generate())

    with pytest.raises(EnrolmentRefused):
        bench.enrol(shop.place, request, shop.now_ms + 3_600_000)


def test_a_code_may_be_typed_in_lower_case(shop: Shop, csr: Any) -> None:
    request = {"code": f" {code(shop).lower()} ", "tls_csr": csr(p256())}
    request["signing_csr"] = csr(ed25519.Ed25519PrivateKey.generate())

    assert bench.enrol(shop.place, request, shop.now_ms)["id"] == "till-1"


def test_a_refused_request_leaves_the_code_good(shop: Shop, csr: Any) -> None:
    good = code(shop)
    with pytest.raises(EnrolmentRefused):
        bench.enrol(shop.place, {"code": good, "tls_csr": "nonsense"}, shop.now_ms)
    request = {"code": good, "tls_csr": csr(p256())}
    request["signing_csr"] = csr(ed25519.Ed25519PrivateKey.generate())

    assert bench.enrol(shop.place, request, shop.now_ms)["role"] == "till"


@pytest.mark.parametrize(
    "claim",
    ["unknown code", "RSA", "Ed25519 for TLS", "P-384", "one key twice", "no signing", "spoilt"],
)
def test_what_earns_no_certificate(shop: Shop, csr: Any, claim: str) -> None:
    key = p256()
    request = {"code": code(shop), "tls_csr": csr(key)}
    request["signing_csr"] = csr(ed25519.Ed25519PrivateKey.generate())
    if claim == "unknown code":
        request["code"] = "AAAAAAAAAAAAAAAA"
    elif claim == "RSA":
        request["tls_csr"] = csr(rsa.generate_private_key(65537, 2048))
    elif claim == "Ed25519 for TLS":
        request["tls_csr"] = csr(ed25519.Ed25519PrivateKey.generate())
    elif claim == "P-384":
        request["tls_csr"] = csr(ec.generate_private_key(ec.SECP384R1()))
    elif claim == "one key twice":
        request["signing_csr"] = csr(key)
    elif claim == "no signing":
        del request["signing_csr"]
    else:
        # The last characters are the signature's.
        lines = request["tls_csr"].splitlines()
        lines[-2] = lines[-2][:4] + ("A" if lines[-2][4] != "A" else "B") + lines[-2][5:]
        request["tls_csr"] = "\n".join(lines)

    with pytest.raises(EnrolmentRefused):
        bench.enrol(shop.place, request, shop.now_ms)


def test_a_till_may_sign_with_p256_as_a_hardware_module_does(shop: Shop, csr: Any) -> None:
    request = {"code": code(shop), "tls_csr": csr(p256()), "signing_csr": csr(p256())}

    assert bench.enrol(shop.place, request, shop.now_ms)["algorithm"] == "ecdsa-p256-sha256"


def test_a_bank_is_made_once(tmp_path: Path) -> None:
    place = bench.prepare(tmp_path, NOW_MS)
    made = {path.name: path.read_bytes() for path in place.folder.iterdir()}

    bench.prepare(tmp_path, NOW_MS + 1)

    assert {path.name: path.read_bytes() for path in place.folder.iterdir()} == made


def test_two_processes_at_once_make_one_bank(tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(4) as pool:
        places = [pool.submit(bench.prepare, tmp_path, NOW_MS) for _ in range(4)]
        authorities = {each.result().ca_certificate.read_bytes() for each in places}

    assert len(authorities) == 1


def test_an_interrupted_making_starts_again(tmp_path: Path) -> None:
    """The mark that all is there is written last."""
    place = bench.prepare(tmp_path, NOW_MS)
    place.ready.unlink()
    place.server_key.unlink()

    assert bench.prepare(tmp_path, NOW_MS).server_key.exists()


def test_nobody_else_may_read_the_banks_files(tmp_path: Path) -> None:
    place = bench.prepare(tmp_path / "new", NOW_MS)
    bench.issue_enrolment_code(place, "till", "t", NOW_MS, bytes)

    assert place.home.stat().st_mode & 0o777 == 0o700
    assert place.folder.stat().st_mode & 0o777 == 0o700
    assert [path.name for path in place.folder.iterdir() if path.stat().st_mode & 0o077] == []


def test_another_releases_bank_is_left_alone(tmp_path: Path) -> None:
    place = bench.prepare(tmp_path, NOW_MS)
    place.ready.write_text("0")

    with pytest.raises(BankFileWrong, match="another release"):
        bench.prepare(tmp_path, NOW_MS)


def test_finding_a_bank_imports_nothing_heavy(tmp_path: Path) -> None:
    """The till does it at each start, before its first screen."""
    import subprocess
    import sys

    bench.prepare(tmp_path, NOW_MS)
    program = (
        "import sys, pathlib; from simulators.bank.bench import prepare;"
        f"prepare(pathlib.Path({str(tmp_path)!r}), 0);"
        "print([name for name in ('cryptography', 'sqlalchemy', 'fastapi', 'joserfc', 'emv')"
        " if name in sys.modules])"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[]"
