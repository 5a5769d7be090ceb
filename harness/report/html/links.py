"""Addresses in text from records, as links: the text stays data, and only http and https are followed."""

import re
from typing import Any

ADDRESS = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:)]")


def link_addresses(text: Any) -> Any:
    """Return a text as markup in which each address is a link and everything else is escaped."""
    from markupsafe import Markup, escape  # noqa: PLC0415  # comes with the extra

    parts, end = [], 0
    for found in ADDRESS.finditer(str(text)):
        parts.append(escape(str(text)[end : found.start()]))
        parts.append(Markup('<a href="{0}" rel="noreferrer">{0}</a>').format(found[0]))
        end = found.end()
    return Markup("").join([*parts, escape(str(text)[end:])])
