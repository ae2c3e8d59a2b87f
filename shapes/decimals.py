"""Numbers of 32 bits as they are shown to people."""


def shortest(number: object) -> float:
    """numpy's number as the one of the fewest digits that it is closest to: 0.3941, and not 0.39410001039505005."""
    return float(str(number))
