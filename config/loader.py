"""Reads a shop's files into Settings, or says which file and key is wrong."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from config.cards import CAKey, ExceptionCard
from config.errors import ConfigError
from config.schema import (
    ApplicationsFile,
    CAKeysFile,
    CodeRule,
    CurrenciesFile,
    Currency,
    Devices,
    ExceptionsFile,
    Parameters,
    PaymentCodesFile,
    Settings,
    ShopFile,
)
from config.values import HexBytes

FOLDER = Path(__file__).parent
"""The tables that come with the till."""
BENCH = FOLDER / "bench.toml"
"""A simulated shop."""

PARAMETERS = Path("the bank's parameters")
"""What errors call them: they are in no file of the shop's."""

FILE_BYTES_MAX = 1_000_000

T = TypeVar("T")


def load_settings(
    shop: Path = BENCH,
    *,
    overrides: Mapping[str, object] | None = None,
    more_ca_keys: Sequence[Path] = (),
    parameters: Parameters | None = None,
) -> Settings:
    """Read a shop's file and the tables it names, checked as a whole.

    overrides: keys of the shop's file with their new values, by dotted name
    ('bank.url'); for what is known only when the till starts.
    more_ca_keys: further files of CA keys, such as a simulated scheme's.
    parameters: what the bank sets in place of the shop's own.
    Raises ConfigError, naming the file and the key, or the line of broken TOML.
    """
    own = _convert(shop, _overridden(_parse(shop), overrides or {}), ShopFile)
    given = parameters or Parameters(version=1)
    own = _with_parameters(own, given)
    files = own.files

    application_names = (files.applications, *files.more_applications)
    application_paths = [_find(shop, name) for name in application_names if not given.applications]
    applications = _join(
        "applications",
        lambda one: f"AID {one.aid.hex().upper()} for kernel {one.kernel}",
        (PARAMETERS, given.applications or ()),
        *((path, read_table(path, ApplicationsFile).applications) for path in application_paths),
    )

    if own.shop.mode == "live" and any(key.test for key in given.ca_keys or ()):
        raise ConfigError(f"{PARAMETERS}: ca_keys: a live shop trusts no test keys")
    own_paths = [_find(shop, name) for name in files.ca_keys]
    key_files = [(path, read_table(path, CAKeysFile)) for path in (*own_paths, *more_ca_keys)]
    replaced = () if given.ca_keys is None else own_paths
    ca_keys = _join(
        "ca_keys",
        lambda key: key.name,
        (PARAMETERS, _proved(PARAMETERS, given.ca_keys or ())),
        *((path, _proved(path, file.ca_keys)) for path, file in key_files if path not in replaced),
    )
    # Whether each is a point on the curve, the kernel sees.
    ec_keys = _join(
        "ec_keys", lambda key: key.name, *((path, file.ec_keys) for path, file in key_files)
    )

    currencies_path = _source(shop, files.currencies, given.currencies)
    currencies = (
        load_currencies(currencies_path)
        if given.currencies is None
        else _named(currencies_path, given.currencies)
    )
    if own.shop.currency not in currencies:
        raise ConfigError(
            f"{shop}: shop.currency: {own.shop.currency} is not in {currencies_path.name}"
        )

    for letters in own.offline.currencies:
        if letters not in currencies:
            raise ConfigError(
                f"{shop}: offline.currencies.{letters}: not in {currencies_path.name}"
            )

    payment_codes = given.payment_codes
    if payment_codes is None:
        payment_codes = load_payment_codes(_find(shop, files.payment_codes))
    else:
        _check_payment_codes(PARAMETERS, payment_codes)

    exceptions: tuple[ExceptionCard, ...] = ()
    if files.exceptions is not None:
        exceptions = read_table(_find(shop, files.exceptions), ExceptionsFile).exceptions
        if own.shop.mode == "live" and exceptions:
            raise ConfigError(
                f"{shop}: files.exceptions: a live shop keeps no card numbers in plain text"
            )

    if own.shop.mode == "live" and (own.bank.push_url or "").startswith("mqtt:"):
        raise ConfigError(f"{shop}: bank.push_url: a live shop speaks to its broker by mqtts://")
    _check_devices(shop, own.devices)
    return Settings(
        shop=own.shop,
        bank=own.bank,
        devices=own.devices,
        receipts=own.receipts,
        texts=own.texts,
        offline=own.offline,
        data_storage=own.data_storage,
        traces=own.traces,
        applications=applications,
        ca_keys=ca_keys,
        ec_keys=ec_keys,
        currencies=currencies,
        payment_codes=payment_codes,
        exceptions=exceptions,
        listed_cards=given.exceptions,
        parameters_version=parameters.version if parameters else 0,
    )


