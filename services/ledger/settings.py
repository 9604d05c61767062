"""Settings of the books, beside those that every process has: each limit by name, as `BONUS_LEDGER_…`."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from services.runtime.settings import RuntimeSettings


class LedgerSettings(RuntimeSettings):
    """Where the books are served, and how much of each thing at most."""

    model_config = SettingsConfigDict(env_prefix="BONUS_", extra="ignore")

    relay_poll_ms: int = Field(
        default=50, ge=1, description="how often the log's heads are looked at: balances do not wait for its events"
    )
    relay_linger_ms: int = Field(
        default=50, ge=0, description="pause after a small round: the more comes together, the cheaper"
    )

    ledger_host: str = Field(default="127.0.0.1", description="the address that the books are served on")
    ledger_port: int = Field(default=8081, ge=0, le=65_535, description="0: a free port")
    ledger_pool_writes: int = Field(default=4, ge=1, description="connections for commands over HTTP")
    ledger_pool_reads: int = Field(default=4, ge=1, description="connections for queries")
    ledger_programmes_poll_ms: int = Field(
        default=1_000, ge=10, description="how often published programmes are looked up; a version starts 60 s later"
    )
    ledger_sweep_accounts: int = Field(
        default=100, ge=1, description="accounts brought up to date in one transaction, which stays under 50 ms"
    )
    ledger_position_wait_ms: int = Field(
        default=2_000, ge=0, description="how long a read waits for the position that it must not be older than"
    )
    ledger_accounts_cached: int = Field(
        default=100_000, ge=1, description="accounts whose tenant and programme this process remembers"
    )
    ledger_proof_private_key_file: Path | None = Field(
        default=None, description="Ed25519 private key in PEM that signs anchors, checkpoints and archives"
    )
    ledger_proof_public_key_file: Path | None = Field(
        default=None, description="Ed25519 public key in PEM that they are checked with"
    )
    ledger_proof_topic: str = Field(
        default="bonus.ledger-anchors.v1", description="where `anchor --topic` publishes; the prefix stands before it"
    )
    ledger_proof_topic_replicas: int = Field(default=1, ge=1, description="of that topic, where it must be made")
    ledger_partition_positions: int = Field(
        default=250_000, ge=1, description="positions of every shard in one partition of the log: 16 million events"
    )
    ledger_partitions_ahead: int = Field(default=3, ge=1, description="empty partitions kept beyond every shard")
    ledger_rebuild_rows: int = Field(
        default=5_000, ge=1, description="rows that a rebuild puts right while it holds a shard, well under a second"
    )
    ledger_verify_lots: int = Field(
        default=60_000, ge=1, description="accounts, lots, redemptions and holds that one verifying process holds"
    )
    ledger_export_rows: int = Field(default=1_000, ge=1, description="rows that an export holds at once")
    confirmation_public_key: str = Field(
        default="", description="base64 of the Ed25519 key by which members' confirmations are checked; empty: none is"
    )
