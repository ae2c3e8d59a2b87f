import pytest

from models import catalogue
from models.__main__ import main


def test_summary_prints_the_network_of_these_hyperparameters(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["summary", "lenet", "--set", "dropout=0.1", "--set", "activation=tanh"]
    assert main([*arguments, "--input", "1,32,32", "--classes", "10"]) == 0
    printed = capsys.readouterr().out
    assert "61,706" in printed
    assert "Tanh" in printed


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["lenett"], "lenet"),
        (["lenet", "--set", "dropout=2"], "dropout"),
        (["lenet", "--input", "1,2,2"], "4 pixels"),
    ],
)
def test_a_wrong_request_is_answered_with_the_reason(
    capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert main(["summary", *arguments]) == 2
    assert said in capsys.readouterr().err


def test_check_fails_when_the_snapshot_is_stale(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(catalogue, "SNAPSHOT", tmp_path_factory.mktemp("snapshot") / "catalogue.json")
    assert main(["catalogue", "--check"]) == 1
    assert "--write" in capsys.readouterr().err
    assert main(["catalogue", "--write"]) == 0
    assert main(["catalogue", "--check"]) == 0
