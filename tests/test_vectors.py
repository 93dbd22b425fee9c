"""Every file of cases from outside is read by a test."""

from __future__ import annotations

from functools import cache
from pathlib import Path

PROJECT = Path(__file__).parents[1]
NOT_READ = {
    "crypto/gm_sm2_sm3_sm4.json": "no national algorithms are here; tag DF69 says so",
}


@cache
def written() -> dict[str, str]:
    """The text of each file of tests but this one."""
    files = sorted((PROJECT / "tests").rglob("*.py"))
    return {
        str(path.relative_to(PROJECT)): path.read_text("utf-8")
        for path in files
        if path != Path(__file__)
    }


def readers(shared: Path) -> dict[str, list[str]]:
    """Which tests name each file of cases, with its ending or as one of several."""
    folder = shared / "vectors"
    return {
        str(path.relative_to(folder)): [
            name
            for name, text in written().items()
            if f'{path.name}"' in text or f'"{path.stem}"' in text
        ]
        for path in sorted(folder.rglob("*.json"))
    }


def test_every_file_of_cases_is_read_or_left_out_for_a_reason(shared: Path) -> None:
    unread = {name for name, named_by in readers(shared).items() if not named_by}

    assert unread == set(NOT_READ)


def test_a_file_nobody_names_is_found_out(tmp_path: Path) -> None:
    (tmp_path / "vectors").mkdir()
    (tmp_path / "vectors" / ("of_" + "nobody.json")).touch()

    assert readers(tmp_path) == {"of_" + "nobody.json": []}
