"""What tells an enrolled till from another. Light: every start looks here first."""

from pathlib import Path
from typing import Final

TILL_ID: Final = "till-id"
"""The file that is written last."""


def is_enrolled(folder: Path) -> bool:
    """True if an enrolment was finished in this folder."""
    return (folder / TILL_ID).exists()
