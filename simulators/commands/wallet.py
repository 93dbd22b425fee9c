"""till sim wallet: a customer's phone with a wallet on it."""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from simulators.commands.home import default_home
from simulators.wallet_door import WalletError

if TYPE_CHECKING:
    from simulators.wallet import Shown, Verdict, Wallet


@click.command(
    "wallet",
    epilog="\b\nExample:\n  till sim wallet --list\n"
    "  till sim wallet alipay-qr --bank https://localhost:8443 --home /tmp/shop --png screen.png\n"
    "  till sim wallet alipay-qr --bank https://localhost:8443 --home /tmp/shop \\\n"
    "      --pay HTTPS://PAY.OPENTILL.EXAMPLE/9F3K",
)
@click.argument("profile", required=False)
@click.option("--bank", metavar="URL", help="The bank, as till sim bank prints it.")
@click.option(
    "--certificates",
    type=click.Path(path_type=Path, file_okay=False),
    help="The wallet's key and certificate. [default: in the state directory]",
)
@click.option(
    "--home",
    type=click.Path(path_type=Path, file_okay=False),
    help="State directory, whose bank enrols the wallet at its first use. "
    "[default: $OPENTILL_HOME, else ~/.local/state/opentill]",
)
@click.option(
    "--png",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the screen with its code to a file.",
)
@click.option("--camera", metavar="URL", help="Hold the screen before a till sim camera.")
@click.option("--code", help="Show this text; the bank is not asked for a code.")
@click.option("--pay", metavar="TEXT-OR-PICTURE", help="Pay the code a till shows.")
@click.option("--pending", is_flag=True, help="List what waits for the owner.")
@click.option("--confirm", metavar="ATTEMPT", help="Let a waiting payment happen.")
@click.option("--refuse", metavar="ATTEMPT", help="End a waiting payment.")
@click.option("--list", "listing", is_flag=True, help="List the wallets and end.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    profile: str | None,
    bank: str | None,
    certificates: Path | None,
    home: Path | None,
    png: Path | None,
    camera: str | None,
    code: str | None,
    pay: str | None,
    pending: bool,
    confirm: str | None,
    refuse: str | None,
    listing: bool,
    as_json: bool,
) -> None:
    """Use a wallet: show a payment code, pay a till's code, confirm or refuse.

    Without an action it asks the bank for a payment code and prints it.
    """
    if listing:
        _list(as_json)
        return
    if profile is None:
        raise click.UsageError("name a wallet, or --list them")
    if sum(map(bool, (code, pay, pending, confirm, refuse))) > 1:
        raise click.UsageError("one of --code, --pay, --pending, --confirm, --refuse")
    try:
        if code is not None:
            _show(_drawn(profile, code), png, camera, as_json)
            return
        wallet = _wallet(profile, bank, certificates, home)
        if pending:
            waiting = [asdict(payment) for payment in wallet.pending()]
            _print({"payments": waiting}, as_json)
        elif pay is not None:
            _print_verdict(_paid(wallet, pay), as_json)
        elif confirm is not None:
            _print_verdict(wallet.confirm(confirm), as_json)
        elif refuse is not None:
            _print_verdict(wallet.refuse(refuse), as_json)
        else:
            _show(wallet.show(), png, camera, as_json)
    except WalletError as error:
        raise click.ClickException(str(error)) from error


def _wallet(name: str, bank: str | None, certificates: Path | None, home: Path | None) -> Wallet:
    from simulators.wallet import Wallet, profile
    from simulators.wallet_door import HTTPSDoor

    chosen = profile(name)
    if bank is None:
        raise click.UsageError("say where the --bank is, or give a --code")
    if certificates is None:
        home = home or default_home()
        certificates = home / "wallets" / chosen.account
        _enrol_once(home, certificates, chosen.account)
    return Wallet(chosen, HTTPSDoor(bank, certificates))


def _enrol_once(home: Path, certificates: Path, account: str) -> None:
    """Enrol a wallet at the bank of this state directory, if it is not yet."""
    from simulators.bank import bench
    from simulators.bank.errors import BankError
    from simulators.wallet_door import enrol_wallet

    now_ms = int(time.time() * 1000)
    try:
        place = bench.prepare(home, now_ms)
        enrol_wallet(
            certificates,
            lambda: bench.issue_enrolment_code(place, "wallet", account, now_ms, os.urandom),
            lambda request: bench.enrol(place, request, now_ms),
        )
    except BankError as error:
        raise click.ClickException(str(error)) from error


def _drawn(name: str, code: str) -> Shown:
    from simulators.wallet import Shown, profile, screen

    try:
        return Shown(screen(profile(name), [code]), (code,), "")
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--code") from error


def _paid(wallet: Wallet, what: str) -> Verdict:
    """Pay a code given as text, or as the name of a picture that holds it."""
    if not Path(what).is_file():
        return wallet.pay(what)
    import cv2

    image = cv2.imread(what, cv2.IMREAD_COLOR)
    if image is None:
        raise WalletError(f"{what}: not a picture, or a damaged one")
    return wallet.scan(image)  # type: ignore[arg-type]  # cv2's own type is wider


def _show(shown: Shown, png: Path | None, camera: str | None, as_json: bool) -> None:
    import cv2

    picture = cv2.imencode(".png", shown.image)[1].tobytes()
    if png is not None:
        png.write_bytes(picture)
    if camera is not None:
        _hold(camera, picture)
    _print({"codes": list(shown.codes), "expires_at": shown.expires_at}, as_json)


def _hold(camera: str, picture: bytes) -> None:
    """Put a picture before a camera that till sim camera runs."""
    from http.client import HTTPConnection, HTTPException
    from urllib.parse import urlsplit

    address = urlsplit(camera)
    connection = HTTPConnection(address.hostname or "", address.port, timeout=5)
    try:
        connection.request("POST", "/show", picture, {"content-type": "image/png"})
        status = connection.getresponse().status
    except (OSError, HTTPException) as error:
        raise WalletError(f"no camera at {camera}: {error}") from error
    finally:
        connection.close()
    if status != 204:
        raise WalletError(f"the camera at {camera} answers {status}")


def _print_verdict(verdict: Verdict, as_json: bool) -> None:
    _print({key: value for key, value in asdict(verdict).items() if value}, as_json)


def _print(facts: dict[str, object], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(facts, ensure_ascii=False))
        return
    for key, value in facts.items():
        if value == "":
            continue
        for item in value if isinstance(value, list) else [value]:
            text = " ".join(map(str, item.values())) if isinstance(item, dict) else item
            click.echo(f"{key}: {text}")


def _list(as_json: bool) -> None:
    from simulators.wallet import profiles

    listed = profiles()
    if as_json:
        keys = ("name", "title", "title_zh", "account", "expect", "expect_zh")
        rows = [{key: getattr(each, key) for key in keys} for each in listed]
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    for each in listed:
        click.echo(f"{each.name:16} {each.title:26} {each.expect}")
