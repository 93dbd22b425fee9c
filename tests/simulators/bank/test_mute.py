"""A bank that books what it is asked, and hangs up where its answer would begin."""

import asyncio
from typing import Any

from simulators.bank.service import Mute


async def _app(_scope: Any, _receive: Any, send: Any) -> None:
    booked.append("payment")
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"approved"})


booked: list[str] = []


async def _ask(mute: Mute) -> tuple[list[Any], int]:
    sent: list[Any] = []
    hung_up = 0

    def hang_up() -> None:
        nonlocal hung_up
        hung_up += 1

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.disconnect"}

    await mute({"type": "http", "state": {"hang_up": hang_up}}, receive, send)
    return sent, hung_up


def test_a_mute_bank_books_and_says_nothing() -> None:
    booked.clear()
    mute = Mute(_app)
    mute.is_on = True
    sent, hung_up = asyncio.run(_ask(mute))
    assert booked == ["payment"]
    assert sent == []
    assert hung_up


def test_a_bank_that_speaks_again_answers() -> None:
    mute = Mute(_app)
    sent, hung_up = asyncio.run(_ask(mute))
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    assert not hung_up
