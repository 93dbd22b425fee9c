"""Every way an exchange with the bank can end, over real TLS."""

from __future__ import annotations

import json
import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc import jwe

from simulators.bank.trust.authority import Authority, certificate_pem
from terminal.bank.client import Refusal, VerifiedAnswer
from terminal.bank.messages import (
    CardTender,
    Closing,
    Echo,
    Order,
    Payment,
    Reversal,
    StatusQuestion,
)
from terminal.bank.sealing import ALGORITHMS, Sealer
from terminal.bank.signing import BOUND, UNBOUND
from terminal.errors import AnswerLost, MalformedMessage, NeverLeft
from terminal.seams import SystemClock

if TYPE_CHECKING:
    from tests.terminal.bank.conftest import (
        Answering,
        Behaviour,
        ConnectTill,
        Enrolled,
        HostileBank,
        Seen,
        ServerTLS,
        StartBank,
    )

LostChecker = Callable[..., None]

ATTEMPT = "018f0000-0000-7000-8000-000000000001"
OTHER = "018f0000-0000-7000-8000-000000000002"


@pytest.fixture
def sale(enrolled: Enrolled) -> Payment:
    sealed = Sealer(enrolled.keys.sealing_key).seal_card(ATTEMPT, b"\x9f\x02\x06" + bytes(6))
    return Payment(
        attempt=ATTEMPT,
        number=7,
        kind="sale",
        amount_minor=34_560,
        currency="CNY",
        at="2026-11-24T08:00:00.000Z",
        tender=CardTender(sealed),
    )


class Leaping(SystemClock):
    """A clock that can be put ahead."""

    ahead_s = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead_s


class TestAnAnswer:
    def test_a_verified_approval_is_returned(
        self, bank: HostileBank, connect: ConnectTill, sale: Payment
    ) -> None:
        result = connect(bank.url).call(sale)

        assert isinstance(result, VerifiedAnswer)
        assert result.answer.state == "approved"
        assert result.answer.authorisation == "123456"
        assert not result.is_clock_wrong

    def test_the_bank_can_open_what_was_sealed_and_only_the_bank(
        self, bank: HostileBank, connect: ConnectTill, sale: Payment, enrolled: Enrolled
    ) -> None:
        connect(bank.url).call(sale)

        sent = json.loads(bank.seen[0].body)
        opened = jwe.decrypt_compact(
            sent["tender"]["sealed"], enrolled.bank.sealing, algorithms=ALGORITHMS
        )
        assert opened.plaintext is not None
        assert json.loads(opened.plaintext) == {
            "attempt": ATTEMPT,
            "entry": "contactless",
            "emv": "9F0206000000000000",
        }
        assert "original" not in sent

    def test_a_payment_is_idempotent_by_its_attempt_and_a_question_is_new_each_time(
        self, bank: HostileBank, connect: ConnectTill, sale: Payment
    ) -> None:
        till = connect(bank.url)
        till.call(sale)
        till.call(StatusQuestion(attempt=ATTEMPT))
        till.call(StatusQuestion(attempt=ATTEMPT))

        keys = [seen.headers["idempotency-key"] for seen in bank.seen]
        assert keys[0] == ATTEMPT
        assert len(set(keys)) == 3

    def test_one_connection_serves_many_requests(
        self, bank: HostileBank, connect: ConnectTill, sale: Payment
    ) -> None:
        till = connect(bank.url)
        for _ in range(3):
            till.call(sale)

        assert [seen.connection for seen in bank.seen] == [1, 1, 1]

    def test_sending_is_said_once_before_the_first_byte(
        self, bank: HostileBank, connect: ConnectTill, sale: Payment
    ) -> None:
        said: list[int] = []

        connect(bank.url).call(sale, sending=lambda: said.append(len(bank.seen)))

        assert said == [0]

    def test_the_time_for_the_answer_runs_from_the_first_byte(
        self, bank: HostileBank, connect: ConnectTill, sale: Payment
    ) -> None:
        """What connecting left over does not count."""
        clock = Leaping()
        till = connect(bank.url, clock=clock, connect_s=30.0, answer_s=90.0)

        def wait_a_minute() -> None:
            clock.ahead_s = 60.0

        assert isinstance(till.call(sale, wait_a_minute), VerifiedAnswer)

    def test_a_verified_4xx_is_a_refusal(
        self, start_bank: StartBank, connect: ConnectTill, sale: Payment, answering: Answering
    ) -> None:
        bank = start_bank(answering.send(answering.fault("key_reused"), 409))

        result = connect(bank.url).call(sale)

        assert isinstance(result, Refusal)
        assert (result.status, result.error) == (409, "key_reused")

    @pytest.mark.parametrize("status", [429, 500, 503, 302])
    def test_a_verified_answer_that_decides_nothing_is_no_answer(
        self,
        start_bank: StartBank,
        connect: ConnectTill,
        sale: Payment,
        answering: Answering,
        status: int,
    ) -> None:
        bank = start_bank(answering.send(answering.fault("busy"), status))

        with pytest.raises(AnswerLost, match=f"{status}, busy"):
            connect(bank.url).call(sale)

    def test_that_it_came_before_is_no_refusal(
        self, start_bank: StartBank, connect: ConnectTill, sale: Payment, answering: Answering
    ) -> None:
        """A gateway sent it twice: the first may have been paid."""
        bank = start_bank(answering.send(answering.fault("replayed"), 401))

        with pytest.raises(AnswerLost, match="had this very request before"):
            connect(bank.url).call(sale)

    def test_a_till_whose_clock_is_wrong_hears_so(
        self, start_bank: StartBank, connect: ConnectTill, answering: Answering
    ) -> None:
        bank = start_bank(
            lambda seen, connection: connection.sendall(
                answering.signed(seen, b'{"at":"2031-01-01T00:00:00.000Z"}')
            )
        )

        result = connect(bank.url).call(Echo())

        assert isinstance(result, VerifiedAnswer)
        assert result.is_clock_wrong

    def test_an_order_is_answered_with_a_code_to_show(
        self, start_bank: StartBank, connect: ConnectTill, answering: Answering
    ) -> None:
        body = answering.body(
            state="open", code=None, shown_code="HTTPS://X", expires_at="2026-11-24T08:02:00.000Z"
        )
        bank = start_bank(answering.send(body))
        order = Order(
            order=OTHER,
            attempt=ATTEMPT,
            number=1,
            amount_minor=1,
            currency="CNY",
            at="2026-11-24T08:00:00.000Z",
            valid_s=120,
        )

        result = connect(bank.url).call(order)

        assert isinstance(result, VerifiedAnswer)
        assert result.answer.shown_code == "HTTPS://X"

    def test_an_address_with_a_path_is_refused_at_once(self, connect: ConnectTill) -> None:
        with pytest.raises(ValueError, match="https://"):
            connect("https://localhost/base")


