"""Evaluations of real data, through the API: `docs/results.md` records what these runs gave."""

import gzip
import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.stack import Stack
from tests.test_real_data import idx_zip, upload

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]
IDX_HEADER = 16


def evaluated(stack: Stack, **body: Any) -> dict[str, Any]:
    job = stack.wait_for(stack.submit({"kind": "evaluate", **body})["id"], seconds=600)
    assert job["state"] == "succeeded", job["error"]
    result: dict[str, Any] = job["result"]
    return result


def trained(stack: Stack, **body: Any) -> dict[str, Any]:
    job = stack.wait_for(stack.submit({"kind": "train", **body})["id"], seconds=900)
    assert job["state"] == "succeeded", job["error"]
    result: dict[str, Any] = job["result"]
    return result


def dimmed(folder: Path) -> bytes:
    """The test images at two thirds of their brightness, as files of a training and a test split."""
    buffer = io.BytesIO()
    images = gzip.decompress((folder / "t10k-images-idx3-ubyte.gz").read_bytes())
    labels = (folder / "t10k-labels-idx1-ubyte.gz").read_bytes()
    pixels = np.frombuffer(images[IDX_HEADER:], np.uint8) // 3 * 2
    with zipfile.ZipFile(buffer, "w") as archive:
        for part in ("train", "t10k"):
            archive.writestr(f"{part}-images-idx3-ubyte.gz", gzip.compress(images[:IDX_HEADER] + pixels.tobytes(), 1))
            archive.writestr(f"{part}-labels-idx1-ubyte.gz", labels)
    return buffer.getvalue()


def test_ten_thousand_images_are_judged(stack: Stack, test_data: Path) -> None:
    folder = test_data / "fashion-mnist"
    upload(stack, "evaluated-fashion", idx_zip(folder))
    upload(stack, "dimmed-fashion", dimmed(folder))
    body = {"architecture": "lenet", "dataset": "evaluated-fashion", "model": "fashion-judged"}
    for epochs in (1, 4):
        settings = {"epochs": epochs, "batch_size": 64, "split": {"validation": 0.1}, "device": "cpu"}
        trained(stack, **body, training={**settings, "optimizer": {"name": "adam", "learning_rate": 0.002}})
    against = {"version": 1}
    found = evaluated(stack, model="fashion-judged", dataset="evaluated-fashion", against=against)
    print("calibration:", found["calibration"])
    print("drift:", found["drift"]["verdict"])
    print("comparison:", found["comparison"]["verdict"])
    assert found["rows"] == 10_000
    assert found["calibration"]["after"]["log_loss"] <= found["calibration"]["before"]["log_loss"] + 1e-3
    assert found["drift"]["verdict"]["drift"] == "none"
    assert found["comparison"]["verdict"]["better"] == "first"
    moved = evaluated(stack, model="fashion-judged", dataset="dimmed-fashion")
    print("dimmed:", moved["metrics"]["accuracy"], moved["drift"]["verdict"])
    assert moved["drift"]["verdict"]["drift"] == "large"
    assert "brightness" in moved["drift"]["verdict"]["detail"]


def test_a_table_of_twenty_thousand_rows_is_judged(stack: Stack, test_data: Path) -> None:
    """Houses by the ocean, of a version that was trained on those inland."""
    header, *lines = (test_data / "tabular" / "housing.csv").read_text().splitlines()
    place = header.split(",").index("ocean_proximity")
    inland = [line for line in lines if line.split(",")[place] == "INLAND"]
    coast = [line for line in lines if line.split(",")[place] == "NEAR OCEAN"]
    for name, rows in (("inland", inland), ("coast", coast)):
        upload(stack, f"houses-{name}", "\n".join([header, *rows]).encode(), format="csv", target="median_house_value")
    training = {"epochs": 15, "optimizer": {"name": "adam", "learning_rate": 0.005}, "device": "cpu"}
    for architecture in ("linear", "mlp"):
        trained(stack, architecture=architecture, dataset="houses-inland", model="houses", training=training)
    found = evaluated(stack, model="houses", dataset="houses-inland", against={"version": 1})
    print("comparison:", found["comparison"]["verdict"], found["drift"]["verdict"])
    assert found["drift"]["verdict"]["drift"] in ("none", "small")
    moved = evaluated(stack, model="houses", dataset="houses-coast")
    print("coast:", moved["metrics"]["r2"], moved["drift"]["verdict"])
    assert moved["drift"]["verdict"]["drift"] == "large"
    assert "longitude" in moved["drift"]["verdict"]["detail"]
