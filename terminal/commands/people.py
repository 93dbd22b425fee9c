"""`till people` and `till audit`: who works here, and who did what."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict
from datetime import UTC, datetime

import click

from terminal.bank.dialects import open_signed_client, speaks_iso8583
from terminal.chains import Chains
from terminal.commands.place import Place, Refusal, refusals
from terminal.commands.who import acting, sign_in
from terminal.errors import NeverLeft
from terminal.journal import JournalReader
from terminal.people.audit import AuditLine, AuditLog
from terminal.people.one_time import key_of_uri
from terminal.people.privileges import Act, Role
from terminal.people.staff import Staff
from terminal.seams import system_randomness


@click.group(name="people")
def people() -> None:
    """See and change who works at this till.

    \b
    Example:
      till people first --name 00
      till people --help
    """


@contextmanager
def _working(place: Place, user: str | None, approvers: Sequence[str]) -> Iterator[Staff]:
    """Open the register with who acts signed in."""
    with refusals(), place.open_staff() as staff:
        sign_in(staff, user, approvers, is_bench=place.settings().shop.mode == "bench")
        yield staff


def _new_secret(name: str) -> str:
    secret: str = click.prompt(
        f"New secret of {name}", hide_input=True, confirmation_prompt=True, err=True
    )
    return secret


@people.command(name="first")
@click.option("--name", required=True, help="What she signs in with.")
@click.option("--called", default="", help="What receipts show; the name if absent.")
@click.pass_obj
def first(place: Place, name: str, called: str) -> None:
    """Take the first supervisor in, at a till that nobody works at yet."""
    with refusals(), place.open_staff() as staff:
        staff.take_in_first(name, called, _new_secret(name))
        _set_up_app(place, staff)


@people.command(name="list")
@click.option("--json", "json_wanted", is_flag=True, help="Print one JSON object per person.")
@acting
@click.pass_obj
def list_people(
    place: Place, json_wanted: bool, user: str | None, approvers: tuple[str, ...]
) -> None:
    """List who works here."""
    with _working(place, user, approvers) as staff:
        for person in staff.people():
            if json_wanted:
                click.echo(json.dumps(asdict(person), ensure_ascii=False))
            else:
                pending = "" if person.is_ready else "  not yet signed in"
                click.echo(f"{person.name:16}  {person.called:20}  {person.role:10}{pending}")


@people.command(name="add")
@click.argument("name")
@click.option("--role", type=click.Choice([role.value for role in Role]), default="cashier")
@click.option("--called", default="", help="What receipts show; the name if absent.")
@acting
@click.pass_obj
def add(
    place: Place, name: str, role: str, called: str, user: str | None, approvers: tuple[str, ...]
) -> None:
    """Take NAME in; prints the secret for the first sign-in, once."""
    with _working(place, user, approvers) as staff:
        click.echo(staff.take_in(name, called, Role(role)))


@people.command(name="reset")
@click.argument("name")
@acting
@click.pass_obj
def reset(place: Place, name: str, user: str | None, approvers: tuple[str, ...]) -> None:
    """Give NAME a first secret again, and take their app away; prints the secret, once."""
    with _working(place, user, approvers) as staff:
        click.echo(staff.reset(name))


@people.command(name="remove")
@click.argument("name")
@acting
@click.pass_obj
def remove(place: Place, name: str, user: str | None, approvers: tuple[str, ...]) -> None:
    """End the work of NAME here; the name stays taken."""
    with _working(place, user, approvers) as staff:
        staff.let_go(name)


@people.command(name="secret")
@acting
@click.pass_obj
def own_secret(place: Place, user: str | None, approvers: tuple[str, ...]) -> None:
    """Choose a new secret of your own, and set an app up if your role needs one."""
    with _working(place, user, approvers) as staff:
        signed_in = staff.signed_in
        if signed_in is None:
            return
        staff.choose_secret(_new_secret(signed_in.name))
        if signed_in.lacks_code:
            _set_up_app(place, staff)


def _set_up_app(place: Place, staff: Staff) -> None:
    uri = staff.propose_app(place.settings().shop.name)
    click.echo(f"Type this key into an authenticator app: {key_of_uri(uri)}")
    click.echo(f"Or have it scan: {uri}")
    staff.confirm_app(click.prompt("The code that it shows", err=True))


@click.command(name="audit")
@click.option("--json", "json_wanted", is_flag=True, help="Print one JSON object per line.")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True)
@click.option("--export", "is_export", is_flag=True, help="Every line, as JSON, for an auditor.")
@click.option(
    "--bank",
    "is_compared",
    is_flag=True,
    help="Hold the log, and the journal, against the ends that the bank has kept.",
)
@acting
@click.pass_obj
def audit(
    place: Place,
    json_wanted: bool,
    limit: int,
    is_export: bool,
    is_compared: bool,
    user: str | None,
    approvers: tuple[str, ...],
) -> None:
    """Check the audit log's chain, and show its end.

    Exit status: 0 if the chain holds, 30 if it does not, you may not see it, or
    the bank was to be asked and is not there.

    \b
    Example:
      till audit --as 00
      till audit --as 00 --bank
      till audit --as 88 --export > audit.jsonl
    """
    with _working(place, user, approvers) as staff:
        staff.check(Act.EXPORT_AUDIT_LOG if is_export else Act.READ_AUDIT_LOG)
        count = staff.log.verify()
        kept = _kept_by_bank(place, staff.log) if is_compared else None
        lines = list(staff.log.lines())
        for at_ms, line in lines if is_export else lines[-limit:]:
            click.echo(_as_json(at_ms, line) if json_wanted or is_export else _as_text(at_ms, line))
        click.echo(f"{count} lines; the chain holds", err=True)
        if kept is not None:
            click.echo(f"It and the journal go through all {kept} ends at the bank", err=True)


def _kept_by_bank(place: Place, log: AuditLog) -> int:
    """Return how many ends the bank has kept, if log and journal go through them."""
    from terminal.bank.chain_ends import compare
    from terminal.security.keys import load_keys

    bank = place.settings().bank
    if speaks_iso8583(bank):
        raise Refusal("ISO 8583 has no words for it: this bank keeps no ends")
    keys = load_keys(place.key_folder)
    with (
        closing(JournalReader(place.till_folder)) as journal,
        closing(open_signed_client(bank, keys, place.clock, system_randomness)) as client,
    ):
        try:
            return compare(client, Chains(journal, lambda: log))
        except NeverLeft as error:
            # A bench shop's own bank runs only while its till does.
            named = " Name one that runs: till --bank URL audit --bank"
            is_bench = place.settings().shop.mode == "bench"
            raise Refusal(f"{error}.{named if is_bench else ''}") from error


def _as_json(at_ms: int, line: AuditLine) -> str:
    at = datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")
    return json.dumps({"at": at, **asdict(line)}, ensure_ascii=False)


def _as_text(at_ms: int, line: AuditLine) -> str:
    when = datetime.fromtimestamp(at_ms / 1000).astimezone()
    # A word of the guard's, or a sentence of somebody else's with the name of a key in it.
    why = line.why.replace("_", " ") if line.why.isidentifier() else line.why
    verdict = "granted" if line.is_granted else f"refused: {why}"
    by = f" by {', '.join(line.approved_by)}" if line.approved_by else ""
    return (
        f"{when:%m-%d %H:%M:%S}  {line.name or '-':12}  {line.act.replace('_', ' '):20}"
        f"  {line.about:16}  {verdict}{by}"
    )
