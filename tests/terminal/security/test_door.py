"""A till meets its bank for the first time: the real door, real TLS, and those that lie."""

from __future__ import annotations

import base64
import contextlib
import os
import shutil
import signal
import socket
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.bank import bench
from simulators.bank.newcomers import newcomers_server
from simulators.bank.place import BankPlace
from simulators.bank.service import WebServer, listen
from simulators.faults import FaultProxy
from terminal.errors import AnswerLost, EnrolmentRefused, LinkNotSecure, NeverLeft
from terminal.seams import SystemClock
from terminal.security import enrolment
from terminal.security.door import EnrolmentCode, EnrolmentDoor
from terminal.security.enrolment import enrol
from terminal.security.files import write_file
from terminal.security.folder import is_enrolled
from terminal.security.keys import TillKeys, load_keys

NOW_MS = time.time_ns() // 1_000_000


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> BankPlace:
    return bench.prepare(tmp_path_factory.mktemp("bank"), NOW_MS)


@pytest.fixture(scope="module")
def bank(place: BankPlace) -> Iterator[WebServer]:
    with newcomers_server(place, time.time, listen(0)) as server:
        yield server


@pytest.fixture
def code(place: BankPlace) -> str:
    code = bench.issue_enrolment_code(place, "till", "till-7", NOW_MS, os.urandom, merchant="m")
    return bench.with_fingerprint(place, code)


def enrol_at(url: str, code: str, folder: Path) -> TillKeys:
    door = EnrolmentDoor(url, SystemClock(), connect_s=3, answer_s=5)
    parsed = EnrolmentCode.parse(code)
    return enrol(folder, parsed.secret, partial(door.carry, door.authority(parsed.fingerprint)))


def test_a_till_enrols_with_nothing_but_a_code(
    tmp_path: Path, bank: WebServer, code: str, place: BankPlace
) -> None:
    till = enrol_at(bank.url, code, tmp_path / "keys")

    assert till.till_id == "till-7"
    assert till.bank_ca.read_bytes() == place.ca_certificate.read_bytes()


