"""What a configuration says of judging readings: which Tags, how they are learned, when an episode opens; models."""

from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Protocol

from msgspec import Meta, Struct, field

from protocols.reading import Kind
from protocols.scoring.model import MAX_CHANNELS

SCORE_TAG = "anomaly_score"
"""The Tag that a judged Device gets beside its own."""
Secret = Annotated[
    str,
    Meta(
        pattern=r"^(env:.+|file:.+)$",
        description="env:NAME or file:PATH, never the secret itself",
        extra={"secret": True},
    ),
]
Url = Annotated[str, Meta(pattern=r"^https?://[^\s/]+\S*$", description="http://HOST[:PORT] or https://HOST[:PORT]")]
Length = Annotated[float, Meta(ge=0, le=86_400)]


class Judgeable(Protocol):
    """What must be known of a Tag to judge it."""

    @property
    def name(self) -> str:
        """Return what the Tag is called on its Device."""

    @property
    def kind(self) -> Kind:
        """Return the column that its values live in."""


class DetectSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How one Device is judged.

    channels: Tags to judge, all floats where none is named; period_s: time from row to row, the Device's where unset;
    learn_rows: normal rows that the gateway's own model is fitted on; score_period_s: the score Tag is sent this often
    at most; open_after_s, close_after_s: how long the score must stay above, below, before an episode opens, closes;
    frozen_s: how long a channel that is never still may repeat one value, judged by its own past where unset, 0: off.
    """

    channels: Annotated[
        tuple[Annotated[str, Meta(min_length=1, max_length=128, description="the name of a Tag")], ...],
        Meta(max_length=MAX_CHANNELS),
    ] = ()
    period_s: Annotated[float, Meta(gt=0, le=86_400)] | None = None
    learn_rows: Annotated[int, Meta(ge=100, le=100_000)] = 400
    score_period_s: Length = 1.0
    open_after_s: Length | None = None
    close_after_s: Length | None = None
    frozen_s: Length | None = None


class ModelSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where models lie and come from.

    directory: of packages and of what the update client knows; url, key: of the cloud that packages come from; root:
    the first root of trust, pinned; off_after: failures, or late answers, in a row after which a model is off;
    deadline_ms: a row's scoring is late beyond this.
    """

    directory: Annotated[Path, Meta(extra={"made": True})] = field(default_factory=lambda: Path("models"))
    url: Url | None = None
    key: Secret | None = None
    root: Path | None = None
    off_after: Annotated[int, Meta(ge=1, le=1_000)] = 5
    deadline_ms: Annotated[float, Meta(gt=0, le=60_000)] = 50.0

    def __post_init__(self) -> None:
        """Raise ValueError where settings contradict each other."""
        if self.key is not None and self.url is None:
            raise ValueError("key, url: a key is useless without the url of the cloud")
        if self.url is not None and self.root is None:
            raise ValueError("url, root: packages are taken only with a pinned root of trust")


Detect = DetectSettings | bool | None
"""As it is written: a mapping, true for one without a word, false for none; None leaves it to the level above."""


def meant(detect: Detect) -> DetectSettings | None:
    """Return the settings that were written, or None where nothing shall be judged."""
    if isinstance(detect, DetectSettings):
        return detect
    return DetectSettings() if detect else None


def judged(detect: DetectSettings, tags: Sequence[Judgeable]) -> tuple[int, ...]:
    """Return the positions of the Tags that shall be judged; raise ValueError, as settings do, that says why not."""
    positions = {tag.name: position for position, tag in enumerate(tags)}
    unknown = next((name for name in detect.channels if name not in positions), None)
    if unknown is not None:
        guess = get_close_matches(unknown, positions, n=1)
        advice = f"; did you mean {guess[0]}?" if guess else ""
        raise ValueError(f"detect.channels: the Device has no Tag {unknown!r}{advice}")
    text = next((name for name in detect.channels if tags[positions[name]].kind is Kind.TEXT), None)
    if text is not None:
        raise ValueError(f"detect.channels: {text!r} is a text, which cannot be judged")
    if len(set(detect.channels)) < len(detect.channels):
        raise ValueError("detect.channels: a Tag is named twice")
    floats = [position for position, tag in enumerate(tags) if tag.kind is Kind.FLOAT]
    chosen = [positions[name] for name in detect.channels] or floats
    if not 0 < len(chosen) <= MAX_CHANNELS:
        what = f"{len(chosen)} float Tags are over {MAX_CHANNELS}" if chosen else "no Tag of the Device is a float"
        raise ValueError(f"detect.channels, detect: {what}; name those to judge, or write false")
    return tuple(chosen)


def check_detect(detect: Detect, tags: Sequence[Judgeable], period_s: float) -> None:
    """Raise ValueError, as settings do, where a Device cannot be judged as its own `detect` says."""
    settings = meant(detect)
    if settings is None:
        return
    if SCORE_TAG in {tag.name for tag in tags}:
        raise ValueError(f"tags, detect: {SCORE_TAG} is the name of the score's Tag; call yours otherwise")
    if settings.period_s is None and period_s == 0:
        raise ValueError("detect.period_s, detect: is needed where the Device is read as fast as it answers")
    judged(settings, tags)
