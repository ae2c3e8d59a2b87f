"""The commands of jobs that train many times, against the real stack."""

from tests.client.cli.conftest import Command

QUICK = ("--training", "epochs=2")


def test_cross_validation_is_shown_as_estimates(syllabus: Command) -> None:
    result = syllabus("cross-validate", "logistic", "iris", "--method", "k_fold", "--folds", "3", *QUICK)
    assert result.exit_code == 0, result.stderr
    assert ["METRIC", "MEAN", "STD", "FROM", "TO"] in [line.split() for line in result.stdout.splitlines()]


def test_curves_are_shown_by_point(syllabus: Command) -> None:
    sizes = syllabus("learning-curve", "logistic", "iris", "--sizes", "10,1", "--repeats", "1", *QUICK)
    assert sizes.exit_code == 0, sizes.stderr
    assert "ACCURACY VALIDATION" in sizes.stdout
    job = syllabus.json("validation-curve", "mlp", "iris", "hyperparameters.hidden_dims", "[4]", "[8, 4]", *QUICK)
    assert job["result"]["values"] == [[4], [8, 4]]


def test_bias_and_variance_are_shown(syllabus: Command) -> None:
    result = syllabus("bias-variance", "linear", "diabetes", "--resamples", "2", "--set", "degree=2", *QUICK)
    assert result.exit_code == 0, result.stderr
    assert "bias_squared" in result.stdout


def test_too_many_trainings_are_refused(syllabus: Command) -> None:
    result = syllabus("cross-validate", "logistic", "iris", "--method", "leave_p_out")
    assert result.exit_code == 3
    assert "11,175" in result.stderr


def test_sizes_that_are_no_numbers_are_wrong_usage(syllabus: Command) -> None:
    assert syllabus("learning-curve", "logistic", "iris", "--sizes", "many").exit_code == 2
