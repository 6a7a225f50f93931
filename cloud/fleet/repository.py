"""PackageRepository: model packages under the signatures of The Update Framework; the only user of tuf here.

Root and top-level targets keys sign seldom and belong off this server. The role `models`, limited by path, signs what
training makes; it, snapshot and timestamp are signed here. Invariants: timestamp.json is written last and makes a
change visible, so that whatever ends a change half-way leaves what was there; a path never changes its content; what
a rotation writes before the new root holds under the old root and under the new one.

Source: The Update Framework Specification 1.0, https://theupdateframework.github.io/specification/.
"""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

from cryptography.hazmat.primitives.serialization import load_pem_private_key
from securesystemslib.signer import CryptoSigner
from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import (
    DelegatedRole,
    Delegations,
    Metadata,
    MetaFile,
    Root,
    Signed,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)
from tuf.api.serialization import DeserializationError

from cloud.domain.times import to_datetime
from cloud.errors import Conflict, Invalid, NotFound, Unavailable
from cloud.fleet.package_files import TIMESTAMP_LIFE, PackageFiles, is_package_path, read_keys, write_key
from cloud.ports import Clock

MODELS = "models"
MODELS_PATHS = ["*/*.lsp"]
ONLINE = (MODELS, Snapshot.type, Timestamp.type)
OFFLINE = (Root.type, Targets.type)
LIFE: Mapping[str, timedelta] = {
    Root.type: timedelta(days=730),
    Targets.type: timedelta(days=730),
    MODELS: timedelta(days=120),
    Snapshot.type: timedelta(days=14),
    Timestamp.type: TIMESTAMP_LIFE,
}
"""How long each signature holds; the server renews its own when half of it is over."""
_NONE_YET = "there are no signing keys yet: lineside-cloud init makes them"
Part = TypeVar("Part", Root, Targets, Snapshot, Timestamp)
Signers = Mapping[str, CryptoSigner]


@dataclass(frozen=True, slots=True)
class Expiry:
    """Until when the signatures hold that only the keys off this server can renew."""

    root: datetime
    targets: datetime


@dataclass(slots=True)
class _State:
    """All metadata as clients see it now; changes are made here first."""

    root: Root
    targets: Targets
    models: Targets
    snapshot: Snapshot
    timestamp: Timestamp


