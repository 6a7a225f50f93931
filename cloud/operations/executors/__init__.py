"""Who carries scaling out: one file each, behind the port of `cloud/domain/pools.py`."""
