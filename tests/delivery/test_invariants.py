"""The invariants of delivery, I1 to I10, over the real edge, buffers, ingest and store, under every fault.

The machine asks all of them after every step; the stories here tell one apiece, so that each can be seen alone.
"""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from protocols.batch import BatchKind
from protocols.delivery import MAX_RANGES
from tests.delivery.agent import BIG, GATEWAY
from tests.delivery.machine import Faults
from tests.delivery.store import Letter

QUICK = settings(max_examples=15, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck))
DEEP = settings(QUICK, max_examples=3000, stateful_step_count=50)


def test_every_invariant_holds_under_every_fault() -> None:
    run_state_machine_as_test(Faults, settings=QUICK)


@pytest.mark.slow
@pytest.mark.loop
@pytest.mark.timeout(0)
def test_every_invariant_holds_under_every_fault_for_a_long_time() -> None:
    run_state_machine_as_test(Faults, settings=DEEP)


@pytest.fixture(params=[False, True], ids=["memory", "file"])
def world(request: pytest.FixtureRequest) -> Iterator[Faults]:
    """Return a machine that is begun; in the end everything must have arrived (I7)."""
    world = Faults()
    world.begin(in_file=request.param, reconnects=False)
    yield world
    world.teardown()


def test_i1_no_loss_when_a_restored_store_is_refilled_by_a_gateway_with_nothing_new_to_send(world: Faults) -> None:
    world.have_a_quiet_spell(0, 2)
    world.restore_the_store(0)
    assert not world.store.model.stored
    world.wait(400.0)
    world.have_a_quiet_spell(0, 0)
    assert world.register.batches.keys() == world.store.model.stored


def test_i1_no_loss_is_what_was_declared_though_the_declaration_was_purged_and_its_store_went_back(
    world: Faults,
) -> None:
    world.have_a_quiet_spell(0, 0)
    world.back_the_store_up(archive=True)
    world.lose("broker", 0)
    for _ in range(2):
        world.fill_the_buffer(0)
    world.have_a_quiet_spell(0, 0)
    dropped = set(world.store.model.dropped)
    assert dropped & world.register.declared(world.agents[0].retained())
    world.lose("broker", 0)
    world.restore_the_store(0)
    for _ in range(3):
        world.fill_the_buffer(0)
    assert dropped - world.register.declared(world.agents[0].retained())
    world.i1_no_loss()


def test_i2_no_duplicate_when_every_message_comes_twice_by_two_replicas(world: Faults) -> None:
    world.have_a_quiet_spell(0, 0)
    world.commit(0, [2, 2, BIG], events=1)
    letters = world.wire.take_all()
    for _ in range(2):
        world.wire.answer(1, world.store.settle(letters[::-1]))
    world.have_a_quiet_spell(0, 0)
    world.store.check_readings()


def test_i3_ack_soundness_when_the_writer_dies_before_the_commit(world: Faults) -> None:
    world.have_a_quiet_spell(0, 0)
    world.kill_the_writer(0, is_durable=False, keep=False)
    world.wire.publish_all(world.agents)
    assert not world.agents[0].down
    world.i3_ack_soundness()
    assert world.agents[0].due()


def test_i4_no_two_batches_share_a_key_after_an_old_copy_of_the_buffer_goes_on(world: Faults) -> None:
    world.take_an_image(0)
    world.commit(0, [2, 2], events=0)
    world.restore_the_agent(0, 0)
    world.commit(0, [2, 2], events=0)
    assert len(world.register.epochs) == 2


def test_i5_marks_never_fall_when_an_old_ack_comes_last(world: Faults) -> None:
    agent = world.agents[0]
    world.have_a_quiet_spell(0, 0)
    world.commit(0, [2], events=0)
    world.round_trip([])
    old = list(agent.down)
    world.have_a_quiet_spell(0, 2)
    before = agent.buffer.marks()
    agent.hear(old)
    assert agent.buffer.marks() == before


def test_i6_window_holds_eight_however_much_waits(world: Faults) -> None:
    world.have_a_quiet_spell(0, 0)
    world.commit(0, [2] * 20, events=3)
    assert len(world.wire.up) == len(world.agents[0].in_flight) == 8


def test_i7_recovery_after_the_store_lost_what_it_had_acked_and_nobody_told(world: Faults) -> None:
    world.have_a_quiet_spell(0, 2)
    world.put_an_old_store_in_its_place_unnoticed(0)
    world.recover()
    assert world.agents[0].unacks == 1
    assert world.register.batches.keys() == world.store.model.stored


