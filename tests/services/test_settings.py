"""Settings come from the environment and give usable paths."""

from pathlib import Path

import pytest

from services.settings import MAX_SOCKET_PATH_BYTES, Settings


def test_port_is_read_from_port_and_syllabus_port_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "9001")
    assert Settings().port == 9001
    monkeypatch.setenv("SYLLABUS_PORT", "9002")
    assert Settings().port == 9002


def test_a_deep_home_gets_a_socket_that_the_kernel_takes(tmp_path: Path) -> None:
    deep = Settings(home=tmp_path / ("deep" * 30))
    assert len(str(deep.socket)) <= MAX_SOCKET_PATH_BYTES
    assert deep.socket != Settings(home=tmp_path / ("deer" * 30)).socket


def test_directories_are_for_this_user_only(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    settings.make_directories()
    for path in (settings.root, settings.uploads, settings.artifact_directory):
        assert path.stat().st_mode & 0o077 == 0


def test_a_key_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYLLABUS_API_KEY", "open-sesame")
    assert "open-sesame" not in repr(Settings())
