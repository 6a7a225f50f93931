"""The table of settings, and what it lets in."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud.domain.setting import SECTIONS, SETTINGS, issue_of_setting

KINDS: dict[type, object] = {bool: 1, int: "1", float: "1", str: 1}


@pytest.mark.parametrize("key", SETTINGS)
def test_a_setting_takes_its_default_and_no_other_kind(key: str) -> None:
    one = SETTINGS[key]
    assert issue_of_setting(key, one.default) == ""
    assert issue_of_setting(key, KINDS[type(one.default)])
    assert issue_of_setting(key, None)
    assert one.key.count(".") == 1
    assert one.description.endswith(".")


@given(st.floats() | st.integers())
def test_a_number_is_taken_exactly_within_its_bounds(value: float) -> None:
    one = SETTINGS["energy.tariff"]
    assert one.low is not None
    assert one.high is not None
    is_good = math.isfinite(value) and one.low <= value <= one.high
    assert (one.issue_of(value) == "") == is_good


@settings(max_examples=40)
@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists))
def test_what_is_kept_for_clients_is_plain_and_finite(value: object) -> None:
    if issue_of_setting("general.own", value) == "":
        assert isinstance(value, bool | int | float | str)
        assert not isinstance(value, float) or math.isfinite(value)


@given(st.text())
def test_a_section_that_is_not_known_takes_nothing(section: str) -> None:
    if section.partition(".")[0] not in SECTIONS:
        assert issue_of_setting(f"{section}.x", 1)
