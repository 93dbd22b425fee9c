"""What the till refuses reaches the cashier in the cashier's language."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import terminal
from terminal.states import State
from ui.locale import translate
from ui.refusals import PATTERNS, refusal_text

# What stands in the holes that are filled with words; the others hold numbers.
WORDS = {
    "what": "void",
    "words": "awaiting payer",
    "advice": "refund it instead",
    "still": "giving 7 back",
    "share": "tip",
}

CASHIER_ERRORS = {"NotAllowed", "AmountRefused", "Busy", "AlreadySettled"}


def nodes_of(*modules: str) -> Iterator[ast.AST]:
    for module in modules:
        source = (Path(terminal.__file__).parent / module).read_text(encoding="utf-8")
        yield from ast.walk(ast.parse(source))


def refusals_of_the_core() -> list[str]:
    """The sentences the core raises, each hole as a number."""
    found = []
    for node in nodes_of(
        "core/step.py", "core/follow_ups.py", "core/limits.py", "batch/closing.py", "batch/door.py"
    ):
        name = getattr(getattr(node, "func", None), "id", "")
        if isinstance(node, ast.Call) and name in CASHIER_ERRORS and node.args:
            first = node.args[0]
            if isinstance(first, ast.Constant):
                found.append(str(first.value))
            elif isinstance(first, ast.JoinedStr):
                found.append(
                    "".join(
                        str(part.value)
                        if isinstance(part, ast.Constant)
                        else WORDS.get(ast.unparse(getattr(part, "value", part)), "7")
                        for part in first.values
                    )
                )
    return found


def test_every_refusal_of_the_core_has_chinese_words() -> None:
    refusals = refusals_of_the_core()
    assert len(refusals) >= 8
    assert not [text for text in refusals if refusal_text(text, translate("zh")) == text]


def test_a_state_of_two_words_is_translated() -> None:
    text = "Payment 412 is awaiting payer: finish or keep it first"
    assert refusal_text(text, translate("zh")) == "交易 412 待确认，请先完成或保留"


def test_numbers_and_states_are_carried_over() -> None:
    text = f"Payment 412 is {State.DECLINED}: nothing to refund"
    assert refusal_text(text, translate("zh")) == "交易 412 被拒绝，无可退金额"
    assert refusal_text(text, translate("en")) == text


def test_a_refusal_nobody_foresaw_is_shown_as_it_is() -> None:
    assert refusal_text("The moon is in the way", translate("zh")) == "The moon is in the way"


def test_patterns_do_not_hide_one_another() -> None:
    """Each sentence is read by its own pattern, not by a looser one before it."""
    zh = translate("zh")
    for pattern in PATTERNS:
        names = re.findall(r"{(\w+)}", pattern)
        values = {name: str(index + 1) for index, name in enumerate(names)}
        assert refusal_text(pattern.format(**values), zh) == zh(pattern).format(**values)
