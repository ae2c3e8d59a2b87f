"""Shadow versions: called beside the version that answers and compared with it, but never answered."""

import asyncio
from collections.abc import Sequence

import numpy as np
import structlog

from services.errors import SyllabusError
from services.serving.batch import Answer, Done, Result
from services.serving.calls import Call
from services.serving.engine import LAST_PRIORITY, Engine, deadline_after
from services.serving.model import ServedModel
from services.serving.network import Feeds

MAX_COMPARISONS = 64
"""Comparisons under way at once; what comes on top of them is dropped, so that answers are never held up."""
SECONDS = 5.0
TOLERANCE = 1e-3


log = structlog.get_logger(__name__)


class Shadow:
    """Comparisons in the background."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._tasks: set[asyncio.Task[None]] = set()

    def beside(self, call: Call, shadow: ServedModel, done: Done) -> Done:
        """What is done with a call's answer, and after it the comparison with the shadow version's."""

        def both(result: Result) -> None:
            done(result)
            if isinstance(result, Answer):
                self.compare(call.found.model, shadow, call.feeds, call.rows, result.outputs)

        return both

    def compare(
        self, model: ServedModel, shadow: ServedModel, feeds: Feeds, rows: int, outputs: Sequence[np.ndarray]
    ) -> None:
        """Run the same inputs through `shadow` and count whether it answers as `model` did."""
        if len(self._tasks) >= MAX_COMPARISONS:
            self._engine.metrics_of(model).compared("dropped")
            return
        task = asyncio.get_running_loop().create_task(self._compare(model, shadow, feeds, rows, outputs))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _compare(
        self, model: ServedModel, shadow: ServedModel, feeds: Feeds, rows: int, outputs: Sequence[np.ndarray]
    ) -> None:
        try:
            loaded = await self._engine.load(shadow)
            answer = await self._engine.run(
                loaded, feeds, rows, deadline=deadline_after(SECONDS), priority=LAST_PRIORITY
            )
        except SyllabusError:
            result = "failed"
        except Exception:
            # Another version may take other inputs altogether.
            log.exception("shadow_failed", model=shadow.name, version=shadow.version)
            result = "failed"
        else:
            result = "agrees" if _agree(model.signature["task"], outputs, answer.outputs) else "differs"
        self._engine.metrics_of(model).compared(result)


def _agree(task: str, answered: Sequence[np.ndarray], shadowed: Sequence[np.ndarray]) -> bool:
    """Whether two versions say the same: the same classes, or numbers within a thousandth."""
    if len(answered) != len(shadowed):
        return False
    for ours, theirs in zip(answered, shadowed, strict=True):
        if ours.shape != theirs.shape:
            return False
        if task in ("classification", "segmentation"):
            same = bool((ours.argmax(axis=1) == theirs.argmax(axis=1)).all())
        elif ours.dtype.kind in "OSU":
            same = bool((ours == theirs).all())
        else:
            same = np.allclose(ours, theirs, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True)
        if not same:
            return False
    return True
