"""Occlusion: what a column added to a score, as the difference to its usual value in the same row.

Zeiler and Fergus 2014, one column at a time; what columns do only together is not shared out, so nothing adds up.
"""

from collections.abc import Callable

import numpy as np

from cloud.learning.algorithm import Explanation
from cloud.learning.table import Floats, Table


def occlusion(score: Callable[[Table], Floats], table: Table, columns: tuple[str, ...], usual: Floats) -> Explanation:
    """Return the contributions of these columns; usual: (n_columns,), what each is set to in turn."""
    whole = score(table)
    own = table.select(columns)
    placed = np.zeros(table.values.shape)
    for i, name in enumerate(columns):
        values = own.values.copy()
        values[:, i] = usual[i]
        placed[:, table.columns.index(name)] = whole - score(own.with_values(values))
    base = score(own.with_values(np.broadcast_to(usual, own.values.shape)))
    return Explanation(placed, base, "score", "occlusion", is_exact=False)
