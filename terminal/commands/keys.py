"""`till keys`: the keys by which the bank knows this till."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from terminal.bank.dialects import open_signed_client, speaks_iso8583
from terminal.commands.place import Place, Refusal, refusals
from terminal.commands.who import acting, sign_in
from terminal.errors import KeysUnusable, NotAllowed
from terminal.journal import Journal
from terminal.people.privileges import Act
from terminal.seams import system_randomness
from terminal.security.folder import is_enrolled

if TYPE_CHECKING:
    from terminal.bank.client import BankClient
    from terminal.security.keys import TillKeys


@click.group(name="keys")
def keys() -> None:
    """See, renew and protect the keys of this till.

    \b
    Example:
      till keys show
      till keys renew
    """


@keys.command(name="show")
@click.pass_obj
def show(place: Place) -> None:
    """Say who this till is to its bank, and until when."""
    from terminal.security.keys import hardware_of, load_keys

    with refusals():
        held = load_keys(place.key_folder)
        token = hardware_of(place.key_folder)
    where = "in a file" if token is None else f"in token {token.token} of {token.module}"
    click.echo(f"till         {held.till_id}")
    click.echo(f"certificate  until {_date(held.expires_ms)}")
    click.echo(f"signatures   {held.signer.algorithm}")
    click.echo(f"signing key  {where}")
    click.echo(f"revoked      {len(held.revoked)} of the bank's certificates")


@keys.command(name="renew")
@click.pass_obj
def renew(place: Place) -> None:
    """Have the bank certify new keys in place of these, and learn what it revoked.

    A live till does so by itself in a certificate's last thirty days. The old
    keys are good until the new ones have proved themselves; one that was cut
    off goes on with the keys it had begun with.
    Exit status: 0 renewed, 30 not.
    """
    from terminal.security import renewal

    bank = place.settings().bank
    if speaks_iso8583(bank):
        raise Refusal("ISO 8583 has no words for it: enrol again, by a code of the bank's")

    def open_client(held: TillKeys) -> BankClient:
        return open_signed_client(bank, held, place.clock, system_randomness)

    with refusals():
        renewal.learn_revoked(place.key_folder, open_client)
        renewed = renewal.renew(place.key_folder, open_client)
    click.echo(f"Renewed: {renewed.till_id}, until {_date(renewed.expires_ms)}")


@keys.command(name="protect")
@acting
@click.pass_obj
def protect(place: Place, user: str | None, approvers: tuple[str, ...]) -> None:
    """Encrypt private keys that were made without a passphrase.

    Takes two who may, where people work at the till.
    """
    from terminal.security import keys as key_files

    with refusals():
        key_files.load_keys(place.key_folder)
        check_persons(place, "protect keys", user, approvers)
        key_files.protect(place.key_folder, key_passphrase(place))
    click.echo("Both private keys are encrypted now")


@keys.command(name="wipe")
@click.option("--without-bank", is_flag=True, help="Do not tell the bank; have it revoke them.")
@acting
@click.pass_obj
def wipe(place: Place, without_bank: bool, user: str | None, approvers: tuple[str, ...]) -> None:
    """End this till's enrolment: the bank lets it go, and its keys are erased.

    Refused while a payment is open, and while the till runs: without keys,
    nobody could bring it to its end. Kept sales may have been exported instead
    (till export). The journal stays. Takes two who may.
    Exit status: 0 erased, 30 not.

    \b
    Example:
      till keys wipe --as 00 --approve 99
    """
    from terminal.security import farewell
    from terminal.security.keys import load_keys

    bank = place.settings().bank
    if speaks_iso8583(bank) and not without_bank:
        raise Refusal("ISO 8583 has no words for it: call the bank, then use --without-bank")
    with refusals():
        if not is_enrolled(place.key_folder):
            raise KeysUnusable("This till has no keys")
        # Opened as a till that runs would, the journal keeps one away meanwhile.
        with closing(Journal(place.till_folder, place.clock)) as journal:
            still_open = [each for each in journal.unfinished() if not each.is_exported]
            if still_open:
                raise NotAllowed(
                    f"{len(still_open)} payments are open, the first is {still_open[0].number:04}: "
                    "bring them to their end with till recover"
                )
            check_persons(place, "wipe keys", user, approvers)
            if not without_bank:
                held = load_keys(place.key_folder)
                client = open_signed_client(bank, held, place.clock, system_randomness)
                farewell.say_goodbye(client)
            farewell.wipe(place.key_folder)
    click.echo("The keys are erased. To work again: till enrol")


def check_persons(place: Place, about: str, user: str | None, approvers: Sequence[str]) -> None:
    """Ask who wants this, in a till that people work at. Raises NotAllowed."""
    with place.open_staff() as staff:
        if staff.needs_first_supervisor:
            return
        sign_in(staff, user, approvers, is_bench=place.settings().shop.mode == "bench")
        staff.check(Act.MANAGE_KEYS, about)


def key_passphrase(place: Place) -> bytes:
    """Return what encrypts this till's keys; a bench till makes its own. Raises KeysUnusable."""
    from terminal.security import passphrase

    found = passphrase.find(place.key_folder)
    if found is not None:
        return found
    if place.settings().shop.mode == "bench":
        return passphrase.make_beside(place.key_folder, system_randomness(32))
    raise KeysUnusable(f"The keys need a passphrase: {passphrase.HOW}")


def _date(unix_ms: int) -> str:
    return datetime.fromtimestamp(unix_ms / 1000, UTC).date().isoformat()
