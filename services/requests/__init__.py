"""What may be asked for: pydantic models, a module for each kind of job and for what else has a body.

`hyperparameters` and `training` are checked against the catalogue's JSON Schemas (`services.catalogue`).
"""
