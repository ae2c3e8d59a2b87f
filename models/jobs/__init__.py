"""One kind of job a file, each with `run(context) -> Outcome`; see `models.run`."""
