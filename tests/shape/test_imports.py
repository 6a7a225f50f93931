"""Each library is imported in one file of a program, so that a change of it touches one file."""

import sys
from collections import defaultdict

from tests.shape.sources import PROGRAMS, modules

EVERYWHERE = {"numpy", "msgspec", "pydantic"}
"""Arrays and records are the product's own language."""
FRAMEWORKS = {
    "typer": "the command files of a program",
    "rich": "the command files of a program",
    "fastapi": "the routes",
    "starlette": "the routes and middlewares",
    "sqlalchemy": "the mapping of records",
    "alembic": "the migrations",
    "prometheus_client": "one collector a stage",
}
"""Libraries whose users are a family of files by design, and which family."""


def test_a_library_is_imported_in_one_file_of_a_program() -> None:
    users: dict[tuple[str, str], set[str]] = defaultdict(set)
    for module in modules():
        for library in set(module.imported()) - sys.stdlib_module_names - set(PROGRAMS) - EVERYWHERE:
            users[module.program, library].add(module.name)
    scattered = {
        f"{program}: {library}": sorted(files)
        for (program, library), files in users.items()
        if len(files) > 1 and library not in FRAMEWORKS
    }
    assert scattered == {}


def test_no_program_pickles() -> None:
    unsafe = {"pickle", "marshal", "shelve", "dill", "joblib", "cloudpickle"}
    assert [m.name for m in modules() if unsafe & set(m.imported())] == []
