"""What the demo says in the end."""

from pathlib import Path

import pytest

from client.demo.__main__ import next_steps


def test_the_next_steps_name_what_was_made(tmp_path: Path) -> None:
    text = next_steps(tmp_path / "a home", "m", "d", tmp_path / "a home" / "digit-3.png")
    assert f"SYLLABUS_HOME='{tmp_path}/a home' make run" in text
    assert f"--data-binary @'{tmp_path}/a home/digit-3.png'" in text
    assert "Authorization" not in text


def test_the_key_is_named_but_not_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYLLABUS_API_KEY", "secret")
    text = next_steps(tmp_path, "m", "d", tmp_path / "x.png")
    assert "Bearer $SYLLABUS_API_KEY" in text
    assert "secret" not in text
