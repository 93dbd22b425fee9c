"""The doctor's lines: what was looked at, what was found, and how grave it is."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from terminal.doctor.wording import WORDING, Level


class Group(enum.StrEnum):
    """What a line is about, in the order they are shown."""

    SHOP = "shop"
    DEVICES = "devices"
    FOUND = "found"
    BANK = "bank"
    KEYS = "keys"
    JOURNAL = "journal"
    SCREEN = "screen"
    SOFTWARE = "software"


GROUP_TITLES: Mapping[Group, str] = {
    Group.SHOP: "Shop",
    Group.DEVICES: "Devices",
    Group.FOUND: "Not set up",
    Group.BANK: "Bank",
    Group.KEYS: "Keys",
    Group.JOURNAL: "Journal",
    Group.SCREEN: "Screen",
    Group.SOFTWARE: "Software",
}

LEVEL_WORDS: Mapping[Level, str] = {
    Level.OK: "ok",
    Level.WARNING: "look",
    Level.FAULT: "fault",
}

SIGNS: Mapping[Level, str] = {Level.OK: "✓", Level.WARNING: "!", Level.FAULT: "✗"}


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that was looked at."""

    group: Group
    subject: str
    """What people call it: a device's name, a file, 'certificate'."""
    code: str
    """What was found; a key of the wording, the same in every language."""
    facts: Mapping[str, str] = field(default_factory=dict)
    toml: str = ""
    """Lines to add to the shop's file."""

    @property
    def level(self) -> Level:
        """How grave it is."""
        return WORDING[self.code].level

    @property
    def text(self) -> str:
        """What was found, in English."""
        return WORDING[self.code].text.format(**self.facts)

    @property
    def step(self) -> str:
        """What mends it, in English; empty where nothing has to be done."""
        return WORDING[self.code].step.format(**self.facts)

    def as_plain(self) -> dict[str, Any]:
        """Return what scripts may rely on. docs/doctor.md says what it means."""
        return {
            "group": self.group.value,
            "subject": self.subject,
            "level": self.level.value,
            "code": self.code,
            "text": self.text,
            "step": self.step,
            "facts": dict(self.facts),
            "toml": self.toml,
        }
