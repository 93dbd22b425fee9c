"""The fixtures work in a project that has folders of the same names as ours."""

from __future__ import annotations

import configparser
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
FOREIGN_PACKAGES = ("config", "ui", "terminal", "tests")


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """A project of somebody else, into whose environment OpenTill is installed."""
    project = tmp_path / "project"
    for name in FOREIGN_PACKAGES:
        (project / name).mkdir(parents=True)
        (project / name / "__init__.py").write_text("OWNER = 'somebody else'\n", "utf-8")
    # Installed means: its packages can be imported, its entry points are known.
    settings = configparser.ConfigParser()
    settings.read(PROJECT / "setup.cfg", "utf-8")
    known = tmp_path / "installed" / "opentill-0.dist-info"
    known.mkdir(parents=True)
    (known / "METADATA").write_text("Metadata-Version: 2.1\nName: opentill\nVersion: 0\n", "utf-8")
    entries = settings["options.entry_points"]["pytest11"].strip()
    (known / "entry_points.txt").write_text(f"[pytest11]\n{entries}\n", "utf-8")
    return project


def run(project: Path, source: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    (project / "tests" / "test_theirs.py").write_text(textwrap.dedent(source), "utf-8")
    paths = [str(project), str(project.parent / "installed"), str(PROJECT), *sys.path]
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments],
        cwd=project,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )


def example(of: str) -> str:
    """The documentation's example of one fixture, to the letter."""
    text = (PROJECT / "docs" / "simulators.md").read_text("utf-8")
    found = re.finditer(r"```python\n(.*?)```", text, re.DOTALL)
    return next(each[1] for each in found if f"({of}" in each[1])


@pytest.mark.parametrize(
    ("of", "imports"), [("opentill_reader", ""), ("opentill_printer", "import serial\n\n")]
)
def test_the_documented_examples_work_as_they_stand(foreign: Path, of: str, imports: str) -> None:
    ended = run(foreign, imports + example(of))

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "1 passed" in ended.stdout


def test_a_pin_is_entered_on_their_pad_and_comes_out_enciphered(foreign: Path) -> None:
    ended = run(
        foreign,
        """
        from concurrent.futures import ThreadPoolExecutor

        def test_pin(opentill_pinpad):
            from drivers.pinpad_serial import SerialPinPad

            pad = SerialPinPad(opentill_pinpad.path)
            with ThreadPoolExecutor(1) as beside:
                asked = beside.submit(pad.encrypted_pin, "4761739001010119", 30)
                assert opentill_pinpad.wait_until(lambda pad: "PIN" in pad.screen)
                for key in (*"1234", "enter"):
                    opentill_pinpad.device.press(key)
                assert len(asked.result(30).block) == 16
            pad.close()
        """,
    )

    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_their_folders_stay_theirs(foreign: Path) -> None:
    ended = run(
        foreign,
        """
        import config, terminal, tests, ui

        def test_whose_is_what(opentill_card, opentill_phone, opentill_camera, opentill_wallet):
            opentill_card()
            opentill_phone()
            assert opentill_wallet("alipay-qr").show().codes
            for package in (config, terminal, tests, ui):
                assert package.OWNER == "somebody else"
        """,
    )

    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_nothing_is_imported_until_a_test_asks(foreign: Path) -> None:
    ended = run(
        foreign,
        """
        import sys

        def test_what_is_there():
            ours = [n for n in sys.modules if n.split(".")[0] in ("simulators", "drivers", "emv")]
            assert sorted(ours) == ["simulators", "simulators.pytest_plugin"]
        """,
    )

    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.wire
def test_every_real_stack_is_there_for_them(foreign: Path) -> None:
    ended = run(
        foreign,
        """
        PPSE = bytes.fromhex("00A404000E325041592E5359532E444446303100")

        def test_pcsc(opentill_pcsc, opentill_card):
            opentill_pcsc.present(opentill_card("visa-online"), stay=True)
            from smartcard.CardRequest import CardRequest
            from smartcard.System import readers
            reader = next(r for r in readers() if opentill_pcsc.name in str(r))
            service = CardRequest(timeout=10, readers=[reader]).waitforcard()
            service.connection.connect()
            data, *status = service.connection.transmit(list(PPSE))
            assert status == [0x90, 0x00]
            service.connection.disconnect()
            service.connection.release()

        def test_nfcpy(opentill_nfc_udp, opentill_card):
            import nfc, nfc.clf, nfc.tag
            opentill_nfc_udp.present(opentill_card())
            clf = nfc.ContactlessFrontend(opentill_nfc_udp.path)
            tag = nfc.tag.activate(clf, clf.sense(nfc.clf.RemoteTarget("106A")))
            assert bytes(tag.transceive(PPSE)).endswith(b"\\x90\\x00")
            clf.close()

        def test_pn532(opentill_pn532, opentill_card):
            import nfc.clf.pn532, nfc.clf.transport
            opentill_pn532.present(opentill_card())
            device = nfc.clf.pn532.init(nfc.clf.transport.TTY(opentill_pn532.path))
            assert device.sense_tta(nfc.clf.RemoteTarget("106A")) is not None
            device.close()
        """,
    )

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "3 passed" in ended.stdout
