"""The signing key in a hardware module: SoftHSM, which any PKCS #11 program can talk to."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from simulators.bank import bench
from terminal.bank.client import VerifiedAnswer
from terminal.bank.proof import prove_sale
from terminal.errors import KeyModuleLost, KeysUnusable
from terminal.security import farewell, hsm, keys, renewal
from terminal.security.enrolment import enrol
from terminal.security.keys import TillKeys, load_keys

if TYPE_CHECKING:
    from tests.terminal.security.conftest import City

MODULE = "/usr/lib/softhsm/libsofthsm2.so"
PIN = "87654321"
TOKEN = f"pkcs11:token=till?module-path={MODULE}"


def initialise(label: str) -> None:
    words = ["--init-token", "--free", "--label", label, "--so-pin", "12345678", "--pin", PIN]
    subprocess.run(["softhsm2-util", *words], check=True, capture_output=True)


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A token of this test's own. The library reads its settings once in a process."""
    folder = tmp_path_factory.mktemp("softhsm")
    (folder / "tokens").mkdir()
    settings = folder / "softhsm2.conf"
    settings.write_text(f"directories.tokendir = {folder / 'tokens'}\nlog.level = ERROR\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOFTHSM2_CONF", str(settings))
        patch.setenv(hsm.PIN_PLACES.variable, PIN)
        initialise("till")
        initialise("second")
        yield MODULE


@pytest.fixture
def token(module: str) -> hsm.KeyPlace:
    return hsm.KeyPlace.parse(TOKEN)


def enrolled(city: City, token: hsm.KeyPlace) -> Path:
    folder = city.folder / "hardware"
    code = city.code("till-9")
    enrol(
        folder,
        code,
        lambda asked: bench.enrol(city.place, asked, city.clock.wall_ms()),
        token=token,
    )
    return folder


def test_a_till_signs_by_a_key_that_is_in_no_file(city: City, token: hsm.KeyPlace) -> None:
    folder = enrolled(city, token)

    held = load_keys(folder)
    assert held.signer.algorithm == "ecdsa-p256-sha256"
    assert city.is_served(folder)
    assert keys.hardware_of(folder) is not None
    assert b"PRIVATE" not in (folder / keys.SIGNING_KEY).read_bytes()
    assert PIN.encode() not in (folder / keys.SIGNING_KEY).read_bytes()
    proof = prove_sale(
        attempt="a", amount_minor=1, currency="CNY", sealed="s", at="t", key=held.signer, key_id="t"
    )
    assert proof.count(".") == 2


def test_the_private_value_cannot_be_had(token: hsm.KeyPlace) -> None:
    key = hsm.make_key(hsm.fresh_place(token))

    assert not isinstance(key.public_key(), ec.EllipticCurvePrivateKey)
    signature = key.sign(b"message", ec.ECDSA(hashes.SHA256()))
    key.public_key().verify(signature, b"message", ec.ECDSA(hashes.SHA256()))
    for take in (
        key.private_numbers,
        lambda: key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
        lambda: key.exchange(ec.ECDH(), key.public_key()),
    ):
        with pytest.raises(KeysUnusable, match="does not leave"):
            take()


def test_a_key_is_made_once_however_often_it_is_tried(token: hsm.KeyPlace) -> None:
    place = hsm.fresh_place(token)
    first, again = hsm.make_key(place), hsm.make_key(place)
    assert first.public_key() == again.public_key()


def test_a_renewal_makes_another_key_and_a_later_one_erases_the_first(
    city: City, token: hsm.KeyPlace
) -> None:
    folder = enrolled(city, token)
    places: list[hsm.KeyPlace] = []
    for _ in range(3):
        place = keys.hardware_of(folder)
        assert place is not None
        places.append(place)
        renewal.renew(folder, city.client)
        assert city.is_served(folder)
    first, second, third = places
    assert first.label == second.label == third.label
    with pytest.raises(KeysUnusable, match="no signing key"):
        hsm.open_key(first)
    assert hsm.open_key(third).place == third


def test_a_wiped_till_leaves_no_key_in_the_token_and_other_tills_theirs(
    city: City, token: hsm.KeyPlace
) -> None:
    others = hsm.make_key(hsm.fresh_place(token)).place
    folder = enrolled(city, token)
    own = keys.hardware_of(folder)
    assert own is not None

    farewell.wipe(folder)

    with pytest.raises(KeysUnusable, match="no signing key"):
        hsm.open_key(own)
    assert hsm.open_key(others).place == others


def test_a_module_that_goes_away_signs_nothing_and_one_that_is_back_does(
    city: City, token: hsm.KeyPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its PIN is gone, so that nobody can log in to it again."""
    held: TillKeys = load_keys(enrolled(city, token))
    hsm._close(token)
    monkeypatch.delenv(hsm.PIN_PLACES.variable)
    with pytest.raises(KeyModuleLost, match="OPENTILL_HSM_PIN"):
        held.signer.sign(b"message")
    with pytest.raises(KeyModuleLost):
        city.echo(held)

    monkeypatch.setenv(hsm.PIN_PLACES.variable, PIN)
    assert isinstance(city.echo(held), VerifiedAnswer)


@pytest.mark.parametrize(
    ("uri", "named"),
    [
        ("file:/key.pem", "begins with pkcs11:"),
        ("pkcs11:token=till", "module-path"),
        (f"pkcs11:?module-path={MODULE}", "token"),
        (f"{TOKEN}&pin-value={PIN}", "no place for a PIN"),
    ],
)
def test_a_uri_that_is_none_is_refused(uri: str, named: str) -> None:
    with pytest.raises(KeysUnusable, match=named) as refused:
        hsm.KeyPlace.parse(uri)
    assert PIN not in str(refused.value)


@pytest.mark.parametrize(
    ("uri", "named"),
    [
        (f"pkcs11:token=another?module-path={MODULE}", "NoSuchToken"),
        ("pkcs11:token=till?module-path=/no/library.so", "no such PKCS #11 library"),
        ("pkcs11:token=till?module-path=/etc/hostname", "no PKCS #11 library"),
    ],
)
def test_a_token_that_is_not_there_is_named(module: str, uri: str, named: str) -> None:
    with pytest.raises(KeysUnusable, match=named):
        hsm.fresh_place(hsm.KeyPlace.parse(uri))


def test_a_wrong_pin_is_told_with_what_to_do(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    place = hsm.KeyPlace.parse(f"pkcs11:token=second?module-path={module}")
    monkeypatch.setenv(hsm.PIN_PLACES.variable, "00000000")
    with pytest.raises(KeysUnusable, match="PinIncorrect") as refused:
        hsm.fresh_place(place)
    assert "00000000" not in str(refused.value)


def test_places_survive_being_written_down() -> None:
    place = hsm.KeyPlace("/usr/lib/my module.so", "a till;1", "opentill-ab", bytes(range(8)))
    assert hsm.KeyPlace.parse(place.text) == place
