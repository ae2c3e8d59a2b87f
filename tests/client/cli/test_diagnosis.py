"""`syllabus baseline` and `diagnose` against the real stack."""

from pathlib import Path

from tests.client.cli.conftest import Command


def test_baselines_are_shown_the_best_first(syllabus: Command, tmp_path: Path) -> None:
    split = ("--split", "seed=21", "--split", "test=0.3")
    result = syllabus("baseline", "iris", "--families", "random,classical", *split, "-o", str(tmp_path / "out"))
    assert result.exit_code == 0, result.stderr
    names = [line.split()[0] for line in result.stdout.splitlines() if " classical " in line or " random " in line]
    assert len(names) == 6
    assert names[-1] in ("stratified", "most_frequent")
    assert (tmp_path / "out" / "baselines.plotly.json").exists()

    trained = ("--training", "split.seed=21", "--training", "split.test=0.3", "--training", "epochs=2")
    compared = syllabus("train", "logistic", "iris", "--model", "cli-compared", *trained)
    assert compared.exit_code == 0, compared.stderr
    assert "DIFFERENCE" in compared.stdout


def test_a_diagnosis_is_shown_check_by_check(syllabus: Command) -> None:
    result = syllabus("diagnose", "mlp", "iris", "--check", "data", "--check", "gradients", "--training", "epochs=2")
    assert result.exit_code == 0, result.stderr
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["CHECK", "VERDICT", "FOUND", "TRY"] in lines
    assert [line[:2] for line in lines if line and line[0] in ("data", "gradients")] == [
        ["data", "good"],
        ["gradients", "good"],
    ]


def test_a_family_that_does_not_exist_is_refused(syllabus: Command) -> None:
    assert syllabus("baseline", "iris", "--families", "magic").exit_code == 3
