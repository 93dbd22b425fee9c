"""What python-escpos knows about printers: their width, and what they can do.

It is loaded only for a shop that names its printer's model: it takes longer
to load than a till to start.
"""

from __future__ import annotations

import difflib
import logging
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from drivers.errors import OptionRefused


@dataclass(frozen=True, slots=True)
class Model:
    """One kind of printer."""

    columns: int
    """Cells a line, in its first font."""
    width_dots: int
    has_qr: bool
    """It draws QR codes by itself."""
    has_raster: bool
    has_cutter: bool
    has_drawer: bool


def find_model(name: str) -> Model:
    """Return a model by its name in python-escpos, such as 'TM-T88III'.

    Raises OptionRefused, naming those that are spelt alike.
    """
    profiles = _profiles()
    if name not in profiles:
        alike = difflib.get_close_matches(name, profiles) or sorted(profiles)[:8]
        raise OptionRefused(f"model {name!r}: python-escpos knows {', '.join(alike)} …")
    profile = profiles[name]
    features = profile["features"]
    columns = int(profile["fonts"]["0"]["columns"])
    width = profile["media"]["width"]["pixels"]
    return Model(
        columns=columns,
        # Where nobody has measured it: twelve dots a cell, as everywhere.
        width_dots=width if isinstance(width, int) else 12 * columns,
        has_qr=features["qrCode"],
        has_raster=features["bitImageRaster"],
        has_cutter=features["paperFullCut"] or features["paperPartCut"],
        has_drawer=features["pulseStandard"],
    )


def _profiles() -> Mapping[str, Any]:
    """Load the library's table, and undo what loading it does to everybody else.

    It sets up logging to the screen, where a till draws, and leaves a folder
    of temporary files behind each time.
    """
    root = logging.getLogger()
    handlers = list(root.handlers)
    from escpos import capabilities

    for handler in root.handlers[:]:
        if handler not in handlers:
            root.removeHandler(handler)
    shutil.rmtree(capabilities.pickle_dir, ignore_errors=True)
    profiles: Mapping[str, Any] = capabilities.CAPABILITIES["profiles"]
    return profiles
