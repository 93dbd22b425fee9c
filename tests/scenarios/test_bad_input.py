"""What comes in wrong is named, with what to do; money and journal stay right."""

from __future__ import annotations

import datetime
import os
import resource
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.asymmetric import ec

import config
from simulators.bank import bench as bank_bench
from simulators.bank.place import BankPlace
from simulators.bank.service import BankServer
from simulators.bank.trust.authority import Authority, certificate_pem, private_pem
from simulators.bank.trust.keys import SERVER_NAMES
from terminal.__main__ import main
from terminal.errors import AmountRefused, Busy, JournalUnavailable, RegisterUnusable
from terminal.messages import Message
from terminal.states import FINAL, State
from terminal.view import Readiness

USAGE, NOT_DONE = 2, 30


def till(home: Path, *arguments: str, bank: str = "https://localhost:1") -> Result:
    """Run a command as a script does."""
    return CliRunner().invoke(main, ["--home", str(home), "--bank", bank, *arguments])


# --- amounts and currencies -------------------------------------------------------------


@pytest.mark.parametrize(
    ("amount", "says"),
    [
        ("0", "zero: enter one above zero"),
        ("0.00", "zero"),
        ("-5", "below zero: money goes back with a refund"),
        ("12.345", "3 digits after the point, and CNY has 2"),
        ("100000.01", "over this till's limit of ¥100,000.00"),
        ("9999999999999", "more than 12 digits"),
        ("abc", "not a number: write it as in 345.60"),
        ("1e3", "not a number"),
        ("1,000.00", "not a number"),
        ("１２", "not a number"),
        ("", "not a number"),
    ],
)
def test_a_wrong_amount_is_refused_before_anything_is_opened(
    tmp_path: Path, amount: str, says: str
) -> None:
    refused = till(tmp_path, "sale", "--", amount)

    assert refused.exit_code == USAGE
    assert says in " ".join(refused.stderr.split())
    assert not (tmp_path / "till").exists()


def test_a_card_number_in_the_amount_field_is_not_repeated(tmp_path: Path) -> None:
    refused = till(tmp_path, "sale", "4761739001010119")
    assert refused.exit_code == USAGE
    assert "4761739001010119" not in refused.output


@pytest.mark.parametrize(
    ("currency", "status", "says"),
    [
        ("XYZ", USAGE, "There is no currency XYZ: use three ISO 4217 letters"),
        ("¥", USAGE, "There is no currency"),
        ("EUR", NOT_DONE, "This till takes CNY, not EUR"),
    ],
)
def test_a_wrong_currency_is_refused(city: Any, currency: str, status: int, says: str) -> None:
    home = city.new_home()
    refused = till(home, "sale", "10.00", "--currency", currency, bank=city.url)

    assert refused.exit_code == status
    assert says in " ".join(refused.stderr.split())
    assert till(home, "payments", bank=city.url).stdout.strip() in ("", "No payments yet")


@pytest.mark.parametrize("amount_minor", [0, -1, 10_000_001])
def test_the_till_itself_refuses_a_wrong_amount(counter: Any, amount_minor: int) -> None:
    """A cash register comes through this door, and no command line before it."""
    with pytest.raises(AmountRefused):
        counter.till.sale(amount_minor)
    assert counter.till.payments() == []


def test_one_sale_at_a_time(counter: Any) -> None:
    counter.begin()
    with pytest.raises(Busy, match="awaiting tender: finish or keep it first"):
        counter.till.sale(100)


@pytest.mark.parametrize("what", ["card:none", "nonsense", "wallet:", ""])
def test_what_cannot_be_presented_is_refused_with_what_can(city: Any, what: str) -> None:
    home = city.new_home()
    refused = till(home, "sale", "10.00", "--present", what, bank=city.url)

    assert refused.exit_code == NOT_DONE
    assert "Nothing to present is called" in refused.stderr
    assert "There is:\n  card:" in refused.stderr or "There is:\n  wallet:" in refused.stderr


