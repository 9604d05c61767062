"""Settings that every process has: each limit by name, with an environment variable `BONUS_…`."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from contracts.envelope import MAX_MESSAGE_BYTES


class RuntimeSettings(BaseSettings):
    """Where the parts are, and how much of each thing at most. Services add their own by inheriting."""

    model_config = SettingsConfigDict(env_prefix="BONUS_", extra="ignore")

    # Postgres
    postgres_dsn: str = Field(default="", repr=False, description="postgresql://user:password@host:port/database")
    master_keys: str = Field(
        default="", repr=False, description="name:base64,…: keys that wrap members' keys, the current one first"
    )
    postgres_pool_min: int = Field(default=1, ge=0, description="connections kept open when idle")
    postgres_pool_max: int = Field(
        default=6,
        ge=2,
        description="connections of one process; bounds its transactions; a relay keeps one for good",
    )
    postgres_connect_timeout_s: float = Field(default=10, gt=0, description="until a new connection stands")
    postgres_command_timeout_s: float = Field(default=60, gt=0, description="of one statement, as this side sees it")
    postgres_lock_timeout_ms: int = Field(default=10_000, ge=0, description="longest wait for a shard's row")
    postgres_statement_timeout_ms: int = Field(default=30_000, ge=0, description="of one statement; 0: none")
    postgres_idle_in_transaction_timeout_ms: int = Field(
        default=30_000, ge=0, description="a transaction whose process hangs gives its shard back after this"
    )

    # Kafka
    kafka_bootstrap: str = Field(default="", description="host:port,host:port")
    topic_prefix: str = Field(default="", description="put before the name of every topic and consumer group")
    kafka_request_timeout_ms: int = Field(default=30_000, ge=1_000, description="of one request to a broker")
    kafka_metadata_max_age_ms: int = Field(
        default=60_000, ge=1_000, description="how old what is known of topics and brokers may be"
    )

    # Consumer
    consumer_session_timeout_ms: int = Field(default=30_000, ge=1_000, description="a silent worker is out after this")
    consumer_heartbeat_ms: int = Field(default=3_000, ge=100, description="how often a worker says that it lives")
    consumer_rebalance_timeout_ms: int = Field(default=60_000, ge=1_000, description="a batch must end within this")
    consumer_poll_records: int = Field(default=2_000, ge=1, description="messages taken from the fetch buffer at once")
    consumer_poll_wait_ms: int = Field(default=200, ge=1, description="how long a poll waits for the first message")
    consumer_fetch_wait_ms: int = Field(default=500, ge=1, description="how long the broker waits for a first message")
    consumer_collect_ms: int = Field(
        default=100, ge=0, description="from a small poll to the next fetch: a trickle is not fetched one by one"
    )
    consumer_background_collect_ms: int = Field(
        default=500, ge=0, description="the same for what nobody waits for: the more comes together, the cheaper it is"
    )
    consumer_small_poll: int = Field(default=1_000, ge=0, description="a poll of fewer messages is small")
    consumer_fetch_max_bytes: int = Field(default=4 * 1024 * 1024, ge=1024, description="of one answer of a broker")
    consumer_partition_fetch_bytes: int = Field(default=256 * 1024, ge=1024, description="of one partition in it")
    consumer_decode_messages: int = Field(default=200, ge=1, description="decoded in one go, then others have a turn")
    consumer_decode_bytes: int = Field(
        default=1024 * 1024, ge=1024, description="message bytes decoded and held as objects at once"
    )
    consumer_commit_to_kafka_s: float = Field(
        default=5, gt=0, description="how often offsets are told to Kafka as well, for its lag dashboards"
    )
    message_max_bytes: int = Field(default=MAX_MESSAGE_BYTES, ge=1024, description="larger ones are set aside unread")

    # Transactions
    transaction_messages_max: int = Field(default=500, ge=1, description="messages decided in one transaction")
    transaction_shards_max: int = Field(
        default=32, ge=1, description="shards written in one transaction; 1 where shards live on several nodes"
    )
    transaction_commands_max: int = Field(default=100, ge=1, description="HTTP commands in one transaction")
    queue_commands_max: int = Field(default=2_000, ge=1, description="HTTP commands waiting in one process; more: 503")
    queue_transactions: int = Field(default=2, ge=1, description="transactions of HTTP commands at once in one process")
    copy_rows_min: int = Field(default=32, ge=1, description="log rows from which COPY is cheaper than INSERT")

    # Faults
    dead_letters_per_minute_max: int = Field(
        default=100, ge=0, description="more of them in a minute, and this process sets nothing more aside: it pauses"
    )
    retry_first_ms: int = Field(default=100, ge=1, description="first pause after a fault of the world; then doubled")
    retry_max_ms: int = Field(default=15_000, ge=1, description="longest pause between two tries")

    # Relay
    relay_poll_ms: int = Field(default=20, ge=1, description="how often the log's heads are looked at")
    relay_quiet_ms: int = Field(default=1_000, ge=0, description="a log without entries for this long is quiet")
    relay_quiet_poll_ms: int = Field(default=50, ge=1, description="how often the heads of a quiet log are looked at")
    relay_linger_ms: int = Field(
        default=20, ge=0, description="pause after a small round, so that a trickle is not sent one by one"
    )
    relay_small_round: int = Field(
        default=500, ge=0, description="a round of fewer events than this is small: read in one statement"
    )
    relay_batch_events: int = Field(default=2_000, ge=1, description="events of one shard read at once")
    relay_batch_bytes: int = Field(default=512 * 1024, ge=1024, description="bytes of one shard read at once")
    relay_round_bytes: int = Field(default=4 * 1024 * 1024, ge=1024, description="bytes on their way to Kafka at once")
    relay_send_batch_bytes: int = Field(default=512 * 1024, ge=16 * 1024, description="one record batch for Kafka")
    relay_lock_retry_ms: int = Field(default=1_000, ge=1, description="how often a standing-by relay asks for its turn")
    outbox_retention_s: int = Field(default=3_600, ge=0, description="how long relayed rows of an outbox are kept")
    outbox_prune_interval_s: float = Field(default=60, gt=0, description="how often an outbox is pruned")
    outbox_prune_rows: int = Field(default=20_000, ge=1, description="rows deleted in one transaction")

    # Sweepers
    sweep_interval_ms: int = Field(default=1_000, ge=1, description="how often what is due is looked for")
    sweep_batch: int = Field(default=200, ge=1, description="due work of one shard taken at once")

    # HTTP
    token_public_key_file: Path | None = Field(default=None, description="Ed25519 public key in PEM; without it: 401")
    token_audience: str = Field(default="bonus", description="tokens made out to somebody else are refused")
    http_body_max_bytes: int = Field(default=256 * 1024, ge=1, description="of one request; more: 413")
    http_timeout_s: float = Field(default=10, gt=0, description="an answer later than this is a 503")
    http_keep_alive_s: int = Field(
        default=75,
        ge=1,
        description="an idle connection is closed after this: later than clients do it",
    )
    http_access_log: bool = Field(default=True, description="a line for every request")
    http_concurrency_max: int = Field(default=1_000, ge=1, description="requests in one process; more: 503 at once")
    idempotency_key_max: int = Field(default=200, ge=1, description="characters of an Idempotency-Key")
    page_limit_default: int = Field(default=50, ge=1, description="items of a page where the caller names no limit")
    page_limit_max: int = Field(default=500, ge=1, description="items of a page at most")

    # Process
    metrics_host: str = Field(default="127.0.0.1", description="the address of a worker's health and metrics")
    metrics_port: int | None = Field(default=None, description="health and metrics of a worker; 0: a free port")
    stop_grace_s: float = Field(default=20, gt=0, description="time to finish the batch before a process just ends")
    stuck_after_s: float = Field(default=60, gt=0, description="work waiting and no commit for this long: not ready")
    log_level: str = Field(default="INFO", description="DEBUG, INFO, WARNING or ERROR")
    log_format: str = Field(default="json", pattern="^(json|console)$", description="console: for people")
    otlp_endpoint: str = Field(default="", description="http://host:4318; spans are made only where this is set")
    trace_sample: float = Field(default=1.0, ge=0, le=1, description="share of new traces that are recorded")
