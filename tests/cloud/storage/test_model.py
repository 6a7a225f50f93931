"""The chunk store answers as the model does, whatever comes in whatever order, merged, rolled back or reopened."""

from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from protocols.batch import Key
from tests.support.stores import (
    SMALL,
    arrival,
    assert_same_answers,
    chunk_store,
    memory_store,
    merge_all,
    small_blocks,
    write,
)  # fmt: skip

STEPS = st.one_of(
    st.tuples(
        st.sampled_from(["write", "write", "direct", "undone"]), st.lists(small_blocks(), min_size=1, max_size=3)
    ),
    st.sampled_from(["step", "merge", "reopen", "ask"]),
)


@settings(
    max_examples=50, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate]
)  # shrinking takes minutes
@given(st.lists(STEPS, min_size=1, max_size=12))
def test_the_chunk_store_is_the_model_after_any_sequence_of_writes_merges_and_rollbacks(steps: list[Any]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "readings.db"
        model = memory_store()
        store, database = chunk_store(path, sizes=SMALL)
        for seq, step in enumerate(steps, 1):
            match step:
                case ("undone", blocks):
                    with suppress(ZeroDivisionError), store.transaction():
                        store.write([arrival(block, key=Key(1, seq)) for block in blocks])
                        raise ZeroDivisionError
                case (how, blocks):
                    key = None if how == "direct" else Key(1, seq)
                    coming = [arrival(block, key=key) for block in blocks]
                    assert write(store, *coming) == write(model, *coming)
                case "step":
                    store.maintain(deadline_s=-1)
                case "merge":
                    merge_all(store)
                case "reopen":
                    database.close()
                    store, database = chunk_store(path, sizes=SMALL)
                case _:
                    assert_same_answers(store, model)
        assert_same_answers(store, model)
        merge_all(store)
        assert_same_answers(store, model)
        database.close()
