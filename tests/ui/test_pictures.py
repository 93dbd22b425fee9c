"""The README's pictures come from one command."""

import asyncio
import xml.etree.ElementTree as ElementTree
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
    words = [element.text for element in ElementTree.fromstring(svg) if element.text]
    assert "Take payment" in words


def test_a_code_in_a_picture_is_cells_and_no_font() -> None:
    code = next(picture for picture in pictures.PICTURES if picture.view == "code")
    svg = asyncio.run(pictures.draw(code))
    assert not set(svg) & set(pictures.BLOCKS)


def test_a_missing_folder_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert pictures.main([]) == 2
    assert "usage" in capsys.readouterr().err