class PackageRepository:
    """A repository in one directory; safe to use from several processes."""

    def __init__(self, place: Path, clock: Clock) -> None:
        self._files = PackageFiles(place)
        self._place = place
        self._clock = clock

    @property
    def is_made(self) -> bool:
        """Return whether there is a repository."""
        return self._files.newest_root() > 0

    def create(self, offline: Path) -> bool:
        """Make keys and the first metadata, unless they are there; offline: where root and targets keys are put.

        Returns whether anything was made; raises Unavailable.
        """
        with self._files.locked():
            if self.is_made:
                return False
            signers = {role: CryptoSigner.generate_ed25519() for role in (*OFFLINE, *ONLINE)}
            self._keep_keys(signers, offline, number=1)
            state = _first_state(signers)
            # The root is what makes it a repository: a crash before it lets the next `create` begin anew.
            self._commit(state, [Targets.type, MODELS], _by_id(signers.values()))
            self._put(state.root, Root.type, [signers[Root.type]])
        return True

    def publish(self, path: str, data: bytes) -> str:
        """Sign a package and make it visible under its path; the same bytes again change nothing.

        Returns the sha256; raises Invalid, Conflict where the path holds something else, Unavailable without keys.
        """
        if not is_package_path(path):
            raise Invalid(f"path: {path[:120]!r} is not NAME/VERSION.lsp", code="INVALID_PACKAGE_PATH")
        with self._files.locked():
            state, signers = self._state(), self._online()
            target = TargetFile.from_data(path, data, ["sha256"])
            known = state.models.targets.get(path)
            if known is not None and known.hashes != target.hashes:
                raise Conflict(f"{path} is published already, with other content", code="PACKAGE_EXISTS")
            sha256: str = target.hashes["sha256"]
            if known is None:
                self._files.put_target(path, sha256, data)
                state.models.targets[path] = target
                self._commit(state, [MODELS], signers)
        return sha256

    def refresh(self, *, above: int = 0) -> bool:
        """Renew what this server signs where half of its time is over, or no version above this; return if any was.

        Raises Unavailable where keys are missing.
        """
        if not self.is_made:
            return False
        with self._files.locked():
            state = self._state()
            parts, now = _online_parts(state), self._now()
            is_due = {role: one.version <= above or one.expires - now < LIFE[role] / 2 for role, one in parts.items()}
            if not any(is_due.values()):
                return False
            for one in parts.values():
                one.version = max(one.version, above)
            self._commit(state, [MODELS] if is_due[MODELS] else [], self._online())
        return True

    def rotate(self, keys: Path, *, online: bool = False) -> int:
        """Replace the root and targets keys, and with `online` this server's too; return the new root's number.

        keys: the directory with the keys that left the server; the new ones are put there, the old ones are of no use
        afterwards. Raises Invalid where the keys are not there, Unavailable.
        """
        with self._files.locked():
            state = self._state()
            held = _by_id(map(_signer, read_keys(keys)))
            old_roots = _of(held, state.root.roles[Root.type].keyids, f"{keys} holds no key of the current root")
            _of(held, state.root.roles[Targets.type].keyids, f"{keys} holds no key of the current targets role")
            roles = (*OFFLINE, *(ONLINE if online else ()))
            made = {role: CryptoSigner.generate_ed25519() for role in roles}
            number = state.root.version + 1
            both = _by_id([*held.values(), *self._online().values()])
            before = deepcopy(state)
            _hand_over(state, made)
            self._keep_keys(made, keys, number=number)
            # Signed by the old keys and the new ones, it holds for clients on either side of the new root.
            self._commit(state, [Targets.type, MODELS], both | _by_id(made.values()), also=before)
            self._put(state.root, Root.type, [*old_roots, made[Root.type]], number=number)
            if online:
                self._files.keep_only_keys([_key_name(role, number) for role in ONLINE])
        return number

    def root(self) -> bytes:
        """Return the newest root, as gateways are enrolled with it; raise NotFound where there is none."""
        number = self._files.newest_root()
        if not number:
            raise NotFound(_NONE_YET, code="NO_SIGNING_KEYS")
        return self._files.metadata(f"{number}.root.json")

    def expiry(self) -> Expiry:
        """Return until when root and targets hold; raise Unavailable."""
        state = self._state()
        return Expiry(state.root.expires, state.targets.expires)

    def _state(self) -> _State:
        number = self._files.newest_root()
        if not number:
            raise Unavailable(_NONE_YET, code="NO_SIGNING_KEYS")
        root = self._load(f"{number}.root.json", Root)
        timestamp = self._load("timestamp.json", Timestamp)
        snapshot = self._load(f"{timestamp.snapshot_meta.version}.snapshot.json", Snapshot)
        versions = {role: snapshot.meta[f"{role}.json"].version for role in (Targets.type, MODELS)}
        targets = self._load(f"{versions[Targets.type]}.targets.json", Targets)
        models = self._load(f"{versions[MODELS]}.models.json", Targets)
        return _State(root, targets, models, snapshot, timestamp)

    def _load(self, name: str, form: type[Part]) -> Part:
        try:
            signed = Metadata.from_bytes(self._files.metadata(name)).signed
        except (NotFound, DeserializationError, RepositoryError) as error:
            lost = f"{self._place}/metadata/{name} is missing or damaged: bring it back from a backup"
            raise Unavailable(lost, code="PACKAGES_UNAVAILABLE") from error
        if not isinstance(signed, form):
            raise Unavailable(f"{name} holds metadata of another role", code="PACKAGES_UNAVAILABLE")
        return signed

    def _online(self) -> Signers:
        return _by_id(map(_signer, self._files.keys()))

    def _commit(self, state: _State, roles: Iterable[str], signers: Signers, *, also: _State | None = None) -> None:
        """Write these roles, then snapshot, then timestamp; also: by whose keys they shall hold as well."""
        for role in roles:
            part = state.targets if role == Targets.type else state.models
            data = self._put(part, role, _wanted(role, state, also, signers))
            state.snapshot.meta[f"{role}.json"] = MetaFile.from_data(part.version, data, ["sha256"])
        data = self._put(state.snapshot, Snapshot.type, _wanted(Snapshot.type, state, also, signers))
        state.timestamp.snapshot_meta = MetaFile.from_data(state.snapshot.version, data, ["sha256"])
        self._put(state.timestamp, Timestamp.type, _wanted(Timestamp.type, state, also, signers))
        for role, version in {MODELS: state.models.version, Snapshot.type: state.snapshot.version}.items():
            self._files.forget_before(role, version)

    def _put(self, signed: Part, role: str, signers: Iterable[CryptoSigner], *, number: int | None = None) -> bytes:
        signed.version = number or signed.version + 1
        signed.expires = self._now() + LIFE[role]
        metadata = Metadata(signed)
        for signer in signers:
            metadata.sign(signer, append=True)
        data = metadata.to_bytes()
        self._files.put_metadata("timestamp.json" if role == Timestamp.type else f"{signed.version}.{role}.json", data)
        return data

    def _keep_keys(self, made: Signers, offline: Path, *, number: int) -> None:
        for role, signer in made.items():
            if role in OFFLINE:
                write_key(offline, _key_name(role, number), signer.private_bytes)
            else:
                self._files.put_key(_key_name(role, number), signer.private_bytes)

    def _now(self) -> datetime:
        return to_datetime(self._clock.now_us()).replace(microsecond=0)


