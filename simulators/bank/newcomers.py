"""The bank's door for those who have no certificate yet: its CA, and enrolment.

A port of its own, so that whoever is unknown never reaches the others. What
it says is proved by TLS alone: who comes here cannot check a signature yet.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable

import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool

from simulators.bank import bench
from simulators.bank.errors import EnrolmentRefused, StoreBusy
from simulators.bank.messages import BODY_BYTES_MAX, Refusal, moment
from simulators.bank.place import BankPlace
from simulators.bank.service import WebServer, tls_for_newcomers

log = logging.getLogger("simulators.bank")


def newcomers_server(
    place: BankPlace,
    clock: Callable[[], float],
    listening: socket.socket,
    *,
    database: str | None = None,
) -> WebServer:
    """Return the door, not yet open.

    clock: Unix time in seconds. database: the bank's, if it is not in its folder.
    """
    app = create_app(place, clock, database)
    return WebServer(app, tls_for_newcomers(place), listening)


def create_app(place: BankPlace, clock: Callable[[], float], database: str | None) -> FastAPI:
    """Return the door as an ASGI application."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    def enrol(body: bytes) -> Response:
        now_ms = int(clock() * 1000)
        try:
            asked = msgspec.json.decode(body, type=dict[str, str])
            told = bench.enrol(place, asked, now_ms, database=database)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return _refusal(400, "malformed", "the body is no JSON object of texts", now_ms)
        except EnrolmentRefused as refused:
            return _refusal(403, "enrolment_refused", str(refused), now_ms)
        except StoreBusy:
            return _refusal(503, "busy", "ask again", now_ms)
        log.info("enrolled %s %s", told["role"], told["id"])
        return _json(200, msgspec.json.encode(told))

    async def certificates(request: Request) -> Response:
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > BODY_BYTES_MAX:
                return _refusal(413, "too_large", "the body is too long", int(clock() * 1000))
        return await run_in_threadpool(enrol, bytes(body))

    def authority() -> Response:
        ca = place.ca_certificate.read_text("ascii")
        return _json(200, msgspec.json.encode({"bank_ca": ca}))

    app.add_api_route("/enrolment/v1/authority", authority, methods=["POST"])
    app.add_api_route("/enrolment/v1/certificates", certificates, methods=["POST"])
    return app


def _refusal(status: int, word: str, detail: str, now_ms: int) -> Response:
    return _json(status, msgspec.json.encode(Refusal(word, detail, moment(now_ms))))


def _json(status: int, body: bytes) -> Response:
    return Response(body, status, media_type="application/json")
