"""The panel shows what it is given, before anything is up as well as later."""

import io

from rich.console import Console

from deploy.panel import Moment, picture

STATUS = {
    "devices": [
        {"id": "pump-1", "protocol": "modbus", "state": "ok", "readings": {"good": 1200, "bad": 34}, "skipped_polls": 5}
    ],
    "buffer": {"batches_waiting": 3},
    "delivery": {"connected": True},
}


def shown(moment: Moment) -> str:
    console = Console(width=120, file=io.StringIO(), record=True)
    console.print(picture(moment))
    return console.export_text()


def test_before_anything_is_up_it_says_what_is_being_started() -> None:
    text = shown(Moment(0.0, 0.0, {}, {}, ("starting broker, plant, cloud and agent",), "http://127.0.0.1:8000"))
    assert "starting broker" in text
    assert "away" in text


def test_it_shows_rates_accounts_devices_and_the_newest_news() -> None:
    news = tuple(f"news {number}" for number in range(9))
    account = {"stored": 12_345, "buffered": 6, "lost": 0}
    text = shown(Moment(12.0, 345.6, STATUS, account, news, "http://127.0.0.1:8000"))
    for expected in ("346/s", "12,345", "connected", "pump-1", "1,234", "news 8", "http://127.0.0.1:8000/docs"):
        assert expected in text
    assert "news 2" not in text
