"""The README's pictures come from one command."""

import asyncio
from pathlib import Path

import pytest

from ui import pictures


def test_the_command_writes_every_picture(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "PICTURES", pictures.PICTURES[:2])
    assert pictures.main([str(tmp_path / "out")]) == 0
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["present-zh.svg", "sale.svg"]
    assert "sale.svg" in capsys.readouterr().out


def test_a_picture_shows_the_till() -> None:
    svg = asyncio.run(pictures.draw(pictures.PICTURES[0]))
    assert svg.startswith("<svg")
    assert "Take&#160;payment" in svg


def test_a_missing_folder_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert pictures.main([]) == 2
    assert "usage" in capsys.readouterr().err
