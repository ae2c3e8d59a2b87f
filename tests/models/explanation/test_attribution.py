"""Explanations of networks whose weights are set by hand, so that there is one right answer."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from models.explanation.attribution import ATTRIBUTIONS, Question, attribute, completeness
from models.explanation.subject import Subject
from models.run import Outcome, run
from tests.models.explanation.networks import Made, images

COLUMNS: list[dict[str, Any]] = [
    {"name": "rooms", "kind": "numeric"},
    {"name": "city", "kind": "categorical", "categories": ["aachen", "berlin", "celle"]},
    {"name": "=age", "kind": "numeric"},
]
OF_PIXELS = ["saliency", "integrated_gradients", "occlusion"]


def report_of(outcome: Outcome) -> dict[str, Any]:
    (file,) = [file for file in outcome.files if file.name == "report.json"]
    report: dict[str, Any] = json.loads(file.path.read_text())
    return report


@pytest.fixture
def one_pixel(tmp_path: Path) -> Made:
    """Says class `b` by the pixel in row 2 and column 5 alone."""

    def look_at_it(network: nn.Module) -> None:
        weight = network.get_parameter("output.weight")
        weight.zero_()
        weight[1, 2 * 8 + 5] = 0.01

    targets = np.arange(6) % 2
    return Made(
        tmp_path,
        "mlp",
        images(),
        targets,
        labels=["a", "b"],
        hyperparameters={"hidden_dims": []},
        set_weights=look_at_it,
    )


def test_a_network_that_looks_at_one_pixel_is_explained_by_it(one_pixel: Made, tmp_path: Path) -> None:
    report = report_of(run(one_pixel.context(tmp_path / "job", methods=OF_PIXELS, samples=3, target="b")))
    for sample in report["samples"]:
        for method in OF_PIXELS:
            strongest, *others = sample["methods"][method]["top"]
            assert (strongest["y"], strongest["x"]) == (2, 5), method
            assert strongest["attribution"] > 0
            assert {each["attribution"] for each in others} == {0.0}, method


def test_what_speaks_for_one_class_is_the_gradient_of_it(one_pixel: Made) -> None:
    subject = Subject.of(one_pixel.version, one_pixel.weights)
    image = torch.from_numpy(images(1)).float()
    assert attribute("saliency", Question(subject, image, 1, None))[2, 5] == pytest.approx(0.01)
    assert not attribute("saliency", Question(subject, image, 0, None)).any()
    for method in ("integrated_gradients", "occlusion"):  # the pixel by itself, against a mean of 0
        found = attribute(method, Question(subject, image, 1, None))
        assert found[2, 5] == pytest.approx(0.01 * float(image[0, 0, 2, 5]), rel=1e-4)


@pytest.fixture
def prices(tmp_path: Path) -> Made:
    """A regression, 3·age + 5 if the city is Berlin, of rows with the mean (10, 20) and deviation (2, 4)."""

    def price(network: nn.Module) -> None:
        network.get_parameter("output.weight").copy_(torch.tensor([[0.0, 3.0, 0.0, 5.0, 0.0]]))
        network.get_parameter("output.bias").zero_()

    rows = np.array([[10, 1, 24], [12, 0, 12], [10, np.nan, 20], [8, 2, np.nan]], np.float32)
    moments = torch.tensor([10.0, 0.0, 20.0]), torch.tensor([2.0, 1.0, 4.0])
    return Made(
        tmp_path,
        "mlp",
        rows,
        np.zeros(4, np.float32),
        labels=None,
        hyperparameters={"hidden_dims": []},
        columns=COLUMNS,
        set_weights=price,
        moments=moments,
    )


def test_columns_of_a_table_have_their_share_of_the_answer(prices: Made, tmp_path: Path) -> None:
    outcome = run(prices.context(tmp_path / "job", samples=[0, 1, 2, 3]))
    by_sample = [sample["methods"] for sample in report_of(outcome)["samples"]]
    integrated = [methods["integrated_gradients"]["attributions"] for methods in by_sample]
    np.testing.assert_allclose(integrated, [[0, 5, 3], [0, 0, -6], [0, 0, 0], [0, 0, 0]], atol=1e-5)
    assert by_sample[1]["integrated_gradients"]["top"][0] == {"feature": "=age", "attribution": pytest.approx(-6)}
    assert by_sample[0]["saliency"]["attributions"] == [0.0, 5.0, 3.0]
    (table,) = [file.path for file in outcome.files if file.name == "integrated_gradients.csv"]
    header, *lines = csv.reader(table.read_text().splitlines())
    assert header == ["row", "rooms", "city", "'=age"]  # no spreadsheet takes a name for a formula
    np.testing.assert_allclose(np.array(lines, np.float32), np.column_stack([range(4), integrated]), atol=1e-6)


def test_completeness_holds_and_notices_what_is_missing(prices: Made) -> None:
    subject = Subject.of(prices.version, prices.weights)
    question = Question(subject, torch.tensor([[1.0, 2.0, 0.0, 1.0, 0.0]]), 0, None)
    found = attribute("integrated_gradients", question)
    assert completeness(question, found) == {
        "sum": pytest.approx(11),
        "output_difference": pytest.approx(11),
        "tolerance": pytest.approx(0.05 * 11),
        "complete": True,
    }
    assert not completeness(question, found * 0.9)["complete"]


def test_every_channel_of_a_colour_image_counts(tmp_path: Path) -> None:
    made = Made(tmp_path, "lenet", images(4, 12, 3), np.arange(4) % 2, labels=["a", "b"])
    subject = Subject.of(made.version, made.weights)
    image = torch.from_numpy(images(1, 12, 3)).float() / 255
    for method in ATTRIBUTIONS:
        found = attribute(method, Question(subject, image, 0, subject.layer(None)))
        assert found.shape == (12, 12)
        assert np.isfinite(found).all()
    image.requires_grad_()
    gradient = torch.autograd.grad(subject.network(image)[0, 0], image)[0][0]
    saliency = attribute("saliency", Question(subject, image.detach(), 0, None))
    np.testing.assert_allclose(saliency, gradient.abs().amax(0), rtol=1e-4, atol=1e-7)
