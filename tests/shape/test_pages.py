"""The pages name what is there: decisions, tests, paths, algorithms."""

import re
from collections.abc import Iterator

import pytest

from cloud.learning.algorithms import ALGORITHMS
from tests.shape.sources import ROOT

DECISIONS = sorted(path.name for path in (ROOT / "docs" / "adr").glob("[0-9]*.md"))
TESTS = {path.name for path in (ROOT / "tests").rglob("test_*.py")}


def code_of(page: str) -> Iterator[str]:
    """Yield what a page shows as code within its lines."""
    yield from re.findall(r"`([^`\n]+)`", (ROOT / page).read_text())


@pytest.mark.parametrize("decision", DECISIONS)
def test_every_decision_is_listed(decision: str) -> None:
    assert f"({decision})" in (ROOT / "docs" / "adr" / "README.md").read_text()


def test_every_proof_of_the_page_on_security_exists() -> None:
    proofs = {word for word in code_of("docs/SECURITY.md") if word.startswith(("test_", "tests/"))}
    assert len(proofs) > 20
    assert not {word for word in proofs if word not in TESTS and not (ROOT / word).exists()}


def test_every_path_of_the_page_on_contributing_exists() -> None:
    paths = {word.split()[0] for word in code_of("CONTRIBUTING.md") if "/" in word}
    named = {word for word in paths if re.match(r"(cloud|docs|edge_agent|protocols|tests)/", word)}
    assert not {word for word in named if not re.search(r"\bx\b|_x|xs|<", word) and not (ROOT / word).exists()}


@pytest.mark.parametrize("name", sorted(ALGORITHMS))
def test_every_algorithm_has_its_card(name: str) -> None:
    page = (ROOT / "docs" / "algorithms.md").read_text()
    assert f"`{name}`" in page
    assert re.search(rf"^## .*\b{name}\b", page, re.MULTILINE)


def test_every_target_that_a_page_names_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]
    named = {
        word
        for page in pages
        for word in re.findall(r"^ {4}make ([a-z-]+)|`make ([a-z-]+)", page.read_text(), re.MULTILINE)
    }
    assert {first or second for first, second in named} <= targets
