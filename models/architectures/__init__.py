"""One architecture a file; see `models.registry`."""
