"""Imports point one way: every import in the tree is read and judged."""

import ast
from functools import cache
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent
OURS = ("terminal", "drivers", "emv", "ui", "config", "simulators")

# What each package may import of ours, longest name first. A trailing dot
# means the module and all below it.
ALLOWED: dict[str, tuple[str, ...]] = {
    "ui": ("ui", "terminal"),
    "terminal": (
        "terminal",
        "emv",
        "config",
        "drivers.protocols",
        "drivers.errors",
        "drivers.registry",
    ),
    "emv": ("emv",),
    "config": ("config",),
    "drivers": ("drivers",),
    "simulators": (
        "simulators",
        "emv.tlv",
        "emv.tags",
        "emv.dol",
        "emv.bits",
        "emv.apdu",
        "emv.errors",
        "emv.qr",
        "drivers.protocols",
        "drivers.errors",
    ),
}
# They only assemble, and so see every package.
ASSEMBLIES = ("terminal.__main__", "terminal.assembly", "simulators.world")
MAY_IMPORT_BY_NAME = ("terminal.__main__", "drivers.registry")
# Package data and versions are read through these, which import nothing by name.
HARMLESS = ("importlib.resources", "importlib.metadata")
MAY_USE_CRYPTOGRAPHY = ("emv.keys", "emv.kernels.c8")

# The last sentence of the rule: card, phone and bank write their own
# cryptography, so not even inside simulators may one take it from the other.
APART = (("simulators.card", "simulators.bank"), ("simulators.phone", "simulators.bank"))

STANDARD = {"__future__"} | __import__("sys").stdlib_module_names


@cache
def modules() -> list[Path]:
    return sorted(path for name in OURS for path in (PROJECT / name).rglob("*.py"))


def name_of(path: Path) -> str:
    parts = path.relative_to(PROJECT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def is_module(name: str) -> bool:
    place = PROJECT.joinpath(*name.split("."))
    return place.is_dir() or place.with_suffix(".py").is_file()


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


@cache
def imports_of(path: Path) -> set[str]:
    """The full names of the modules a file imports, relative ones resolved."""
    name = name_of(path)
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    found = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, base] if base else above)
            for alias in node.names:
                member = f"{base}.{alias.name}"
                found.add(member if is_module(member) else base)
    return found


def is_below(module: str, prefix: str) -> bool:
    return module == prefix or module.startswith(prefix + ".")


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_every_import_points_the_right_way(path: Path) -> None:
    name = name_of(path)
    if any(is_below(name, assembly) for assembly in ASSEMBLIES):
        return
    allowed = ALLOWED[name.split(".")[0]]
    if is_below(name, "simulators.pinpad"):
        allowed = (*allowed, "emv.keys")
    wrong = {
        module
        for module in imports_of(path)
        if module.split(".")[0] in (*OURS, "tests")
        and not any(is_below(module, prefix) for prefix in allowed)
    }
    assert not wrong, f"{name} may not import {', '.join(sorted(wrong))}"


@pytest.mark.parametrize(
    "path", [path for path in modules() if name_of(path).startswith("emv")], ids=name_of
)
def test_emv_is_standard_library_only(path: Path) -> None:
    name = name_of(path)
    foreign = {
        module
        for module in imports_of(path)
        if module.split(".")[0] not in STANDARD and module.split(".")[0] != "emv"
    }
    if any(is_below(name, place) for place in MAY_USE_CRYPTOGRAPHY):
        foreign = {module for module in foreign if not is_below(module, "cryptography")}
    assert not foreign, f"{name} may not import {', '.join(sorted(foreign))}"


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_modules_are_imported_by_name_in_two_places_only(path: Path) -> None:
    name = name_of(path)
    by_name = [
        node
        for node in ast.walk(tree_of(path))
        if (isinstance(node, ast.Name) and node.id == "__import__")
        or (isinstance(node, ast.Attribute) and node.attr == "import_module")
    ]
    uses = bool(by_name) or any(
        is_below(module, "importlib") and module not in HARMLESS for module in imports_of(path)
    )
    assert not uses or name in MAY_IMPORT_BY_NAME, f"{name} imports by name"


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_the_card_and_the_bank_share_no_cryptography(path: Path) -> None:
    name = name_of(path)
    for one, other in APART:
        for here, there in ((one, other), (other, one)):
            if is_below(name, here):
                shared = {module for module in imports_of(path) if is_below(module, there)}
                assert not shared, f"{name} may not import {', '.join(sorted(shared))}"


@pytest.mark.parametrize(
    ("importer", "imported", "is_right"),
    [
        ("ui.app", "terminal.till", True),
        ("ui.app", "drivers.protocols", False),
        ("terminal.core.step", "drivers.scanner_camera", False),
        ("emv.tlv", "config.schema", False),
        ("simulators.card.card", "emv.kernels.c3", False),
        ("simulators.card.card", "emv.qr.consumer", True),
    ],
)
def test_the_rules_are_those_of_the_design(importer: str, imported: str, is_right: bool) -> None:
    """A wrong table would pass every file; a few pairs pin it down."""
    allowed = ALLOWED[importer.split(".")[0]]
    assert any(is_below(imported, prefix) for prefix in allowed) is is_right
