import csv
from pathlib import Path

from models.search import table
from tests.models.search.studies import history_of, record_of, request_of


def test_every_trial_has_a_line(tmp_path: Path) -> None:
    records = [
        record_of(
            0,
            parameters={"training.batch_size": 8, "hyperparameters.hidden_dims": [4, 4]},
            values={"val_accuracy": 0.9, "val_loss": 0.25},
            attributes={"epochs": 6, "best_epoch": 4, "cma:generation": 1},
            seconds=1.5,
        ),
        record_of(1, "failed", parameters={"training.batch_size": 16}, error={"code": "x", "detail": "=1+1 diverged"}),
        record_of(2, "running"),
        record_of(7, parameters={"training.l2": 1.0}, warm=True),
    ]
    configurations = [{"training.batch_size": 8, "hyperparameters.hidden_dims": [4, 4]}, {"training.batch_size": 16}]
    request = request_of(strategy="manual", dimensions=[], configurations=configurations)
    file = table.write(history_of(request, records), tmp_path / "trials.csv")
    with file.path.open(newline="") as lines:
        header, first, second, third = csv.reader(lines)
    assert header == [
        *("number", "state", "val_accuracy", "val_loss", "training.batch_size", "hyperparameters.hidden_dims"),
        *("epochs", "best_epoch", "seconds", "error"),
    ]
    assert first == ["0", "complete", "0.9", "0.25", "8", "[4, 4]", "6", "4", "1.5", ""]
    assert second == ["1", "failed", "", "", "16", "", "", "", "", "'=1+1 diverged"]
    assert third == ["2", "running", *[""] * 8]


def test_a_choice_that_looks_like_a_formula_is_text(tmp_path: Path) -> None:
    dimension = {"path": "hyperparameters.activation", "kind": "choice", "choices": ["@relu"]}
    records = [record_of(0, parameters={"hyperparameters.activation": "@relu"}, values={"val_accuracy": 1.0})]
    file = table.write(history_of(request_of(dimensions=[dimension]), records), tmp_path / "trials.csv")
    assert "'@relu" in file.path.read_text()
