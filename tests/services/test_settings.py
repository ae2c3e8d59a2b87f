"""Settings come from the environment and give usable paths."""

from pathlib import Path

import pytest
from pydantic import ValidationError

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


def test_an_empty_variable_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SYLLABUS_API_KEY", "SYLLABUS_DATABASE_URL", "SYLLABUS_HOST"):
        monkeypatch.setenv(name, "")
    settings = Settings()
    assert (settings.api_key, settings.database_url, settings.host) == (None, None, "127.0.0.1")


@pytest.mark.parametrize("key", ["\t", "two words", "schlüssel", "line\nbreak"])
def test_a_key_that_no_client_could_send_is_refused(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setenv("SYLLABUS_API_KEY", key)
    with pytest.raises(ValidationError, match="only ASCII letters, digits and signs") as refused:
        Settings()
    assert key not in refused.value.errors()[0]["msg"]