def load_currencies(path: Path = FOLDER / "currencies.toml") -> Mapping[str, Currency]:
    """Read the currency table. Raises ConfigError."""
    return _named(path, read_table(path, CurrenciesFile).currencies)


def _named(path: Path, table: Mapping[str, Currency]) -> Mapping[str, Currency]:
    named = {
        letters: msgspec.structs.replace(currency, letters=letters)
        for letters, currency in table.items()
    }
    for key, values in (
        ("numeric", [currency.numeric for currency in named.values()]),
        ("symbol", [currency.symbol for currency in named.values() if currency.symbol]),
    ):
        twice = _first_twice(values)
        if twice is not None:
            raise ConfigError(f"{path}: currencies: {key} {twice} stands twice")
    return named


def load_payment_codes(path: Path = FOLDER / "payment_codes.toml") -> tuple[CodeRule, ...]:
    """Read the grammar of payment codes. Raises ConfigError."""
    rules = read_table(path, PaymentCodesFile).payment_codes
    _check_payment_codes(path, rules)
    return rules


def _check_payment_codes(path: Path, rules: Sequence[CodeRule]) -> None:
    seen: list[tuple[str, int, int, str]] = []
    for number, rule in enumerate(rules):
        for prefix in rule.prefixes or ("",):
            for other, least, most, wallet in seen:
                overlap = rule.lengths[0] <= most and least <= rule.lengths[1]
                if prefix == other and overlap and wallet != rule.wallet:
                    raise ConfigError(
                        f"{path}: payment_codes[{number}].prefixes: {prefix or 'any'} of this "
                        f"length is {wallet}'s already, so {rule.wallet} cannot be told from it"
                    )
            seen.append((prefix, *rule.lengths, rule.wallet))


def read_parameters(content: bytes) -> Parameters:
    """Read what a bank sets, in TOML. Raises ConfigError."""
    return _convert(PARAMETERS, _parse_text(PARAMETERS, content), Parameters)


def read_table(path: Path, kind: type[T]) -> T:
    """Read one TOML file as one of schema's file types. Raises ConfigError."""
    return _convert(path, _parse(path), kind)


