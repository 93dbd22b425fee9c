"""What a world ends with as soon as somebody sees it."""

from __future__ import annotations


class RuleBroken(Exception):
    """Something was seen that must not be."""

    def __init__(self, rule: str, detail: str) -> None:
        super().__init__(f"{rule}: {detail}")
        self.rule = rule
        self.detail = detail
