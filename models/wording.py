"""Words for pictures, which have little room."""

MAX_CHARACTERS = 24


def shortened(value: object, most: int = MAX_CHARACTERS) -> str:
    """A value in at most so many characters: it may be a user's name, or a list of layers."""
    text = str(value)
    return text if len(text) <= most else f"{text[: most - 1]}…"
