"""Small rooms: a newcomer can hold each module and each function in the head."""

import statistics

from tests.shape.sources import depth, length, modules


def test_no_module_is_longer_than_300_lines() -> None:
    assert [f"{m.name}: {m.text.count(chr(10))}" for m in modules() if m.text.count("\n") > 300] == []


def test_no_function_is_longer_than_40_lines() -> None:
    assert [f"{m.name}:{f.lineno} {f.name}" for m in modules() for f in m.functions() if length(f) > 40] == []


def test_the_median_function_is_shorter_than_10_lines() -> None:
    assert statistics.median(length(f) for m in modules() for f in m.functions()) < 10


def test_nothing_is_nested_more_than_three_deep() -> None:
    assert [f"{m.name}:{f.lineno} {f.name}" for m in modules() for f in m.functions() if depth(f) > 3] == []
