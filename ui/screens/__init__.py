"""One file per screen; here, which screen the till's view asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from terminal.view import Stage

if TYPE_CHECKING:
    from ui.desk import Desk
    from ui.screens.page import Page


def page_for(desk: Desk) -> Page:
    """Return the screen of the stage the till is in.

    Modules load when their screen is first needed: the start does not wait.
    """
    stage = desk.view.stage
    if stage is Stage.IDLE:
        from ui.screens.sale import SalePage

        return SalePage(desk)
    if stage in (Stage.PRESENT, Stage.READING):
        from ui.screens.present import PresentPage

        return PresentPage(desk)
    if stage is Stage.CHOOSE:
        from ui.screens.choose import ChoosePage

        return ChoosePage(desk)
    if stage is Stage.PIN:
        from ui.screens.pin import PinPage

        return PinPage(desk)
    if stage is Stage.CODE:
        from ui.screens.code import CodePage

        return CodePage(desk)
    if stage is Stage.RESULT:
        from ui.screens.result import ResultPage

        return ResultPage(desk)
    from ui.screens.processing import ProcessingPage

    return ProcessingPage(desk)