def test_proxies_and_trusted_roots_of_the_environment_are_not_asked(
    tmp_path: Path, bank: WebServer, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("SSL_CERT_FILE", "/nonexistent")

    assert enrol_at(bank.url, code, tmp_path / "keys").till_id == "till-7"


@pytest.fixture
def evil(tmp_path: Path) -> BankPlace:
    return bench.prepare(tmp_path / "evil", NOW_MS)


def test_another_bank_at_the_address_never_hears_the_code(
    tmp_path: Path, evil: BankPlace, code: str
) -> None:
    with (
        newcomers_server(evil, time.time, listen(0)) as server,
        pytest.raises(EnrolmentRefused, match="nothing was sent"),
    ):
        enrol_at(server.url, code, tmp_path / "keys")
    assert not (tmp_path / "keys").exists()


def test_showing_the_banks_ca_proves_nothing_by_itself(
    tmp_path: Path, evil: BankPlace, place: BankPlace, code: str
) -> None:
    """The CA's certificate is no secret: who shows it must be certified by it, too."""
    shutil.copy(place.ca_certificate, evil.ca_certificate)
    with (
        newcomers_server(evil, time.time, listen(0)) as server,
        pytest.raises(LinkNotSecure, match="not from the bank's CA"),
    ):
        enrol_at(server.url, code, tmp_path / "keys")
    assert not is_enrolled(tmp_path / "keys")


def test_a_certificate_that_is_no_ca_is_not_taken_for_one(
    tmp_path: Path, evil: BankPlace, code: str
) -> None:
    shutil.copy(evil.server_certificate, evil.ca_certificate)
    with (
        newcomers_server(evil, time.time, listen(0)) as server,
        pytest.raises(EnrolmentRefused, match="not a CA's"),
    ):
        enrol_at(server.url, code, tmp_path / "keys")


def test_an_answer_that_is_lost_is_asked_for_again(
    tmp_path: Path, bank: WebServer, code: str
) -> None:
    """The bank has certified the till, and the line is cut before it hears so."""
    door = EnrolmentDoor(bank.url, SystemClock())
    parsed = EnrolmentCode.parse(code)
    authority = door.authority(parsed.fingerprint)
    with FaultProxy(bank.port) as wire:
        cut = EnrolmentDoor(wire.url, SystemClock())
        wire.cut_after("answer", 2000)
        with pytest.raises((AnswerLost, NeverLeft), match="same code"):
            enrol(tmp_path / "keys", parsed.secret, partial(cut.carry, authority))
    assert not is_enrolled(tmp_path / "keys")

    assert enrol_at(bank.url, code, tmp_path / "keys").till_id == "till-7"


def test_a_used_code_enrols_no_other_till(tmp_path: Path, bank: WebServer, code: str) -> None:
    enrol_at(bank.url, code, tmp_path / "first")

    with pytest.raises(EnrolmentRefused, match="used already"):
        enrol_at(bank.url, code, tmp_path / "second")


def test_nobody_at_the_address_is_said_with_the_next_step(tmp_path: Path, code: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

    with pytest.raises(NeverLeft, match=r"does not accept connections\. Try again"):
        enrol_at(f"https://127.0.0.1:{port}", code, tmp_path / "keys")


def test_a_bank_that_drips_is_not_waited_for(tmp_path: Path, code: str) -> None:
    """Something accepts and never shakes hands."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        door = EnrolmentDoor(
            f"https://127.0.0.1:{silent.getsockname()[1]}", SystemClock(), connect_s=0.2
        )
        with pytest.raises(NeverLeft, match="did not answer in time"):
            door.authority(b"\0" * 20)


@pytest.mark.parametrize(
    "url", ["http://bank.example", "bank.example:8444", "https://", "https://bank.example/path"]
)
def test_an_address_that_is_none_is_named(url: str) -> None:
    with pytest.raises(EnrolmentRefused, match="no address of a bank"):
        EnrolmentDoor(url, SystemClock())


SECRETS = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", min_size=16, max_size=16)


@settings(max_examples=50)
@given(SECRETS, st.binary(min_size=20, max_size=20))
def test_a_code_is_read_however_it_is_typed(secret: str, fingerprint: bytes) -> None:
    text = f"{secret}-{base64.b32encode(fingerprint).decode()}"

    for typed in (text, text.lower(), f"  {text[:8]} {text[8:]}\n"):
        assert EnrolmentCode.parse(typed) == EnrolmentCode(secret, fingerprint)
    assert secret not in repr(EnrolmentCode.parse(text))


@settings(max_examples=50)
@given(st.text(max_size=60))
def test_anything_else_is_no_code(text: str) -> None:
    """Noise is a code only if it is one; it never crashes the till."""
    try:
        parsed = EnrolmentCode.parse(text)
    except EnrolmentRefused:
        return
    assert len(parsed.secret) == 16
    assert len(parsed.fingerprint) in (0, 20)


def killed_at(step: int, folder: Path, place: BankPlace, secret: str) -> bool:
    """Enrol in a process that is killed before its nth file is in place; True if it was."""
    child = os.fork()
    if child == 0:
        done = 0

        def write_or_die(path: Path, content: bytes) -> None:
            nonlocal done
            if done == step:
                os.kill(os.getpid(), signal.SIGKILL)
            done += 1
            write_file(path, content)

        pytest.MonkeyPatch().setattr(enrolment, "write_file", write_or_die)
        with contextlib.suppress(BaseException):
            enrol(folder, secret, lambda request: bench.enrol(place, request, NOW_MS))
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def test_killed_at_any_step_a_till_can_enrol_by_the_same_code(
    tmp_path: Path, place: BankPlace
) -> None:
    steps = 0
    while True:
        folder = tmp_path / str(steps)
        secret = bench.issue_enrolment_code(place, "till", "till-8", NOW_MS, os.urandom)
        if not killed_at(steps, folder, place, secret):
            break
        assert not is_enrolled(folder)
        carry = partial(bench.enrol, place, now_ms=NOW_MS)
        assert enrol(folder, secret, carry).till_id == "till-8"
        steps += 1
    assert load_keys(folder).till_id == "till-8"
    assert steps == 7  # two keys, four files of the bank's, and the till's name


def test_what_is_no_bank_is_said_so(tmp_path: Path, evil: BankPlace, code: str) -> None:
    """A web server of some kind answers with a page."""
    from simulators.bank.service import tls_for_newcomers

    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        plain, _ = listening.accept()
        with tls_for_newcomers(evil).wrap_socket(plain, server_side=True) as line:
            asked = b""
            while not asked.endswith(b"{}"):
                asked += line.recv(4096)
            line.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 6\r\n\r\n<html>")

    thread = threading.Thread(target=serve)
    thread.start()
    with listening, pytest.raises(EnrolmentRefused, match="no bank's enrolment"):
        enrol_at(f"https://127.0.0.1:{listening.getsockname()[1]}", code, tmp_path / "keys")
    thread.join()
