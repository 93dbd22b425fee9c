"""Where the tills' journals and audit logs ended: what is cut off later, or written again, shows.

The bank cannot judge a chain it has never seen. It keeps what it is told, the first
word on each length, and a till is told it back.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, select

from simulators.bank.desk import Desk
from simulators.bank.messages import ChainEnd, ChainEndsAnswer, ChainEndsRequest, moment
from simulators.bank.schema import chain_ends

TOLD_MAX = 100
"""Of each chain, in one answer."""


def keep_and_tell(desk: Desk, request: ChainEndsRequest) -> ChainEndsAnswer:
    """Keep the ends that come, and tell which are kept."""
    keep(desk, request)
    return ChainEndsAnswer(
        at=moment(desk.now_ms), journal=_kept(desk, "journal"), audit=_kept(desk, "audit")
    )


def keep(desk: Desk, request: ChainEndsRequest) -> None:
    """Keep the ends that come; another digest for a length that is kept changes nothing."""
    told: Mapping[str, ChainEnd | None] = {"journal": request.journal, "audit": request.audit}
    for chain, end in told.items():
        if end is None or _is_kept(desk, chain, end.length):
            continue
        row = {
            "till": desk.caller,
            "chain": chain,
            "length": end.length,
            "digest": end.digest,
            "told_ms": desk.now_ms,
        }
        desk.connection.execute(chain_ends.insert(), row)


def forget(connection: Connection, till: str) -> None:
    """Begin anew, for a till that was just enrolled: it may be another machine."""
    connection.execute(chain_ends.delete().where(chain_ends.c.till == till))


def _is_kept(desk: Desk, chain: str, length: int) -> bool:
    where = (chain_ends.c.till == desk.caller) & (chain_ends.c.chain == chain)
    query = select(chain_ends.c.length).where(where & (chain_ends.c.length == length))
    return desk.connection.scalar(query) is not None


def _kept(desk: Desk, chain: str) -> list[ChainEnd]:
    where = (chain_ends.c.till == desk.caller) & (chain_ends.c.chain == chain)
    query = select(chain_ends).where(where).order_by(chain_ends.c.length.desc()).limit(TOLD_MAX)
    return [ChainEnd(row.length, row.digest) for row in desk.connection.execute(query)]
