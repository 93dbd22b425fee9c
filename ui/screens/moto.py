"""A card that is not here: its number typed, for an order by mail or telephone."""

from __future__ import annotations

from ui.desk import Desk
from ui.locale import mark
from ui.screens.people import FormPage
from ui.widgets.form import Field

TEST_CARD = ("4761739001010119", "12/31")
"""A published test number, for the simulation's F12."""


class MotoPage(FormPage):
    """Number and expiry; they leave this page only under the seal."""

    name = "moto"
    title = mark("CARD NUMBER TYPED")
    submit_label = mark("Take payment")

    def __init__(self, desk: Desk) -> None:
        """Ask for the card that pays what is on the tape."""
        fields = (
            Field("number", mark("Card number"), is_secret=True, shown_last=4),
            Field("expiry", mark("Expiry, month and year")),
        )
        super().__init__(desk, fields)

    def intro(self) -> str:
        """Say how much, and what is not asked for."""
        text = self.desk.words(
            "{amount}, by mail or telephone. Never ask for the code on the back."
        )
        return text.format(amount=self.desk.amount(self.desk.entry.total_minor))

    def submit(self) -> None:
        """Take the payment; what was typed is forgotten once it is sent."""
        texts = self.form.texts
        self.desk.till.moto(self.desk.entry.total_minor, texts["number"], texts["expiry"])
        self.form.fill(("", ""))
        self.close_page()

    def fill_in(self) -> None:
        """Type a test card."""
        self.form.fill(TEST_CARD)
