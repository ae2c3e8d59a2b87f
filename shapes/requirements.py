"""What the value of a hyperparameter asks of the data set, beside its shape, and of which data it says something.

A field's schema says so under `requires`: for a requirement the values that have it, or true for all that are not
empty. `{"images": ["bernoulli"], "classes": true}`. Under `about` it names the data that the field says something of,
if that is not so of any.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

Subject = Literal["forecasts", "texts", "whole texts"]
"""Texts are whole, or words as they are given."""

REQUIREMENTS = {
    "images": "is for images, and this data set holds tables",
    "whole": "is for texts that are there as a whole, and not for such as are to be written",
    "classes": "needs a data set whose rows are of classes",
}


def unmet(
    properties: Mapping[str, Any], values: Mapping[str, Any], manifest: Mapping[str, Any], *, writes: bool
) -> Iterator[tuple[str, str]]:
    """Each hyperparameter with a value that the data set of this manifest does not do for, and what is wrong.

    `writes` says that texts are to be written.
    """
    for name, field in properties.items():
        for msg in _faults(field, values.get(name, field.get("default")), manifest, writes=writes):
            yield name, msg


def searched(field: Mapping[str, Any], manifest: Mapping[str, Any], *, writes: bool) -> dict[str, Any] | None:
    """The range or the choices that a field declares, as far as they are for such data; None without any."""
    if "search" not in field or not is_about(field.get("about"), manifest):
        return None
    domain = dict(field["search"])
    if "choices" in domain:
        fitting = (value for value in domain["choices"] if not any(_faults(field, value, manifest, writes=writes)))
        domain["choices"] = list(fitting)
    return domain


def is_about(subject: Subject | None, manifest: Mapping[str, Any]) -> bool:
    """Whether a data set of this manifest is what something is about; anything is, where that is None."""
    if subject is None:
        return True
    if subject == "forecasts":
        return bool(manifest["task"] == "forecasting")
    is_text = bool(manifest["modality"] == "text")
    return is_text and (subject == "texts" or list(manifest["input"]["shape"]) == [])


def _faults(field: Mapping[str, Any], value: Any, manifest: Mapping[str, Any], *, writes: bool) -> Iterator[str]:
    target = manifest.get("target")
    met = {
        "images": manifest["modality"] == "image",
        "whole": not writes,
        "classes": manifest.get("classes") is not None and target is not None and list(target["shape"]) == [],
    }
    for requirement, having in field.get("requires", {}).items():
        listed = isinstance(having, list)
        if (value in having if listed else bool(value)) and not met[requirement]:
            yield f"{value} {REQUIREMENTS[requirement]}" if listed else REQUIREMENTS[requirement]
