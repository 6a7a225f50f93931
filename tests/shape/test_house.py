"""The house keeps its own promises: locks, commands in the README, fixed folders, wheels without tests."""

import re
import shutil
import subprocess
import tomllib
import zipfile
from pathlib import Path

import pytest

from tests.shape.sources import PROGRAMS, ROOT

TOP = {
    *PROGRAMS, "tests", "docs", "requirements", ".ci",
    "pyproject.toml", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "Makefile", ".gitignore",
}  # fmt: skip
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def tracked() -> list[str]:
    listing = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    return listing.stdout.split("\n")[:-1]


def test_the_top_level_holds_what_the_design_names_and_nothing_else() -> None:
    assert {path.split("/")[0] for path in tracked()} == TOP


@pytest.mark.parametrize("lock", sorted((ROOT / "requirements").glob("*.txt")), ids=lambda path: str(path.stem))
def test_a_lock_has_a_hash_for_every_version_and_names_no_address(lock: Path) -> None:
    text = lock.read_text()
    pins = re.findall(r"^[a-z0-9][\w.-]*==", text, flags=re.MULTILINE)
    assert len(pins) > 3
    assert len(re.findall(r"^[a-z0-9][^\n]*\\\n +--hash=sha256:[0-9a-f]{64}", text, flags=re.MULTILINE)) == len(pins)
    assert not re.search(r"https?://|--(extra-)?index-url|--find-links|file:", text)


@pytest.mark.parametrize("extra", ["edge", "edge-tflite", "cloud", "train-tf", "node", "sim", "demo", "dev"])
def test_a_lock_pins_every_direct_dependency_of_its_extra(extra: str) -> None:
    lock = (ROOT / "requirements" / f"{extra}.txt").read_text().lower()
    for wanted in PROJECT["project"]["optional-dependencies"][extra]:
        name = re.split(r"[\[<>=;, ]", wanted)[0].lower().replace("_", "-")
        assert name == "lineside" or f"\n{name}==" in lock, f"{name} is not in requirements/{extra}.txt: make lock"


def test_every_command_in_the_readme_exists() -> None:
    readme = (ROOT / "README.md").read_text()
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    named = set(re.findall(r"^\s*make ([a-z-]+)", readme, flags=re.MULTILINE))
    assert {"demo", "test"} <= named <= targets
    assert set(re.findall(r"\b(lineside-[a-z]+)\b", readme)) <= set(PROJECT["project"]["scripts"])


def test_every_relative_link_in_the_documents_leads_somewhere() -> None:
    for document in (ROOT / name for name in tracked() if name.endswith(".md")):
        for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", document.read_text()):
            assert (document.parent / target).exists(), f"{document.name} links to {target}"


def test_every_make_target_says_what_it_does_or_is_a_step_of_another() -> None:
    lines = re.findall(r"^([a-z-]+):([^\n]*)", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    steps = {"venv-demo", "venv-dev", "servers"}
    assert [name for name, rest in lines if "## " not in rest and name not in steps] == []


def build_wheel(directory: Path, *, console: bool) -> "subprocess.CompletedProcess[str]":
    """Build a wheel of what is tracked into a directory, with a console that stands for the built one, or with none."""
    source = directory / "source"
    for name in tracked():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).exists():
            shutil.copy(ROOT / name, source / name)
    if console:
        for made in ("static/index.html", "static/assets/index-Ab12.js.gz", "node_modules/preact/dist/preact.js"):
            (source / "cloud/console" / made).parent.mkdir(parents=True, exist_ok=True)
            (source / "cloud/console" / made).write_text("")
    command = [str(ROOT / ".venv/bin/python"), "-m", "hatchling", "build", "-t", "wheel", "-d", str(directory)]
    return subprocess.run(command, cwd=source, check=False, capture_output=True, text=True)


@pytest.mark.slow
def test_the_wheel_carries_the_programs_and_the_built_console_and_no_tests(tmp_path: Path) -> None:
    assert build_wheel(tmp_path, console=True).returncode == 0
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names if "dist-info" not in name} == set(PROGRAMS)
    assert not [name for name in names if "test" in name]
    packed = {name for name in names if name.startswith("cloud/console/")}
    assert packed == {"cloud/console/static/index.html", "cloud/console/static/assets/index-Ab12.js.gz"}


@pytest.mark.slow
def test_a_wheel_without_the_console_is_refused_with_what_to_do(tmp_path: Path) -> None:
    done = build_wheel(tmp_path, console=False)
    assert done.returncode != 0
    assert "make console" in done.stderr
    assert not list(tmp_path.glob("*.whl"))
