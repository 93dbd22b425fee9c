"""An empty FastAPI route behind the bank's own TLS. What the bank's answers are held against."""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path

from fastapi import FastAPI, Request, Response

from simulators.bank.place import BankPlace
from simulators.bank.service import WebServer, listen, tls_of

PATH = "/v1/payments"


def main(home: Path) -> None:
    """Serve until standard input ends; print the address, as the bank does."""
    app = FastAPI()

    @app.post(PATH)
    async def take(request: Request) -> Response:
        await request.body()
        return Response(b"{}", media_type="application/json")

    server = WebServer(app, tls_of(BankPlace(home)), listen(0))

    def stop_at_end() -> None:
        sys.stdin.read()
        server.stop()

    threading.Thread(target=stop_at_end, daemon=True).start()
    server.run(lambda: print(json.dumps({"url": server.url}), flush=True))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
