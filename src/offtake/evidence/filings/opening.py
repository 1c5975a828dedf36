"""A filing's bytes, its kind, and its tree: nothing is fetched, no entity is followed, nothing huge is read.

raises  FilingError for what is too big, unreadable, or carries entities of its own (an XML bomb, a file of somebody else's)
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from ...errors import FilingError

MOST_BYTES = 150_000_000
INLINE = b"http://www.xbrl.org/2013/inlineXBRL"
INSTANCE = b"http://www.xbrl.org/2003/instance"
HEADER = f"{{{INLINE.decode()}}}header"
BLOCKS = frozenset(
    ("p", "div", "td", "th", "tr", "table", "li", "ul", "ol", "br", "h1", "h2", "h3", "h4", "h5", "h6", "body", "section")
)


def read_bytes(path: str | Path) -> bytes:
    """The file, if it is no larger than a filing may be; a larger one is not read at all."""
    file = Path(path)
    name = file.name or str(file)
    try:
        size = file.stat().st_size
        if size > MOST_BYTES:
            raise FilingError(f"{name}: {size:,} bytes; a filing is at most {MOST_BYTES // 1_000_000} MB")
        content = file.read_bytes()
    except OSError as error:
        raise FilingError(f"{name}: could not be read ({error.strerror})") from None
    if not content.strip():
        raise FilingError(f"{name}: an empty file")
    return content


def kind_of(content: bytes) -> str:
    """json, inline, instance, submission, html or text."""
    head = content[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
    if head.startswith((b"{", b"[")):
        return "json"
    if re.search(rb"<SEC-HEADER>|<SEC-DOCUMENT>", head):
        return "submission"
    if INLINE in content[:200_000]:
        return "inline"
    if head.startswith(b"<?xml") and INSTANCE in content[:200_000] and not re.search(rb"<html[\s>]", content[:200_000], re.IGNORECASE):
        return "instance"
    return "html" if re.search(rb"<html[\s>]", content[:20_000], re.IGNORECASE) else "text"


def refuse_entities(content: bytes, name: str) -> None:
    """A filing declares no entities: they are how a small file becomes a huge one, or another file's text."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\x00" in content[:1024]:
        raise FilingError(f"{name}: UTF-16 text; a filing is ASCII or UTF-8")
    if re.search(rb"<!ENTITY", content, re.IGNORECASE):
        raise FilingError(f"{name}: declares entities of its own; such a file is not read")


def tree_of(content: bytes, name: str) -> Any:
    """The root of a well-formed document."""
    from lxml import etree

    refuse_entities(content, name)
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False, remove_comments=True,
        remove_pis=True,
    )  # fmt: skip
    try:
        root = etree.fromstring(content.lstrip(b"\xef\xbb\xbf \t\r\n"), parser)
    except etree.XMLSyntaxError as error:
        raise FilingError(f"{name}: not well-formed XML ({error.msg})") from None
    dtd = root.getroottree().docinfo.internalDTD
    if dtd is not None and any(True for _ in dtd.iterentities()):
        raise FilingError(f"{name}: declares entities of its own; such a file is not read")
    return root


def html_tree(content: bytes, name: str) -> Any:
    """The root of any HTML page."""
    from lxml import etree

    refuse_entities(content, name)
    try:
        root = etree.fromstring(content, etree.HTMLParser(no_network=True, huge_tree=False, remove_comments=True, remove_pis=True))
    except etree.XMLSyntaxError as error:
        raise FilingError(f"{name}: not readable as a page ({error.msg})") from None
    if root is None:
        raise FilingError(f"{name}: a page without content")
    return root


def words_of(root: Any) -> str:
    """What a reader of a page sees, blocks apart by a line end; hidden headers are left out."""
    parts: list[str] = []
    stack: list[tuple[Any, bool]] = [(root, False)]
    while stack:
        node, leaving = stack.pop()
        name = local(node.tag) if isinstance(node.tag, str) else ""
        block = name in BLOCKS
        if leaving:
            parts += ["\n"] * block + [node.tail or ""]
            continue
        if name in ("script", "style", "head") or node.tag == HEADER:
            parts.append(node.tail or "")
            continue
        parts += ["\n"] * block + [node.text or ""] * bool(name)
        stack.append((node, True))
        stack.extend((child, False) for child in reversed(node))
    return "".join(parts)


def local(tag: str) -> str:
    """A name without its namespace."""
    return tag.rpartition("}")[2]
