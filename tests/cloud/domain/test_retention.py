"""Which rule holds for which series."""

from cloud.domain.retention import RetentionPolicy, RetentionRule
from cloud.ports import SeriesKey

FLOW = SeriesKey("gw-1", "pump-1", "flow")


def test_without_rules_the_default_holds() -> None:
    assert RetentionPolicy().days(FLOW) is None
    assert RetentionPolicy(default_days=90).days(FLOW) == 90


def test_the_first_rule_that_fits_counts() -> None:
    rules = (RetentionRule(7, device="oven-*"), RetentionRule(30, device="pump-?", tag="fl*"), RetentionRule(1))
    policy = RetentionPolicy(rules, 90)
    assert policy.days(FLOW) == 30
    assert policy.days(FLOW._replace(device="oven-7")) == 7
    assert policy.days(FLOW._replace(tag="speed")) == 1


def test_a_rule_may_keep_for_ever_what_the_default_would_give_up() -> None:
    policy = RetentionPolicy((RetentionRule(None, gateway="gw-1"),), 90)
    assert policy.days(FLOW) is None
    assert policy.days(FLOW._replace(source="gw-2")) == 90


def test_all_three_patterns_must_fit() -> None:
    rule = RetentionRule(1, gateway="gw-1", device="pump-1", tag="flow")
    assert rule.fits(FLOW)
    assert not any(rule.fits(FLOW._replace(**{field: "other"})) for field in FLOW._fields)
