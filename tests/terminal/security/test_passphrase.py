"""Where the passphrase of the keys comes from, and keys that need one."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from simulators.bank import bench
from terminal.errors import KeysUnusable
from terminal.security import keys, passphrase
from terminal.security.enrolment import enrol
from terminal.security.folder import key_version
from terminal.security.keys import is_protected, load_keys, protect
from terminal.security.renewal import renew

if TYPE_CHECKING:
    from tests.terminal.security.conftest import City

SECRET = b"0123456789abcdef0123456789abcdef"


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        passphrase.PLACES.variable,
        passphrase.PLACES.file_variable,
        "CREDENTIALS_DIRECTORY",
    ):
        monkeypatch.delenv(name, raising=False)


def file(path: Path, content: bytes = SECRET, mode: int = 0o600) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content + b"\n")
    path.chmod(mode)
    return path


def test_it_is_looked_for_in_the_environment_then_in_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "till/keys"
    assert passphrase.find(folder) is None

    beside = passphrase.make_beside(folder, b"\x01" * 32)
    assert passphrase.find(folder) == beside
    assert stat.S_IMODE((tmp_path / "till" / passphrase.BESIDE).stat().st_mode) == 0o600

    file(tmp_path / "credentials" / passphrase.PLACES.credential, b"systemd's 0123456789abc")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "credentials"))
    assert passphrase.find(folder) == b"systemd's 0123456789abc"

    monkeypatch.setenv(passphrase.PLACES.file_variable, str(file(tmp_path / "named")))
    assert passphrase.find(folder) == SECRET

    monkeypatch.setenv(passphrase.PLACES.variable, "typed 0123456789abcdefg")
    assert passphrase.find(folder) == b"typed 0123456789abcdefg"


@pytest.mark.parametrize(
    ("content", "mode", "why"),
    [(SECRET, 0o640, "others can read"), (b"short", 0o600, "20 characters"), (None, 0, "No such")],
)
def test_a_file_that_is_named_and_no_good_is_named_in_the_error(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    content: bytes | None,
    mode: int,
    why: str,
) -> None:
    """It is not passed over for another place."""
    path = tmp_path / "named"
    if content is not None:
        file(path, content, mode)
    file(tmp_path / "till" / passphrase.BESIDE)
    monkeypatch.setenv(passphrase.PLACES.file_variable, str(path))

    with pytest.raises(KeysUnusable, match=why) as caught:
        passphrase.find(tmp_path / "till/keys")
    assert str(path) in str(caught.value)
    assert "abcdef" not in str(caught.value)


@pytest.fixture
def locked(quiet_city: City, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A key folder that was enrolled with a passphrase."""
    city, folder = quiet_city, quiet_city.folder / "locked"
    monkeypatch.setenv(passphrase.PLACES.variable, SECRET.decode())
    enrol(
        folder,
        city.code("till-locked"),
        lambda asked: bench.enrol(city.place, asked, city.clock.wall_ms()),
        SECRET,
    )
    return folder


def test_keys_of_an_enrolment_with_a_passphrase_open_by_it_only(
    locked: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert is_protected(locked)
    assert load_keys(locked).till_id == "till-locked"
    assert SECRET.decode() not in repr(load_keys(locked))

    monkeypatch.setenv(passphrase.PLACES.variable, "another passphrase 0001")
    with pytest.raises(KeysUnusable, match="does not open") as caught:
        load_keys(locked)
    assert "another passphrase" not in str(caught.value)
    monkeypatch.delenv(passphrase.PLACES.variable)
    for look in (load_keys, passphrase.check):
        with pytest.raises(KeysUnusable, match=passphrase.PLACES.variable):
            look(locked)


def test_a_till_with_encrypted_keys_is_served_and_renews_to_encrypted_ones(
    quiet_city: City, locked: Path
) -> None:
    with quiet_city.start():
        assert quiet_city.is_served(locked)
        renew(locked, quiet_city.client)
        assert is_protected(locked)
        assert quiet_city.is_served(locked)


def test_bare_keys_open_and_can_be_protected_later(quiet_city: City) -> None:
    folder = quiet_city.enrolled()
    bare = load_keys(folder)
    version = key_version(folder)
    assert not is_protected(folder)

    protect(folder, SECRET)
    protect(folder, SECRET)

    assert is_protected(folder)
    assert key_version(folder) != version
    assert load_keys(folder, SECRET).till_id == bare.till_id
    for name in (keys.TLS_KEY, keys.SIGNING_KEY):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
    with pytest.raises(KeysUnusable, match="does not open"):
        protect(folder, b"another passphrase 0001")
