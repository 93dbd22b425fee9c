"""Kinds of value that several tables of settings share."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

Line = Annotated[str, Meta(min_length=1, max_length=64)]
"""Text for a screen or a receipt."""
Wording = Annotated[str, Meta(max_length=64, pattern=r"^[^\x00-\x1f\x7f-\x9f]*\Z")]
"""Text that others wrote, for a screen or a receipt: no control characters."""
CurrencyLetters = Annotated[str, Meta(pattern=r"^[A-Z]{3}\Z")]
Seconds = Annotated[float, Meta(gt=0, le=3600)]
Minor = Annotated[int, Meta(ge=0, le=999_999_999_999)]
"""As many as fit in tag 9F02, which has 12 digits."""


class HexBytes(bytes):
    """Bytes that a file holds as hexadecimal text; white space may stand between."""
