"""Settings, read from `SYLLABUS_*` environment variables."""

import hashlib
import os
import re
import tempfile
from functools import cached_property
from pathlib import Path
from typing import Literal, Self

from pydantic import AliasChoices, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

# The longest path that the kernel takes for a unix socket: 108 bytes with the closing NUL (unix(7)).
MAX_SOCKET_PATH_BYTES = 107
PORT_NAMES = AliasChoices("SYLLABUS_PORT", "PORT")


class Settings(BaseSettings):
    """Everything an operator can set. Sizes are bytes, durations seconds. A variable that is empty is not set."""

    model_config = SettingsConfigDict(env_prefix="SYLLABUS_", env_ignore_empty=True, frozen=True, extra="ignore")

    home: Path = Field(Path("var"), description="Directory of all state.")
    host: str = Field("127.0.0.1", description="Address the gateway listens on; not loopback needs an API key.")
    port: int = Field(8000, ge=0, le=65535, validation_alias=PORT_NAMES, description="Port of the gateway.")
    api_key: SecretStr | None = Field(None, description="Key that every route but health wants as a bearer token.")
    database_url: str | None = Field(None, description="SQLAlchemy URL; default is SQLite under `home`.")
    broker_url: str | None = Field(None, description="Redis-protocol URL; default is a unix socket under `home`.")
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR.")

    max_upload_bytes: int = Field(10 * 2**30, gt=0, description="Largest upload of a data set.")
    max_body_bytes: int = Field(2**20, gt=0, description="Largest JSON body.")
    max_predict_bytes: int = Field(32 * 2**20, gt=0, description="Largest body of a prediction.")
    receive_timeout_seconds: float = Field(20, gt=0, description="Longest silence while a request arrives.")
    max_archive_entries: int = Field(80_000, gt=0, description="Most entries in an uploaded archive.")
    max_pixels: int = Field(50_000_000, gt=0, description="Most pixels in one image.")
    max_decompressed_bytes: int = Field(20 * 2**30, gt=0, description="Most bytes an archive may unpack to.")
    max_ingest_memory_bytes: int = Field(4 * 2**30, gt=0, description="Memory limit of an ingest job's process.")
    max_ingest_seconds: float = Field(3600, gt=0, description="Time limit of an ingest job.")

    gateway_workers: int = Field(1, ge=1, le=64, description="Gateway processes that share the port.")
    serve_device: Literal["auto", "cpu", "cuda"] = Field("auto", description="Where predictions are computed.")
    preload: str = Field("", description="Models to load at start, with commas between them; `*`: all.")
    predict_timeout_seconds: float = Field(10, gt=0, le=600, description="Deadline of a prediction that names none.")
    max_model_bytes: int = Field(2 * 2**30, gt=0, description="Memory for models that are ready to predict.")
    max_queue_bytes: int = Field(256 * 2**20, gt=0, description="Memory for inputs that wait to be predicted.")

    lease_seconds: float = Field(30, gt=0, description="How long a claim holds without a heartbeat.")
    heartbeat_seconds: float = Field(10, gt=0, description="How often a worker renews its claim at least.")
    sweep_seconds: float = Field(
        7, gt=0, description="How often expired claims and jobs nobody rang for are looked for."
    )
    max_attempts: int = Field(3, ge=1, description="Starts of a job before it counts as failed.")
    checkpoint_interval_seconds: float = Field(30, ge=0, description="Time between checkpoints; 0: every step.")
    cancel_grace_seconds: float = Field(5, ge=0, description="Time a job's process has to obey before it is killed.")

    @field_validator("api_key")
    @classmethod
    def _fit_in_a_header(cls, key: SecretStr | None) -> SecretStr | None:
        if key is not None and not re.fullmatch("[!-~]+", key.get_secret_value()):
            raise ValueError("only ASCII letters, digits and signs, without spaces: a client could not send another")
        return key

    @model_validator(mode="after")
    def _renew_in_time(self) -> Self:
        if self.heartbeat_seconds >= self.lease_seconds:
            raise ValueError("heartbeat_seconds must be less than lease_seconds, or every claim expires")
        return self

    @cached_property
    def root(self) -> Path:
        """`home` as an absolute path."""
        return self.home.absolute()

    @property
    def uploads(self) -> Path:
        """Where request bodies are streamed to."""
        return self.root / "uploads"

    @property
    def datasets(self) -> Path:
        """Where ingested arrays lie, a directory each."""
        return self.root / "datasets"

    @property
    def artifact_directory(self) -> Path:
        """Where artifacts lie by their SHA-256."""
        return self.root / "artifacts"

    @property
    def jobs(self) -> Path:
        """Where running jobs keep checkpoints and scratch files."""
        return self.root / "jobs"

    @property
    def socket(self) -> Path:
        """The embedded broker's unix socket; in the temporary directory when `home` is too long for one."""
        path = self.root / "broker.sock"
        if len(os.fsencode(path)) <= MAX_SOCKET_PATH_BYTES:
            return path
        digest = hashlib.sha256(os.fsencode(self.root)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"syllabus-{os.getuid()}-{digest}" / "broker.sock"

    @property
    def database(self) -> str:
        """The database URL in force."""
        return self.database_url or f"sqlite:///{self.root / 'syllabus.db'}"

    @property
    def broker(self) -> str:
        """The broker URL in force, as Celery takes it."""
        return self.broker_url or f"redis+socket://{self.socket}"

    def make_directories(self) -> None:
        """Create the directories of `home`, for this user only."""
        for path in (
            self.root,
            self.uploads,
            self.datasets,
            self.artifact_directory,
            self.jobs,
            self.socket.parent,
        ):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