def test_a_slip_of_the_pen_is_told_what_it_may_have_meant(city: Any) -> None:
    refused = till(city.new_home(), "sale", "10.00", "--present", "card:visa-onlin", bank=city.url)
    assert "did you mean card:visa-online?" in refused.stderr


# --- config -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("currency = ", "curency = ", "shop.curency: unknown key"),
        ('merchant_id = "898310154110001"\n', "", "shop.merchant_id: missing"),
        ("amount_max_minor = 10_000_000", 'amount_max_minor = "much"', "shop.amount_max_minor"),
        ('mode = "bench"', 'mode = "demo"', "shop.mode"),
        ('currency = "CNY"', 'currency = "XXX"', "shop.currency: XXX is not in currencies.toml"),
        ('driver = "simulated"', 'driver = "unheard-of"', "unheard-of"),
        ("connect_s = 5", "connect_s = ", "at line {line}"),
        ("[bank]", "[bank", "at line {line}"),
    ],
)
def test_a_wrong_config_names_file_and_key_or_line(
    city: Any, old: str, new: str, says: str
) -> None:
    home = city.new_home()
    broken = home / "my-shop.toml"
    text = config.BENCH.read_text("utf-8")
    assert old in text
    broken.write_text(text.replace(old, new, 1), "utf-8")
    arguments = ["--home", str(home), "--shop", str(broken), "--bank", city.url]
    refused = CliRunner().invoke(main, [*arguments, "sale", "1.00"])

    told = " ".join((refused.stderr + str(refused.exception)).split())
    assert refused.exit_code != 0
    assert says.format(line=text[: text.index(old)].count("\n") + 1) in told
    assert "my-shop.toml" in told or "unheard-of" in told


def test_a_config_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "none.toml"
    refused = CliRunner().invoke(
        main, ["--home", str(tmp_path), "--shop", str(missing), "sale", "1.00"]
    )
    assert refused.exit_code == USAGE
    assert "none.toml" in refused.stderr


# --- a bank that cannot be trusted ------------------------------------------------------------


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[[BankPlace], str]]:
    """Run a bank from other files; returns its address."""
    servers: list[BankServer] = []

    def start(place: BankPlace) -> str:
        servers.append(BankServer(place, time.time, os.urandom).start())
        return servers[-1].url

    yield start
    for server in servers:
        server.stop()


NOT_SECURE = (Message.LINK_NOT_SECURE, Message.TELL_SUPERVISOR)


def refused_by_till(open_counter: Any, url: str, says: object = NOT_SECURE) -> str:
    """Take a sale at this bank; return what the log says of it.

    says: reason and next step for the cashier.
    """
    counter = open_counter(bank_url=url)
    counter.until(lambda view: view.reader is Readiness.READY and view.bank is Readiness.FAULTY)
    assert Message.NO_BANK in [notice.message for notice in counter.till.view().notices]
    ended = counter.pay()
    assert ended.state is State.NOT_SENT
    assert (ended.reason, ended.next_step) == says
    assert counter.booked.state(ended.id) == ""
    return str((counter.home / "till" / "till.log").read_text("utf-8"))


