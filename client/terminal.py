"""Text from the service, made safe for a terminal.

Names, logs and error messages can hold whatever a user once put there: escape sequences that recolour,
retitle or rewrite the screen, line breaks that forge a line, direction marks that reorder one. They are
printed as visible escapes (`\\x1b`) instead. Only the joiners stay, without which Persian or Hindi are misspelt.
"""

import unicodedata

# Cc: control characters; Cf: invisible ones, such as right-to-left marks; Zl and Zp: line and paragraph
# separators; Cs: halves of surrogate pairs, which no output encoding takes.
_UNSAFE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_JOINERS = "\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"


def escape(text: object) -> str:
    """`text` as one line in which every control or invisible character but joiners is a Python-style escape."""
    return "".join(
        char
        if unicodedata.category(char) not in _UNSAFE_CATEGORIES or char in _JOINERS
        else char.encode("unicode_escape").decode("ascii")
        for char in str(text)
    )


def escape_lines(text: str) -> str:
    """Like `escape`, but the line feeds of `text` stay line breaks."""
    return "\n".join(escape(line) for line in text.split("\n"))