def test_i7_recovery_after_a_store_came_back_that_knows_an_older_generation(world: Faults) -> None:
    world.restore_the_store(0)
    world.have_a_quiet_spell(0, 2)
    believed = world.agents[0].buffer.generation
    world.put_an_old_store_in_its_place_unnoticed(0)
    assert world.store.generation < believed
    world.recover()
    assert world.store.generation == world.agents[0].buffer.generation == believed + 1


def test_i7_recovery_without_an_alarm_when_the_store_has_more_ranges_than_an_answer_names(world: Faults) -> None:
    world.have_a_quiet_spell(0, 0)
    agent = world.agents[0]
    before = {batch.key for batch in agent.due()}
    for _ in range(MAX_RANGES // 16 + 1):
        world.commit(0, [2] * 32, events=0)
        fresh = agent.due(skip=frozenset(before))
        before |= {batch.key for batch in fresh}
        world.wire.lose()
        world.wire.answer(0, world.store.settle([Letter(batch.frame, is_hello=False) for batch in fresh[::2]]))
        world.wire.publish_all(world.agents)
        agent.hear(agent.down)
        world.custody.look(agent)
    agent.connect()
    world.round_trip(world.agents)
    (marks,) = agent.buffer.marks()
    assert len(marks.sel) > MAX_RANGES
    assert agent.unacks == 0
    world.recover()
    assert agent.unacks == 0


def test_i8_accounting_when_a_full_buffer_gave_readings_up(world: Faults) -> None:
    for _ in range(4):
        world.fill_the_buffer(0)
    world.recover()
    (account,) = world.agents[0].buffer.ledger().epochs
    assert account.dropped > 0
    assert account.sealed == account.acked + account.dropped
    world.store.check_accounts()


def test_i8_accounting_when_a_buffer_is_full_for_so_long_that_old_declarations_go(world: Faults) -> None:
    for _ in range(4):
        world.stay_full(0)
        world.i1_no_loss()
        world.i8_accounting()
    made = sum(batch.kind is BatchKind.DROP for batch in world.register.batches.values())
    held = sum(batch.kind is BatchKind.DROP for batch in world.agents[0].due())
    assert 0 < held < made // 2
    world.recover()
    (account,) = world.agents[0].buffer.ledger().epochs
    assert account.sealed == account.acked + account.dropped
    world.store.check_accounts()


def test_i8_accounting_when_a_declaration_comes_after_the_one_that_took_over_what_it_says(world: Faults) -> None:
    world.have_a_quiet_spell(0, 0)
    world.lose("broker", 0)
    for _ in range(2):
        world.fill_the_buffer(0)
    agent = world.agents[0]
    agent.connect()
    first = {batch.key: batch for batch in agent.due() if batch.kind is BatchKind.DROP}
    late = [Letter(batch.frame, is_hello=False) for batch in first.values()]
    for _ in range(2):
        world.stay_full(0)
    assert not first.keys() & set(agent.retained())
    world.recover()
    world.store.settle(late)
    world.store.check_accounts()


def test_i8_accounting_when_readings_are_given_up_again_after_an_old_copy_of_the_buffer(world: Faults) -> None:
    world.have_a_quiet_spell(0, 1)
    world.lose("broker", 0)
    world.fill_the_buffer(0)
    world.take_an_image(0)
    for _ in range(3):
        world.fill_the_buffer(0)
    world.have_a_quiet_spell(0, 0)
    world.restore_the_agent(0, 0)
    for _ in range(4):
        world.fill_the_buffer(0)
    world.have_a_quiet_spell(0, 0)
    epoch = min(world.register.epochs)
    account = world.store.desk.books.ledger.entry(GATEWAY, epoch, now_us=world.clock.now_us()).account
    assert account.dropped == world.register.readings(key for key in world.store.model.dropped if key.epoch == epoch)


def test_i9_order_inside_an_epoch_is_the_order_of_sealing(world: Faults) -> None:
    world.commit(0, [2, 2, 2], events=1)
    world.commit(0, [2, 2], events=0)
    firsts = [min(batch.values) for (batches,) in [world.register.epochs.values()] for batch in batches if batch.values]
    assert len(firsts) == 6
    assert firsts == sorted(firsts)


def test_i10_poison_delays_others_by_at_most_one_round_trip(world: Faults) -> None:
    world.have_a_quiet_spell(0, 0)
    world.agents[0].seal([2], poison=8)
    world.custody.look(world.agents[0])
    world.agents[0].seal([2])
    world.turn(world.agents[0])
    last = max(world.agents[0].due(), key=lambda batch: batch.key).key
    for _ in range(2):
        assert last not in world.store.model.stored or world.register.batches[last].readings == 2
        world.round_trip(world.agents)
    assert last in world.store.model.stored
    assert not world.agents[0].due()