def _parse(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            content = file.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    return _parse_text(path, content)


def _parse_text(path: Path, content: bytes) -> dict[str, Any]:
    if len(content) > FILE_BYTES_MAX:
        raise ConfigError(f"{path}: more than {FILE_BYTES_MAX:,} bytes, which is no settings file")
    try:
        return tomllib.loads(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path}: line {line}: not UTF-8 text") from error
    except tomllib.TOMLDecodeError as error:
        # The parser's own words already say "at line 3, column 7".
        raise ConfigError(f"{path}: broken TOML: {error}") from error
    except RecursionError as error:
        raise ConfigError(f"{path}: broken TOML: tables nested too deeply") from error


def _convert(path: Path, tree: Mapping[str, Any], kind: type[T]) -> T:
    try:
        return msgspec.convert(tree, kind, dec_hook=_decode_hex)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{path}: {_explain(str(error))}") from error


def _decode_hex(kind: type, value: object) -> HexBytes:
    if kind is not HexBytes:
        raise NotImplementedError(f"no way to read a {kind.__name__} from TOML")
    if not isinstance(value, str):
        raise ValueError("must be hexadecimal text in quotes")
    try:
        return HexBytes.fromhex(value)
    except ValueError:
        raise ValueError("must be hexadecimal text, two digits a byte") from None


def _explain(message: str) -> str:
    """Turn msgspec's words into 'shop.till_nam: unknown key'.

    It says 'Object contains unknown field `x` - at `$.shop`' and the like;
    our own checks say 'ttq: 3 bytes, must be 4 - at `$.applications[0]`'.
    """
    reason, _, where = message.partition(" - at `$")
    path = where.rstrip("`").removeprefix(".")

    def below(key: str) -> str:
        return f"{path}.{key}" if path else key

    unknown, missing = "Object contains unknown field ", "Object missing required field "
    if reason.startswith(unknown):
        return f"{below(reason.removeprefix(unknown).strip('`'))}: unknown key"
    if reason.startswith(missing):
        return f"{below(reason.removeprefix(missing).strip('`'))}: missing"
    key, colon, rest = reason.partition(": ")
    if colon and key.isidentifier():
        return f"{below(key)}: {rest}"
    words = reason.replace("`", "")
    return f"{path}: {words[:1].lower()}{words[1:]}" if path else words


def _overridden(tree: dict[str, Any], overrides: Mapping[str, object]) -> dict[str, Any]:
    for name, value in overrides.items():
        *tables, key = name.split(".")
        place = tree
        for table in tables:
            inner = place.setdefault(table, {})
            if not isinstance(inner, dict):
                raise ConfigError(f"{name}: {table} is not a table")
            place = inner
        place[key] = value
    return tree


def _with_parameters(own: ShopFile, given: Parameters) -> ShopFile:
    limits = {
        name: value
        for name in ("amount_max_minor", "refund_limit_minor")
        if (value := getattr(given, name)) is not None
    }
    return msgspec.structs.replace(
        own,
        shop=msgspec.structs.replace(own.shop, **limits),
        offline=own.offline if given.offline is None else given.offline,
        texts=own.texts if given.texts is None else given.texts,
    )


def _source(shop: Path, name: str, given: object) -> Path:
    """Return what errors about a table are to name."""
    return _find(shop, name) if given is None else PARAMETERS


def _find(shop: Path, name: str) -> Path:
    """Return a table's file: beside the shop's, else one that comes with the till."""
    beside = shop.parent / name
    packaged = FOLDER / name
    if not beside.exists() and Path(name).name == name and packaged.exists():
        return packaged
    return beside


def _join(
    what: str, name_of: Callable[[T], str], *tables: tuple[Path, Iterable[T]]
) -> tuple[T, ...]:
    """Return the rows of all tables. Raises ConfigError for a name that stands twice."""
    found: dict[str, T] = {}
    for path, rows in tables:
        for row in rows:
            name = name_of(row)
            if name in found:
                raise ConfigError(f"{path}: {what}: {name} stands twice")
            found[name] = row
    return tuple(found.values())


def _proved(path: Path, keys: Iterable[CAKey]) -> Iterator[CAKey]:
    """Yield keys as their schemes published them. Raises ConfigError for another."""
    for key in keys:
        if _ca_key_hash(key) != key.sha1:
            raise ConfigError(f"{path}: ca_keys: {key.name}: sha1 does not match the key")
        yield key


def _ca_key_hash(key: CAKey) -> bytes:
    """Return the check value that a scheme publishes with its key.

    Source: EMV 4.4 Book 2, 11.2.2.
    """
    exponent = key.exponent.to_bytes((key.exponent.bit_length() + 7) // 8, "big")
    return hashlib.sha1(key.rid + bytes([key.index]) + key.modulus + exponent).digest()


def _check_devices(path: Path, devices: Devices) -> None:
    twice = _first_twice(device.name for device in devices.everything())
    if twice is not None:
        raise ConfigError(f"{path}: devices: two are called {twice}")


def _first_twice(values: Iterable[Any]) -> Any | None:
    seen = set()
    for value in values:
        if value in seen:
            return value
        seen.add(value)
    return None
