"""The board for Grafana draws only what there is to draw."""

import json
import re
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.api.conftest import cloud as a_cloud
from tests.api.conftest import template as a_template
from tests.support.cloud import Cloud

cloud, template = a_cloud, a_template
BOARD = json.loads((Path(__file__).parents[2] / "deploy/grafana/lineside.json").read_text())
EXPRESSIONS = [target["expr"] for panel in BOARD["panels"] for target in panel["targets"]]
NAME = re.compile(r"\b((?:lineside|http|process|python|predictions|prediction|scaling|circuit)_\w+)\b")


def test_every_panel_has_its_own_place_and_takes_the_data_source_that_was_chosen() -> None:
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in BOARD["panels"]]
    assert len(set(places)) == len(places)
    assert {panel["datasource"]["uid"] for panel in BOARD["panels"]} == {"${datasource}"}


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_an_expression_is_balanced_and_names_a_metric(expression: str) -> None:
    assert expression.count("(") == expression.count(")")
    assert NAME.search(expression)


async def test_every_metric_of_the_board_exists(cloud: Cloud) -> None:
    async with cloud.client() as client:
        await client.get("/health")
        text = (await client.get("/metrics")).text
    families = list(text_string_to_metric_families(text))
    known = {sample.name for family in families for sample in family.samples}
    known |= {f"{family.name}_total" for family in families if family.type == "counter"}
    known |= {family.name for family in families}
    documented = (Path(__file__).parents[2] / "docs/cloud.md").read_text()
    wanted = {name for expression in EXPRESSIONS for name in NAME.findall(expression)}
    missing = {name for name in wanted - known if f"`{name}`" not in documented}
    assert missing == set()
