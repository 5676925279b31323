"""HTML from code in which nothing is unescaped by accident: text is escaped unless it is :class:`Html` already."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from typing import Union

__all__ = ["Child", "Html", "element", "escape", "join"]

#: Controls that HTML doesn't allow in text; tab and newline stay.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")

_VOID = frozenset({"input", "meta", "image", "path", "use", "circle", "line"})


class Html(str):
    """Markup that :func:`element` made; a plain string is text."""

    __slots__ = ()


Child = Union[str, Html, None, Iterable["Child"]]  # noqa: UP007 - a recursive alias can't be written with |


def escape(text: str) -> Html:
    """Text as it reads, whatever it holds; what HTML can't hold becomes U+FFFD."""
    return Html(html.escape(_CONTROLS.sub("�", text), quote=True))


def join(*children: Child) -> Html:
    """Children one after the other; None is nothing."""
    parts: list[str] = []
    for child in children:
        if child is None:
            continue
        if isinstance(child, Html):
            parts.append(child)
        elif isinstance(child, str):
            parts.append(escape(child))
        else:
            parts.append(join(*child))
    return Html("".join(parts))


def element(tag: str, *children: Child, **attributes: str | float | None) -> Html:
    """``element("td", "5 mL", class_="number")``.

    A trailing underscore of an attribute's name is dropped, others become hyphens (``aria_label``); None leaves it out.
    """
    written = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{escape(str(value))}"'
        for name, value in attributes.items()
        if value is not None
    )
    if tag in _VOID:
        return Html(f"<{tag}{written}/>")
    return Html(f"<{tag}{written}>{join(*children)}</{tag}>")
