"""Diagnosis: looks at an installation from outside and says what to do about what is wrong."""

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta

from cloud.access.keys import Keys
from cloud.access.opening import open_access
from cloud.config import Settings
from cloud.domain.times import to_datetime
from cloud.errors import CloudError
from cloud.fleet.package_files import PackageFiles
from cloud.listening import is_loopback
from cloud.ports import Clock
from cloud.readings import open_views, room_of
from cloud.records.database import WANTED_VERSION, Records

_CONNECT_S = 2.0
_RENEW_BEFORE = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at; fix: what to do where it is not well, empty where it is."""

    name: str
    is_well: bool
    finding: str
    fix: str = ""


def diagnose(settings: Settings, clock: Clock) -> Iterator[Check]:
    """Look at everything, the groundwork first."""
    yield _directory(settings)
    yield _room(settings)
    yield from _records(settings, clock)
    yield _readings(settings, clock)
    yield from _signing(settings, clock)
    if settings.mqtt is not None:
        yield _broker(settings.mqtt.host, settings.mqtt.port)
    yield _ingest(settings)


def may_listen(settings: Settings, clock: Clock) -> Check:
    """Return whether the API may be offered where it is bound: off loopback only with keys."""
    host = settings.api.host
    if is_loopback(host):
        return Check("bind", is_well=True, finding=f"{host} is reachable from this machine only")
    if settings.auth.anonymous:
        finding = f"{host} is reachable from outside, and auth.anonymous asks nobody who they are"
        return Check("bind", is_well=False, finding=finding, fix="bind to 127.0.0.1, or set auth.anonymous to false")
    with closing(Records(settings.records_url)) as records:
        access = open_access(settings, records, clock)
        keys, users = _active(access.keys, clock), access.users.count()
    fix = "" if keys or users else "lineside-cloud key create NAME --scope admin"
    finding = f"{host} is reachable from outside; {keys} active keys, {users} users"
    return Check("bind", is_well=not fix, finding=finding, fix=fix)


def _active(keys: Keys, clock: Clock) -> int:
    now = to_datetime(clock.now_us())
    return sum(not key.is_revoked and not key.is_expired(now) for key in keys.list())


def _directory(settings: Settings) -> Check:
    if not settings.data.is_dir():
        return Check(
            "data directory", is_well=False, finding=f"{settings.data} is not there", fix="lineside-cloud init"
        )
    if not os.access(settings.data, os.W_OK | os.X_OK):
        fix = f"give this user the right to write to {settings.data}"
        return Check("data directory", is_well=False, finding=f"{settings.data} cannot be written to", fix=fix)
    return Check("data directory", is_well=True, finding=str(settings.data))


def _room(settings: Settings) -> Check:
    try:
        room = room_of(settings)
    except OSError as error:
        return Check("disk", is_well=False, finding=str(error), fix="lineside-cloud init")
    finding = f"{room.free / 1e9:.1f} GB of {room.total / 1e9:.1f} GB are free"
    fix = f"make room: below {room.minimum_free:.0%} nothing is taken" if room.is_full else ""
    return Check("disk", is_well=not room.is_full, finding=finding, fix=fix)


def _records(settings: Settings, clock: Clock) -> Iterator[Check]:
    def look() -> Iterator[Check]:
        with closing(Records(settings.records_url)) as records:
            found = records.version()
            fix = "" if found == WANTED_VERSION else "lineside-cloud migrate"
            finding = f"version {found or 'none'}, {WANTED_VERSION} is wanted"
            yield Check("records", is_well=not fix, finding=finding, fix=fix)
            if not fix:
                access = open_access(settings, records, clock)
                keys, users = _active(access.keys, clock), access.users.count()
                fix = "" if keys or users else "lineside-cloud key create NAME --scope admin"
                yield Check("keys", is_well=not fix, finding=f"{keys} active, {users} users", fix=fix)

    yield from _tried("records", look, fix="see to the database, or to `records` in the configuration")


def _readings(settings: Settings, clock: Clock) -> Check:
    def look() -> Iterator[Check]:
        with closing(open_views(settings, clock)) as views:
            figures = views.store.figures()
        yield Check("readings", is_well=True, finding=f"{figures.readings} readings of {figures.series} series")

    return next(_tried("readings", look, fix="lineside-cloud migrate"))


def _signing(settings: Settings, clock: Clock) -> Iterator[Check]:
    if not PackageFiles(settings.packages_path).newest_root():
        finding = "there are no keys, so no model can be published"
        yield Check("signing", is_well=False, finding=finding, fix="lineside-cloud init")
        return

    def look() -> Iterator[Check]:
        from cloud.fleet.repository import PackageRepository  # noqa: PLC0415 a quarter of a second, only here

        expiry = PackageRepository(settings.packages_path, clock).expiry()
        ends = min(expiry.root, expiry.targets)
        soon = ends - to_datetime(clock.now_us()) < _RENEW_BEFORE
        fix = "lineside-cloud model rotate-root --keys DIR, with the keys that left this server" if soon else ""
        yield Check("signing", is_well=not soon, finding=f"the root holds until {ends:%Y-%m-%d}", fix=fix)

    yield from _tried("signing", look, fix="bring the packages back from a backup")
    keys = settings.offline_keys_path
    if any(keys.glob("*.pem")):
        finding = f"{keys} is still on this server: who takes it over could sign as root"
        yield Check("offline keys", is_well=False, finding=finding, fix=f"move {keys} to a safe place off this server")


def _tried(name: str, look: Callable[[], Iterator[Check]], *, fix: str) -> Iterator[Check]:
    try:
        yield from look()
    except CloudError as error:
        yield Check(name, is_well=False, finding=str(error), fix=fix)


def _broker(host: str, port: int) -> Check:
    try:
        socket.create_connection((host, port), _CONNECT_S).close()
    except OSError as error:
        fix = "start the broker, or see to `mqtt` in the configuration; readings wait at the gateways meanwhile"
        return Check("broker", is_well=False, finding=f"{host}:{port}: {error}", fix=fix)
    return Check("broker", is_well=True, finding=f"{host}:{port} takes connections")


def _ingest(settings: Settings) -> Check:
    try:
        with socket.socket(socket.AF_UNIX) as door:
            door.settimeout(_CONNECT_S)
            door.connect(str(settings.intake_path))
    except OSError as error:
        return Check("ingest", is_well=False, finding=f"its door is closed: {error}", fix="lineside-cloud serve")
    return Check("ingest", is_well=True, finding="its door is open")
