"""`env:NAME` and `file:PATH` -> the secret itself, which no log and no message ever shows."""

from collections.abc import Mapping
from pathlib import Path

from edge_agent.config.scalars import Misread

MAX_SECRET_BYTES = 64 * 1024


class SecretText(str):
    """A secret that does not show itself where a record is printed."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"


class Secrets:
    """Where secrets are looked up: an environment, and files relative to the configuration's folder."""

    def __init__(self, environment: Mapping[str, str], folder: Path) -> None:
        self._environment = environment
        self._folder = folder

    def resolve(self, reference: str) -> SecretText:
        """Return the secret; raise Misread where there is none."""
        where, _, name = reference.partition(":")
        secret = self._variable(name) if where == "env" else self._content(self._folder / name)
        if not secret:
            raise Misread(f"the secret in {reference} is empty")
        return SecretText(secret)

    def _variable(self, name: str) -> str:
        if name not in self._environment:
            raise Misread(f"the environment has no {name}", f"start the agent with {name} set")
        return self._environment[name]

    def _content(self, path: Path) -> str:
        try:
            with path.open("rb") as opened:
                return opened.read(MAX_SECRET_BYTES).decode().rstrip("\r\n")
        except OSError as error:
            raise Misread(f"{path} cannot be read: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise Misread(f"{path} is not UTF-8 text") from error
