"""A sample of mutants, and a test that is known to be too weak."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.mutation.campaign import PROJECT

# Modules that their own tests know through and through.
OWN_TESTS = {"emv/dol.py": "tests/emv/test_dol.py", "emv/cvm.py": "tests/emv/test_cvm.py"}


def mutation(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the campaign in a process of its own: it forks, and collects tests anew."""
    outside = {name: value for name, value in os.environ.items() if "PYTEST" not in name}
    return subprocess.run(
        [sys.executable, "-m", "tests.mutation", *arguments],
        cwd=PROJECT,
        env=outside,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_a_sample_of_changes_to_the_rules_is_noticed(shared: Path) -> None:
    ran = mutation(*OWN_TESTS, "--sample", "8", "--tests", *OWN_TESTS.values())

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "8 mutants; 0 live" in ran.stdout


def test_a_test_that_looks_at_nothing_lets_a_change_live(tmp_path: Path) -> None:
    weak = tmp_path / "test_weak.py"
    weak.write_text("from emv.dol import is_template\ndef test_it(): is_template(0x70)\n")

    ran = mutation("emv/dol.py", "--sample", "58", "--tests", str(weak))

    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert "survived" in ran.stdout
    assert "emv/dol.py is_template: tag & 32 -> tag | 32" in ran.stdout
    assert "unreached at line" in ran.stdout


def test_a_suite_that_fails_without_a_change_is_no_judge(tmp_path: Path) -> None:
    broken = tmp_path / "test_broken.py"
    broken.write_text("def test_it(): assert False\n")

    ran = mutation("emv/dol.py", "--sample", "1", "--tests", str(broken))

    assert ran.returncode == 1
    assert "test_it fails without a mutant" in ran.stdout + ran.stderr
