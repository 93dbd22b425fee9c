"""The doctor's page: the same lines as the command line, in the language chosen."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from textual.pilot import Pilot

from terminal.doctor.lines import Group, Line
from terminal.doctor.surroundings import Screen
from ui.app import TillApp
from ui.screens.doctor import DoctorPage
from ui.still import FOUND, SHOP, VIEWS, StillBench, StillTill


async def opened(app: TillApp, pilot: Pilot[Any]) -> list[str]:
    """Open the doctor by the number it has on the list, and wait until it is through."""
    await pilot.press("f9", "9")
    page = app.page
    assert isinstance(page, DoctorPage)
    await until_done(page, pilot)
    return app.picture().lines()


async def until_done(page: DoctorPage, pilot: Pilot[Any]) -> None:
    while not page.is_done:
        await pilot.pause()
    await pilot.pause()


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_the_gravest_line_is_shown_in_full(language: str) -> None:
    app = TillApp(StillTill(VIEWS["sale"]), language)
    async with app.run_test(size=(80, 24)) as pilot:
        picture = "\n".join(await opened(app, pilot))

    words = {
        "en": ("DOCTOR", "only root may open /dev/ttyACM0", "Does not work: 1", "✗ fault"),
        "zh": ("诊断", "只有 root 能打开 /dev/ttyACM0", "不正常：1 项", "✗ 故障"),
    }[language]
    for word in words:
        assert word in picture
    assert "sudo udevadm trigger" in picture.replace("\n", " ")


async def test_arrows_go_through_what_was_found() -> None:
    app = TillApp(StillTill(VIEWS["sale"]), "en")
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot)
        await pilot.press("down", "down")
        picture = "\n".join(app.picture().lines())
        assert 'source = "/dev/video0"' in picture
        await pilot.press("escape")
        assert app.page.name == "sale"


async def test_nothing_is_cut_in_either_language_or_size() -> None:
    """The lines may be shortened in the list; in full below it they are not."""
    for size in ((80, 24), (120, 36)):
        for language in ("en", "zh"):
            app = TillApp(StillTill(VIEWS["sale"]), language)
            async with app.run_test(size=size) as pilot:
                await opened(app, pilot)
                assert not app.picture().clipped


class SlowTill(StillTill):
    """Its doctor waits for a bank that does not answer."""

    def __init__(self) -> None:
        super().__init__(VIEWS["sale"])
        self.answers = threading.Event()

    def examine(self, screen: Screen) -> Iterator[Line]:
        yield FOUND[0]
        assert self.answers.wait(30)
        yield Line(Group.BANK, "link", "bank-simulated")


async def test_keys_work_while_the_doctor_waits() -> None:
    till = SlowTill()
    app = TillApp(till, "en")
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("f9", "9")
        page = app.page
        assert isinstance(page, DoctorPage)
        await pilot.press("f10")
        assert "检查中" in app.picture().lines()[2]
        till.answers.set()
        await until_done(page, pilot)
        assert "一切正常" in "\n".join(app.picture().lines())


class BrokenTill(StillTill):
    def examine(self, screen: Screen) -> Iterator[Line]:
        raise OSError("the bus is on fire")


async def test_whatever_breaks_off_the_doctor_the_till_stays() -> None:
    app = TillApp(BrokenTill(VIEWS["sale"]), "en")
    async with app.run_test(size=(80, 24)) as pilot:
        picture = "\n".join(await opened(app, pilot))
        assert "Broken off: the bus is on fire" in picture
        await pilot.press("escape", "1")
        assert app.desk.entry.digits == "1"


async def test_the_bench_has_its_own_key_behind_ten_numbers() -> None:
    app = TillApp(StillTill(VIEWS["sale"], replace(SHOP, is_bench=True), StillBench()), "en")
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("f9", "b")
        assert app.page.name == "bench"
