"""Who gets in, who does not, and that neither words nor locks tell who works here."""

from __future__ import annotations

import os
from typing import Any

import pyotp
import pytest

from terminal.errors import RegisterUnusable, SignInLocked, SignInRefused
from terminal.people.one_time import base32
from terminal.people.privileges import Role

SECRET = "Right-9-horse"


@pytest.fixture
def another(staff: Any) -> Any:
    """The same people, as another process has them."""
    return type(staff)(staff.folder, staff.clock)


def give_app(staff: Any) -> bytes:
    key = os.urandom(20)
    staff.register.set_code_key("00", key, by="00")
    return key


def code_now(staff: Any, key: bytes, steps: int = 0) -> str:
    return str(pyotp.TOTP(base32(key)).at(staff.clock.unix_ms // 1000 + 30 * steps))


def fail(staff: Any, name: str, times: int) -> None:
    for _ in range(times):
        with pytest.raises(SignInRefused, match="Name, secret or code is wrong"):
            staff.sign_in(name, "wrong")


def test_a_cashier_comes_in_with_name_and_secret(staff: Any) -> None:
    staff.ready("01", Role.CASHIER, "4826")
    person = staff.sign_in(" 01 ", "4826", face="screen")
    assert (person.name, person.role, person.is_ready) == ("01", Role.CASHIER, True)
    line = [line for _, line in staff.log.lines()][-1]
    assert (line.act, line.is_granted, line.face) == ("sign_in", True, "screen")


def test_a_supervisor_needs_the_code_too(staff: Any) -> None:
    staff.register.add("00", "", Role.SUPERVISOR, SECRET, by="00")
    key = give_app(staff)
    with pytest.raises(SignInRefused):
        staff.sign_in("00", SECRET)
    assert staff.sign_in("00", SECRET, code_now(staff, key)).is_ready


def test_a_code_counts_once_and_no_older_one_after_it(staff: Any) -> None:
    staff.register.add("00", "", Role.SUPERVISOR, SECRET, by="00")
    key = give_app(staff)
    code, older = code_now(staff, key), code_now(staff, key, steps=-1)
    staff.sign_in("00", SECRET, code)
    for used in (code, older):
        with pytest.raises(SignInRefused):
            staff.restarted().sign_in("00", SECRET, used)
    staff.clock.unix_ms += 30_000
    assert staff.restarted().sign_in("00", SECRET, code_now(staff, key))


def test_a_code_read_over_a_shoulder_is_used_by_one_only(
    staff: Any, another: Any, monkeypatch: Any
) -> None:
    """Two commands look at the same code before either has used it."""
    staff.register.add("00", "", Role.SUPERVISOR, SECRET, by="00")
    key = give_app(staff)
    code = code_now(staff, key)
    look = staff.register.code_step

    def look_too_late(*asked: Any) -> int | None:
        step: int | None = look(*asked)
        assert another.sign_in("00", SECRET, code)
        return step

    monkeypatch.setattr(staff.register, "code_step", look_too_late)
    with pytest.raises(SignInRefused):
        staff.sign_in("00", SECRET, code)


def test_five_wrong_tries_lock_across_restarts_and_dates(staff: Any) -> None:
    staff.ready("01", Role.CASHIER, "4826")
    fail(staff, "01", 5)
    again = staff.restarted()
    again.clock.unix_ms += 10 * 365 * 86_400_000
    with pytest.raises(SignInLocked, match="wait 61 seconds"):
        again.sign_in("01", "4826")
    booted = again.restarted(boot="second")
    with pytest.raises(SignInLocked):
        booted.sign_in("01", "4826")
    booted.clock.seconds += 61
    assert booted.sign_in("01", "4826").name == "01"
    fail(booted, "01", 4)


def test_a_right_secret_while_locked_does_not_open(staff: Any) -> None:
    staff.ready("01", Role.CASHIER, "4826")
    fail(staff, "01", 5)
    with pytest.raises(SignInLocked):
        staff.sign_in("01", "4826")


def test_a_stranger_is_treated_as_anybody(staff: Any) -> None:
    """Same words, same lock, whether the name is somebody's or nobody's."""
    staff.ready("01", Role.CASHIER, "4826")
    told = []
    for name in ("01", "nobody"):
        fail(staff, name, 5)
        with pytest.raises(SignInLocked) as locked:
            staff.sign_in(name, "wrong")
        told.append(str(locked.value))
    assert told[0] == told[1]


def test_many_strangers_do_not_unlock_anybody(staff: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("terminal.people.sign_in.STRANGERS_MAX", 3)
    staff.ready("01", Role.CASHIER, "4826")
    fail(staff, "01", 5)
    for number in range(10):
        fail(staff, f"stranger{number}", 1)
    with pytest.raises(SignInLocked):
        staff.sign_in("01", "4826")
    assert len(staff.store.read("SELECT name FROM tries")) == 3


def test_a_try_cut_short_was_a_try(staff: Any, monkeypatch: Any) -> None:
    """The power goes while the secret is being looked at."""
    staff.ready("01", Role.CASHIER, "4826")

    def power_cut(*_: object) -> bool:
        raise KeyboardInterrupt

    for _ in range(5):
        monkeypatch.setattr(staff.register, "is_right", power_cut)
        with pytest.raises(KeyboardInterrupt):
            staff.sign_in("01", "guess")
    with pytest.raises(SignInLocked):
        staff.restarted().sign_in("01", "4826")


def test_who_has_left_cannot_come_in(staff: Any) -> None:
    staff.ready("00", Role.SUPERVISOR)
    staff.ready("01", Role.CASHIER, "4826")
    staff.register.remove("01", by="00")
    with pytest.raises(SignInRefused):
        staff.sign_in("01", "4826")


def test_another_pepper_opens_nothing(staff: Any) -> None:
    staff.register.add("00", "", Role.SUPERVISOR, SECRET, by="00")
    give_app(staff)
    (staff.folder / "keys" / "people-pepper").write_bytes(bytes(32))
    stolen = staff.restarted()
    with pytest.raises(SignInRefused):
        stolen.sign_in("00", SECRET, "000000")
    with pytest.raises(RegisterUnusable, match="pepper"):
        stolen.register.code_step("00", "000000", 0)


def test_no_secret_is_in_the_file(staff: Any) -> None:
    staff.register.add("00", "", Role.SUPERVISOR, SECRET, by="00")
    key = give_app(staff)
    with pytest.raises(SignInRefused):
        staff.sign_in("00", "Wrong-secret-too", "123456")
    staff.store.close()
    content = staff.store.path.read_bytes()
    assert b"argon2id" in content
    for secret in (SECRET.encode(), b"Wrong-secret-too", key, base32(key).encode(), b"123456"):
        assert secret not in content
