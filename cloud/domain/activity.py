"""Activity: the audit as people read it: of which type a change is, in a sentence, and by whom."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from cloud.domain.audit import AuditEntry
from cloud.domain.user import MARK

_TYPES: Mapping[str, Sequence[str]] = {
    "upload": ("dataset.add",),
    "training": ("training.", "model.add", "retraining.", "autonomous."),
    "deployment": ("model.publish", "model.alias", "model.deploy", "model.undeploy", "rollout."),
    "prediction": ("prediction.", "inference.", "detection.", "explain."),
    "access": ("session.", "user.", "invite.", "key.", "token_key."),
    "settings": ("settings.", "admin.", "webhook."),
    "alarm": ("alarm.", "rule.", "label."),
}
"""Actions of each type, or how they begin; an action that none fits is of the type that it begins with."""
_SENTENCES: Mapping[str, str] = {
    "dataset.add": "Dataset {name} was uploaded",
    "dataset.delete": "Dataset {name} was deleted",
    "model.add": "Model {subject} was trained",
    "model.publish": "Model {subject} was published",
    "model.alias": "Model {subject} version {version} is now {alias}",
    "model.deploy": "Model {subject} was deployed",
    "model.archive": "Model {subject} was archived",
    "training.request": "A training of {model} was asked for",
    "session.start": "{subject} logged in",
    "session.refuse": "A log-in as {subject} was refused",
    "session.end": "A session of {subject} ended: {because}",
    "user.create": "User {subject} was made, with the role {role}",
    "user.change": "User {subject} was changed",
    "user.password": "User {subject} has another password",
    "user.delete": "User {subject} was deleted",
    "invite.create": "Somebody was invited with the role {role}",
    "key.create": "Key {subject} ({name}) was made",
    "key.rotate": "Key {subject} ({name}) was rotated into {new}",
    "key.revoke": "Key {subject} ({name}) was taken back",
    "key.use_of_old": "Key {subject} ({name}) is still used after its rotation",
    "settings.change": "{subject} was changed from {from} to {to}",
}
_MAX_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Activity:
    """One change as people read it; number: of its row."""

    number: int
    type: str
    message: str
    at: datetime
    user: str
    details: Mapping[str, object]


def type_of(action: str) -> str:
    """Return the type of an action."""
    for kind, beginnings in _TYPES.items():
        if any(action == one or (one.endswith(".") and action.startswith(one)) for one in beginnings):
            return kind
    return action.partition(".")[0]


def actions_of(kind: str) -> Sequence[str]:
    """Return which actions are of a type: whole ones, and with a dot at the end what they begin with."""
    return _TYPES.get(kind, (f"{kind}.",))


def taken_actions() -> frozenset[str]:
    """Return what types of another name take away from the type that an action begins with."""
    return frozenset(one for kind, group in _TYPES.items() for one in group if one.partition(".")[0] != kind)


def activity_of(number: int, entry: AuditEntry) -> Activity:
    """Return what people read about a change."""
    details = {"subject": entry.subject, **entry.details}
    return Activity(
        number=number,
        type=type_of(entry.action),
        message=_message(entry, details),
        at=entry.at,
        user=entry.actor.removeprefix(MARK),
        details=details,
    )


def _message(entry: AuditEntry, facts: Mapping[str, object]) -> str:
    sentence = _SENTENCES.get(entry.action)
    shown = {name: str(value)[:_MAX_SHOWN] for name, value in facts.items()}
    if sentence is not None:
        try:
            return sentence.format_map(shown)
        except KeyError:
            pass
    subject, _, verb = entry.action.partition(".")
    return f"{subject.replace('_', ' ').capitalize()} {shown['subject']}: {verb.replace('_', ' ') or 'changed'}"
