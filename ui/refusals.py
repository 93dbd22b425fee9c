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
    mark("Payment {number} has a tip: void the tip first"),
    mark("Payment {number} is {state}: nothing to tip"),
    mark("Payment {number} has refunds: no tip on it"),
    mark("Payment {number} was paid by a wallet: no tip on it"),
    mark("The batch of payment {number} is closed: no tip on it"),
    mark("This shop takes no tips"),
    mark("This is no card number: compare it digit by digit"),
    mark("Type the expiry as on the card: month and year, 12/29"),
    mark("The card has expired: ask for another"),
    mark("A tip here is {most} at most"),
    mark("Payment {number} is no pre-authorisation"),
    mark("Payment {number} is {state}: nothing to hold"),
    mark("Payment {number} is {state}: nothing to release"),
    mark("Payment {number} is still being sent for {sale}"),
    mark("A completion here is {most} at most"),
    mark("A code can be shown while the till waits for card or code"),
    mark("The batch of payment {number} is closed: refund it instead"),
    mark("Payment {number} is {state}: the close waits for its end"),
    mark("Nothing to close: no payment since the last close"),
    mark("Batch {number} has no difference to accept"),
    mark("Batch {number} is not waiting for its close"),
    mark("No batch {number} was closed here"),
    mark("Ask for the totals first"),
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
    mark("A supervisor must allow it: to {act}"),
    mark("It takes two persons to {act}"),
    mark("A {role} may not {act}"),
    mark("Sign in first: somebody must be there to {act}"),
    mark("{name} must first choose a secret and set up the codes"),
    mark("Name, secret or code is wrong"),
    mark("Too many wrong tries: wait {count} seconds"),
    mark("Too many wrong tries: wait {count} minutes"),
    mark("The secret of a {role} has {least} to {most} characters"),
    mark("The secret is the name: choose another"),
    mark("The secret is one character over and over, or a row: choose another"),
    mark("The two secrets are not the same: type them again"),
    mark("This is the secret you have: choose another"),
    mark("This is not the code that the app shows now: try the next one"),
    mark("Somebody else must say yes, not who asks"),
    mark("A name has 1 to 32 letters, digits, dots or dashes"),
    mark("There is or was somebody called {name}: choose another name"),
    mark("{name} is the last supervisor: add another first"),
    mark("Nobody resets themselves: another supervisor does"),
    mark("Only a sale that was not sent can be kept"),
    mark("No signature is asked for"),
    mark("No card asks which application to use"),
    mark("The card offers {count} applications"),
    mark("This sale cannot be kept: take cash, or try again"),
    mark("Nothing is kept: the limits are not reached"),
    mark("Payment {number} waits for nobody's decision"),
    mark("Say how it was settled: a note is needed"),
    mark("A note has at most {count} characters"),
    mark("A note holds no card number"),
    mark("Kept sales not sent yet: {count}. Send or export them first"),
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
ACTS = (
    mark("take payments"),
    mark("type a card number"),
    mark("give money back"),
    mark("refund over the limit"),
    mark("raise the offline limit"),
    mark("close the day"),
    mark("read the totals"),
    mark("change who works here"),
    mark("change devices and network"),
    mark("change the till's keys"),
    mark("read the audit log"),
    mark("export the audit log"),
)
"""What stands in a sentence's {act}."""


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
            for part in ("act", "role"):
                if part in parts:
                    parts[part] = words(parts[part])
            return words(pattern).format(**parts)
    return words(text)
