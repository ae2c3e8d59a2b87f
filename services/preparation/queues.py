"""Which queue a job goes to."""

from sqlalchemy.orm import Session

from services import presence
from services.errors import Invalid


def compute_queue(session: Session, device: str) -> str:
    """The queue of a job that computes on `device`: auto, cpu or cuda. Raises `Invalid` where no GPU was seen."""
    if device == "cpu":
        return "cpu"
    if presence.has_gpu(session):
        return "gpu"
    if device == "cuda":
        msg = "no worker with a GPU was seen in the last 30 s; start one, or use auto or cpu"
        raise Invalid.field("no_gpu", ["body", "training", "device"], msg)
    return "cpu"
