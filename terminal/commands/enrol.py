"""`till enrol`: the bank takes this till in, by a one-time code."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from terminal.commands.keys import check_persons, key_passphrase
from terminal.commands.place import Place, refusals
from terminal.commands.who import acting
from terminal.errors import EnrolmentRefused, KeysUnusable
from terminal.security.folder import is_enrolled

if TYPE_CHECKING:
    from terminal.security.door import EnrolmentCode, EnrolmentDoor


@click.command(name="enrol")
@click.option("--bank", "url", metavar="URL", required=True, help="Where the bank takes tills in.")
@click.option("--code", "typed", required=True, help="The one-time code that the bank gave.")
@click.option(
    "--ca",
    "ca_file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="The bank's CA certificate in PEM form, if the code does not name it.",
)
@click.option(
    "--again",
    is_flag=True,
    help="New keys for the same till: it was revoked, its certificate has ended, or its "
    "passphrase is lost. Open payments stay its own.",
)
@click.option(
    "--hsm",
    "token",
    metavar="URI",
    help="Have a hardware module make and keep the signing key: "
    "pkcs11:token=LABEL?module-path=/path/of/library.so",
)
@acting
@click.pass_obj
def command(
    place: Place,
    url: str,
    typed: str,
    ca_file: Path | None,
    again: bool,
    token: str | None,
    user: str | None,
    approvers: tuple[str, ...],
) -> None:
    """Make this till's keys and have a bank certify them.

    The private keys never leave the till, and lie on its disk encrypted by a
    passphrase that you choose: set OPENTILL_KEY_PASSPHRASE, or see
    docs/enrolment.md for other places. Cut off in the middle, the same command
    goes on with the same keys and the same code. Where people work at the till
    already, it takes two who may.

    Exit status: 0 enrolled, 30 not.

    \b
    Example:
      till enrol --bank https://bank.example:8444 --code ABCDEFGHIJKLMNOP-ABCD…
    """
    from terminal.security import hsm
    from terminal.security.door import EnrolmentCode, EnrolmentDoor
    from terminal.security.enrolment import enrol, enrol_again

    with refusals():
        _check_enrolled(place.key_folder, again=again)
        code = EnrolmentCode.parse(typed)
        door = EnrolmentDoor(url, place.clock)
        secret = key_passphrase(place)
        module = None if token is None else hsm.KeyPlace.parse(token)
        check_persons(place, "enrol", user, approvers)
        bank_ca = _authority(door, code, ca_file)
        click.echo(f"Asking {url} to certify this till's keys", err=True)
        certify = enrol_again if again else enrol
        keys = certify(place.key_folder, code.secret, partial(door.carry, bank_ca), secret, module)
    until = datetime.fromtimestamp(keys.expires_ms / 1000, UTC).date().isoformat()
    click.echo(f"Enrolled as {keys.till_id}, until {until}. Next: till doctor")


def _check_enrolled(folder: Path, *, again: bool) -> None:
    if is_enrolled(folder) and not again:
        raise KeysUnusable(
            f"This till is enrolled already, by the keys in {folder}. For new ones: --again"
        )
    if again and not is_enrolled(folder):
        raise KeysUnusable("This till was never enrolled: leave --again out")


def _authority(door: EnrolmentDoor, code: EnrolmentCode, ca_file: Path | None) -> str:
    """Return the bank's CA as PEM, proved by the code or given by hand."""
    from terminal.security.door import is_named, pem, read_authority

    if ca_file is None:
        if not code.fingerprint:
            raise EnrolmentRefused(
                "The code does not say by which CA to know the bank: give its certificate "
                "with --ca FILE"
            )
        click.echo("Asking the bank for its CA, to hold it against the code", err=True)
        return door.authority(code.fingerprint)
    authority = read_authority(ca_file.read_text("ascii", "replace"))
    if code.fingerprint and not is_named(authority, code.fingerprint):
        raise EnrolmentRefused(f"{ca_file} is another CA's certificate than the code names")
    return pem(authority)
