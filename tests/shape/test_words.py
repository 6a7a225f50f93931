"""Each module says what it is for, and none is called after nothing in particular."""

import ast

from tests.shape.sources import modules

EMPTY_NAMES = {"utils", "helpers", "common", "manager", "service", "misc", "util", "helper"}


def test_every_module_opens_with_one_line_that_says_what_it_is_for() -> None:
    without = [m.name for m in modules() if not (ast.get_docstring(m.tree) or "").split("\n")[0].strip()]
    assert without == []


def test_no_module_or_folder_has_an_empty_name() -> None:
    assert [m.name for m in modules() if EMPTY_NAMES & {part.removesuffix(".py") for part in m.path.parts}] == []


def test_every_port_says_what_an_implementation_owes() -> None:
    ports = [m for m in modules() if m.path.name == "ports.py"]
    classes = [(m.name, node) for m in ports for node in m.tree.body if isinstance(node, ast.ClassDef)]
    assert classes, "no ports were found"
    assert [f"{name} {node.name}" for name, node in classes if not ast.get_docstring(node)] == []
