"""What is counted of a model in Java beside its tokens: logical lines, names of the framework's API, and concepts.

It reads the tokens of lizard's lexer and no syntax tree: what only a compiler knows, such as the type of a value, is
not counted. The rules of the concepts are those of Python's models; those for keywords do not occur, as Java has none.
"""

from collections.abc import Iterator, Sequence

from .concepts import RULES, Found, Rule
from .text import Token

SUFFIX = ".java"

OPENS_BLOCK = frozenset(["if", "for", "while", "switch", "case", "else", "try", "catch", "finally"])
"""Keywords that begin a logical line which no semicolon ends."""


def count_lines(tokens: Sequence[Token]) -> int:
    """Return the number of logical lines: statements, and the headers of classes, methods and blocks.

    A statement is what a semicolon ends, outside parentheses: an import and a field too. An annotation is a line, as a
    decorator is.
    """
    texts = [token.text for token in tokens if token.counts]
    depth = lines = 0
    for number, text in enumerate(texts):
        before = texts[number - 1] if number else ""
        depth += (text in ("(", "[")) - (text in (")", "]"))
        if (text == ";" and depth == 0) or text == "@" or (text in OPENS_BLOCK and (text, before) != ("if", "else")):
            lines += 1
        elif text == "{" and (before.isidentifier() or before == ")") and before not in OPENS_BLOCK:
            lines += _begins_header(texts, number)
    return lines


def _begins_header(texts: Sequence[str], brace: int) -> bool:
    """Return whether the block at this brace is that of a class or a method, not that of a keyword already counted."""
    start, depth = brace, 0
    while start and (depth or texts[start - 1] not in (";", "{", "}")):  # those of `for (;;)` are within
        start -= 1
        depth += (texts[start] == ")") - (texts[start] == "(")
    return texts[start] not in OPENS_BLOCK and "->" not in texts[start:brace] and "new" not in texts[start:brace]


def find_api_names(tokens: Sequence[Token], import_names: Sequence[str]) -> tuple[str, ...]:
    """Return the distinct names of the framework's API, in full and sorted: imported classes, and what follows a dot.

    A class is the framework's where a part of its package is in `import_names`. An import that nothing uses counts.
    """
    return tuple(sorted({name for name, _, _ in _list_api_names(tokens, import_names)}))


def find_concepts(
    tokens: Sequence[Token], import_names: Sequence[str], rules: Sequence[Rule] = RULES
) -> tuple[Found, ...]:
    """Return every place where a concept was found, in the order of the lines."""
    found = [
        Found(rule.concept, line, text)
        for full, text, line in _list_api_names(tokens, import_names)
        for rule in rules
        if _matches(rule, full)
    ]
    own = set(_list_methods(tokens))
    texts = [token.text for token in tokens]
    for before, token, after in zip(texts, tokens[1:], texts[2:], strict=False):
        if before == "." and after == "(" and token.text not in own:
            words = (rule.concept for rule in rules if token.text in rule.attributes)
            found += [Found(concept, token.start[0], f".{token.text}") for concept in words]
    classes = {full.rpartition(".")[2] for full in _list_imported(tokens, import_names).values()}
    for before, token in zip(texts, tokens[1:], strict=False):
        if before == "extends" and token.text in classes:
            found.append(Found("subclass", token.start[0], f"extends {token.text}"))
    return tuple(sorted(set(found), key=lambda each: (each.line or 0, each.what, each.text)))


def _matches(rule: Rule, full: str) -> bool:
    return any(f".{full}".endswith(f".{name}") for name in rule.names)


def _list_imported(tokens: Sequence[Token], import_names: Sequence[str]) -> dict[str, str]:
    """Return the full name of every class of the framework that is imported, by its short name."""
    texts = [token.text for token in tokens if token.counts]
    imported = {}
    for number, text in enumerate(texts):
        if text == "import":
            full = "".join(texts[number + 1 : texts.index(";", number)]).removeprefix("static")
            if set(full.split(".")) & set(import_names):
                imported[full.rpartition(".")[2]] = full
    return imported


def _list_api_names(tokens: Sequence[Token], import_names: Sequence[str]) -> Iterator[tuple[str, str, int]]:
    """Yield (full name, text, line) wherever the framework's API is named, outside the imports."""
    imported = _list_imported(tokens, import_names)
    counted = [token for token in tokens if token.counts]
    for number, token in enumerate(counted):
        if token.text not in imported or (number and counted[number - 1].text == "."):
            continue
        parts = [token.text]
        rest = counted[number + 1 :]
        for dot, part in zip(rest[::2], rest[1::2], strict=False):
            if dot.text != "." or not part.text.isidentifier():
                break
            parts.append(part.text)
        yield ".".join((imported[token.text], *parts[1:])), ".".join(parts), token.start[0]


def _list_methods(tokens: Sequence[Token]) -> Iterator[str]:
    """Yield the names of the methods that the file defines: a name between a type and a parenthesis."""
    texts = [token.text for token in tokens if token.counts]
    for before, text, after in zip(texts, texts[1:], texts[2:], strict=False):
        if after == "(" and text.isidentifier() and (before.isidentifier() or before in (">", "]")) and before != "new":
            yield text
