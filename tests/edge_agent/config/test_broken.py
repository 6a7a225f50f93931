"""Every broken configuration names all of its mistakes at once, each at its place; the expected words lie beside it."""

from pathlib import Path

import pytest

from edge_agent.config.load import load
from edge_agent.errors import InvalidConfig

FOLDER = Path(__file__).parent / "broken"
FILES = sorted(FOLDER.glob("*.yaml"))


def findings(path: Path) -> list[str]:
    with pytest.raises(InvalidConfig) as caught:
        load(path, {"HOME": "/root"})
    return [
        str(finding).replace(str(path), path.name).replace(str(FOLDER), "FOLDER") for finding in caught.value.findings
    ]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_broken_configuration_names_every_mistake_at_its_place(path: Path) -> None:
    assert findings(path) == path.with_suffix(".expected").read_text().splitlines()


def test_there_are_at_least_twenty_broken_configurations() -> None:
    assert len(FILES) >= 20


@pytest.mark.parametrize(
    ("name", "said"), [("nowhere.yaml", "No such file or directory"), ("broken", "name the file, not its folder")]
)
def test_a_file_that_cannot_be_read_is_a_finding(name: str, said: str) -> None:
    path = FOLDER.parent / name
    with pytest.raises(InvalidConfig, match=said):
        load(path, {})


def test_a_file_that_is_far_too_large_is_not_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "large.yaml"
    path.write_bytes(b"#" * (5 * 1024 * 1024))
    with pytest.raises(InvalidConfig, match="over 4 MiB"):
        load(path, {})


def test_nesting_without_end_is_a_finding(tmp_path: Path) -> None:
    path = tmp_path / "deep.yaml"
    path.write_text("gateway: " + "[" * 2_000)
    with pytest.raises(InvalidConfig):
        load(path, {})
