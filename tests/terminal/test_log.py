"""The log is private, bounded, and on no screen."""

import logging
from pathlib import Path

import pytest

from terminal.log import write_log


def test_the_log_is_a_private_file_and_nothing_reaches_the_screen(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write_log(tmp_path)
    logging.getLogger("terminal.bank.desk").warning("pay a1 has no answer")
    log = tmp_path / "till.log"
    assert "WARNING" in log.read_text()
    assert "pay a1 has no answer" in log.read_text()
    assert log.stat().st_mode & 0o777 == 0o600
    assert capfd.readouterr() == ("", "")


def test_the_log_never_fills_the_disk(tmp_path: Path) -> None:
    write_log(tmp_path)
    for number in range(60):
        logging.getLogger("terminal").info("%d %s", number, "x" * 100_000)
    files = list(tmp_path.glob("till.log*"))
    assert len(files) == 4
    assert sum(file.stat().st_size for file in files) < 5_000_000
