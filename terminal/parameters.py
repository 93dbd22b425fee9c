"""What the bank sets at this till: fetched, proved, tried, and kept with the one before.

A set that does not fit the shop is refused when it comes, and one that does not
fit any more, since the shop's file was changed, gives way to the one before.
The bank's signature stays with it: what is on disk is proved at each start.
"""

from __future__ import annotations

import base64
import binascii
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from config import ConfigError, Settings
from config.loader import read_parameters
from config.schema import Parameters
from terminal.errors import ParametersRefused, UntrustedAnswer
from terminal.security.files import write_file

if TYPE_CHECKING:
    from terminal.bank.client import BankClient
    from terminal.bank.signing import VerifyingKey

NEWEST: Final = "parameters.jws"
BEFORE: Final = "parameters-before.jws"
PATH: Final = "/v1/parameters"
TYPE: Final = "opentill-parameters"

# RFC 7518, 3.4; RFC 9864, 2.2.
_ALGORITHMS: Final = {"ed25519": "Ed25519", "ecdsa-p256-sha256": "ES256"}

log = logging.getLogger(__name__)

Load = Callable[[Parameters | None], Settings]
"""Reads the shop's settings with these in them. Raises ConfigError."""


def read(document: str, key: VerifyingKey) -> Parameters:
    """Return what the bank signed. Raises UntrustedAnswer, ConfigError.

    document: a compact JWS of a TOML text. Source: RFC 7515, 5.2.
    """
    parts = document.split(".")
    if len(parts) != 3:
        raise UntrustedAnswer("the bank's parameters are not a compact JWS")
    header, text, signature = (_from_base64(part) for part in parts)
    if not key.is_signed(signature, f"{parts[0]}.{parts[1]}".encode("ascii")):
        raise UntrustedAnswer("the signature of the bank's parameters does not hold")
    try:
        said = json.loads(header)
    except ValueError:
        said = None
    if said != {"alg": _ALGORITHMS[key.algorithm], "typ": TYPE}:
        raise UntrustedAnswer("what the bank signed are no parameters")
    return read_parameters(text)


def fetch(folder: Path, client: BankClient, key: VerifyingKey, load: Load) -> Parameters | None:
    """Ask the bank for newer parameters; return those that were kept, None if it has none.

    folder: the till's own. They hold from the till's next start.
    Raises ParametersRefused, naming the key, if they do not fit this shop;
    UntrustedAnswer, NeverLeft, AnswerLost. What held, holds then.
    """
    from terminal.bank.client import Refusal

    kept = _kept(folder, key, load)
    held = kept[0].version if kept else 0
    answer = client.ask(PATH, {"have": str(held)})
    if isinstance(answer, Refusal):
        raise ParametersRefused(f"The bank gives no parameters: {answer.detail}")
    document = answer.get("document")
    if document is None:
        return None
    try:
        parameters = read(str(document), key)
        load(parameters)
    except ConfigError as error:
        raise ParametersRefused(f"{error}. What held, holds; tell the bank") from None
    if parameters.version <= held:
        raise ParametersRefused(f"The bank sent version {parameters.version} over {held}")
    if kept is not None:
        write_file(folder / BEFORE, kept[1].encode("ascii"))
    write_file(folder / NEWEST, str(document).encode("ascii"))
    return parameters


def newest_that_fits(folder: Path, key: VerifyingKey, load: Load) -> Parameters | None:
    """Return the newest kept parameters that are the bank's and fit; None if none do."""
    kept = _kept(folder, key, load)
    return kept[0] if kept else None


def has_any(folder: Path) -> bool:
    """True if the bank has ever set something here. Light: every start looks first."""
    return (folder / NEWEST).exists() or (folder / BEFORE).exists()


def _kept(folder: Path, key: VerifyingKey, load: Load) -> tuple[Parameters, str] | None:
    """Return what newest_that_fits() does, and the document it stands in."""
    for name in (NEWEST, BEFORE):
        try:
            document = (folder / name).read_text("ascii", "replace")
            parameters = read(document, key)
            load(parameters)
        except (FileNotFoundError, UntrustedAnswer, ConfigError) as error:
            log.warning("%s: %s", name, error)
            continue
        return parameters, document
    return None


def _from_base64(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise UntrustedAnswer("the bank's parameters are not base64") from None
