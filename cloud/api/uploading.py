"""Uploading: the file and the fields of a multipart form, read after the caller was let in, never whole in memory."""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from starlette.datastructures import UploadFile

from cloud.errors import Malformed

_PIECE = 1 << 20
_MAX_FIELDS = 10


@dataclass(frozen=True, slots=True)
class Form:
    """One file as it was sent, and the texts beside it."""

    file: UploadFile
    fields: Mapping[str, str]

    @property
    def file_name(self) -> str:
        """Return what the sender calls the file, without the folders before it."""
        return (self.file.filename or "").replace("\\", "/").rpartition("/")[2][:200]

    def chunks(self) -> Iterator[bytes]:
        """Yield the file piece by piece; blocks."""
        while piece := self.file.file.read(_PIECE):
            yield piece


@asynccontextmanager
async def received(request: Request) -> AsyncIterator[Form]:
    """Give the form of a request; raise Malformed where it is none, or has no file."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise Malformed("file: send it as multipart/form-data", code="INVALID_FORMAT", details={"field": "file"})
    async with request.form(max_files=1, max_fields=_MAX_FIELDS) as sent:
        file = sent.get("file")
        if not isinstance(file, UploadFile):
            raise Malformed("file: This field is required", code="INVALID_FORMAT", details={"field": "file"})
        yield Form(file, {name: value for name, value in sent.items() if isinstance(value, str)})


def documented(**texts: str) -> dict[str, Any]:
    """Return what the OpenAPI document says of a form with a file and these texts."""
    fields: dict[str, Any] = {name: {"type": "string", "description": meaning} for name, meaning in texts.items()}
    fields["file"] = {"type": "string", "format": "binary"}
    schema = {"type": "object", "required": ["file"], "properties": fields}
    return {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}}}
