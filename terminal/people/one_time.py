"""One-time codes of an authenticator app. Source: RFC 6238; RFC 4226."""

from __future__ import annotations

import base64
import hmac
from typing import Final

STEP_S: Final = 30
STEPS_AROUND: Final = 1
"""The phone's clock may be this many steps off, either way."""
SECRET_BYTES: Final = 20


def accepted_step(secret: bytes, code: str, now_s: int, last_step: int) -> int | None:
    """Return the step a code belongs to; None if it is none, or was used.

    secret: 20 bytes. now_s: Unix seconds. last_step: the step accepted last; a
    code counts once, and no older one counts after it. Source: RFC 6238, 5.2.
    """
    import pyotp

    generator = pyotp.TOTP(base32(secret), interval=STEP_S)
    now = now_s // STEP_S
    found = None
    for step in range(now - STEPS_AROUND, now + STEPS_AROUND + 1):
        is_it = hmac.compare_digest(generator.at(step * STEP_S).encode(), code.strip().encode())
        if is_it and step > last_step:
            found = step
    return found


def base32(secret: bytes) -> str:
    """Return the secret as an app takes it. Source: RFC 4648, 6."""
    return base64.b32encode(secret).decode("ascii")


def key_of_uri(uri: str) -> str:
    """Return the key in what an app scans, in groups of four to type."""
    secret = uri.partition("secret=")[2].partition("&")[0]
    return " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))


def provisioning_uri(secret: bytes, name: str, shop: str) -> str:
    """Return what an app scans to make codes for this name."""
    import pyotp

    generator = pyotp.TOTP(base32(secret), interval=STEP_S, name=name, issuer=shop)
    return generator.provisioning_uri()
