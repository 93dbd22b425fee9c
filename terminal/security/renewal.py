"""Renewal: new keys before the old certificate ends, without a moment in between.

The bank takes both until the new ones have proved themselves. What was begun
and cut off is gone on with, by the same keys.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Final

from terminal.bank.client import Refusal
from terminal.bank.dialects import SignedClient
from terminal.bank.messages import Echo
from terminal.errors import EnrolmentRefused
from terminal.security import hsm, keys, succession
from terminal.security.enrolment import enrol
from terminal.security.files import write_file
from terminal.security.folder import REVOKED, is_enrolled
from terminal.security.keys import TillKeys

log = logging.getLogger(__name__)

CERTIFICATES_PATH: Final = "/v1/certificates"
REVOCATIONS_PATH: Final = "/v1/revocations"

DUE_MS: Final = 30 * 86_400_000
"""A certificate that ends within thirty days is renewed."""

OpenClient = Callable[[TillKeys], SignedClient]


def keep_good(folder: Path, open_client: OpenClient, now_ms: int) -> None:
    """Learn what was revoked, and renew the till's keys if it is time.

    Raises BankLinkError, OSError; the keys in place are as good as before then.
    """
    current = learn_revoked(folder, open_client)
    if is_due(folder, current, now_ms):
        renewed = renew(folder, open_client)
        log.info("the keys of %s were renewed", renewed.till_id)


def is_due(folder: Path, current: TillKeys, now_ms: int) -> bool:
    """True if it is time for new keys, or some wait to be proved."""
    return succession.next_folder(folder).exists() or current.expires_ms - now_ms < DUE_MS


def renew(folder: Path, open_client: OpenClient) -> TillKeys:
    """Return the till's new keys, certified, proved and in place of the old.

    Raises EnrolmentRefused if the bank does not want it, KeysUnusable,
    NeverLeft and AnswerLost; the old keys are in place and good then.
    """
    current = keys.load_keys(folder)
    waiting = succession.next_folder(folder)
    if not is_enrolled(waiting):
        _certify(folder, waiting, current, open_client)
    # Its requests are the same till's, and go on counting.
    renewed = replace(keys.load_keys(waiting, current.passphrase), counter=current.counter)
    with closing(open_client(renewed)) as client:
        answer = client.call(Echo())
    if isinstance(answer, Refusal):
        succession.discard(folder)
        raise EnrolmentRefused(f"The bank does not take the new keys it certified: {answer.detail}")
    succession.adopt(folder)
    return keys.load_keys(folder)


def _certify(folder: Path, waiting: Path, current: TillKeys, open_client: OpenClient) -> None:
    def carry(request: Mapping[str, str]) -> Mapping[str, object]:
        wish = {name: text for name, text in request.items() if name != "code"}
        with closing(open_client(current)) as client:
            answer = client.ask(CERTIFICATES_PATH, wish)
        if isinstance(answer, Refusal):
            raise EnrolmentRefused(f"The bank does not renew this till's keys: {answer.detail}")
        if answer.get("id") != current.till_id:
            raise EnrolmentRefused("The bank's certificates are for another till")
        if str(answer.get("bank_ca")).encode() != current.bank_ca.read_bytes():
            raise EnrolmentRefused("The bank has another CA now: enrol anew, by a code")
        return answer

    token = keys.hardware_of(folder)
    if token is not None:
        begun = keys.hardware_of(waiting) if (waiting / keys.SIGNING_KEY).exists() else None
        # Those before the present one have been nobody's for weeks.
        hsm.erase_others(token, {token.id, begun.id if begun else b""})
    enrol(waiting, "", carry, current.passphrase, token)


def learn_revoked(folder: Path, open_client: OpenClient) -> TillKeys:
    """Fetch what the bank's CA has revoked; return the keys that know it.

    A list older than the one at hand is not taken: it would make good again
    what was revoked. Raises EnrolmentRefused if it is no list of the CA's,
    NeverLeft, AnswerLost.
    """
    current = keys.load_keys(folder)
    with closing(open_client(current)) as client:
        answer = client.ask(REVOCATIONS_PATH, {})
    if isinstance(answer, Refusal):
        raise EnrolmentRefused(
            f"The bank tells nothing about revoked certificates: {answer.detail}"
        )
    authority = keys.read_certificates(current.bank_ca)[0]
    pem = str(answer.get("revoked")).encode("ascii", "replace")
    try:
        serials = keys.read_revoked(pem, authority)
    except ValueError:
        raise EnrolmentRefused("The bank's list of revoked certificates does not hold") from None
    if not serials >= current.revoked:
        raise EnrolmentRefused("The bank's list of revoked certificates is older than the last")
    if serials != current.revoked:
        write_file(folder / REVOKED, pem)
    return keys.load_keys(folder)
