"""A configuration file -> AgentSettings, or every mistake in it at once; also the published JSON schema."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import inspect as kinds

from edge_agent.config import source
from edge_agent.config.schema import AgentSettings
from edge_agent.config.secrets import Secrets
from edge_agent.config.walk import MISSING, Walk
from edge_agent.errors import Finding, InvalidConfig


def load(path: Path, environment: Mapping[str, str]) -> AgentSettings:
    """Return the validated settings, secrets resolved, paths absolute; raise InvalidConfig with every finding."""
    read = source.read(path)
    if read.root is None:
        raise InvalidConfig([Finding(read.file, 1, 1, "", "is empty", "begin with `gateway: NAME`")])
    folder = path.absolute().parent
    wanted = kinds.type_info(AgentSettings)
    walk = Walk(read.file, folder, Secrets(environment, folder).resolve, homes(wanted))
    settings = walk.value(read.root, wanted, "")
    findings = sorted(
        {*read.findings, *walk.findings}, key=lambda finding: (finding.line, finding.column, finding.path)
    )
    if findings or settings is MISSING:
        raise InvalidConfig(findings)
    if not isinstance(settings, AgentSettings):
        raise TypeError(f"read {type(settings).__name__}, not AgentSettings")
    buffer = msgspec.structs.replace(settings.buffer, path=folder / settings.buffer.path)
    models = msgspec.structs.replace(settings.models, directory=folder / settings.models.directory)
    return msgspec.structs.replace(settings, buffer=buffer, models=models)


def json_schema() -> dict[str, Any]:
    """Return the JSON schema of a configuration file, for editors."""
    schema = msgspec.json.schema(AgentSettings, schema_hook=_path_schema)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "lineside-agent", **schema}


def schema_text() -> str:
    """Return the JSON schema as it is published, the same text for the same settings."""
    return json.dumps(json_schema(), indent=2, sort_keys=True) + "\n"


def homes(wanted: kinds.Type) -> dict[str, str]:
    """Return for each key below the top level where it belongs, such as `devices (opcua) > tags`."""
    found: dict[str, str] = {}
    for path, key in setting_paths(wanted):
        if path and found.get(key, path) == path:
            found[key] = path
    return found


def setting_paths(wanted: kinds.Type, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield (where, key) of every setting, Struct by Struct; where is empty at the top."""
    match wanted:
        case kinds.Metadata():
            yield from setting_paths(wanted.type, path)
        case kinds.VarTupleType():
            yield from setting_paths(wanted.item_type, path)
        case kinds.UnionType():
            for kind in wanted.types:
                yield from setting_paths(kind, path)
        case kinds.StructType():
            where = f"{path} ({wanted.tag})" if wanted.tag else path
            for field in wanted.fields:
                yield where, field.encode_name
                yield from setting_paths(field.type, f"{where} > {field.encode_name}" if where else field.encode_name)


def _path_schema(cls: type) -> dict[str, Any]:
    if cls is Path:
        return {"type": "string", "description": "a path, relative to this file's folder"}
    raise NotImplementedError(f"no JSON schema for {cls}")
