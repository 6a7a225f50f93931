"""The fault machine: agents, a broker, ingest replicas and a store, and everything that can happen to them.

Its invariants bear the names of the protocol's, i1 to i10. Those about what may ever be new in a buffer (I2, I4, I9)
are asked in `made.py`, those about what the store does and says (I2, I3, I5, I8, I10) in `store.py`.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from tests.delivery.agent import BIG
from tests.delivery.straight import Killed
from tests.delivery.world import REPLICAS, World
from tests.support.batches import tag_table

AGENTS = 2
MOVES = ("share", "share", "settle", "publish", "hear", "decode")
picks = st.integers(0, 1 << 10)


def _is_allowed(name: str) -> Callable[..., Any]:
    """Return the precondition that the variant's search needs the rule of this name."""
    return precondition(lambda self: not self.variant.faults or name in self.variant.faults)


class Faults(World):
    """One gateway (and its clone), one broker, three replicas that hand everything to one writer, one store."""

    @initialize(in_file=st.booleans(), reconnects=st.booleans())
    def begin(self, *, in_file: bool, reconnects: bool) -> None:
        """Start the one agent there is; reconnects: whether connections are made anew when the faults end."""
        self.in_file = in_file or self.variant.needs_file
        self.reconnects = reconnects
        agent = self.new_agent()
        agent.begin(in_file=self.in_file)
        agent.seal([2])
        agent.connect()
        self.post(agent)

    # ---- what gateways do

    @_is_allowed("commit")
    @rule(at=picks, sizes=st.lists(st.sampled_from([2, 2, BIG]), max_size=4), events=st.integers(0, 1))
    def commit(self, at: int, sizes: list[int], events: int) -> None:
        """Commit some batches."""
        self.seal(self.agent(at), sizes, events=events)

    @_is_allowed("fill_the_buffer")
    @rule(at=picks)
    def fill_the_buffer(self, at: int) -> None:
        """Make as much as half of the buffer holds."""
        for _ in range(3):
            self.seal(self.agent(at), [BIG, BIG])

    @_is_allowed("stay_full")
    @rule(at=picks)
    def stay_full(self, at: int) -> None:
        """Go on for long with nobody to be reached and as much in the buffer as it holds."""
        self.agent(at).hang_up()
        for _ in range(8):
            self.seal(self.agent(at), [BIG, BIG], events=1)

    @_is_allowed("seal_poison")
    @rule(at=picks, poison=st.integers(1, 2))
    def seal_poison(self, at: int, poison: int) -> None:
        """Commit batches whose content nobody can read, and good ones."""
        self.seal(self.agent(at), [2, 2], poison=poison)

    @_is_allowed("use_another_table")
    @rule(at=picks, tags=st.integers(2, 5))
    def use_another_table(self, at: int, tags: int) -> None:
        """Have other tags from now on."""
        agent = self.agent(at)
        agent.table = tag_table(tags)
        self.seal(agent, [2])

    @_is_allowed("kill_the_agent")
    @rule(at=picks, midway=st.none() | st.integers(0, 3))
    def kill_the_agent(self, at: int, midway: int | None) -> None:
        """Kill the agent between two commits, or while it stores three batches, before or after they are durable."""
        agent = self.agent(at)
        if midway is not None:
            with suppress(Killed):
                self.seal(agent, [2, 2, 2], killed_at=midway)
        agent.restart()

    @_is_allowed("lose_the_connection")
    @rule(at=picks, again=st.booleans())
    def lose_the_connection(self, at: int, *, again: bool) -> None:
        """Lose the connection; the process stays; again: and connect anew."""
        agent = self.agent(at)
        agent.hang_up()
        if again:
            agent.connect()
            self.post(agent)

    @_is_allowed("wait")
    @rule(seconds=st.sampled_from([0.1, 4.0, 30.0, 400.0]))
    def wait(self, seconds: float) -> None:
        """Let time pass and timers run out."""
        self.clock.move(seconds)
        for agent in self.agents:
            self.turn(agent)

    @_is_allowed("take_an_image")
    @rule(at=picks)
    def take_an_image(self, at: int) -> None:
        """Copy the buffer of an agent while it runs; the last two copies are kept."""
        self.images = [*self.images, self.agent(at).image()][-2:]

    @precondition(lambda self: self.images)
    @_is_allowed("restore_the_agent")
    @rule(at=picks, which=picks)
    def restore_the_agent(self, at: int, which: int) -> None:
        """Put an old copy in the place of an agent's buffer."""
        self.restore_agent(self.agent(at), self.images[which % len(self.images)])

    @precondition(lambda self: self.images and len(self.agents) < AGENTS)
    @_is_allowed("clone_the_gateway")
    @rule(which=picks)
    def clone_the_gateway(self, which: int) -> None:
        """Start a second agent of the same name on a copy."""
        agent = self.new_agent()
        self.restore_agent(agent, self.images[which % len(self.images)])
        agent.connect()
        self.post(agent)

    @precondition(lambda self: len(self.agents) > 1)
    @_is_allowed("end_the_clone")
    @rule()
    def end_the_clone(self) -> None:
        """Throw the second agent away, with all that only it had."""
        agent = self.agents.pop()
        self.custody.ended(agent)
        agent.stop()

    # ---- what happens on the way

    @_is_allowed("move_messages")
    @rule(moves=st.lists(st.tuples(st.sampled_from(MOVES), picks, picks, st.booleans()), min_size=1, max_size=12))
    def move_messages(self, moves: list[tuple[str, int, int, bool]]) -> None:
        """Let messages go a step, in any order, by any replica, and some not for the last time."""
        for name, at, which, keep in moves:
            match name:
                case "share":
                    self.wire.share(at, which, keep=keep)
                case "settle":
                    self.wire.answer(which, self.store.settle(self.wire.take_held(which, 1 + at % 6)))
                case "publish":
                    self.wire.publish(at, which, self.agents, keep=keep)
                case "hear":
                    self.hear(self.agent(at), which, keep=keep)
                case _:
                    self.store.decode_waiting()

    @_is_allowed("lose")
    @rule(what=st.sampled_from(["messages", "broker", "replica"]), replica=picks)
    def lose(self, what: str, replica: int) -> None:
        """Lose what the broker has, the broker with every connection, or a replica with what it got and is to say."""
        if what == "replica":
            self.wire.kill(replica)
            return
        self.wire.lose()
        for agent in self.agents:
            agent.down.clear()
            if what == "broker":
                agent.hang_up()

    @_is_allowed("have_a_quiet_spell")
    @rule(at=picks, count=st.integers(0, 2))
    def have_a_quiet_spell(self, at: int, count: int) -> None:
        """Let everything arrive in order for a while."""
        agent = self.agent(at)
        if not agent.is_online:
            agent.connect()
        self.seal(agent, [2] * count)
        for _ in range(30):
            if not self.round_trip([agent]):
                return

    @_is_allowed("let_only_the_answer_to_the_hello_come")
    @rule(at=picks)
    def let_only_the_answer_to_the_hello_come(self, at: int) -> None:
        """Connect, hear what the store says of what it has, and have all that is sent then be lost."""
        agent = self.agent(at)
        agent.connect()
        self.round_trip([agent])
        self.wire.lose()

    @_is_allowed("let_only_acks_be_lost")
    @rule(at=picks)
    def let_only_acks_be_lost(self, at: int) -> None:
        """Bring everything to the store, and lose what it says."""
        agent = self.agent(at)
        if not agent.is_online:
            agent.connect()
        self.round_trip([agent])
        self.seal(agent, [2])
        self.store.settle(self.wire.take_all())

    # ---- what happens to the store

    @_is_allowed("kill_the_writer")
    @rule(replica=picks, is_durable=st.booleans(), keep=st.booleans())
    def kill_the_writer(self, replica: int, *, is_durable: bool, keep: bool) -> None:
        """Kill the writer in a group, before the commit or before the acks; keep: the replica hands it over again."""
        self.seal(self.agent(replica), [2])
        group = self.wire.take_all()
        if is_durable:
            self.store.settle(group)
            self.store.reopen()
        else:
            self.wire.answer(replica, self.store.die_before_the_commit(group))
        if keep:
            self.wire.held[replica % REPLICAS] += group

    @_is_allowed("back_the_store_up")
    @rule(archive=st.booleans())
    def back_the_store_up(self, *, archive: bool) -> None:
        """Back the store up; archive: and publish what is in the backup."""
        self.store.back_up(archive=archive)

    @_is_allowed("restore_the_store")
    @rule(which=picks)
    def restore_the_store(self, which: int) -> None:
        """Restore one of the backups, maybe one that was restored before."""
        self.restore_store(which)

    @_is_allowed("need_the_last_archive")
    @rule(at=picks)
    def need_the_last_archive(self, at: int) -> None:
        """Back up and publish it, deliver more than a safety copy holds, lose the store, and restore that backup."""
        self.back_the_store_up(archive=True)
        for _ in range(2):
            self.fill_the_buffer(at)
            self.have_a_quiet_spell(at, 1)
        self.restore_store(-1)

    @_is_allowed("restore_both_sides")
    @rule(at=picks, which=picks)
    def restore_both_sides(self, at: int, which: int) -> None:
        """Restore the store, let the gateway hear of it, and then put the buffer's copy of before in place."""
        image = self.agent(at).image()
        self.restore_store(which)
        self.let_only_the_answer_to_the_hello_come(at)
        self.restore_agent(self.agent(at), image)

    @_is_allowed("put_an_old_store_in_its_place_unnoticed")
    @rule(which=picks)
    def put_an_old_store_in_its_place_unnoticed(self, which: int) -> None:
        """Copy an old file over the store's, which nobody is told; it cannot be found before a hello."""
        backup = self.store.backups[which % len(self.store.backups)]
        self.custody.store_goes_back(backup)
        self.store.put_back_unnoticed(backup)

    # ---- what must hold after every step; I2, I4, I8, I9 and I10 also whenever something is noted or settled

    @invariant()
    def i1_no_loss(self) -> None:
        """Whatever was committed and not declared dropped is in a buffer or in the store."""
        self.custody.check_nothing_is_lost()

    @invariant()
    def i3_ack_soundness(self) -> None:
        """See that what a buffer takes for acked in a generation was committed by a store of that generation."""
        for agent in self.agents:
            self.custody.check_marks_are_true(agent)

    @invariant()
    def i5_marks_never_fall(self) -> None:
        """Within a generation c and a never fall in a buffer, and a <= c."""
        for agent in self.agents:
            self.custody.check_marks_only_rise(agent)

    @invariant()
    def i6_window(self) -> None:
        """No more than the window is in flight, by the outbox's count and by ours."""
        for agent in self.agents:
            self.custody.check_window(agent, self.clock.monotonic_s())

    @invariant()
    def i8_accounting(self) -> None:
        """In a buffer, too, every sealed reading is acked, waiting or dropped, and counted once."""
        for agent in self.agents:
            self.custody.check_accounts(agent)
            self.custody.check_declarations_are_few(agent)
