"""The tables of the chunk store, beside the ledger's in the same file.

chunk_batch    what came, as it came, one row a batch; `map` says which series its tags are, 0: tags are series
chunk_bundle   the merged batches of a group of series
chunk_piece    one series in order of time inside one window, with its rollup; the readings are in chunk_body,
               apart, so that rollups are read without passing over them
chunk_due      windows of series whose pieces are to be merged
chunk_count    numbers by name; devices and series have the value of `catalogue` at which they came or changed
"""

GROUP = 48
"""So many series, neighbours by id, share their bundles and their page of newest values."""

STEPS = (
    """create table chunk_source (id integer primary key, name text not null unique) strict""",
    """create table chunk_device (
        id integer primary key, source integer not null, device text not null, type text not null,
        name text not null, location text not null, unique (source, device)) strict""",
    """create table chunk_series (
        id integer primary key, source integer not null, device text not null, tag text not null,
        kind integer not null, unit text not null, period_s real not null, is_primary integer not null,
        retention_days real, unique (source, device, tag, kind)) strict""",
    """create table chunk_map (
        id integer primary key, source integer not null, hash text not null, series blob not null,
        kinds blob not null, unique (source, hash)) strict""",
    """create table chunk_text (id integer primary key, text text not null unique) strict""",
    """create table chunk_newest (page integer primary key, data blob not null) strict""",
    """create table chunk_batch (
        id integer primary key autoincrement, source integer not null, map integer not null, epoch integer not null,
        seq integer not null, start_us integer not null, end_us integer not null, count integer not null,
        crc integer not null, data blob not null) strict""",
    "create index chunk_batch_place on chunk_batch (source, start_us, end_us, count)",
    """create table chunk_bundle (
        id integer primary key autoincrement, pool integer not null, start_us integer not null,
        end_us integer not null, count integer not null, crc integer not null, data blob not null) strict""",
    "create index chunk_bundle_place on chunk_bundle (pool, start_us, end_us, count)",
    """create table chunk_body (
        id integer primary key autoincrement, crc integer not null, data blob not null) strict""",
    """create table chunk_piece (
        series integer not null, window integer not null, id integer not null, start_us integer not null,
        end_us integer not null, count integer not null, is_kept integer not null, step_us integer not null,
        rollup blob not null, primary key (series, window, id)) strict, without rowid""",
    """create table chunk_due (
        series integer not null, window integer not null, primary key (series, window)) strict, without rowid""",
    """create table chunk_damage (
        level text not null, id integer not null, problem text not null, primary key (level, id))
        strict, without rowid""",
    """create table chunk_count (name text primary key, value integer not null) strict, without rowid""",
    "alter table chunk_device add column changed integer not null default 0",
    "alter table chunk_series add column changed integer not null default 0",
    "create index chunk_device_changed on chunk_device (changed)",
    "create index chunk_series_changed on chunk_series (changed)",
)
