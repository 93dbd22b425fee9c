"""A till that stands still, and ways to read the screen."""

import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import pytest_textual_snapshot
from textual.app import App

from ui.still import StillTill

# The plugin names the ending as older releases of its library did.
pytest_textual_snapshot.SVGImageExtension.file_extension = "svg"


@pytest.fixture(autouse=True)
def still_zone() -> Iterator[None]:
    """Times on the screen are local: here they are UTC, whatever the machine says."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = "UTC"
    time.tzset()
    yield
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    time.tzset()


@pytest.fixture
def still() -> StillTill:
    """A quiet till at 14:32, pure rendering: nothing behind it moves."""
    return StillTill()


@pytest.fixture
def read_screen() -> Callable[[App[Any]], str]:
    """Return the characters on an application's screen, row by row."""

    def read(app: App[Any]) -> str:
        strips = app.screen._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)

    return read
