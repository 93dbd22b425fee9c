"""`till emv`: what a shop's card settings come to."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime

import click

from config.cards import KERNEL_8, KERNEL_MASTERCARD, Application, CAKey, ECKey, LimitSet
from config.schema import Settings
from emv.authentication import CAKeyStore
from terminal.checkout.kernels import kernels
from terminal.commands.place import Place
from terminal.decoding.card_settings import Finding, examine
from terminal.doctor.lines import SIGNS
from terminal.doctor.wording import Level
from terminal.money import plain_amount

BROKEN = 1
"""Exit status: something cannot work."""


@click.group(name="emv")
def emv() -> None:
    """Explain the settings that cards are paid by.

    \b
    Example:
      till emv config check
    """


@emv.group(name="config")
def config() -> None:
    """Applications, limits, action codes and CA keys of the shop."""


@config.command(name="check")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def check(place: Place, as_json: bool) -> None:
    """List the applications with kernel, limits and action codes, and what contradicts itself.

    Amounts are in the shop's currency. What the schema refuses stops the till
    itself; here is what can be, and is seldom meant, each with its next step.
    Exit status: 0 nothing grave, 1 something cannot work.

    \b
    Example:
      till emv config check
      till --shop shop.toml emv config check --json
    """
    settings = place.card_settings()
    known = kernels(settings, CAKeyStore())
    today = datetime.fromtimestamp(place.clock.wall_ms() / 1000, UTC).astimezone().date()
    findings = list(examine(settings, known, today))
    if as_json:
        click.echo(json.dumps(as_plain(settings, findings), ensure_ascii=False, indent=2))
    else:
        for application in settings.applications:
            click.echo("\n".join(_lines(settings, application)))
        click.echo("\n".join(_key_lines(settings)))
        click.echo("\n".join(_finding_lines(findings)))
    if any(finding.level is Level.FAULT for finding in findings):
        raise click.exceptions.Exit(BROKEN)


def as_plain(settings: Settings, findings: Sequence[Finding]) -> dict[str, object]:
    """Return what scripts may rely on."""
    return {
        "currency": settings.shop.currency,
        "applications": [
            {
                "aid": one.aid.hex().upper(),
                "label": one.label,
                "kernel": one.kernel,
                "enabled": one.enabled,
                "ttq": None if one.ttq is None else one.ttq.hex().upper(),
                "transaction_limit_minor": one.transaction_limit_minor,
                "floor_limit_minor": one.floor_limit_minor,
                "cvm_limit_minor": one.cvm_limit_minor,
                "limit_sets": [
                    {
                        "program": each.program.hex().upper(),
                        "transaction_limit_minor": each.transaction_limit_minor,
                        "floor_limit_minor": each.floor_limit_minor,
                        "cvm_limit_minor": each.cvm_limit_minor,
                    }
                    for each in one.limit_sets
                ],
                "chip_floor_limit_minor": one.chip_floor_limit_minor,
                "action_codes": _action_codes(one),
            }
            for one in settings.applications
        ],
        "ca_keys": [
            {"name": key.name, "expires": key.expires and key.expires.isoformat()}
            for key in _keys(settings)
        ],
        "findings": [
            {
                "level": finding.level.value,
                "subject": finding.subject,
                "code": finding.code,
                "text": finding.text,
                "step": finding.step,
            }
            for finding in findings
        ],
    }


def _lines(settings: Settings, application: Application) -> list[str]:
    """Return one application, its limits and its action codes."""
    digits = settings.currency.digits

    def limit(minor: int | None) -> str:
        return "none" if minor is None else plain_amount(minor, digits)

    # The kernels that compare themselves let the limit itself pass.
    verified = "above" if application.kernel in (KERNEL_MASTERCARD, KERNEL_8) else "from"
    refused = "above" if application.kernel == KERNEL_MASTERCARD else "from"

    def taps(limits: Application | LimitSet) -> str:
        return (
            f"online above {limit(limits.floor_limit_minor)}, "
            f"verified {verified} {limit(limits.cvm_limit_minor)}, "
            f"refused {refused} {limit(limits.transaction_limit_minor)}"
        )

    state = "" if application.enabled else "  (not enabled)"
    lines = [
        f"{application.aid.hex().upper():16} {application.label}, kernel {application.kernel}"
        + state,
        f"    tap: {taps(application)}",
        *(
            f"    tap, program {one.program.hex().upper()}: {taps(one)}"
            for one in application.limit_sets
        ),
        f"    slot: online from {limit(application.chip_floor_limit_minor)}",
    ]
    if application.ttq is not None:
        lines.append(f"    qualifiers {application.ttq.hex().upper()}")
    for name, code in _action_codes(application).items():
        lines.append(f"    action code {name}: {code}")
    return lines


def _action_codes(application: Application) -> dict[str, str]:
    codes = application.action_codes
    if codes is None:
        return {}
    return {name: getattr(codes, name).hex().upper() for name in ("denial", "online", "default")}


def _keys(settings: Settings) -> list[CAKey | ECKey]:
    return [*settings.ca_keys, *settings.ec_keys]


def _key_lines(settings: Settings) -> list[str]:
    """Return how many keys each scheme has."""
    schemes: dict[str, int] = {}
    for key in _keys(settings):
        rid = key.rid.hex().upper()
        schemes[rid] = schemes.get(rid, 0) + 1
    return [f"CA keys of {rid}: {count}" for rid, count in schemes.items()]


def _finding_lines(findings: Sequence[Finding]) -> list[str]:
    lines = []
    for finding in findings:
        lines.append(f"{SIGNS[finding.level]} {finding.subject}: {finding.text}")
        lines.append(f"    › {finding.step}")
    faults = sum(finding.level is Level.FAULT for finding in findings)
    return [*lines, f"to look at: {len(findings) - faults}, faults: {faults}"]
