"""The steps of a Device from the model it has to the one that is wanted, without disk, network or time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.models.errand import Reason
from edge_agent.models.slot import Kept, Seen, Slot, Step, next_step
from protocols.wanted import OWN, Phase, Standing, WantedModel

OWN_MODEL = (OWN, 1)


def kept(version: int, rollout: str = "r1") -> Kept:
    return Kept("pump", version, f"{version:064x}", 1000, rollout)


def wish(version: int, phase: Phase = Phase.SERVING, rows: int = 100, rollout: str = "r1") -> WantedModel:
    return WantedModel("pump-1", "pump", version, f"pump/{version}.lsp", phase, rows, rollout)


def seen(slot: Slot, rows: int = 0, *, is_late: bool = False) -> Seen:
    """Return what a Judge shows that runs what the slot says."""
    serving = slot.current.label if slot.current else OWN_MODEL
    return Seen(serving, slot.challenger.label if slot.challenger else None, rows, is_late)


ROWS_AND_STEPS = [(0, Step.REST), (99, Step.REST), (100, Step.SWAP), (1000, Step.SWAP)]


def test_nothing_wanted_and_nothing_there_is_rest() -> None:
    assert next_step(Slot(), None, Seen(OWN_MODEL)) is Step.REST


def test_what_is_not_on_the_shelf_is_brought() -> None:
    slot = Slot(current=kept(1))
    assert next_step(slot, wish(2), seen(slot)) is Step.BRING


@pytest.mark.parametrize(("rows", "step"), ROWS_AND_STEPS)
def test_a_challenger_serves_once_it_has_seen_enough_rows(rows: int, step: Step) -> None:
    slot = Slot(current=kept(1), challenger=kept(2))
    assert next_step(slot, wish(2), seen(slot, rows)) is step


def test_a_challenger_that_is_late_does_not_serve() -> None:
    slot = Slot(challenger=kept(2))
    assert next_step(slot, wish(2), seen(slot, 100, is_late=True)) is Step.TOO_SLOW


def test_a_model_wanted_in_the_shadow_stays_there() -> None:
    slot = Slot(challenger=kept(2))
    assert next_step(slot, wish(2, Phase.SHADOW), seen(slot, 10**6)) is Step.REST


def test_a_serving_model_wanted_in_the_shadow_steps_back() -> None:
    slot = Slot(current=kept(2), previous=kept(1))
    assert next_step(slot, wish(2, Phase.SHADOW), seen(slot)) is Step.GO_BACK


def test_what_served_before_is_served_again_from_the_shelf() -> None:
    slot = Slot(current=kept(2), previous=kept(1))
    assert next_step(slot, wish(1), seen(slot)) is Step.GO_BACK
    after = slot.went_back(None, Reason.NOT_WANTED)
    assert after == Slot(current=kept(1))
    assert next_step(after, wish(1), seen(after)) is Step.REST


def test_a_device_that_is_not_named_goes_back_to_its_own_model() -> None:
    slot = Slot(current=kept(2), previous=kept(1))
    assert next_step(slot, None, seen(slot)) is Step.LEAVE


def test_a_challenger_that_is_not_wanted_any_more_goes() -> None:
    slot = Slot(current=kept(1), challenger=kept(2))
    for wanted in (None, wish(1), wish(3)):
        assert next_step(slot, wanted, seen(slot, 100)) is Step.DISMISS


def test_a_model_that_the_judge_took_out_has_fallen_and_is_not_tried_again() -> None:
    slot = Slot(current=kept(2), previous=kept(1))
    assert next_step(slot, wish(2), Seen(("pump", 1))) is Step.FALLEN
    after = slot.went_back(wish(2), Reason.FAILED)
    assert after.fallen is not None
    assert (after.current, after.fallen.standing) == (kept(1), Standing.ROLLED_BACK)
    assert next_step(after, wish(2), seen(after)) is Step.REST


def test_a_fall_of_both_models_ends_with_the_gateways_own() -> None:
    slot = Slot(current=kept(2), previous=kept(1)).went_back(wish(2), Reason.FAILED)
    assert next_step(slot, wish(2), Seen(OWN_MODEL)) is Step.FALLEN
    after = slot.went_back(wish(2), Reason.FAILED)
    assert after.current is None
    assert after.fallen is not None
    assert next_step(after, wish(2), Seen(OWN_MODEL)) is Step.REST


def test_what_fell_is_tried_again_when_another_rollout_wants_it() -> None:
    slot = Slot(current=kept(2)).went_back(wish(2), Reason.FAILED)
    assert next_step(slot, wish(2, rollout="r2"), seen(slot)) is Step.BRING


def test_a_challenger_that_the_judge_took_out_has_failed() -> None:
    slot = Slot(current=kept(1), challenger=kept(2))
    assert next_step(slot, wish(2), Seen(("pump", 1))) is Step.FAILED


@pytest.mark.parametrize("reason", list(Reason))
def test_only_what_others_may_mend_is_tried_again(reason: Reason) -> None:
    slot = Slot(current=kept(1)).refused(wish(2), reason, "")
    assert next_step(slot, wish(2), seen(slot)) is (Step.BRING if reason.may_pass else Step.REST)
    assert slot.current == kept(1)


versions = st.integers(1, 4)
wishes = st.none() | st.builds(wish, versions, st.sampled_from(Phase), st.sampled_from([0, 100]))
slots = st.builds(
    Slot, current=st.none() | versions.map(kept), previous=st.none() | versions.map(kept), challenger=st.none()
)


def act(slot: Slot, wanted: WantedModel | None, step: Step) -> Slot:
    """Return the slot after a step that goes well."""
    match step:
        case Step.BRING if wanted is not None:
            return slot.challenged(kept(wanted.version))
        case Step.SWAP:
            return slot.swapped()
        case Step.GO_BACK:
            return slot.went_back(None, Reason.NOT_WANTED)
        case Step.LEAVE:
            return Slot()
        case Step.DISMISS:
            return slot.dismissed()
    raise AssertionError(step)


@given(slot=slots, wanted=wishes)
def test_from_wherever_what_is_wanted_is_reached_in_a_few_steps(slot: Slot, wanted: WantedModel | None) -> None:
    for _ in range(6):
        step = next_step(slot, wanted, seen(slot, 10**6))
        if step is Step.REST:
            break
        slot = act(slot, wanted, step)
    assert step is Step.REST
    if wanted is None:
        assert slot.current is None
    elif wanted.phase is Phase.SERVING:
        assert slot.current is not None
        assert slot.current.is_what(wanted)
    else:
        assert slot.challenger is not None
        assert slot.challenger.is_what(wanted)


@given(slot=slots, wanted=wishes, reason=st.sampled_from(Reason))
def test_a_refusal_never_changes_what_serves(slot: Slot, wanted: WantedModel | None, reason: Reason) -> None:
    if wanted is not None:
        after = slot.refused(wanted, reason, "detail")
        assert (after.current, after.previous, after.challenger) == (slot.current, slot.previous, None)
