"""Coming, changing and going; and one-time codes against the RFC's own."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from terminal.errors import NotAllowed, RegisterUnusable, SecretRefused, UnknownPerson
from terminal.people.one_time import accepted_step, provisioning_uri
from terminal.people.privileges import Role
from terminal.people.store import PeopleStore


def test_the_codes_of_the_rfc_are_accepted(shared: Path) -> None:
    cases = json.loads((shared / "vectors" / "crypto" / "totp_hotp.json").read_text())
    key = cases["keys_ascii"]["SHA1"].encode()
    seen = [case for case in cases["totp"] if case["alg"] == "SHA1"]
    assert seen
    for case in seen:
        code = case["totp8"][-6:]
        step = case["time"] // 30
        assert accepted_step(key, code, case["time"], last_step=-1) == step
        assert accepted_step(key, code, case["time"] + 60, last_step=-1) is None
        assert accepted_step(key, code, case["time"], last_step=step) is None


def test_an_app_is_told_shop_and_name() -> None:
    uri = provisioning_uri(b"12345678901234567890", "00", "Corner Shop")
    assert uri.startswith("otpauth://totp/Corner%20Shop:00?secret=GEZDGNBVGY3TQOJQ")


def test_the_first_supervisor_chose_the_secret_herself(staff: Any) -> None:
    assert staff.register.is_empty
    first = staff.register.add("Boss", "Mrs Wang", Role.SUPERVISOR, "Right-9-horse", by="Boss")
    assert (first.name, first.called, first.must_change) == ("boss", "Mrs Wang", False)
    assert first.lacks_code
    assert not first.is_ready


def test_a_given_secret_is_to_be_changed(staff: Any) -> None:
    staff.ready("00", Role.SUPERVISOR)
    assert staff.register.add("01", "", Role.CASHIER, "4826", by="00").must_change
    with pytest.raises(SecretRefused, match="have"):
        staff.register.set_secret("01", "4826", by="01")
    staff.register.set_secret("01", "7391", by="01")
    assert not staff.register.person("01").must_change
    staff.register.set_secret("01", "5520", by="00")
    assert staff.register.person("01").must_change


@pytest.mark.parametrize(
    ("role", "secret"),
    [
        (Role.CASHIER, "123"),
        (Role.CASHIER, "0000"),
        (Role.CASHIER, "1234"),
        (Role.CASHIER, "9876"),
        (Role.CASHIER, "lin.mei"),
        (Role.SUPERVISOR, "4826173"),
        (Role.SUPERVISOR, "abcdefgh"),
        (Role.AUDITOR, "x" * 129),
    ],
)
def test_secrets_that_fall_to_a_guess_are_refused(staff: Any, role: Role, secret: str) -> None:
    with pytest.raises(SecretRefused):
        staff.register.add("Lin.Mei", "", role, secret, by="00")
    assert staff.register.is_empty


@pytest.mark.parametrize("name", ["", "a b", "x" * 33, "a/b", "01\n"])
def test_what_cannot_be_a_name_is_refused(staff: Any, name: str) -> None:
    with pytest.raises(NotAllowed, match="letters, digits"):
        staff.register.add(name, "", Role.CASHIER, "4826", by="00")


def test_a_name_is_taken_for_ever(staff: Any) -> None:
    staff.ready("00", Role.SUPERVISOR)
    staff.ready("lin", Role.CASHIER, "4826")
    staff.register.remove("LIN", by="00")
    with pytest.raises(UnknownPerson):
        staff.register.person("lin")
    with pytest.raises(NotAllowed, match="is or was"):
        staff.register.add("Lin", "", Role.CASHIER, "4826", by="00")


def test_the_last_supervisor_stays(staff: Any) -> None:
    staff.ready("00", Role.SUPERVISOR)
    with pytest.raises(NotAllowed, match="last supervisor"):
        staff.register.remove("00", by="00")
    staff.ready("99", Role.SUPERVISOR)
    staff.register.remove("00", by="99")
    assert [person.name for person in staff.register.people()] == ["99"]


def test_its_files_are_their_owners_alone(staff: Any) -> None:
    for path in (staff.store.path, staff.folder / "keys" / "people-pepper"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_pepper_cut_short_is_named(staff: Any) -> None:
    (staff.folder / "keys" / "people-pepper").write_bytes(b"short")
    with pytest.raises(RegisterUnusable, match="people-pepper: 5 bytes"):
        staff.restarted()


def test_a_damaged_file_is_named_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "people.db"
    path.write_bytes(b"not a database, " * 100)
    with pytest.raises(RegisterUnusable, match="damaged"):
        PeopleStore(tmp_path)
    assert path.read_bytes().startswith(b"not a database")
