"""The product's source files and what can be read off them, for the tests of shape."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROGRAMS = ("protocols", "edge_agent", "cloud", "firmware_sim", "deploy")
Function = ast.FunctionDef | ast.AsyncFunctionDef
NESTING = (ast.If, ast.For, ast.While, ast.With, ast.Try, ast.AsyncFor, ast.AsyncWith, ast.Match)


@dataclass(frozen=True)
class Module:
    """One source file, parsed."""

    path: Path
    text: str
    tree: ast.Module

    @property
    def name(self) -> str:
        """Return the path below the root, as a person would say it."""
        return str(self.path.relative_to(ROOT))

    @property
    def program(self) -> str:
        """Return the top-level folder."""
        return self.path.relative_to(ROOT).parts[0]

    def functions(self) -> Iterator[Function]:
        """Yield every function and method."""
        return (node for node in ast.walk(self.tree) if isinstance(node, Function))

    def imported(self) -> Iterator[str]:
        """Yield the top-level name of every import, wherever it stands."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from (alias.name.split(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
                yield node.module.split(".")[0]


@cache
def modules() -> tuple[Module, ...]:
    """Return every source file of the product, tests excepted."""
    paths = sorted(path for program in PROGRAMS for path in (ROOT / program).rglob("*.py"))
    return tuple(Module(path, path.read_text(), ast.parse(path.read_text())) for path in paths)


def length(function: Function) -> int:
    """Return the number of lines from the first to the last, decorators excepted."""
    assert function.end_lineno is not None
    return function.end_lineno - function.lineno + 1


def depth(node: ast.AST, level: int = 0) -> int:
    """Return how deep statements are nested; functions inside are counted by themselves; elif is no step."""
    deepest = level
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            continue
        deepest = max(deepest, depth(child, level + isinstance(child, NESTING)))
    return deepest
