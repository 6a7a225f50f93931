"""A report as one HTML page, through jinja2, everything escaped; the page loads nothing from anywhere."""

import base64

import jinja2

from cloud.domain.report import Cell, Report

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{{ report.title }}</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; color: #1f2933; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { margin-bottom: 0; } h2 { margin-top: 2rem; } .quiet { color: #52606d; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; padding: .25rem .75rem .25rem 0;
border-bottom: 1px solid #d9e2ec; vertical-align: top; overflow-wrap: anywhere; } img { max-width: 100%; }
@media print { body { margin: 0; max-width: none; } }
</style>
</head>
<body>
<h1>{{ report.title }}</h1>
<p class="quiet">{{ report.request.date_range }}, made {{ made }}, report {{ name }}</p>
<table>
{% for figure in report.findings.figures -%}
<tr><th scope="row">{{ figure.name | words }}</th><td>{{ figure.value | cell }} {{ figure.unit }}</td></tr>
{% endfor -%}
</table>
{% for name, picture in charts.items() -%}
<p><img alt="{{ name | words }}" width="900" height="400" src="data:image/png;base64,{{ picture }}"></p>
{% endfor -%}
{% for table in report.findings.tables -%}
<h2>{{ table.name | words }}</h2>
{% if table.note %}<p class="quiet">{{ table.note }}</p>{% endif %}
{% if table.rows -%}
<table>
<thead><tr>{% for column in table.columns %}<th scope="col">{{ column | words }}</th>{% endfor %}</tr></thead>
<tbody>
{% for row in table.rows -%}
<tr>{% for value in row %}<td>{{ value | cell }}</td>{% endfor %}</tr>
{% endfor -%}
</tbody>
</table>
{% else -%}
<p class="quiet">none</p>
{% endif -%}
{% endfor -%}
</body>
</html>
"""


def write_page(report: Report, name: str) -> str:
    """Return the page; name: the report's id as it is shown."""
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    environment.filters |= {"words": words, "cell": cell_text}
    charts = {key: base64.b64encode(picture).decode() for key, picture in report.charts.items()}
    made = f"{report.generated_at:%Y-%m-%d %H:%M} UTC"
    return environment.from_string(_PAGE).render(report=report, charts=charts, made=made, name=name)


def words(name: str) -> str:
    """Return a name of a figure or a column for people."""
    return name.replace("_", " ")


def cell_text(value: Cell) -> str:
    """Return a value for people."""
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:g}" if abs(value) < 1e6 else f"{value:.0f}"
        case _:
            return str(value)
