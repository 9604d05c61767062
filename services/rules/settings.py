"""Settings of the brain, beside those that every process has: each limit by name, as `BONUS_…`."""

from pydantic import Field

from services.runtime.settings import RuntimeSettings


class RulesSettings(RuntimeSettings):
    """Where rules are served, the keys of what is personal, and how much of each thing at most."""

    rules_host: str = Field(default="127.0.0.1", description="the address that rules are served on")
    rules_port: int = Field(default=8082, ge=0, le=65_535, description="0: a free port")
    rules_pool_writes: int = Field(default=4, ge=1, description="connections for commands over HTTP")
    rules_pool_reads: int = Field(default=4, ge=1, description="connections for queries")
    identifier_key: str = Field(
        default="", repr=False, description="base64 of 32 bytes: hashes identifiers; never changes in a deployment"
    )
    programmes_refresh_s: float = Field(
        default=1, gt=0, description="how often the copy of the published programmes is brought up to date"
    )
    programmes_fresh_s: float = Field(
        default=30, gt=0, description="a copy older than this is brought up to date before anything is decided by it"
    )
    rules_claim_grace_s: int = Field(
        default=7 * 86_400,
        ge=0,
        description="how long after its window ends a purchase by an unknown card is still kept: an enrolment that "
        "was made in time may be on its way",
    )
    rules_unclaimed_sweep_ms: int = Field(
        default=60_000, ge=1, description="how often every shard is searched for purchases that nobody claimed"
    )
    rules_time_ahead_max_s: int = Field(
        default=600, ge=0, description="how far the clock of a till may run ahead; later is `time_in_future`"
    )
    programme_lead_s: int = Field(
        default=60, ge=0, description="how long before its start a version is published, so that every worker knows it"
    )
    due_sweep_quiet_s: int = Field(
        default=30,
        ge=0,
        description="a participant is left alone until everything that was published this long after its last decision "
        "has been decided: of a stream of old purchases more may be on its way",
    )
    due_sweep_behind_max_s: int = Field(
        default=60,
        ge=0,
        description="nothing is looked for that is due while what was decided lies further behind than this",
    )
    tier_sweep_delay_s: int = Field(
        default=3_600,
        ge=0,
        description="how long a tier that ends, and a birthday that begins, wait for purchases on their way",
    )
    quote_expiring_days: int = Field(
        default=30, ge=0, le=3_660, description="how far ahead a quote looks for points that lapse"
    )
    rehearsal_processes: int = Field(
        default=2, ge=1, description="processes that rehearse at once, each with the least claim to a core"
    )
    rehearsal_niceness: int = Field(
        default=19, ge=0, le=19, description="how far rehearsals stand back; 19: they take what others leave of a core"
    )
    rehearsal_lease_s: int = Field(
        default=60, ge=1, description="a part of a rehearsal whose worker is silent for so long is taken up by another"
    )
    rehearsal_look_s: float = Field(default=1, gt=0, description="how often a worker looks for rehearsals to do")
    rehearsal_keep_days: int = Field(
        default=90, ge=1, description="how long rehearsals and their reports are kept once they ended"
    )
    rehearsal_sweep_s: float = Field(default=3_600, gt=0, description="how often old rehearsals are looked for")
    rehearsal_days_max: int = Field(default=3_660, ge=1, description="the longest period that is rehearsed")
