"""What the agent says of itself: the document behind `/status`, `/health` and `/metrics`."""

import msgspec

from edge_agent.watch.last_values import LastValue


class DeviceState(msgspec.Struct, frozen=True):
    """One Device since the start; losses: how often it went; readings: by quality.

    state: `ok`, `lost` or `starting`; error: why it is lost.
    """

    id: str
    protocol: str
    state: str
    error: str
    polls: int
    losses: int
    skipped_polls: int
    readings: dict[str, int]
    read_s_sum: float
    read_s_max: float


class EpochCount(msgspec.Struct, frozen=True):
    """Readings of one epoch, by the gateway's own count; epoch: 16 hex digits."""

    epoch: str
    sealed: int
    acked: int
    waiting: int
    dropped: int


class BufferState(msgspec.Struct, frozen=True):
    """The buffer's ledger; error: why it cannot be used, empty when it can; commit_s: what the last commit took."""

    error: str = ""
    epoch: str = ""
    epochs: tuple[EpochCount, ...] = ()
    batches_waiting: int = 0
    bytes_used: int = 0
    bytes_cap: int = 0
    oldest_waiting_s: float = 0.0
    bytes_written_today: int = 0
    unsealed_readings: int = 0
    commits: int = 0
    commit_s: float = 0.0


class DeliveryState(msgspec.Struct, frozen=True):
    """How it goes with the broker and the cloud; published: batches sent, acks come and the like."""

    connected: bool = False
    broker: str = ""
    in_flight: int = 0
    connects: int = 0
    published: dict[str, int] = {}
    bytes_sent: int = 0


class JudgedState(msgspec.Struct, frozen=True):
    """How one Device is judged; score: 0..1, 0.5 at the threshold; over: share of rows above it; invoke_us: of a row.

    standing: `learning`, `serving` or `off`; opened: anomalies since the start, by what found them; unscored: rows of
    which no model said anything; left_out: readings that came too fast to be judged; calibrated: rows not learned from
    that the threshold was set anew by, times: how many deviations of before it is.
    """

    device: str
    model: str
    standing: str
    reason: str = ""
    score: float | None = None
    rows: int = 0
    rows_scored: int = 0
    unscored: int = 0
    left_out: int = 0
    over: float | None = None
    invoke_us: float | None = None
    opened: dict[str, int] = {}
    challenger: str = ""
    calibrated: int = 0
    times: float | None = None


class AgentStatus(msgspec.Struct, frozen=True):
    """Everything, at one moment; problems: what an operator should know, in words; lost_readings: by reason.

    lost_events: that came while too many waited.
    """

    gateway: str
    version: str
    started_at: str
    uptime_s: float
    problems: tuple[str, ...]
    devices: tuple[DeviceState, ...]
    buffer: BufferState
    delivery: DeliveryState
    values: tuple[LastValue, ...]
    hidden_readings: int = 0
    lost_readings: dict[str, int] = {}
    judged: tuple[JudgedState, ...] = ()
    lost_events: int = 0


def encode(status: AgentStatus) -> bytes:
    """Return the status as JSON."""
    return msgspec.json.encode(status)


def decode(payload: bytes) -> AgentStatus:
    """Return the status; raise msgspec.ValidationError where it is none."""
    return msgspec.json.decode(payload, type=AgentStatus)
