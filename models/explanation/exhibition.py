"""What each method of an `explain` request finds, as pictures and as entries of the report."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL.Image import Image
from torch import Tensor

from models.evaluation.exhibits import Exhibits
from models.explanation import dreaming, maps, pictures
from models.explanation.attribution import ATTRIBUTIONS, Question, attribute, completeness
from models.explanation.samples import Sample
from models.explanation.subject import Layer, Subject

TOP_FEATURES = 5
MAX_BARS = 20
MAX_CLASSES = 64
CLASS_SIDE = 96
MAX_NAME = 14


@dataclass(frozen=True)
class Exhibition:
    """A network, what is asked about it, and where the answers hang."""

    subject: Subject
    exhibits: Exhibits
    split: str
    target: int | None
    """The class that is explained; None: of each sample the one that is predicted."""
    layer: str | None
    dream_layer: str | None
    dream_channel: int | None
    ascent: dreaming.Ascent
    obey: Callable[[], None]

    def sample(self, method: str, sample: Sample) -> dict[str, Any]:
        """What the report says of a sample by one method."""
        if method in ATTRIBUTIONS:
            return self._attribution(method, sample)
        return self._feature_maps(sample) if method == "feature_maps" else self._dream(sample)

    def kernels(self) -> dict[str, Any]:
        """The kernels of the named layer, or of the first convolution."""
        layer = self.subject.layer(self.layer, place=0)
        slices = maps.kernels(layer)
        largest = float(np.abs(slices).max())
        title = f"{layer.name}: {len(slices)} kernels, values up to {largest:.3g}"
        picture = pictures.grid(maps.kernel_tiles(slices), title)
        name = self._shown(picture, "kernels", layer.name, f"the kernels of {layer.name}")
        return {"picture": name, "layer": layer.name, "shown": len(slices), "largest": largest}

    def classes(self) -> dict[str, Any]:
        """A picture grown from noise for the target, or for each of the first 64 classes."""
        labels = self.subject.labels or []
        chosen = list(range(min(len(labels), MAX_CLASSES))) if self.target is None else [self.target]
        tiles, entries = [], []
        for index in chosen:
            grown = dreaming.imagine(self.subject, index, self.ascent, self.obey)
            tiles.append(pictures.pixels_of(grown.picture[0].numpy()))
            entries.append({"label": labels[index], "logit_before": grown.before, "logit_after": grown.after})
        names = [labels[index][:MAX_NAME] for index in chosen]
        picture = pictures.grid(tiles, "what each class looks like to the network", names, CLASS_SIDE)
        name = self._shown(picture, "deepdream", "classes", "a picture grown from noise for each class")
        return {"picture": name, "classes": entries}

    def table(self, method: str, samples: list[Sample], found: list[dict[str, Any]]) -> None:
        """What each column counts for each of the samples, as CSV."""
        header = ["row", *(column["name"] for column in self.subject.signature["input"]["columns"])]
        rows = [[sample.row, *each[method]["attributions"]] for sample, each in zip(samples, found, strict=True)]
        shows = f"{ATTRIBUTIONS[method].about} of each column, a line for each sample"
        self.exhibits.tabulate(method, header, rows, shows, method=method, row=None)

    def _attribution(self, method: str, sample: Sample) -> dict[str, Any]:
        layer = self.subject.layer(self.layer) if ATTRIBUTIONS[method].of_layer else None
        question = Question(self.subject, self._standardised(sample), self._target(sample), layer)
        found = attribute(method, question)
        picture = self._heat_map(method, sample, found) if self.subject.is_image else self._bars(method, sample, found)
        name = self._hang(picture, method, sample, f"{ATTRIBUTIONS[method].about} of {self._about(sample)}")
        report: dict[str, Any] = {"picture": name, "top": self._top(found)}
        if ATTRIBUTIONS[method].complete:
            report["completeness"] = completeness(question, found)
        if layer is not None:
            report["layer"] = layer.name
        if not self.subject.is_image:
            report["attributions"] = found.tolist()
        return report

    def _standardised(self, sample: Sample) -> Tensor:
        """The network's input (1, ...)."""
        with torch.no_grad():
            standardised: Tensor = self.subject.preprocess(torch.from_numpy(sample.input[None]))
        return standardised

    def _target(self, sample: Sample) -> int:
        """The output that is explained of a sample: its predicted class, unless one was asked for."""
        if self.target is not None:
            return self.target
        return 0 if self.subject.labels is None else int(sample.answer.argmax())

    def _heat_map(self, method: str, sample: Sample, found: NDArray[Any]) -> Image:
        image = pictures.pixels_of(sample.input)
        attribution = ATTRIBUTIONS[method]
        coloured, strength = pictures.heat_map(found, signed=attribution.signed)
        legend = ": red for, blue against" if attribution.signed else ""
        panels = {
            "input": image,
            f"{attribution.about}{legend}": coloured,
            "overlaid": pictures.overlaid(image, coloured, strength),
        }
        return pictures.side_by_side(panels, self._about(sample))

    def _bars(self, method: str, sample: Sample, found: NDArray[Any]) -> Image:
        strongest = np.argsort(-np.abs(found), kind="stable")[:MAX_BARS]
        names = [column["name"] for column in self.subject.signature["input"]["columns"]]
        values = {names[place]: float(found[place]) for place in strongest}
        return pictures.bars(values, f"{ATTRIBUTIONS[method].about}: {self._about(sample)}")

    def _top(self, found: NDArray[Any]) -> list[dict[str, Any]]:
        """The places that count most: of an image row and column from its upper left, of a table the column's name."""
        strongest = np.argsort(-np.abs(found), axis=None, kind="stable")[:TOP_FEATURES]
        values = [float(found.flat[place]) for place in strongest]
        if self.subject.is_image:
            where = [divmod(int(place), found.shape[1]) for place in strongest]
            return [{"y": y, "x": x, "attribution": value} for (y, x), value in zip(where, values, strict=True)]
        names = [self.subject.signature["input"]["columns"][place]["name"] for place in strongest]
        return [{"feature": name, "attribution": value} for name, value in zip(names, values, strict=True)]

    def _feature_maps(self, sample: Sample) -> dict[str, Any]:
        layers = maps.shown_layers(self.subject, self.layer)
        found = maps.feature_maps(self.subject, self._standardised(sample), layers)
        sheets = [
            pictures.grid(maps.map_tiles(each), _map_title(layer, each))
            for layer, each in zip(layers, found, strict=True)
        ]
        shows = f"maps of {', '.join(layer.name for layer in layers)} for {self._about(sample)}"
        name = self._hang(pictures.stacked(sheets), "feature_maps", sample, shows)
        entries = [
            {"layer": layer.name, "shape": list(layer.shape), "shown": len(each), "largest": float(each.max())}
            for layer, each in zip(layers, found, strict=True)
        ]
        return {"picture": name, "layers": entries}

    def _dream(self, sample: Sample) -> dict[str, Any]:
        layer = self.subject.layer(self.dream_layer)
        image = torch.from_numpy(sample.input[None]).float()
        dreamed = dreaming.dream(self.subject, layer, self.dream_channel, image, self.ascent, self.obey)
        panels = {"input": dreamed.start, layer.name: dreamed.picture}
        picture = pictures.side_by_side(
            {title: pictures.pixels_of(each[0].numpy()) for title, each in panels.items()}, self._about(sample)
        )
        name = self._hang(picture, "deepdream", sample, f"what {layer.name} sees in {self._about(sample)}, amplified")
        return {
            "picture": name,
            "layer": layer.name,
            "channel": self.dream_channel,
            "size": list(dreamed.picture.shape[2:]),
            "activation_before": dreamed.before,
            "activation_after": dreamed.after,
        }

    def _hang(self, picture: Image, method: str, sample: Sample, shows: str) -> str:
        return self._shown(picture, method, f"{self.split}-{sample.row}", shows, sample.row)

    def _shown(self, picture: Image, method: str, of: str, shows: str, row: int | None = None) -> str:
        """Keep a picture as `<method>.<what it is of>.png`; its row is null for what is not of one sample."""
        return self.exhibits.hang(f"{method}.{of}", picture, shows, method=method, row=row)

    def _about(self, sample: Sample) -> str:
        """A sample in words: `test 12, true 7, predicted 7 (99.2%)`."""
        said = sample.described(self.subject.labels)
        truth = "" if sample.truth is None else f", true {sample.truth}"
        if self.subject.labels is None:
            return f"{self.split} {sample.row}{truth}, predicted {said['value']:.4g}"
        explained = "" if self.target is None else f", explained {self.subject.labels[self.target]}"
        return f"{self.split} {sample.row}{truth}, predicted {said['predicted']} ({said['probability']:.1%}){explained}"


def _map_title(layer: Layer, shown: NDArray[Any]) -> str:
    count, height, width = layer.shape
    return f"{layer.name}: {len(shown)} of {count} maps of {height} by {width}, {shown.min():.3g} to {shown.max():.3g}"
