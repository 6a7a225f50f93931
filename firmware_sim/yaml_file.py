"""YAML files in and out; the one place that imports the library."""

from pathlib import Path

import msgspec
import yaml

from firmware_sim.errors import InvalidPlant


def read_yaml(path: Path) -> object:
    """Return what the file holds; raise InvalidPlant with file and line where it cannot be read."""
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidPlant(f"{path}: cannot be read: {error}") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        raise InvalidPlant(f"{path}{place}: not YAML: {error.problem}") from error
    except yaml.YAMLError as error:
        raise InvalidPlant(f"{path}: not YAML: {error}") from error


def to_yaml(document: object) -> str:
    """Return the document as YAML, keys in their order."""
    plain = msgspec.to_builtins(document)
    text: str = yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=120, default_flow_style=None)
    return text
