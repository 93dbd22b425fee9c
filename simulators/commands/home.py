"""Where the simulators keep their keys and books when nobody says otherwise."""

from __future__ import annotations

import os
from pathlib import Path


def default_home() -> Path:
    """Return the state directory. Source: XDG Base Directory Specification."""
    if os.environ.get("OPENTILL_HOME"):
        return Path(os.environ["OPENTILL_HOME"])
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "opentill"
