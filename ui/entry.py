"""The sale being typed: digits, and the items already added."""

from __future__ import annotations

from dataclasses import dataclass, field

DIGITS_MAX = 9

# A hand scanner that types like a keyboard sends its code faster than fingers.
BURST_GAP_S = 0.030
BURST_DIGITS = 12


@dataclass(slots=True)
class Entry:
    """What stands on the tape. Amounts are minor units."""

    digits: str = ""
    items: list[int] = field(default_factory=list)
    burst: int = 0
    before_burst: str = ""
    last_digit_at: float = float("-inf")

    @property
    def typed_minor(self) -> int:
        """The amount that is not an item yet."""
        return int(self.digits or "0")

    @property
    def total_minor(self) -> int:
        """Items and digits together."""
        return sum(self.items) + self.typed_minor

    def type_digit(self, digit: str, at: float) -> bool:
        """Take one digit; False when it turns out that a scanner is typing.

        at: the till's clock, in seconds. What the scanner typed is taken back.
        """
        if at - self.last_digit_at < BURST_GAP_S:
            self.burst += 1
        else:
            self.burst, self.before_burst = 1, self.digits
        self.last_digit_at = at
        if self.burst >= BURST_DIGITS:
            self.digits = self.before_burst
            return False
        if len(self.digits) < DIGITS_MAX and (self.digits or digit != "0"):
            self.digits += digit
        return True

    def delete_digit(self) -> None:
        """Take the last digit back."""
        self.digits = self.digits[:-1]

    def add_item(self) -> bool:
        """Put the typed amount on the tape; False when there is none."""
        if not self.typed_minor:
            return False
        self.items.append(self.typed_minor)
        self.digits = ""
        return True

    def drop_item(self) -> bool:
        """Take the last item off the tape; False when there is none."""
        if not self.items:
            return False
        self.items.pop()
        return True

    def clear(self) -> None:
        """Begin again."""
        self.digits = ""
        self.items.clear()
