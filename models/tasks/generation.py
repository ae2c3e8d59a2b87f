"""Generation: samples that resemble the data, made of codes from a known distribution."""

from typing import TYPE_CHECKING

from torch import nn

from models.generative import measuring
from models.tasks.base import Scores
from models.tasks.generative import Generative

if TYPE_CHECKING:
    from models.run import JobContext, Reporter
    from models.training.callbacks import Callback
    from models.training.plan import Plan


class Generation(Generative):
    """Codes are drawn from the network's prior."""

    name = "generation"
    title = "Generation"

    def watching(self, context: "JobContext", plan: "Plan") -> list["Callback"]:
        """Sheets of samples, if they are images, and the balance of networks that teach each other."""
        from models.training.callbacks import DrawSamples, WatchStability

        sheets = [DrawSamples(context, self.sampler)] if plan.dataset.modality == "image" else []
        return [*sheets, WatchStability(context.report, plan.splits["train"])]

    def quality(self, plan: "Plan", network: nn.Module, report: "Reporter") -> dict[str, Scores]:
        """As the base class, and how samples compare with held-out and with training rows, as `generation`."""
        from models.quality import quality_of  # which trains a classifier, and so imports the tasks

        drawn = quality_of(plan, network, report)
        held_out = next((plan.splits[name] for name in ("test", "validation") if name in plan.splits), None)
        if held_out is not None:
            drawn["copying"] = measuring.memorised(network, plan.splits["train"], held_out)
        return {**super().quality(plan, network, report), "generation": drawn}
