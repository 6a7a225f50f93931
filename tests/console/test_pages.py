"""Every page, in both themes and three sizes: nothing leads out of the window, nothing keeps people from reading it."""

from typing import NamedTuple

import pytest

from tests.console.browser import SIZES
from tests.console.conftest import Enter
from tests.console.stage import ADMIN

pytestmark = [pytest.mark.console, pytest.mark.timeout(300)]


class Place(NamedTuple):
    """A page of the console."""

    name: str
    path: str


PAGES = (
    Place("fleet", "/"),
    Place("device", "/devices/pump-1"),
    Place("alarms", "/alarms"),
    Place("decisions", "/decisions"),
    Place("models", "/models"),
    Place("data", "/data"),
    Place("jobs", "/jobs"),
    Place("reports", "/reports"),
    Place("forecast", "/forecast"),
    Place("settings", "/settings"),
    Place("system", "/system"),
    Place("explorer", "/explorer"),
)
DOORS = (Place("login", "/login"), Place("setup", "/setup"))


@pytest.mark.parametrize("place", PAGES, ids=lambda place: place.name)
def test_a_page_can_be_read_in_both_themes_at_every_size(enter: Enter, place: Place) -> None:
    visitor = enter(ADMIN)
    visitor.open(place.path)
    visitor.look(place.name, *SIZES)


@pytest.mark.parametrize("place", DOORS, ids=lambda place: place.name)
def test_a_door_can_be_read_in_both_themes_at_every_size(enter: Enter, place: Place) -> None:
    visitor = enter(None)
    visitor.open(place.path)
    visitor.look(place.name, *SIZES)


def test_a_phone_has_a_menu_of_its_own(enter: Enter) -> None:
    visitor = enter(ADMIN, size="390x844")
    visitor.open("/")
    visitor.page.get_by_role("button", name="Menu").click()
    visitor.look("menu", "390x844")
    visitor.page.get_by_role("navigation").get_by_role("link", name="Alarms").click()
    visitor.settle()
    assert visitor.page.url.endswith("/ui/alarms")
