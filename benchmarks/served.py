"""A bank, or an empty route behind the same TLS, in a process of its own; and tills that ask it."""

from __future__ import annotations

import http.client
import json
import ssl
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from simulators.bank.core import HttpRequest
from terminal.security.keys import TillKeys

BUSY = 503
TRIES_MAX = 20
"""A bank whose one merchant's account all of them write to may say that it is busy:
nothing was booked, and the same request is taken up again."""


class Served:
    """A server in another process; leave its `with` block, and it has ended."""

    def __init__(self, *words: str) -> None:
        """words: behind `python -m`. It prints its address once it serves."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        if self._process.stdout is None:
            raise ChildProcessError("it has no standard output")
        self.url: str = json.loads(self._process.stdout.readline())["url"]

    @classmethod
    def bank(cls, home: Path, database: str | None = None) -> Self:
        """One worker of the bank whose files are below a state directory."""
        at = () if database is None else ("--database", database)
        return cls("terminal", "sim", "bank", "--home", str(home), "--until-eof", *at)

    @classmethod
    def empty_route(cls, home: Path) -> Self:
        """The least that FastAPI can answer, behind the TLS of that bank."""
        return cls("benchmarks.empty_route", str(home))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._process.communicate()


class Callers:
    """Tills that ask at once, each on one connection that is kept."""

    def __init__(self, url: str, tills: Sequence[TillKeys]) -> None:
        self._connections = [_connection(url, keys) for keys in tills]
        self._pool = ThreadPoolExecutor(len(tills))

    def post(self, requests: Sequence[Sequence[HttpRequest]]) -> list[bytes]:
        """Have each till post its own, one after the other; return all that is answered.

        Raises ValueError for an answer that is not 200.
        """
        told = self._pool.map(_post_all, self._connections, requests)
        return [body for one in told for body in one]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._pool.shutdown()
        for connection in self._connections:
            connection.close()


def _connection(url: str, keys: TillKeys) -> http.client.HTTPSConnection:
    context = ssl.create_default_context(cafile=str(keys.bank_ca))
    context.load_cert_chain(keys.certificates, keys.tls_key)
    parts = urlsplit(url)
    return http.client.HTTPSConnection(parts.hostname or "", parts.port, context=context)


def _post_all(
    connection: http.client.HTTPSConnection, requests: Sequence[HttpRequest]
) -> list[bytes]:
    return [_post(connection, request) for request in requests]


def _post(connection: http.client.HTTPSConnection, request: HttpRequest) -> bytes:
    headers = dict(request.headers.items())
    for _ in range(TRIES_MAX):
        connection.request(request.method, request.target, request.body, headers)
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != BUSY:
            break
    if answer.status != 200:
        raise ValueError(f"answered {answer.status}: {body.decode()}")
    return body
