"""An `explain` job."""

from typing import Annotated, Literal

from pydantic import Field

from services.requests.base import Items, Name, Request, Seed, SplitName

ExplainMethod = Literal[
    "saliency", "integrated_gradients", "occlusion", "grad_cam", "feature_maps", "kernels", "deepdream"
]
LayerName = Annotated[str, Field(min_length=1, max_length=200)]


class DeepDream(Request):
    """How `deepdream` climbs, for the pictures of samples and for those that it grows for each class."""

    steps: int = Field(20, ge=1, le=200, description="Steps of gradient ascent in each octave.")
    learning_rate: float = Field(
        2.0, gt=0.0, le=64.0, description="Mean change of a pixel in a step, in grey levels of 255."
    )
    octaves: int = Field(
        4, ge=1, le=8, description="Sizes at which it climbs, one after the other; none above 512 pixels a side."
    )
    octave_scale: float = Field(1.4, ge=1.1, le=2.0, description="How much larger each octave is than the one before.")
    layer: LayerName | None = Field(None, description="What is amplified; null: the request's `layer`.")
    channel: int | None = Field(None, ge=0, description="The one channel of it that is amplified; null: all.")


class ExplainRequest(Request):
    """Show where a version's answers come from and what its layers look for."""

    kind: Literal["explain"]
    model: Name
    version: int | str = "latest"
    methods: Items[ExplainMethod] = Field(
        ("saliency", "integrated_gradients"),
        min_length=1,
        max_length=7,
        description="Tables have the first two. `grad_cam` and what follows it are for networks with convolutions.",
    )
    dataset: Name | None = Field(None, description="Where the samples come from; null: the training's data set.")
    split: SplitName = "test"
    samples: (
        Annotated[int, Field(ge=1, le=64)]
        | Annotated[Items[Annotated[int, Field(ge=0, le=2**53)]], Field(min_length=1, max_length=64)]
    ) = Field(8, description="Rows of the split, counted from 0; or how many, spread evenly over it.")
    target: str | None = Field(
        None, max_length=1000, description="The label that is explained; null: the one predicted."
    )
    layer: LayerName | None = Field(
        None,
        description="A layer with feature maps, for the methods that look at one. null: the last convolution, for "
        "`kernels` the first, and for `feature_maps` up to 8 from the first to the last.",
    )
    seed: Seed = Field(0, description="Of the noise and the jitter of `deepdream`.")
    deepdream: DeepDream = DeepDream()
