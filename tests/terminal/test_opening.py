"""What a shop may be opened with, before anything is opened."""

from pathlib import Path

import pytest

from terminal.errors import LiveShopRefused
from terminal.opening import claim


@pytest.mark.parametrize(("first", "second"), [("bench", "live"), ("live", "bench")])
def test_a_folder_never_changes_sides(tmp_path: Path, first: str, second: str) -> None:
    claim(tmp_path / "till", first)
    claim(tmp_path / "till", first)
    with pytest.raises(LiveShopRefused, match=f"is a {first} shop's, and this shop is {second}"):
        claim(tmp_path / "till", second)
