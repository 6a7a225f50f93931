"""What docs/access.md says of settings and limits is what the cloud has."""

import re
from pathlib import Path

from cloud.domain.setting import SETTINGS
from cloud.domain.user import MAX_PASSWORD, MIN_PASSWORD

DOCS = (Path(__file__).parents[2] / "docs" / "access.md").read_text()


def test_every_setting_is_documented_with_its_default_and_no_other() -> None:
    rows = re.findall(r"^\| `([a-z]+\.\w+)` \| ([^|]*)\|", DOCS, re.MULTILINE)
    shown = {
        key: str(one.default).lower() if isinstance(one.default, bool) else str(one.default)
        for key, one in SETTINGS.items()
    }
    assert {key: default.strip() for key, default in rows} == shown


def test_the_password_rules_are_documented() -> None:
    assert f"{MIN_PASSWORD} to {MAX_PASSWORD} characters" in DOCS
