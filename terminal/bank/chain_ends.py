"""Tells the bank where the till's two chains end, and holds them against what it keeps.

The contract is docs/bank-link.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

import msgspec

from terminal.bank.chain_messages import KeptEnds, ToldEnd, ToldEnds
from terminal.bank.exchange import Refusal
from terminal.chains import Chain, Chains, End
from terminal.errors import AnswerLost

if TYPE_CHECKING:
    from terminal.bank.client import BankClient

PATH: Final = "/v1/chain-ends"


def ends_of(chains: Chains) -> ToldEnds:
    """Return where both chains end now. Raises JournalUnavailable, RegisterUnusable."""
    return ToldEnds(_told(chains.journal.end()), _told(chains.audit().end()))


def compare(client: BankClient, chains: Chains) -> int:
    """Tell the bank where both chains end; return how many ends it keeps that they go through.

    Raises JournalCorrupt or RegisterUnusable if a chain does not go through one of
    them any more; NeverLeft, AnswerLost.
    """
    answer = client.ask(PATH, msgspec.to_builtins(ends_of(chains)))
    if isinstance(answer, Refusal):
        raise AnswerLost(f"the bank keeps no ends of chains: {answer.detail}")
    try:
        kept = msgspec.convert(answer, KeptEnds)
    except msgspec.ValidationError as error:
        raise AnswerLost(f"KeptEnds: {error}") from None
    return _check(chains.journal, kept.journal) + _check(chains.audit(), kept.audit)


def _check(chain: Chain, kept: Iterable[ToldEnd]) -> int:
    count = 0
    for end in kept:
        chain.check_through(End(end.length, bytes.fromhex(end.digest)))
        count += 1
    return count


def _told(end: End) -> ToldEnd | None:
    return ToldEnd(end.length, end.digest.hex()) if end.length else None
