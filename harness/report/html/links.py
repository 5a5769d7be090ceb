"""Text from records as markup: addresses become links, long names may break. The text itself stays data."""

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


def allow_breaks(name: Any) -> Any:
    """Return a name as markup that may break after a colon or an underscore, and nowhere else."""
    from markupsafe import Markup, escape  # noqa: PLC0415  # comes with the extra

    return Markup("<wbr>").join(escape(part) for part in re.split(r"(?<=[:_])", str(name)))
