"""Settings of the local stack: every limit by name, each with an environment variable `BONUS_LOCAL_…`."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

PROJECT = Path(__file__).resolve().parents[2]


class LocalSettings(BaseSettings):
    """Where the stack lives and how much of the machine it may take."""

    model_config = SettingsConfigDict(env_prefix="BONUS_LOCAL_", extra="ignore")

    dir: Path = Field(default=PROJECT / ".local", description="data, logs, keys and state of the stack")
    cache_dir: Path = Field(default=Path("~/.cache/bonus-ledger"), description="downloads, shared by all clones")

    postgres_port: int | None = Field(default=None, description="preferred port; a free one where it is taken")
    postgres_user: str = Field(default="nobody", description="who runs PostgreSQL when the stack is started by root")
    postgres_shared_buffers_mb: int = Field(default=512, ge=16, description="of memory that it caches pages in")
    postgres_max_wal_size_mb: int = Field(default=4096, ge=64, description="of log between two checkpoints")
    postgres_max_connections: int = Field(default=200, ge=20, description="of all processes and tests together")
    postgres_start_timeout_s: float = Field(default=120, gt=0, description="recovery after a crash included")
    postgres_stop_grace_s: float = Field(default=30, gt=0, description="to stop by itself before it is killed")

    kafka_port: int | None = Field(default=None, description="preferred port; a free one where it is taken")
    kafka_heap_mb: int = Field(default=512, ge=256, description="of memory for the broker's Java")
    kafka_message_max_bytes: int = Field(default=1024 * 1024, ge=1024, description="the broker refuses larger ones")
    kafka_start_timeout_s: float = Field(default=120, gt=0, description="recovery after a crash included")
    kafka_stop_grace_s: float = Field(default=30, gt=0, description="to stop by itself before it is killed")
    kafka_download_attempts: int = Field(default=3, ge=1, description="for each jar, before the start fails")
    kafka_download_timeout_s: int = Field(default=60, ge=1, description="of one request to the repository")

    ledger_port: int = Field(default=8081, description="preferred port; a free one where it is taken")
    rules_port: int = Field(default=8082, description="preferred port; a free one where it is taken")
    notifier_port: int = Field(default=8083, description="preferred port; a free one where it is taken")
    service_start_timeout_s: float = Field(default=60, gt=0, description="until it answers that it is ready")
    service_stop_grace_s: float = Field(default=20, gt=0, description="to finish its batch before it is killed")

    @property
    def directory(self) -> Path:
        """The stack's own directory, absolute."""
        return self.dir.expanduser().resolve()

    @property
    def cache_directory(self) -> Path:
        """Where downloads are kept, absolute."""
        return self.cache_dir.expanduser().resolve()
