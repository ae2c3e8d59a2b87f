from typing import Any

import pytest

from shapes.requirements import unmet

PROPERTIES: dict[str, Any] = {
    "loss": {"default": "mse", "requires": {"images": ["bernoulli"]}},
    "channels": {"default": [], "requires": {"images": True}},
    "conditional": {"default": False, "requires": {"classes": True}},
    "bidirectional": {"default": False, "requires": {"whole": True}},
    "depth": {"default": 3},
}
CLASSES = {"classes": ["a", "b"], "target": {"shape": []}}
MASKS = {"classes": ["a", "b"], "target": {"shape": [8, 8]}}
NUMBERS: dict[str, Any] = {"classes": None, "target": {"shape": []}}
UNLABELLED = {"classes": None, "target": None}


@pytest.mark.parametrize(
    ("values", "manifest", "refused"),
    [
        ({}, {"modality": "tabular", **UNLABELLED}, []),
        ({"loss": "bernoulli", "channels": [4]}, {"modality": "image", **UNLABELLED}, []),
        ({"loss": "bernoulli", "channels": [4]}, {"modality": "tabular", **CLASSES}, ["loss", "channels"]),
        ({"conditional": True}, {"modality": "tabular", **CLASSES}, []),
        *[
            ({"conditional": True}, {"modality": "image", **other}, ["conditional"])
            for other in (MASKS, NUMBERS, UNLABELLED)
        ],
    ],
)
def test_values_are_refused_for_data_that_they_are_not_for(
    values: dict[str, Any], manifest: dict[str, Any], refused: list[str]
) -> None:
    assert [name for name, _ in unmet(PROPERTIES, values, manifest, writes=False)] == refused


def test_the_message_names_the_value_where_others_would_do() -> None:
    ((_, said),) = unmet(PROPERTIES, {"loss": "bernoulli"}, {"modality": "tabular", **CLASSES}, writes=False)
    assert said == "bernoulli is for images, and this data set holds tables"


def test_what_reads_from_the_end_is_not_for_texts_that_are_to_be_written() -> None:
    manifest = {"modality": "text", **CLASSES}
    values = {"bidirectional": True, "conditional": True}
    assert [name for name, _ in unmet(PROPERTIES, values, manifest, writes=True)] == ["bidirectional"]
    assert not list(unmet(PROPERTIES, values, manifest, writes=False))