class TestNothingLeft:
    def test_an_unknown_name(self, connect: ConnectTill, sale: Payment) -> None:
        with pytest.raises(NeverLeft, match=r"bank\.invalid cannot be found"):
            connect("https://bank.invalid").call(sale)

    def test_a_closed_port(self, bank: HostileBank, connect: ConnectTill, sale: Payment) -> None:
        bank.close()

        with pytest.raises(NeverLeft, match="does not accept connections"):
            connect(bank.url).call(sale)

    def test_silence_before_the_handshake(self, connect: ConnectTill, sale: Payment) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            till = connect(f"https://localhost:{silent.getsockname()[1]}", connect_s=0.1)

            with pytest.raises(NeverLeft, match="did not answer in time"):
                till.call(sale)

    def test_tls_1_2(
        self, start_bank: StartBank, server_tls: ServerTLS, connect: ConnectTill, sale: Payment
    ) -> None:
        bank = start_bank(tls=server_tls(newest=ssl.TLSVersion.TLSv1_2))

        with pytest.raises(NeverLeft, match=r"does not offer TLS 1\.3"):
            connect(bank.url).call(sale)

    def test_an_expired_certificate(
        self, start_bank: StartBank, server_tls: ServerTLS, connect: ConnectTill, sale: Payment
    ) -> None:
        bank = start_bank(tls=server_tls(now_ms=0))

        with pytest.raises(NeverLeft, match="expired; check the till's clock"):
            connect(bank.url).call(sale)

    def test_another_name(
        self, start_bank: StartBank, server_tls: ServerTLS, connect: ConnectTill, sale: Payment
    ) -> None:
        bank = start_bank(tls=server_tls(name="other.example"))

        with pytest.raises(NeverLeft, match="for another name"):
            connect(bank.url).call(sale)

    def test_a_certificate_that_is_not_for_servers(
        self, start_bank: StartBank, server_tls: ServerTLS, connect: ConnectTill, sale: Payment
    ) -> None:
        """Another till's certificate is from the same CA, and makes no bank."""
        bank = start_bank(tls=server_tls(is_for_clients=True))

        with pytest.raises(NeverLeft, match="not one for a server"):
            connect(bank.url).call(sale)

    def test_the_name_that_config_expects_is_accepted(
        self, start_bank: StartBank, server_tls: ServerTLS, connect: ConnectTill, sale: Payment
    ) -> None:
        bank = start_bank(tls=server_tls(name="other.example"))

        result = connect(bank.url, server_name="other.example").call(sale)

        assert isinstance(result, VerifiedAnswer)

    def test_plain_http(self, connect: ConnectTill, sale: Payment) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:

            def speak_plainly() -> None:
                connection, _ = listener.accept()
                with connection:
                    connection.recv(1)
                    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                    connection.recv(65_536)

            threading.Thread(target=speak_plainly, daemon=True).start()

            with pytest.raises(NeverLeft, match="TLS with localhost"):
                connect(f"https://localhost:{listener.getsockname()[1]}").call(sale)

    def test_another_ca_even_when_the_environment_trusts_it(
        self,
        start_bank: StartBank,
        server_tls: ServerTLS,
        connect: ConnectTill,
        sale: Payment,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        evil = Authority.create("evil", time.time_ns() // 1_000_000)
        file = tmp_path / "evil.pem"
        file.write_text(certificate_pem(evil.certificate))
        for variable in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
            monkeypatch.setenv(variable, str(file))
        bank = start_bank(tls=server_tls(authority=evil))

        with pytest.raises(NeverLeft, match=r"not from the bank's CA|signed by itself"):
            connect(bank.url).call(sale)
        assert bank.seen == []

    def test_the_tills_own_certificate_expired(
        self, bank: HostileBank, connect: ConnectTill, sale: Payment, enrolled: Enrolled
    ) -> None:
        till = connect(bank.url, keys=replace(enrolled.keys, expires_ms=0))

        with pytest.raises(NeverLeft, match="enrol again"):
            till.call(sale)
        assert not bank.met.is_set()

    def test_the_bank_does_not_accept_the_tills_certificate(
        self,
        start_bank: StartBank,
        server_tls: ServerTLS,
        connect: ConnectTill,
        sale: Payment,
        tmp_path: Path,
    ) -> None:
        """TLS 1.3 says so only after the till has begun to write."""
        stranger = tmp_path / "stranger.pem"
        stranger.write_text(certificate_pem(Authority.create("stranger", 0).certificate))
        bank = start_bank(tls=server_tls(clients=stranger))
        bank.keeps_failed_open = True

        with pytest.raises(NeverLeft, match="does not accept the till's certificate"):
            connect(bank.url).call(sale)
        assert bank.seen == []

    def test_a_request_out_of_its_bounds_goes_to_nobody(
        self, bank: HostileBank, connect: ConnectTill
    ) -> None:
        with pytest.raises(MalformedMessage):
            connect(bank.url).call(StatusQuestion(attempt="not a uuid"))
        assert not bank.met.is_set()


class TestTheEnvironmentHasNoSay:
    def test_proxies_and_netrc_are_ignored(
        self,
        bank: HostileBank,
        connect: ConnectTill,
        sale: Payment,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        netrc = tmp_path / "netrc"
        netrc.write_text("machine localhost login someone password secret\n")
        monkeypatch.setenv("NETRC", str(netrc))
        for variable in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
            monkeypatch.setenv(variable, "http://127.0.0.1:9")

        assert isinstance(connect(bank.url).call(sale), VerifiedAnswer)
        assert "authorization" not in bank.seen[0].headers

    def test_no_key_log_is_written(
        self,
        bank: HostileBank,
        connect: ConnectTill,
        sale: Payment,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys.log"))

        connect(bank.url).call(sale)

        assert not (tmp_path / "keys.log").exists()

    def test_the_store_holds_the_banks_ca_and_nothing_else_after_a_call(
        self, bank: HostileBank, connect: ConnectTill, sale: Payment, enrolled: Enrolled
    ) -> None:
        till = connect(bank.url)
        till.call(sale)

        held = till._adapter._context.get_ca_certs(binary_form=True)
        assert held == [enrolled.authority.certificate.public_bytes(Encoding.DER)]


def cut_short(seen: Seen, connection: ssl.SSLSocket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
    socket.socket.shutdown(connection, socket.SHUT_RDWR)


def endless(seen: Seen, connection: ssl.SSLSocket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        connection.sendall(b"400\r\n" + b"x" * 1024 + b"\r\n")


class TestAnswersThatAreNone:
    @pytest.fixture
    def lost(self, start_bank: StartBank, connect: ConnectTill, sale: Payment) -> LostChecker:
        def check(behaviour: Behaviour, match: str) -> None:
            bank = start_bank(behaviour)
            with pytest.raises(AnswerLost, match=match):
                connect(bank.url, answer_s=2.0).call(sale)
            assert len(bank.seen) == 1

        return check

    def test_a_connection_closed_in_place_of_an_answer(
        self, lost: LostChecker, answering: Answering
    ) -> None:
        lost(answering.hang_up, "ended before")

    def test_half_an_answer(self, lost: LostChecker) -> None:
        lost(cut_short, "before the bank's answer was whole")

    def test_an_answer_without_end(self, lost: LostChecker) -> None:
        lost(endless, "does not end")

    def test_noise(self, lost: LostChecker) -> None:
        lost(lambda seen, connection: connection.sendall(b"\x00\xff\r\n\r\n"), "not HTTP")

    def test_an_unsigned_approval(self, lost: LostChecker, answering: Answering) -> None:
        def unsigned(seen: Seen, connection: ssl.SSLSocket) -> None:
            body = answering.body()
            headers = answering.headers(seen, body)
            del headers["Signature"], headers["Signature-Input"]
            connection.sendall(answering.raw(200, headers, body))

        lost(unsigned, "not signed")

    def test_an_unsigned_server_fault(self, lost: LostChecker, answering: Answering) -> None:
        page = b"<h1>502</h1>"
        headers = {"Content-Type": "text/html", "Content-Length": str(len(page))}
        lost(
            lambda seen, connection: connection.sendall(answering.raw(502, headers, page)),
            "not JSON",
        )

    def test_an_altered_body(self, lost: LostChecker, answering: Answering) -> None:
        def altered(seen: Seen, connection: ssl.SSLSocket) -> None:
            whole = answering.signed(seen, answering.body(state="declined", code="51"))
            connection.sendall(whole.replace(b"declined", b"approved").replace(b'"51"', b'"00"'))

        lost(altered, "digest")

    def test_an_altered_status(self, lost: LostChecker, answering: Answering) -> None:
        def altered(seen: Seen, connection: ssl.SSLSocket) -> None:
            whole = answering.signed(seen, answering.fault("busy"), 503)
            connection.sendall(whole.replace(b" 503 ", b" 400 ", 1))

        lost(altered, "does not hold")

    def test_another_key(self, lost: LostChecker, answering: Answering) -> None:
        lost(answering.send(key=ed25519.Ed25519PrivateKey.generate()), "does not hold")

    def test_the_tag_of_a_request(self, lost: LostChecker, answering: Answering) -> None:
        lost(answering.send(tag="opentill-req"), "not made for an answer")

    def test_another_label(self, lost: LostChecker, answering: Answering) -> None:
        lost(answering.send(label="other"), "not signed")

    @pytest.mark.parametrize("missing", range(5))
    def test_a_signature_that_leaves_something_out(
        self, lost: LostChecker, answering: Answering, missing: int
    ) -> None:
        covered = BOUND[:missing] + BOUND[missing + 1 :]
        lost(answering.send(covered=covered), "does not cover")

    def test_the_answer_to_another_request(self, lost: LostChecker, answering: Answering) -> None:
        def swapped(seen: Seen, connection: ssl.SSLSocket) -> None:
            mine = dict(seen.headers) | {"signature": "opentill=:" + "A" * 86 + "==:"}
            other = replace(seen, headers=mine)
            connection.sendall(answering.signed(other))

        lost(swapped, "does not hold")

    def test_an_attempt_of_another_payment(self, lost: LostChecker, answering: Answering) -> None:
        lost(answering.send(answering.body(attempt=OTHER)), "another attempt")

    def test_a_state_that_answers_another_question(
        self, lost: LostChecker, answering: Answering
    ) -> None:
        lost(answering.send(answering.body(state="reversed")), "state reversed")

    def test_an_answer_that_cannot_be_bound_ends_no_payment(
        self, lost: LostChecker, answering: Answering
    ) -> None:
        lost(
            answering.send(answering.fault("signature"), 401, covered=UNBOUND),
            "could not read the request",
        )

    def test_an_approval_that_is_bound_to_no_request(
        self, lost: LostChecker, answering: Answering
    ) -> None:
        lost(answering.send(covered=UNBOUND), "status 200")

    def test_a_replayed_answer(
        self, start_bank: StartBank, connect: ConnectTill, sale: Payment, answering: Answering
    ) -> None:
        kept: list[bytes] = []

        def answer_and_keep(seen: Seen, connection: ssl.SSLSocket) -> None:
            kept.append(answering.signed(seen))
            connection.sendall(kept[0])

        bank = start_bank(answer_and_keep, lambda seen, connection: connection.sendall(kept[0]))
        till = connect(bank.url)
        till.call(sale)

        with pytest.raises(AnswerLost, match="does not hold"):
            till.call(sale)

    def test_silence(
        self, start_bank: StartBank, connect: ConnectTill, sale: Payment, answering: Answering
    ) -> None:
        bank = start_bank(answering.say_nothing)

        with pytest.raises(AnswerLost, match="in time"):
            connect(bank.url, answer_s=0.1).call(sale)

    def test_an_answer_that_drips_in_too_slowly(
        self, start_bank: StartBank, connect: ConnectTill, sale: Payment, answering: Answering
    ) -> None:
        """Every byte is in time for a plain timeout; the whole is not."""
        stop = threading.Event()

        def drip(seen: Seen, connection: ssl.SSLSocket) -> None:
            for byte in answering.signed(seen):
                connection.sendall(bytes([byte]))
                if stop.wait(0.01):
                    return

        bank = start_bank(drip)
        with pytest.raises(AnswerLost, match="in time"):
            connect(bank.url, answer_s=0.2).call(sale)
        stop.set()

    def test_after_a_lost_answer_the_next_request_has_a_connection_of_its_own(
        self, start_bank: StartBank, connect: ConnectTill, sale: Payment, answering: Answering
    ) -> None:
        bank = start_bank(answering.say_nothing)
        till = connect(bank.url, answer_s=0.5)
        with pytest.raises(AnswerLost):
            till.call(sale)

        assert isinstance(till.call(StatusQuestion(attempt=ATTEMPT)), VerifiedAnswer)
        assert [seen.connection for seen in bank.seen] == [1, 2]


class TestAKeptConnection:
    def test_that_died_unnoticed_costs_no_sale(
        self, start_bank: StartBank, connect: ConnectTill, sale: Payment, answering: Answering
    ) -> None:
        """The bank closes just as the second request arrives."""
        bank = start_bank(answering.send(), answering.hang_up)
        till = connect(bank.url)
        till.call(Closing(attempt=ATTEMPT))

        assert isinstance(till.call(sale), VerifiedAnswer)
        first, second = bank.seen[1:]
        assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
        assert first.body == second.body
        assert answering.nonce_of(first) != answering.nonce_of(second)

    def test_is_not_repeated_twice(
        self, start_bank: StartBank, connect: ConnectTill, sale: Payment, answering: Answering
    ) -> None:
        bank = start_bank(answering.send(), answering.hang_up, answering.hang_up)
        till = connect(bank.url)
        till.call(sale)

        with pytest.raises(AnswerLost):
            till.call(sale)
        assert len(bank.seen) == 3

    def test_and_a_bank_that_is_gone_then_leave_the_payment_unknown(
        self, start_bank: StartBank, connect: ConnectTill, sale: Payment, answering: Answering
    ) -> None:
        """The repetition never left, but the first had."""

        def vanish(seen: Seen, connection: ssl.SSLSocket) -> None:
            bank.stop_listening()
            answering.hang_up(seen, connection)

        bank = start_bank(answering.send(), vanish)
        till = connect(bank.url)
        till.call(sale)

        with pytest.raises(AnswerLost):
            till.call(sale)

    def test_and_a_refused_repetition_leave_the_payment_unknown(
        self, start_bank: StartBank, connect: ConnectTill, sale: Payment, answering: Answering
    ) -> None:
        bank = start_bank(
            answering.send(),
            answering.hang_up,
            answering.send(answering.fault("clock"), 401),
        )
        till = connect(bank.url)
        till.call(sale)

        with pytest.raises(AnswerLost, match="may have taken the first"):
            till.call(sale)

    def test_is_not_repeated_after_silence(
        self, start_bank: StartBank, connect: ConnectTill, sale: Payment, answering: Answering
    ) -> None:
        bank = start_bank(answering.send(), answering.say_nothing)
        till = connect(bank.url, answer_s=0.5)
        till.call(sale)

        with pytest.raises(AnswerLost, match="in time"):
            till.call(sale)
        assert len(bank.seen) == 2

    def test_is_not_repeated_once_an_answer_has_begun(
        self, start_bank: StartBank, connect: ConnectTill, sale: Payment, answering: Answering
    ) -> None:
        bank = start_bank(answering.send(), cut_short)
        till = connect(bank.url)
        till.call(sale)

        with pytest.raises(AnswerLost, match="before the bank's answer was whole"):
            till.call(sale)
        assert len(bank.seen) == 2

    def test_that_idled_too_long_is_not_used_again(
        self, bank: HostileBank, connect: ConnectTill, sale: Payment
    ) -> None:
        clock = Leaping()
        till = connect(bank.url, clock=clock)
        till.call(sale)
        clock.ahead_s = 60.0
        till.call(sale)

        assert [seen.connection for seen in bank.seen] == [1, 2]

    def test_is_not_used_again_when_the_bank_closed_it(
        self, start_bank: StartBank, connect: ConnectTill, sale: Payment, answering: Answering
    ) -> None:
        closed = threading.Event()

        def answer_and_close(seen: Seen, connection: ssl.SSLSocket) -> None:
            connection.sendall(answering.signed(seen))
            answering.hang_up(seen, connection)
            closed.set()

        bank = start_bank(answer_and_close)
        till = connect(bank.url)
        till.call(sale)
        assert closed.wait(5)

        assert isinstance(till.call(sale), VerifiedAnswer)
        assert len(bank.seen) == 2


class TestClosing:
    def test_ends_a_call_that_waits_for_its_answer(
        self, start_bank: StartBank, connect: ConnectTill, sale: Payment, answering: Answering
    ) -> None:
        bank = start_bank(answering.say_nothing)
        till = connect(bank.url)

        def close_once_asked() -> None:
            bank.asked.wait()
            till.close()

        closer = threading.Thread(target=close_once_asked, daemon=True)
        closer.start()

        with pytest.raises(AnswerLost, match="closed its bank link"):
            till.call(sale)
        closer.join()

    def test_ends_a_call_that_waits_for_the_handshake(
        self, connect: ConnectTill, sale: Payment
    ) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            till = connect(f"https://localhost:{silent.getsockname()[1]}", connect_s=60.0)

            def close_once_met() -> None:
                connection, _ = silent.accept()
                connection.recv(1)
                till.close()
                connection.close()

            closer = threading.Thread(target=close_once_met)
            closer.start()

            with pytest.raises(NeverLeft, match="closed its bank link"):
                till.call(sale)
            closer.join()

    def test_lets_nothing_begin_again(
        self, bank: HostileBank, connect: ConnectTill, sale: Payment
    ) -> None:
        till = connect(bank.url)
        till.call(sale)
        till.close()

        with pytest.raises(NeverLeft, match="closed its bank link"):
            till.call(Reversal(attempt=ATTEMPT, reason="no_answer"))
        assert len(bank.seen) == 1


NOISE = st.one_of(
    st.binary(max_size=300),
    # Behind a plausible beginning, so that the noise gets further in.
    st.builds(
        lambda status, lines, body: (
            b"HTTP/1.1 %d X\r\n%s\r\n\r\n%s" % (status, b"\r\n".join(lines), body)
        ),
        st.integers(100, 599),
        st.lists(
            st.builds(
                lambda name, value: name + b": " + value,
                st.sampled_from(
                    [
                        b"Content-Length",
                        b"Transfer-Encoding",
                        b"Location",
                        b"Set-Cookie",
                        b"Content-Encoding",
                        b"Signature",
                        b"Signature-Input",
                        b"Content-Type",
                        b"Connection",
                    ]
                ),
                st.one_of(
                    st.binary(max_size=30),
                    st.sampled_from([b"3", b"-1", b"chunked", b"gzip", b"application/json"]),
                ),
            ),
            max_size=4,
        ),
        st.binary(max_size=40),
    ),
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(noise=NOISE)
def test_any_bytes_in_place_of_an_answer_are_no_answer(
    noise: bytes, bank: HostileBank, connect: ConnectTill, answering: Answering, sale: Payment
) -> None:
    """Nothing but the declared error comes out, whatever comes in."""

    def babble(seen: Seen, connection: ssl.SSLSocket) -> None:
        connection.sendall(noise)
        answering.hang_up(seen, connection)

    bank.default = babble
    till = connect(bank.url, answer_s=5.0)

    with pytest.raises(AnswerLost):
        till.call(sale)
