"""The kinds of jobs: what the gateway accepts and lists, and what the engine runs."""

from typing import Literal, get_args

JobKind = Literal[
    "ingest",
    "register",
    "train",
    "evaluate",
    "infer",
    "optimize",
    "explain",
    "cross_validate",
    "learning_curve",
    "validation_curve",
    "bias_variance",
    "baseline",
    "diagnose",
    "trial",
    "search",
]
KINDS: tuple[JobKind, ...] = get_args(JobKind)
