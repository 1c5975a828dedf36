"""JSON Schema of a book, for editors."""

from __future__ import annotations

from typing import Any

from .terms import Book


def json_schema() -> dict[str, Any]:
    return Book.model_json_schema()