def test_a_bank_of_another_authority_gets_nothing(
    open_counter: Any, serve: Any, tmp_path: Path
) -> None:
    log = refused_by_till(
        open_counter, serve(bank_bench.prepare(tmp_path, time.time_ns() // 1_000_000))
    )
    assert "the bank's certificate is not from the bank's CA" in log


def other_certificate(city: Any, tmp_path: Path, now_ms: int, names: list[str]) -> BankPlace:
    """Return the bank's own files, with another certificate of its own authority."""
    shutil.copytree(city.place.folder, tmp_path / "bank")
    place = BankPlace(tmp_path)
    key = ec.generate_private_key(ec.SECP256R1())
    issued = Authority.load(city.place).issue_server(names, key.public_key(), now_ms)
    place.server_key.write_bytes(private_pem(key))
    place.server_certificate.write_text(certificate_pem(issued))
    return place


YEAR_MS = int(datetime.timedelta(days=365).total_seconds() * 1000)


@pytest.mark.parametrize(
    ("years", "names", "says"),
    [
        (-40, SERVER_NAMES, "has expired; check the till's clock"),
        (+2, SERVER_NAMES, "is not yet valid; check the till's clock"),
        (0, ["other.example"], "is for another name"),
    ],
    ids=["expired", "not yet valid", "another name"],
)
def test_a_certificate_out_of_date_or_place_gets_nothing(
    city: Any, open_counter: Any, serve: Any, tmp_path: Path, years: int, names: Any, says: str
) -> None:
    now_ms = time.time_ns() // 1_000_000 + years * YEAR_MS
    place = other_certificate(city, tmp_path, now_ms, list(names))
    assert says in refused_by_till(open_counter, serve(place))


def test_a_bank_that_speaks_tls_1_2_only_gets_nothing(city: Any, open_counter: Any) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(city.place.server_certificate, city.place.server_key)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        read: list[bytes] = []

        def answer() -> None:
            while True:
                try:
                    near, _ = listener.accept()
                except OSError:
                    return
                with near:
                    try:
                        with context.wrap_socket(near, server_side=True) as talk:
                            read.append(talk.recv(1))
                    except OSError:
                        continue

        threading.Thread(target=answer, daemon=True).start()
        log = refused_by_till(open_counter, f"https://127.0.0.1:{listener.getsockname()[1]}")
        listener.shutdown(socket.SHUT_RDWR)
    assert "does not offer TLS 1.3" in log
    assert read == []


def test_a_bank_without_tls_gets_nothing(open_counter: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            while True:
                try:
                    near, _ = listener.accept()
                except OSError:
                    return
                with near:
                    near.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")

        threading.Thread(target=answer, daemon=True).start()
        unreached = (Message.NOT_SENT, Message.MAY_KEEP)
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        log = refused_by_till(open_counter, url, unreached)
        listener.shutdown(socket.SHUT_RDWR)
    assert "TLS with localhost" in log


def test_a_clock_far_off_is_named_and_set_right_pays(counter: Any, city: Any) -> None:
    """By the bank's clock; which of the two is wrong, a person has to look."""
    for ahead_s in (3600, -3600):
        city.clock_ahead_s = ahead_s
        refused = counter.pay()
        assert (refused.state, refused.reason) == (State.DECLINED, Message.CLOCK_WRONG)
        assert refused.next_step is Message.TELL_SUPERVISOR
        assert counter.booked.state(refused.id) == ""
        assert Message.CLOCK_WRONG in [n.message for n in counter.till.view().notices]
        city.clock_ahead_s = 0
        assert counter.pay().state is State.APPROVED
        assert not counter.till.view().notices


# --- journal and disk ----------------------------------------------------------------------------


def test_a_second_till_on_the_same_journal_is_refused(counter: Any, city: Any) -> None:
    refused = till(counter.home, "sale", "1.00", "--present", "card:visa-online", bank=city.url)

    assert refused.exit_code == NOT_DONE
    assert f"Another till (process {os.getpid()}) has this journal open" in refused.stderr
    assert "Close it, or set OPENTILL_HOME to another folder" in refused.stderr
    assert counter.pay().state is State.APPROVED


class SmallDisk:
    """A disk of two megabytes that can be filled up, and emptied again.

    Where this user may mount nothing, files that may not grow stand for it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=2m,mode=700", "tmpfs", str(folder)],
            capture_output=True,
            check=False,
        )
        self._is_mounted = mounted.returncode == 0
        self._before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill(self) -> None:
        """Leave room for nothing more."""
        if not self._is_mounted:
            # The journal can grow no more; smaller files beside it can.
            grown = (self._folder / "journal.db-wal").stat().st_size
            resource.setrlimit(resource.RLIMIT_FSIZE, (grown, self._before[1]))
            return
        with (self._folder / "filler").open("wb", buffering=0) as filler:
            try:
                while True:
                    filler.write(bytes(4096))
            except OSError:
                return

    def free(self) -> None:
        """Make room again."""
        resource.setrlimit(resource.RLIMIT_FSIZE, self._before)
        (self._folder / "filler").unlink(missing_ok=True)

    def close(self) -> None:
        """Take the disk away."""
        self.free()
        if self._is_mounted:
            kept = self._folder.with_name("kept")
            shutil.copytree(self._folder, kept)
            subprocess.run(["umount", "--lazy", str(self._folder)], check=True)
            shutil.copytree(kept, self._folder, dirs_exist_ok=True)


@pytest.fixture
def small(city: Any, request: pytest.FixtureRequest) -> Iterator[tuple[Any, SmallDisk]]:
    """A till whose folder is a disk of its own."""
    home = city.new_home()
    aside = shutil.copytree(home / "till", home / "till-aside")
    disk = SmallDisk(home / "till")
    # The books are looked at after the till has closed, and the disk is gone by then.
    shutil.copytree(aside, home / "till", dirs_exist_ok=True)
    counter = request.getfixturevalue("open_counter")(home).until_ready()
    yield counter, disk
    disk.free()
    counter.till.close()
    disk.close()


FULL = "No room on the disk|The disk failed"


def test_on_a_full_disk_no_sale_begins(small: Any) -> None:
    counter, disk = small
    counter.pay()
    disk.fill()
    with pytest.raises((JournalUnavailable, RegisterUnusable), match=FULL):
        counter.till.sale(500)

    counter.until(lambda view: Message.JOURNAL_FAULT in [notice.message for notice in view.notices])
    disk.free()
    assert counter.pay().state is State.APPROVED
    assert counter.till.view().notices == ()


def test_a_disk_that_fills_up_in_mid_sale_sends_nothing(small: Any) -> None:
    """The card asks for the bank, that cannot be written down, so it is not done."""
    counter, disk = small
    counter.pay()
    attempt = counter.begin(600)
    disk.fill()
    counter.do("card:visa-online")
    counter.until(lambda view: Message.JOURNAL_FAULT in [notice.message for notice in view.notices])
    assert counter.booked.state(attempt) == ""
    disk.free()

    assert counter.pay("card:two-applications", 700).state is State.APPROVED
    assert counter.booked.state(attempt) == ""
    # What the disk last held of it is closed as nothing was sent.
    counter.until(lambda _view: counter.till.payment(attempt).state in FINAL)
    assert counter.till.payment(attempt).state is State.CANCELLED


def test_an_approval_that_cannot_be_written_is_found_again(small: Any, city: Any) -> None:
    counter, disk = small
    counter.pay()
    attempt = counter.begin(800)

    def fill(letter: Any) -> Any:
        disk.fill()
        return letter

    city.doorman.alter = fill
    counter.do("card:visa-online")
    counter.until(lambda view: Message.JOURNAL_FAULT in [notice.message for notice in view.notices])
    assert counter.till.payment(attempt).state is State.AUTHORISING
    city.doorman.alter = None
    disk.free()

    assert counter.until_final(attempt).state is State.APPROVED
    assert counter.booked.transfers_of(attempt) == ["sale"]


# --- devices -----------------------------------------------------------------------------


def test_a_camera_that_is_not_there_stops_no_card_sale(
    city: Any, tmp_path: Path, open_counter: Any
) -> None:
    home = city.new_home()
    text = config.BENCH.read_text("utf-8").replace(
        'driver = "simulated-camera"', 'driver = "camera"\noptions = { source = "/dev/video63" }'
    )
    (home / "my-shop.toml").write_text(text, "utf-8")
    counter = open_counter(home, file=home / "my-shop.toml").until_ready()
    attempt = counter.begin()
    view = counter.until(lambda view: view.camera in (Readiness.ABSENT, Readiness.FAULTY))
    assert Message.NO_CAMERA in [notice.message for notice in view.notices]
    counter.do("card:visa-online")

    assert counter.until_state(attempt, *FINAL).state is State.APPROVED
