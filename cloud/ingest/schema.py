"""The tables that ingest keeps beside the readings, in the same file and the same transactions; read by `fleet` too."""

from cloud.storage.chunks.database import Database

LEDGER = (
    "create table ledger_state (id integer primary key check (id = 1), generation integer not null) strict",
    """create table ledger_epoch (
        id integer primary key, gateway text not null, epoch integer not null, first_us integer not null,
        stored integer not null, replaced integer not null, duplicate integer not null, resent integer not null,
        quarantined integer not null, undecoded integer not null, conflicting integer not null,
        dropped integer not null, declared integer not null, archived integer not null,
        sealed integer not null, acked integer not null, waiting integer not null, given_up integer not null,
        unset_clock_skew_us integer, unique (gateway, epoch)) strict""",
    """create table ledger_interval (
        epoch_id integer not null, is_dropped integer not null, lo integer not null, hi integer not null,
        primary key (epoch_id, is_dropped, lo)) strict, without rowid""",
    """create table ledger_batch (
        epoch_id integer not null, seq integer not null, crc integer not null, count integer not null,
        received_us integer not null, primary key (epoch_id, seq)) strict, without rowid""",
    "alter table ledger_epoch add column told_us integer",
    "alter table ledger_epoch add column ahead integer not null default 0",
    """create table ledger_declared (
        epoch_id integer not null, lo integer not null, hi integer not null, readings integer not null,
        primary key (epoch_id, lo)) strict, without rowid""",
)
"""stored, replaced, duplicate, quarantined, undecoded and dropped add up to what is settled, in readings;
resent and conflicting came besides; sealed, acked, waiting, given_up: the gateway's own count, which came at
told_us; ahead: what was settled then beyond it; declared: what its drop batches said so far, overlaps once."""

KEPT_RAW = (
    """create table quarantine (
        id integer primary key, gateway text not null, epoch integer not null, seq integer not null,
        kind integer not null, code text not null, detail text not null, count integer not null,
        received_us integer not null, frame blob not null) strict""",
    "create index quarantine_by_key on quarantine (gateway, epoch, seq)",
    """create table telemetry_error (
        device text not null, field text not null, problem text not null, count integer not null,
        last_us integer not null, payload blob not null, primary key (device, field)) strict, without rowid""",
)

TABLES = (
    """create table tag_table (
        gateway text not null, hash text not null, body blob not null, received_us integer not null,
        primary key (gateway, hash)) strict, without rowid""",
    """create table undecoded (
        id integer primary key, gateway text not null, hash text not null, epoch integer not null,
        seq integer not null, count integer not null, frame blob not null) strict""",
    "create index undecoded_by_table on undecoded (gateway, hash)",
)

GATEWAYS = (
    """create table gateway (
        name text primary key, version text not null, is_online integer not null, first_seen_us integer not null,
        last_seen_us integer not null, hello_us integer, clock_skew_us integer, clock_is_set integer not null,
        generation integer not null, epoch integer, previous_epoch integer, cloned_us integer,
        conflict_us integer, skipped_polls integer not null, buffered integer not null) strict, without rowid""",
    """create table gateway_event (
        gateway text not null, epoch integer not null, seq integer not null, at_us integer not null,
        name text not null, device text not null, detail text not null,
        primary key (gateway, epoch, seq)) strict, without rowid""",
    "alter table gateway_event rename to gateway_event_by_key",
    """create table gateway_event (
        id integer primary key autoincrement, gateway text not null, epoch integer not null, seq integer not null,
        at_us integer not null, name text not null, device text not null, detail text not null,
        unique (gateway, epoch, seq)) strict""",
    """insert into gateway_event (gateway, epoch, seq, at_us, name, device, detail)
        select gateway, epoch, seq, at_us, name, device, detail from gateway_event_by_key order by at_us""",
    "drop table gateway_event_by_key",
    "alter table gateway add column models text not null default '[]'",
)


def migrate(database: Database) -> None:
    """Bring every table of ingest up to date; raise Unavailable."""
    for name, steps in (("ledger", LEDGER), ("quarantine", KEPT_RAW), ("tables", TABLES), ("gateways", GATEWAYS)):
        database.migrate(name, steps)
