"""`syllabus search` and `trials`, against the real stack."""

import csv
import io
from pathlib import Path

from tests.client.cli.conftest import Command

QUICK = ("--training", "epochs=2", "--training", "device=cpu")
SPACE = ("--space", "training.optimizer.learning_rate=1e-3:0.1:log", "--space", "training.batch_size=[16,32]")


def test_a_search_is_followed_to_its_findings_and_its_trials_are_listed(syllabus: Command, tmp_path: Path) -> None:
    options = ("--trials", "2", "--strategy", "random", "-o", str(tmp_path / "out"))
    result = syllabus("search", "logistic", "iris", "--model", "cli-found", *options, *SPACE, *QUICK)
    assert result.exit_code == 0, result.stderr
    assert "training.batch_size" in result.stdout
    assert "trial 1 succeeded" in result.stderr
    assert (tmp_path / "out" / "trials.csv").exists()
    job = syllabus.json("jobs", "list", "--kind", "search")[0]
    assert "LEARNING_RATE" in syllabus("trials", job["id"]).stdout
    assert len(syllabus.json("trials", job["id"])) == 2
    assert len(list(csv.DictReader(io.StringIO(syllabus("trials", job["id"], "--csv").stdout)))) == 2
    assert syllabus("trials", job["id"], "--add", "1").exit_code == 3


def test_a_bad_search_is_refused_naming_the_field(syllabus: Command) -> None:
    result = syllabus("search", "logistic", "iris", "--space", "training.l2=0:1:log")
    assert result.exit_code == 3
    assert "space.training.l2.low" in result.stderr


def test_what_is_no_domain_or_configuration_is_wrong_usage(syllabus: Command) -> None:
    for options in (("--space", "training.l2"), ("--space", "training.l2=low"), ("--configuration", "[1]")):
        assert syllabus("search", "logistic", "iris", *options).exit_code == 2
