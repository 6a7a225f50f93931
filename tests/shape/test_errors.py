"""Whoever catches everything is the root of a supervised task, and says so."""

import ast

from tests.shape.sources import Module, modules

ROOTS = "supervised"
"""A broad `except` is allowed in a function whose docstring speaks of a supervised task."""


def is_broad(handler: ast.ExceptHandler) -> bool:
    """Say whether it keeps what it catches; to put things in order and raise the same again is no catching."""
    last = handler.body[-1]
    if isinstance(last, ast.Raise) and last.exc is None:
        return False
    return handler.type is None or (
        isinstance(handler.type, ast.Name) and handler.type.id in {"Exception", "BaseException"}
    )


def broad_handlers(module: Module) -> list[str]:
    silent = [f for f in module.functions() if ROOTS not in (ast.get_docstring(f) or "").lower()]
    return [
        f"{module.name}:{node.lineno} in {function.name}"
        for function in silent
        for node in ast.walk(function)
        if isinstance(node, ast.ExceptHandler) and is_broad(node)
    ]


def test_only_the_root_of_a_supervised_task_catches_everything() -> None:
    assert [place for module in modules() for place in broad_handlers(module)] == []


def test_every_errors_module_draws_its_tree() -> None:
    trees = [m for m in modules() if m.path.name == "errors.py" and m.path.parent.name != "api"]
    assert trees, "no errors.py was found"
    for module in trees:
        drawing = ast.get_docstring(module.tree) or ""
        missing = [
            node.name for node in module.tree.body if isinstance(node, ast.ClassDef) and node.name not in drawing
        ]
        assert missing == [], f"{module.name} does not draw {missing}"
