"""What the value of a hyperparameter asks of the data set, beside its shape.

A field's schema says so under `requires`: for a requirement the values that have it, or true for all that are not
empty. `{"images": ["bernoulli"], "classes": true}`.
"""

from collections.abc import Iterator, Mapping
from typing import Any

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
    target = manifest.get("target")
    met = {
        "images": manifest["modality"] == "image",
        "whole": not writes,
        "classes": manifest.get("classes") is not None and target is not None and list(target["shape"]) == [],
    }
    for name, field in properties.items():
        value = values.get(name, field.get("default"))
        for requirement, having in field.get("requires", {}).items():
            listed = isinstance(having, list)
            if (value in having if listed else bool(value)) and not met[requirement]:
                yield name, f"{value} {REQUIREMENTS[requirement]}" if listed else REQUIREMENTS[requirement]
