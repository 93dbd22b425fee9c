"""The changes themselves: a mutator that changes nothing would find every test good."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.mutation.campaign import PROJECT
from tests.mutation.kept import reasons
from tests.mutation.operators import Mutant, mutants

WHOLE = '''
TOP = 1

class Limit:
    def is_over(self, amount: int = 4) -> bool:
        """True above it."""
        return amount > 7

def f(a, b):
    if a:
        raise ValueError(f"{1}")
    yield from note("one", 2)
    while a and not b:
        a.total += 1
        break
    return [x & 1 for x in b if x] or b"\\x90"
'''


def changes(folder: Path, source: str) -> list[Mutant]:
    (folder / "m.py").write_text(source)
    return mutants(folder, "m.py")


def test_every_kind_of_change_is_made_and_words_are_left_alone(tmp_path: Path) -> None:
    assert [str(mutant.name) for mutant in changes(tmp_path, WHOLE)] == [
        "m.py Limit.is_over: return amount > 7 -> return",
        "m.py Limit.is_over: amount > 7 -> amount >= 7",
        "m.py Limit.is_over: 7 -> 8",
        "m.py f: a -> not a",
        "m.py f: raise ValueError(f'{1}') -> pass",
        "m.py f: a and (not b) -> a or not b",
        "m.py f: not b -> b",
        "m.py f: a.total += 1 -> a.total -= 1",
        "m.py f: a.total += 1 -> pass",
        "m.py f: 1 -> 2",
        "m.py f: break -> continue",
        "m.py f: return [x & 1 for x in b if x] or b'\\x90' -> return",
        "m.py f: [x & 1 for x in b if x] or b'\\x90' -> [x & 1 for x in b if x] and b'\\x90'",
        "m.py f: x & 1 -> x | 1",
        "m.py f: 1 -> 2 #2",
        "m.py f: x -> not x",
        "m.py f: b'\\x90' -> b'\\x91'",
    ]


def test_a_change_is_in_the_tree_once_and_nothing_else_is(tmp_path: Path) -> None:
    before = ast.unparse(ast.parse(WHOLE)).splitlines()
    for number in range(len(changes(tmp_path, WHOLE))):
        mutant = changes(tmp_path, WHOLE)[number]
        after = ast.unparse(mutant.change_tree()).splitlines()
        assert sum(one != other for one, other in zip(before, after, strict=True)) == 1


def test_what_is_called_harmless_can_still_happen() -> None:
    """A reason for a change that the code no longer allows is out of date."""
    paths = {name.partition(" ")[0] for name in reasons()}
    names = {mutant.name for path in paths for mutant in mutants(PROJECT, path)}

    assert not set(reasons()) - names


def test_a_function_that_changes_has_another_version(tmp_path: Path) -> None:
    versions = {m.version for m in changes(tmp_path, WHOLE) if m.function == "f"}
    again = changes(tmp_path, WHOLE.replace("break", "continue"))

    assert versions.isdisjoint(m.version for m in again if m.function == "f")
    assert {m.version for m in again} - {m.version for m in again if m.function == "f"} == {
        m.version for m in changes(tmp_path, WHOLE) if m.function == "Limit.is_over"
    }


@pytest.mark.parametrize("path", ["emv/dol.py", "emv/kernels/c2/torn.py"])
def test_no_two_mutants_share_a_name(path: str) -> None:
    names = [mutant.name for mutant in mutants(PROJECT, path)]

    assert len(names) == len(set(names))
