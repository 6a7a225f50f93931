"""Opening: the parts of access on the records and the files of an installation."""

import secrets
from dataclasses import dataclass
from datetime import timedelta

from cloud.access.gate import Gate, KeyDoor
from cloud.access.guard import Guard
from cloud.access.keys import Keys
from cloud.access.passwords import Passwords
from cloud.access.sessions import Lives, Sessions
from cloud.access.token_keys import TokenKeys
from cloud.access.tokens import Tokens
from cloud.access.users import Registration, Users
from cloud.config import Settings
from cloud.domain.session import Patience
from cloud.ports import Clock
from cloud.records.database import Records

_LONGEST_OF_NAME_S = 60.0
_LONGEST_OF_ADDRESS_S = 900.0


@dataclass(frozen=True, slots=True)
class Access:
    """Everything about who calls."""

    keys: Keys
    sessions: Sessions
    users: Users
    gate: Gate


def open_access(settings: Settings, records: Records, clock: Clock) -> Access:
    """Return the parts; opens no file yet."""
    auth, passwords = settings.auth, Passwords()
    keys = Keys(records, clock)
    sessions = Sessions(
        records,
        clock,
        tokens=Tokens(open_token_keys(settings, clock), clock),
        passwords=passwords,
        guard=Guard(
            Patience(auth.free_failures, _LONGEST_OF_NAME_S),
            Patience(auth.free_failures_of_address, _LONGEST_OF_ADDRESS_S),
        ),
        lives=Lives(access=timedelta(minutes=auth.access_minutes), session=timedelta(days=auth.session_days)),
        draw=secrets.token_hex,
    )
    users = Users(
        records,
        clock,
        passwords=passwords,
        registration=Registration(auth.registration),
        draw=secrets.token_hex,
        changed=sessions.forget_believed,
    )
    return Access(keys, sessions, users, Gate(KeyDoor(keys), sessions, is_anonymous=auth.anonymous))


def open_token_keys(settings: Settings, clock: Clock) -> TokenKeys:
    """Return the keys that sign tokens; opens no file yet."""
    return TokenKeys(settings.token_keys_path, clock, secrets.token_hex)
