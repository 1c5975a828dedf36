"""A list of small named rules: Book -> list[Issue]; they never raise."""

from __future__ import annotations

from ..errors import Issue
from .terms import Book


def check(book: Book) -> list[Issue]:
    """Every issue of a book that reads."""
    return []
