"""What the bank link says of the ends of chains, as types. The contract is docs/bank-link.md."""

from __future__ import annotations

from typing import Annotated

import msgspec

from terminal.bank.messages import Message, Moment


class ToldEnd(Message, frozen=True):
    """How long a chain is, and its last hash."""

    length: Annotated[int, msgspec.Meta(gt=0, le=2**53)]
    digest: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]


class ToldEnds(Message, frozen=True):
    """Where both chains end; absent while nothing is in one."""

    journal: ToldEnd | None = None
    audit: ToldEnd | None = None


class KeptEnds(Message, frozen=True):
    """What the bank keeps of both."""

    at: Moment
    journal: tuple[ToldEnd, ...]
    audit: tuple[ToldEnd, ...]
