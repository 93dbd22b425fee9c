"""The bank link as the doctor sees it: a real simulated bank over TLS, and no bank."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from shutil import copytree

import pytest

from config import load_settings
from simulators.bank import bench
from simulators.bank.core import Bank
from simulators.bank.iso8583.core import Host
from simulators.bank.iso8583.door import Door
from simulators.bank.place import BankPlace
from simulators.bank.service import BankServer, listen, tls_of
from terminal.bank.iso8583.opening import TRANSPORT_KEY
from terminal.doctor.lines import Line
from terminal.doctor.link import bank, chains
from terminal.doctor.wording import Level, Matter
from terminal.journal import Journal
from terminal.people.audit import AuditLine, AuditLog
from terminal.people.store import PeopleStore
from terminal.security import keys
from terminal.security.enrolment import enrol
from terminal.security.files import write_file

NOW_MS = time.time_ns() // 1_000_000


class Clock:
    """The machine's clock, set wrong by so much."""

    def __init__(self, ahead_s: float = 0) -> None:
        self._ahead_ms = round(1000 * ahead_s)

    def monotonic(self) -> float:
        return time.monotonic()

    def wall_ms(self) -> int:
        return time.time_ns() // 1_000_000 + self._ahead_ms


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> BankPlace:
    return bench.prepare(tmp_path_factory.mktemp("bank"), NOW_MS)


@pytest.fixture(scope="module")
def enrolled(place: BankPlace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("till") / "keys"
    code = bench.issue_enrolment_code(place, "till", "till-1", NOW_MS, os.urandom, merchant="m")
    enrol(folder, code, lambda request: bench.enrol(place, request, NOW_MS))
    return folder


@pytest.fixture(scope="module")
def url(place: BankPlace) -> Iterator[str]:
    with BankServer(place, time.time, os.urandom) as running:
        yield running.url


def looked(url: str, folder: Path, *, name: str | None = None, ahead_s: float = 0) -> list[Line]:
    settings = load_settings(
        overrides={
            "bank.url": url,
            "bank.server_name": name or "127.0.0.1",
            "bank.connect_s": 5,
            "bank.answer_s": 5,
        }
    )
    return list(bank(settings, folder, Clock(ahead_s), os.urandom))


def codes(lines: list[Line]) -> list[str]:
    return [line.code for line in lines]


def test_a_bank_that_answers_proves_it_and_tells_the_time(url: str, enrolled: Path) -> None:
    lines = looked(url, enrolled)

    assert codes(lines) == [Matter.BANK_ANSWERS, Matter.CLOCK_RIGHT]
    assert url in lines[0].text


def test_a_second_till_with_the_same_keys_is_said(
    url: str, place: BankPlace, tmp_path: Path
) -> None:
    code = bench.issue_enrolment_code(place, "till", "till-2", NOW_MS, os.urandom, merchant="m")
    enrol(tmp_path / "keys", code, lambda request: bench.enrol(place, request, NOW_MS))
    copied = copytree(tmp_path / "keys", tmp_path / "copy")

    assert Matter.KEYS_CLONED not in codes(looked(url, tmp_path / "keys"))
    assert Matter.KEYS_CLONED in codes(looked(url, copied))
    [line] = [each for each in looked(url, tmp_path / "keys") if each.code == Matter.KEYS_CLONED]
    assert line.level is Level.FAULT
    assert "revoke" in line.step


def test_an_audit_log_that_was_cut_off_is_said(url: str, place: BankPlace, tmp_path: Path) -> None:
    """What the bank has kept of it is a line that is gone; nothing is said where nothing is."""
    code = bench.issue_enrolment_code(place, "till", "till-3", NOW_MS, os.urandom, merchant="m")
    enrol(tmp_path / "keys", code, lambda request: bench.enrol(place, request, NOW_MS))

    def found() -> list[Line]:
        settings = load_settings(overrides={"bank.url": url, "bank.server_name": "127.0.0.1"})
        return list(chains(settings, tmp_path, Clock(), os.urandom))

    assert found() == []
    Journal(tmp_path, Clock()).close()
    with closing(PeopleStore(tmp_path)) as store:
        for _ in range(3):
            AuditLog(store, Clock()).append(AuditLine("sell", True, "01"))
    assert [(line.code, line.facts) for line in found()] == [(Matter.CHAINS_HOLD, {"count": "1"})]
    with closing(PeopleStore(tmp_path)) as store, store.writing() as register:
        register.execute("DELETE FROM audit WHERE seq = 3")
    [line] = found()
    assert (line.code, line.level) == (Matter.CHAINS_CUT, Level.FAULT)
    assert "does not go through line 3" in line.text


def test_a_bank_of_iso_8583_answers_too_and_proves_no_clock(
    place: BankPlace, enrolled: Path
) -> None:
    transport_key = bench.transport_key(place, "till-1", os.urandom)
    write_file(enrolled / TRANSPORT_KEY, transport_key.hex().encode("ascii"))
    opened = Bank.open(place)
    host = Host.open(opened, place, os.urandom, "retail")
    with Door(host, tls_of(place), time.time, os.urandom, listen(0)) as door:
        url = "iso8583://{}:{}".format(*door.address)
        lines = looked(url, enrolled)
    opened.close()

    assert codes(lines) == [Matter.BANK_ANSWERS]
    assert url in lines[0].text


def test_no_bank_at_the_address_is_a_fault_with_a_step(enrolled: Path) -> None:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        port = door.getsockname()[1]
    [line] = looked(f"https://127.0.0.1:{port}", enrolled)

    assert line.code == Matter.BANK_UNREACHABLE
    assert line.level is Level.FAULT
    assert "does not accept connections" in line.text
    assert line.step


def test_a_name_that_nobody_has_is_named(enrolled: Path) -> None:
    [line] = looked("https://bank.invalid", enrolled)
    assert line.code == Matter.BANK_UNREACHABLE
    assert "bank.invalid" in line.text


def test_a_certificate_for_another_name_is_not_trusted(url: str, enrolled: Path) -> None:
    [line] = looked(url, enrolled, name="other.example")
    assert line.code == Matter.BANK_INSECURE
    assert "another name" in line.text


def test_a_bank_of_another_authority_is_not_trusted(
    url: str, enrolled: Path, tmp_path: Path
) -> None:
    other = bench.prepare(tmp_path / "other", NOW_MS)
    folder = copytree(enrolled, tmp_path / "keys")
    (folder / keys.BANK_CA).write_bytes(other.ca_certificate.read_bytes())

    [line] = looked(url, folder)

    assert line.code == Matter.BANK_INSECURE
    assert "not from the bank's CA" in line.text


@pytest.mark.parametrize(
    ("ahead_s", "code"), [(-120, Matter.CLOCK_OFF), (-900, Matter.CLOCK_WRONG)]
)
def test_a_wrong_clock_is_measured(url: str, enrolled: Path, ahead_s: float, code: Matter) -> None:
    *_, clock = looked(url, enrolled, ahead_s=ahead_s)

    assert clock.code == code
    assert abs(int(clock.facts["skew"]) + ahead_s) <= 5
    assert "timedatectl" in clock.step


def test_an_expired_certificate_asks_nobody(url: str, enrolled: Path) -> None:
    [line] = looked(url, enrolled, ahead_s=50 * 365 * 86_400)
    assert line.code == Matter.BANK_INSECURE
    assert "expired" in line.text


def test_without_keys_nothing_is_asked(url: str, tmp_path: Path) -> None:
    assert codes(looked(url, tmp_path)) == [Matter.BANK_UNKNOWN]
