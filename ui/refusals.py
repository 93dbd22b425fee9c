"""What the till refuses, in the cashier's language.

The till says its refusals in English, with numbers in them. Each pattern here
is such a sentence; what stands in braces is carried over. A sentence that has
no pattern is shown as the till said it: a refusal is never swallowed.
"""

from __future__ import annotations

import re
from functools import cache

from terminal.states import State
from ui.locale import Words, mark
from ui.wording import MARKS

PATTERNS = (
    mark("Payment {number} is {state}: nothing to refund"),
    mark("Payment {number} is refunded in full"),
    mark("Only {left} is left to refund of {number}"),
    mark("Payment {number} is {state}: nothing to void"),
    mark("Payment {number} has refunds: refund the rest instead"),
    mark("A code can be shown while the till waits for card or code"),
    mark("Payment {number} is not finished"),
    mark("The amount must be above zero"),
    mark("The amount is over this till's limit of {limit}"),
    mark("The amount is zero: enter one above zero"),
    mark("Payment {number} is {state}: finish or keep it first"),
    mark("Payment {number} is still giving {sale} back"),
    mark("No payment {key} in this journal"),
    mark("This till prints no receipts"),
    mark("This till has no cash drawer"),
    mark("No room on the disk for {path}: free some space, then try again"),
    mark("Cannot write {path}: check its permissions"),
)

LINK_PATTERNS = (
    mark("the bank's certificate is not yet valid; check the till's clock"),
    mark("the bank's certificate has expired; check the till's clock, then call the bank"),
    mark("the bank's certificate is signed by itself, not by the bank's CA"),
    mark("the bank's certificate is not from the bank's CA"),
    mark("the bank's certificate has been revoked"),
    mark("the bank's certificate is not one for a server"),
    mark("the bank's certificate is for another name"),
    mark("the bank's certificate is for another address"),
    mark("the bank's certificate is not good: {why}"),
    mark("the bank does not accept the till's certificate ({why}); enrol again"),
    mark("the till's certificate has expired; check the clock, or enrol again"),
    mark("{host} does not offer TLS 1.3"),
    mark("TLS with {host} failed ({why})"),
    mark("the name {host} cannot be found; check the network and the bank's address"),
    mark("{host} does not accept connections"),
    mark("{host} did not answer in time; check the network"),
    mark("no connection to {host}; check the network"),
    mark("the bank did not answer in time"),
)
"""What the bank link says of itself; the doctor shows it."""


@cache
def _matchers() -> tuple[tuple[re.Pattern[str], str], ...]:
    def matcher(pattern: str) -> re.Pattern[str]:
        return re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>.+)", re.escape(pattern)))

    return tuple((matcher(pattern), pattern) for pattern in (*PATTERNS, *LINK_PATTERNS))


def refusal_text(text: str, words: Words) -> str:
    """Return a refusal in the language of these words."""
    for matcher, pattern in _matchers():
        found = matcher.fullmatch(text)
        if found:
            parts = found.groupdict()
            # The till writes a state's name with spaces.
            state = parts.get("state", "").replace(" ", "_")
            if state in set(State):
                parts["state"] = words(MARKS[State(state)].word)
            return words(pattern).format(**parts)
    return words(text)