def _first_state(signers: Signers) -> _State:
    root = Root(consistent_snapshot=True)
    for role in (*OFFLINE, Snapshot.type, Timestamp.type):
        root.add_key(signers[role].public_key, role)
    targets = Targets()
    key = signers[MODELS].public_key
    delegated = DelegatedRole(MODELS, [key.keyid], 1, terminating=True, paths=MODELS_PATHS)
    targets.delegations = Delegations({key.keyid: key}, {MODELS: delegated})
    models, snapshot, timestamp = Targets(), Snapshot(), Timestamp()
    for part in (root, targets, models, snapshot, timestamp):
        part.version = 0  # the first that is written is 1
    return _State(root, targets, models, snapshot, timestamp)


def _hand_over(state: _State, made: Signers) -> None:
    """Let the roles of this state trust the new keys instead of theirs."""
    for role, signer in made.items():
        delegator = state.targets if role == MODELS else state.root
        for key_id in list(_key_ids(role, state)):
            delegator.revoke_key(key_id, role)
        delegator.add_key(signer.public_key, role)


def _key_ids(role: str, state: _State) -> list[str]:
    delegator = state.targets if role == MODELS else state.root
    ids: list[str] = delegator.get_delegated_role(role).keyids
    return ids


def _wanted(role: str, state: _State, also: _State | None, signers: Signers) -> list[CryptoSigner]:
    """Return who must sign a role; raise Unavailable where a key is not there."""
    wanted = _key_ids(role, state)
    if not all(one in signers for one in wanted):
        missing = f"the key of the role {role} is not there: bring {role}-*.pem back, or rotate the root with --online"
        raise Unavailable(missing, code="NO_SIGNING_KEYS")
    before = _key_ids(role, also) if also is not None else []
    return [signers[one] for one in dict.fromkeys([*wanted, *before]) if one in signers]


def _of(held: Signers, key_ids: Iterable[str], missing: str) -> list[CryptoSigner]:
    found = [held[one] for one in key_ids if one in held]
    if not found:
        raise Invalid(f"--keys: {missing}", code="NO_SIGNING_KEYS")
    return found


def _online_parts(state: _State) -> Mapping[str, Signed]:
    return {MODELS: state.models, Snapshot.type: state.snapshot, Timestamp.type: state.timestamp}


def _by_id(signers: Iterable[CryptoSigner]) -> dict[str, CryptoSigner]:
    return {signer.public_key.keyid: signer for signer in signers}


def _key_name(role: str, number: int) -> str:
    return f"{role}-{number}.pem"


def _signer(pem: bytes) -> CryptoSigner:
    try:
        return CryptoSigner(load_pem_private_key(pem, None))
    except (ValueError, TypeError) as error:
        raise Unavailable(f"a signing key cannot be read: {error}", code="NO_SIGNING_KEYS") from error
