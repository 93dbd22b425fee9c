"""Small wrong changes to a module: what they are and where they can be made.

Inside functions only: tables at the top of a module are compiled into other
modules when those are imported, and are checked by cases from outside. Words
for people, docstrings and annotations are left alone.
"""

from __future__ import annotations

import ast
import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitAnd,
}
# A condition of these kinds has changes of its own and needs no "not" before it.
CHANGED_INSIDE = (ast.Compare, ast.BoolOp, ast.UnaryOp, ast.Constant)
# Fields that hold types, or what is run when the function is made.
NOT_RUN = {"annotation", "returns", "decorator_list"}


@dataclass(frozen=True)
class Place:
    """Where a node of a tree hangs."""

    parent: ast.AST
    slot: str
    index: int | None
    node: ast.AST
    lines: range
    """The lines of its statement, without those of the statements inside that one."""

    def put(self, node: ast.AST) -> None:
        """Hang another node here."""
        if self.index is None:
            setattr(self.parent, self.slot, node)
        else:
            getattr(self.parent, self.slot)[self.index] = node


@dataclass(frozen=True)
class Mutant:
    """One change to one function."""

    path: str
    """Of the module, from the root of the project."""
    function: str
    """Its qualified name."""
    change: str
    """The code before and after; numbered if the function has the same more than once."""
    version: str
    """Differs when the function does."""
    place: Place = field(repr=False, compare=False)
    new: ast.AST = field(repr=False, compare=False)
    tree: ast.Module = field(repr=False, compare=False)

    @property
    def name(self) -> str:
        """What it is called in lists; the same when its lines move."""
        return f"{self.path} {self.function}: {self.change}"

    def change_tree(self) -> ast.Module:
        """Return the module's tree with the change in it, for good."""
        self.place.put(self.new)
        return ast.fix_missing_locations(self.tree)


def mutants(project: Path, path: str) -> list[Mutant]:
    """Return every change to a module, in the order of its lines."""
    tree = ast.parse((project / path).read_text("utf-8"))
    found = []
    for name, function in functions(tree, ""):
        seen: Counter[str] = Counter()
        version = hashlib.sha256(ast.unparse(function).encode()).hexdigest()[:12]
        for place in places(function, range(0)):
            for new in replacements(place):
                change = f"{ast.unparse(place.node)} -> {ast.unparse(new)}"
                seen[change] += 1
                if seen[change] > 1:
                    change += f" #{seen[change]}"
                found.append(Mutant(path, name, change, version, place, new, tree))
    return found


def functions(parent: ast.Module | ast.ClassDef, above: str) -> Iterator[tuple[str, ast.AST]]:
    """Yield the functions of a module and of its classes, with their qualified names."""
    for node in parent.body:
        if isinstance(node, ast.ClassDef):
            yield from functions(node, f"{above}{node.name}.")
        elif isinstance(node, ast.FunctionDef):
            yield above + node.name, node


def places(parent: ast.AST, lines: range) -> Iterator[Place]:
    """Yield what is run below a node, each before what is inside it."""
    for slot, value in ast.iter_fields(parent):
        if slot in NOT_RUN or (slot == "args" and isinstance(parent, ast.FunctionDef)):
            continue
        for index, node in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if not isinstance(node, ast.AST) or is_for_people(node):
                continue
            here = header(node) or lines
            yield Place(parent, slot, index, node, here)
            yield from places(node, here)


def is_for_people(node: ast.AST) -> bool:
    """True for docstrings, formatted text, and what a kernel notes about a decision."""
    if isinstance(node, ast.JoinedStr):
        return True
    if not isinstance(node, ast.Expr):
        return False
    value = node.value.value if isinstance(node.value, ast.YieldFrom) else node.value
    if isinstance(value, ast.Call):
        return ast.unparse(value.func).rpartition(".")[2].startswith(("note", "explain"))
    return isinstance(value, ast.Constant)


def header(node: ast.AST) -> range | None:
    """Return the lines of a statement down to its first inner one; None for other nodes."""
    if isinstance(node, ast.match_case):
        return range(node.pattern.lineno, node.body[0].lineno)
    if not isinstance(node, ast.stmt):
        return None
    inner = getattr(node, "body", None) or getattr(node, "cases", None)
    if not inner:
        return range(node.lineno, (node.end_lineno or node.lineno) + 1)
    first = inner[0].pattern if isinstance(inner[0], ast.match_case) else inner[0]
    return range(node.lineno, max(first.lineno, node.lineno + 1))


def replacements(place: Place) -> Iterator[ast.AST]:
    """Yield what may stand in a place instead of what does."""
    node: Any = place.node
    is_condition = place.slot in {"test", "ifs", "guard"}
    if is_condition and not isinstance(node, CHANGED_INSIDE):
        yield ast.UnaryOp(ast.Not(), node)
    match node:
        case ast.Compare(left, operators, right):
            for at, operator in enumerate(operators):
                swapped = [*operators[:at], swap(operator), *operators[at + 1 :]]
                yield ast.Compare(left, swapped, right)
        case ast.BoolOp(operator, values):
            yield ast.BoolOp(swap(operator), values)
        case ast.BinOp(left, operator, right) if type(operator) in SWAPS:
            yield ast.BinOp(left, swap(operator), right)
        case ast.UnaryOp(_, operand):
            yield operand
        case ast.Constant(value):
            yield from constants(value)
        case ast.stmt():
            yield from statements(node)


def swap(operator: Any) -> Any:
    """Return the operator that is easily mistaken for this one."""
    return SWAPS[type(operator)]()


def constants(value: object) -> Iterator[ast.Constant]:
    """Yield another value of the same type; text is left alone."""
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, int):
        yield ast.Constant(value + 1)
    elif isinstance(value, bytes):
        yield ast.Constant(bytes((value[0] ^ 1,)) + value[1:] if value else b"\0")


def statements(node: ast.stmt) -> Iterator[ast.stmt]:
    """Yield a statement that does less, or something else."""
    match node:
        case ast.AugAssign(target, operator, value):
            if type(operator) in SWAPS:
                yield ast.AugAssign(target, swap(operator), value)
            yield ast.Pass()
        case ast.Return(ast.AST() as value) if not is_falsy(value):
            yield ast.Return(None)
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]) | ast.Expr() | ast.Raise():
            yield ast.Pass()
        case ast.Break():
            yield ast.Continue()
        case ast.Continue():
            yield ast.Break()


def is_falsy(node: ast.AST) -> bool:
    """True for the constants None and False: who calls can hardly tell them apart."""
    return isinstance(node, ast.Constant) and (node.value is None or node.value is False)
