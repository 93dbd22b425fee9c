"""The bank on a socket: TLS, HTTP, and nothing that decides.

Every request, for a path that exists or not, goes to core.answer, so that
every answer is signed.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import socket
import ssl
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from sqlalchemy.exc import DBAPIError
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from simulators.bank import core
from simulators.bank.contract import describe, operation
from simulators.bank.core import Bank, HttpRequest, Peer
from simulators.bank.messages import BODY_BYTES_MAX
from simulators.bank.place import BankPlace
from simulators.bank.trust.signatures import FieldLines

HOST = "127.0.0.1"

# Longer than the till's own patience, so that the till is the one to hang up.
KEEP_ALIVE_S = 75

BACKLOG = 512

PREPARE_S = 3600
"""How often the days to come get their place in the database."""

GOODBYE_S = 2
"""How long a running answer may still take once the bank is asked to stop."""

Clock = Callable[[], float]
"""Unix time in seconds."""

Random = Callable[[int], bytes]

Nudge = Callable[[str], None]
"""Has a till ask now what became of its payments; returns at once."""

log = logging.getLogger("simulators.bank")


def create_app(
    bank: Bank, clock: Clock, random: Random, nudge: Nudge = lambda _till: None
) -> FastAPI:
    """Return the bank as an ASGI application behind a PeerProtocol."""
    app = FastAPI(docs_url=None, redoc_url=None)

    async def door(request: Request) -> Response:
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > BODY_BYTES_MAX:
                break
        asked = HttpRequest(
            method=request.method,
            target=_target(request.scope),
            headers=FieldLines(
                (name.decode("latin-1"), value.decode("latin-1"))
                for name, value in request.scope["headers"]
            ),
            body=bytes(body),
            peer=request.scope["state"].get("peer"),
        )
        # The clock is read once the whole request is here: a slow sender ages.
        told = await run_in_threadpool(core.answer, bank, asked, int(clock() * 1000), random)
        log.info("%d %s", told.status, told.summary)
        for till in told.nudges:
            nudge(till)
        return Response(told.body, told.status, told.headers)

    for path, route in (core.TILL_ROUTES | core.WALLET_ROUTES).items():
        app.add_api_route(path, door, methods=["POST"], **operation(path, route))
    every_method = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
    app.add_api_route("/{path:path}", door, methods=every_method, include_in_schema=False)
    app.openapi = lambda: describe(app.routes)  # type: ignore[method-assign]
    return app


class PeerProtocol(H11Protocol):
    """HTTP/1.1 that tells the application whose certificate was shown."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Note the peer of a new connection, and send small answers at once."""
        super().connection_made(transport)  # type: ignore[arg-type]
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        peer = peer_of(transport.get_extra_info("ssl_object"))
        self.app_state = {**self.app_state, "peer": peer, "hang_up": transport.close}


class Mute:
    """The bank with a switch: it books what it is asked, and gives no answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.is_on = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; while switched on, hang up where the answer would begin."""

        async def swallow(_message: Message) -> None:
            scope["state"]["hang_up"]()

        if not self.is_on:
            await self._app(scope, receive, send)
            return
        await self._app(scope, receive, swallow)
        while (await receive())["type"] != "http.disconnect":
            pass


class WebServer:
    """An application on loopback behind TLS, in a thread of its own or in the caller's."""

    def __init__(self, app: ASGIApp, context: ssl.SSLContext, listening: socket.socket) -> None:
        """listening: a socket of listen(), which other processes may serve, too."""
        self._socket = listening
        self.port: int = self._socket.getsockname()[1]
        config = uvicorn.Config(
            app,
            http=PeerProtocol,
            ws="none",
            loop="asyncio",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            ssl_context_factory=lambda _config, _default: context,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=GOODBYE_S,
        )
        self._ready = threading.Event()
        self._server = _Server(config, self._ready.set)
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Where it is, without a path."""
        return f"https://{HOST}:{self.port}"

    def run(self, on_ready: Callable[[], None]) -> None:
        """Serve in this thread until stop() or a signal.

        on_ready: called once connections are accepted.
        """
        self._server.on_ready = on_ready
        try:
            self._server.run(sockets=[self._socket])
        finally:
            self._socket.close()

    def start(self) -> Self:
        """Serve in a thread of its own; return once connections are accepted."""
        self._thread = threading.Thread(target=self.run, args=(self._ready.set,), daemon=True)
        self._thread.start()
        self._ready.wait()
        return self

    def stop(self) -> None:
        """Ask the server to finish. Returns at once; safe from any thread."""
        self._server.should_exit = True

    def close(self) -> None:
        """Finish, and wait until it is done. Safe to call twice."""
        self.stop()
        if self._thread is not None:
            self._thread.join()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _value: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self.close()


class BankServer(WebServer):
    """A running bank.

    port: 0 takes any that is free.
    """

    def __init__(
        self,
        place: BankPlace,
        clock: Clock,
        random: Random,
        *,
        port: int = 0,
        app: Any = None,
        database: str | None = None,
        listening: socket.socket | None = None,
        nudge: Nudge = lambda _till: None,
    ) -> None:
        """app: another ASGI application behind the same TLS, to test a till against.

        database: a postgresql:// address; without one, the file in the bank's
        folder. listening: a socket of listen() that others serve, too; else
        one is made on the port.
        Raises BankError if the bank's files cannot be used, OSError if the port
        is taken.
        """
        self.bank = Bank.open(place, database)
        self._clock = clock
        self._ended = threading.Event()
        self.mute = Mute(app or create_app(self.bank, clock, random, nudge))
        super().__init__(self.mute, tls_of(place), listening or listen(port))

    def run(self, on_ready: Callable[[], None]) -> None:
        """Serve, and make room for the days to come meanwhile."""
        threading.Thread(target=self._prepare_days, daemon=True).start()
        try:
            super().run(on_ready)
        finally:
            self._ended.set()
            self.bank.close()

    def _prepare_days(self) -> None:
        while True:
            try:
                self.bank.store.prepare_days(int(self._clock() * 1000))
            except DBAPIError as error:
                # There are days ahead, and the rest takes what has no day.
                log.warning("no partition was made: %s", type(error.orig).__name__)
            if self._ended.wait(PREPARE_S):
                return


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self.on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.on_ready()


def listen(port: int) -> socket.socket:
    """Return a socket on loopback; port 0 takes any that is free. Raises OSError."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((HOST, port))
        listening.listen(BACKLOG)
    except OSError:
        listening.close()
        raise
    return listening


def tls_of(place: BankPlace) -> ssl.SSLContext:
    """TLS 1.3 only, and nobody comes in without a certificate of our authority."""
    context = tls_for_newcomers(place)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(place.ca_certificate)
    return context


def tls_for_newcomers(place: BankPlace) -> ssl.SSLContext:
    """TLS 1.3 only, and nobody is asked for a certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(place.server_certificate, place.server_key)
    return context


def peer_of(tls: ssl.SSLObject | ssl.SSLSocket | None) -> Peer | None:
    """Return what the certificate says; uvicorn itself keeps it from the application."""
    encoded = tls.getpeercert(binary_form=True) if tls else None
    if tls is None or encoded is None:
        return None
    names: Any = (tls.getpeercert() or {}).get("subjectAltName", ())
    uris = tuple(str(value) for kind, value in names if kind == "URI")
    return Peer(uris, hashlib.sha256(encoded).hexdigest())


def _target(scope: Any) -> str:
    path: str = scope["raw_path"].decode("latin-1")
    query: str = scope["query_string"].decode("latin-1")
    return f"{path}?{query}" if query else path
