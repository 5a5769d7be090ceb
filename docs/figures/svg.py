"""The parts of a hand-written SVG: text, lines and bars that are readable on a light and on a dark page."""

from html import escape

STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
text.small { font-size: 11px; fill: #59636e }
text.title { font-size: 14px; font-weight: 600 }
.grid { stroke: #d1d9e0 } .axis { stroke: #59636e } .page { fill: #ffffff }
.first { fill: #2f6fb2 } .second { fill: #c2692b } .third { fill: #3f8f5b } .faint { fill: #8c959f; opacity: .45 }
text.inside { fill: #ffffff; font-size: 11px }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } text.small { fill: #9198a1 } .page { fill: #0d1117 }
  .grid { stroke: #30363d } .axis { stroke: #9198a1 }
  text.inside { fill: #ffffff }
}
"""


def document(width: int, height: int, title: str, parts: list[str]) -> str:
    """Return the SVG file of these parts on a page of its own colour."""
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    page = f'<rect class="page" width="{width}" height="{height}" rx="6"/>'
    inside = [f"<title>{escape(title)}</title>", f"<style>{STYLE}</style>", page, *parts]
    return "\n".join([f'{head} role="img">', *inside, "</svg>", ""])


def text(x: float, y: float, words: str, kind: str = "", anchor: str = "start") -> str:
    """Return a line of text; `anchor` is start, middle or end."""
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def line(x1: float, y1: float, x2: float, y2: float, kind: str = "axis") -> str:
    """Return a straight line."""
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def bar(x: float, y: float, width: float, height: float, kind: str) -> str:
    """Return a filled rectangle."""
    return f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="2"/>'
