"""Who a command acts as, and who says yes beside them: `--as` and `--approve`."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from terminal.commands.place import Refusal
from terminal.till import Till

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


def sign_in(till: Till, user: str | None, approvers: Sequence[str]) -> None:
    """Sign who acts in at this till, and have the others say yes to what comes next.

    Raises SignInRefused, SignInLocked, NotAllowed, UnknownPerson; Refusal if
    nobody is named.
    """
    staff = till.staff
    if user is not None:
        _prove(till, user, "OPENTILL", staff.sign_in, staff.let_in)
    if staff.signed_in is None:
        raise Refusal("Say who you are: --as USER")
    for approver in approvers:
        _prove(till, approver, "OPENTILL_APPROVER", staff.approve, staff.vouch)


def _prove(
    till: Till,
    name: str,
    prefix: str,
    by_secret: Callable[[str, str, str], object],
    at_their_word: Callable[[str], object],
) -> None:
    """Take secret and one-time code from the environment, else from the prompt."""
    secret = os.environ.get(f"{prefix}_SECRET")
    code = os.environ.get(f"{prefix}_CODE", "")
    if secret is None and till.shop.is_bench:
        at_their_word(name)
        return
    if secret is None:
        secret = click.prompt(f"Secret of {name}", hide_input=True, err=True)
        code = click.prompt(
            f"One-time code of {name}, or Enter", default="", show_default=False, err=True
        )
    by_secret(name, secret, code)
