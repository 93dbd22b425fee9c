"""Who a command acts as, and who says yes beside them: `--as` and `--approve`."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from terminal.commands.place import Refusal
from terminal.people.staff import Staff

F = TypeVar("F", bound=Callable[..., Any])


def acting(function: F) -> F:
    """Add --as and --approve to a command."""
    for option in reversed(
        (
            click.option(
                "--as",
                "user",
                metavar="USER",
                envvar="OPENTILL_USER",
                help="Who you are. The secret is asked for, or taken from OPENTILL_SECRET and "
                "OPENTILL_CODE; a simulated shop's own people need none.",
            ),
            click.option(
                "--approve",
                "approvers",
                metavar="USER",
                multiple=True,
                help="Who says yes beside you; asked for like yours, or OPENTILL_APPROVER_SECRET "
                "and OPENTILL_APPROVER_CODE.",
            ),
        )
    ):
        function = option(function)
    return function


def sign_in(staff: Staff, user: str | None, approvers: Sequence[str], *, is_bench: bool) -> None:
    """Sign who acts in, and have the others say yes to what comes next.

    Raises SignInRefused, SignInLocked, NotAllowed, UnknownPerson; Refusal if
    nobody is named.
    """
    if user is not None:
        _prove(user, "OPENTILL", staff.sign_in, staff.let_in if is_bench else None)
    if staff.signed_in is None:
        raise Refusal("Say who you are: --as USER")
    for approver in approvers:
        _prove(approver, "OPENTILL_APPROVER", staff.approve, staff.vouch if is_bench else None)


def _prove(
    name: str,
    prefix: str,
    by_secret: Callable[[str, str, str], object],
    at_their_word: Callable[[str], object] | None,
) -> None:
    """Take secret and one-time code from the environment, else from the prompt."""
    secret = os.environ.get(f"{prefix}_SECRET")
    code = os.environ.get(f"{prefix}_CODE", "")
    if secret is None and at_their_word is not None:
        at_their_word(name)
        return
    if secret is None:
        secret = click.prompt(f"Secret of {name}", hide_input=True, err=True)
        code = click.prompt(
            f"One-time code of {name}, or Enter", default="", show_default=False, err=True
        )
    by_secret(name, secret, code)
