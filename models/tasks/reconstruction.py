"""Reconstruction: the input itself, by way of a code that says less than it."""

from models.tasks.generative import Generative


class Reconstruction(Generative):
    """Codes follow no known distribution, so that none can be drawn."""

    name = "reconstruction"
    title = "Reconstruction"
