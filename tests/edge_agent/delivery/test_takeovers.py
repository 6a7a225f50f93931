"""A name that goes back and forth between connections betrays a clone; a gateway that is moved does not."""

import pytest

from edge_agent.delivery.takeovers import MOST, WINDOW_S, Takeovers

Told = list[tuple[str, dict[str, str | int | float | bool]]]


class Site:
    """Takeovers under a clock that is moved by hand; told: what was recorded."""

    def __init__(self) -> None:
        self.now_s = 5.0
        self.told: Told = []
        self.takeovers = Takeovers(lambda: self.now_s, lambda name, detail: self.told.append((name, detail)))

    def lose(self, times: int, *, every_s: float) -> None:
        """Lose the name so often."""
        for _ in range(times):
            self.now_s += every_s
            self.takeovers.note()


@pytest.fixture
def site() -> Site:
    return Site()


def test_a_name_that_is_lost_again_and_again_is_told_of_as_cloned(site: Site) -> None:
    site.lose(MOST, every_s=1.0)
    assert site.told == []
    site.lose(1, every_s=1.0)
    assert site.told == [("identity_cloned", {"takeovers": MOST + 1})]


def test_losses_far_apart_are_no_sign_of_a_clone(site: Site) -> None:
    site.lose(20, every_s=WINDOW_S / MOST + 1)
    assert site.told == []


def test_a_clone_that_stays_is_told_of_once_in_a_while(site: Site) -> None:
    site.lose(round(2 * WINDOW_S), every_s=1.0)
    assert len(site.told) == 2
