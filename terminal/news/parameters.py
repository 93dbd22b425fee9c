"""What the bank sets at this till: fetched, proved, tried, and kept with the set before.

A set that does not fit the shop is refused when it comes, and one that does not
fit any more, since the shop's file was changed, gives way to the one before.
The bank's signature stays with it: what is on disk is proved at each start. The
card kernels are tried when a set comes: they would hold up the first screen.
"""

from __future__ import annotations

import base64
import binascii
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from config import ConfigError, Settings
from config.cards import ListedCards
from config.loader import PARAMETERS, read_parameters
from config.schema import Parameters
from config.values import HexBytes
from emv.errors import ConfigurationError
from terminal.checkout.exception_file import opens
from terminal.errors import ParametersRefused, UntrustedAnswer
from terminal.people.audit import AuditLine
from terminal.security.files import alone, write_file

if TYPE_CHECKING:
    from terminal.bank.dialects import SignedClient
    from terminal.bank.signing import VerifyingKey

NEWEST: Final = "parameters.jws"
BEFORE: Final = "parameters-before.jws"
REFUSED: Final = "parameters-refused.json"
EXCEPTION_KEY: Final = "exceptions-key-"
"""Begins the name of a file in the key folder; the key check follows."""
PATH: Final = "/v1/parameters"
TYPE: Final = "opentill-parameters"

# RFC 7518, 3.4; RFC 9864, 2.2.
_ALGORITHMS: Final = {"ed25519": "Ed25519", "ecdsa-p256-sha256": "ES256"}

log = logging.getLogger(__name__)

Load = Callable[[Parameters | None], Settings]
"""Reads the shop's settings with these in them. Raises ConfigError."""


class RefusedSet(msgspec.Struct, frozen=True):
    """The bank's set that does not fit this shop, until one comes that does."""

    why: str


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


@dataclass(frozen=True, slots=True)
class ParameterStore:
    """The bank's sets on this till's disk: the newest, and the one before."""

    folder: Path
    """The till's own."""
    key: VerifyingKey
    """What the bank signs with."""
    load: Load

    def newest(self) -> Parameters | None:
        """Return the newest that is the bank's and fits; None if none is."""
        held = self._held()
        return held[0] if held else None

    def fetch(self, client: SignedClient, note: Callable[[AuditLine], None]) -> Parameters | None:
        """Ask the bank for newer ones; return those that were kept, None if it has none.

        note: writes the audit log. Raises as keep() does, and NeverLeft, AnswerLost.
        """
        from terminal.bank.client import Refusal

        held = self.newest()
        answer = client.ask(PATH, {"have": str(held.version if held else 0)})
        if isinstance(answer, Refusal):
            raise ParametersRefused(f"The bank gives no parameters: {answer.detail}")
        document = answer.get("document")
        if document is None:
            return None
        return self.keep(str(document), note, str(answer.get("exception_key") or ""))

    def keep(
        self, document: str, note: Callable[[AuditLine], None], exception_key: str = ""
    ) -> Parameters:
        """Put a newer set on disk, whole or not at all; return it.

        note: writes the audit log, before anything is kept. exception_key: of the
        list of cards in it, in hex; '' if there is none.
        Raises ParametersRefused, naming the key, if it does not fit this shop, and
        UntrustedAnswer if it is not the bank's: what held, holds then.
        Raises RegisterUnusable, OSError.
        """
        with alone(self.folder):
            held = self._held()
            try:
                given = self._tried(document, exception_key)
                if held is not None and given.version < held[0].version:
                    raise ParametersRefused(
                        f"The bank sent version {given.version} over {held[0].version}"
                    )
            except (ParametersRefused, UntrustedAnswer) as error:
                why = str(error)
                note(_line(is_granted=False, why=why))
                write_file(self.folder / REFUSED, msgspec.json.encode(RefusedSet(why)))
                raise
            if held is None or given.version > held[0].version:
                note(_line(is_granted=True, about=f"version {given.version}"))
                if given.exceptions is not None:
                    write_file(self._key_file(given.exceptions), exception_key.encode("ascii"))
                if held is not None:
                    write_file(self.folder / BEFORE, held[1].encode("ascii"))
                write_file(self.folder / NEWEST, document.encode("ascii"))
                self._forget_keys(given, held and held[0])
            (self.folder / REFUSED).unlink(missing_ok=True)
        return given

    def _tried(self, document: str, exception_key: str) -> Parameters:
        """Return the set, once the shop's settings and the card kernels have taken it."""
        from terminal.checkout.media import card_rules

        try:
            given = _with_key(read(document, self.key), exception_key)
            card_rules(self.load(given))
        except (ConfigError, ConfigurationError) as error:
            raise ParametersRefused(f"{error}. What held, holds; tell the bank") from None
        return given

    def _held(self) -> tuple[Parameters, str] | None:
        """Return the newest that fits, and the document it stands in."""
        for name in (NEWEST, BEFORE):
            try:
                document = (self.folder / name).read_text("ascii", "replace")
                given = self._read(document)
                self.load(given)
            except FileNotFoundError:
                continue
            except (UntrustedAnswer, ConfigError) as error:
                log.warning("%s: %s", name, error)
                continue
            return given, document
        return None

    def _read(self, document: str) -> Parameters:
        given = read(document, self.key)
        if given.exceptions is None:
            return given
        try:
            key = self._key_file(given.exceptions).read_text("ascii", "replace")
        except FileNotFoundError:
            key = ""
        return _with_key(given, key)

    def _key_file(self, listed: ListedCards) -> Path:
        return self.folder / "keys" / f"{EXCEPTION_KEY}{listed.key_check.hex()}"

    def _forget_keys(self, *sets: Parameters | None) -> None:
        """Erase the keys of lists that are in none of these."""
        used = {self._key_file(each.exceptions) for each in sets if each and each.exceptions}
        for path in set((self.folder / "keys").glob(f"{EXCEPTION_KEY}*")) - used:
            path.unlink()


def has_any(folder: Path) -> bool:
    """True if the bank has ever set something here. Light: every start looks first."""
    return (folder / NEWEST).exists() or (folder / BEFORE).exists()


def refused(folder: Path) -> RefusedSet | None:
    """Return what the bank sent last and this shop cannot take; None if it took it."""
    try:
        return msgspec.json.decode((folder / REFUSED).read_bytes(), type=RefusedSet)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def _with_key(given: Parameters, exception_key: str) -> Parameters:
    """Return the set with the key of its list of cards in it. Raises ConfigError."""
    listed = given.exceptions
    if listed is None:
        return given
    try:
        key = HexBytes.fromhex(exception_key)
    except ValueError:
        key = HexBytes()
    if not opens(listed, key):
        raise ConfigError(f"{PARAMETERS}: exceptions: the key of the list is not with it")
    listed = msgspec.structs.replace(listed, key=key)
    return msgspec.structs.replace(given, exceptions=listed)


def _line(*, is_granted: bool, about: str = "", why: str = "") -> AuditLine:
    return AuditLine("parameters", is_granted, name="", face="bank", about=about, why=why)


def _from_base64(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise UntrustedAnswer("the bank's parameters are not base64") from None
