"""The registry: every row of the fault matrix by its name."""

from collections.abc import Mapping

from tests.faults import (
    rows_broker,
    rows_clock,
    rows_devices,
    rows_disk,
    rows_gateways,
    rows_kills,
    rows_network,
    rows_power,
    rows_store,
)
from tests.faults.row import Row

ROWS: Mapping[str, Row] = {
    **rows_kills.ROWS,
    **rows_network.ROWS,
    **rows_broker.ROWS,
    **rows_store.ROWS,
    **rows_gateways.ROWS,
    **rows_disk.ROWS,
    **rows_clock.ROWS,
    **rows_power.ROWS,
    **rows_devices.ROWS,
}
