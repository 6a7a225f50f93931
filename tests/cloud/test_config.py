"""The configuration file: checked whole, every finding at once."""

from pathlib import Path

import pytest

from cloud.config import Settings, load_settings, read_secret
from cloud.errors import InvalidConfig


def load(directory: Path, text: str) -> Settings:
    path = directory / "lineside-cloud.yaml"
    path.write_text(text, encoding="utf-8")
    return load_settings(path)


def test_an_empty_file_is_the_defaults_beside_the_file(tmp_path: Path) -> None:
    settings = load(tmp_path, "")
    assert settings.data == tmp_path
    assert settings.api.host == "127.0.0.1"
    assert settings.records_url == f"sqlite:///{tmp_path / 'records.db'}"


def test_all_findings_come_at_once_with_file_key_and_what_is_allowed(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfig) as caught:
        load(tmp_path, "api: {prot: 1, port: 70000}\nmqtt: {tls: {cert: x}}\nlog: {level: loud}\nwhat: 1\n")
    findings = {line.split(": ")[1]: line for line in caught.value.findings}
    assert set(findings) == {"api.prot", "api.port", "mqtt.tls.cert", "log.level", "what"}
    assert "did you mean port?" in findings["api.prot"]
    assert "allowed: ca, certificate, key" in findings["mqtt.tls.cert"]
    assert str(tmp_path) in findings["what"]


def test_a_secret_in_plain_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfig, match="env:NAME or file:PATH"):
        load(tmp_path, "mqtt: {password: hunter2}")


def test_a_secret_is_read_from_the_environment_or_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secret").write_text("from a file\n")
    monkeypatch.setenv("A_SECRET", "from the environment")
    assert read_secret("env:A_SECRET") == "from the environment"
    assert read_secret(f"file:{tmp_path / 'secret'}") == "from a file"
    assert read_secret("") == ""


@pytest.mark.parametrize("reference", ["env:NOT_THERE_AT_ALL", "file:/not/there"])
def test_a_secret_that_is_not_there_is_a_finding(reference: str) -> None:
    with pytest.raises(InvalidConfig, match=r"not there|no environment variable|cannot be read"):
        read_secret(reference)


@pytest.mark.parametrize("text", ["- a list", "api: [", "\x00", "1"])
def test_what_is_no_mapping_is_refused_in_words(tmp_path: Path, text: str) -> None:
    with pytest.raises(InvalidConfig, match=r"lineside-cloud\.yaml"):
        load(tmp_path, text)


def test_a_file_that_is_not_there_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfig, match="cannot be read"):
        load_settings(tmp_path / "missing.yaml")


def test_retention_is_set_for_all_and_by_series(tmp_path: Path) -> None:
    text = 'store: {retention_days: 90, retention: [{device: "pump-*", days: 30}, {tag: energy, days: null}]}'
    store = load(tmp_path, text).store
    assert (store.retention_days, [rule.days for rule in store.retention]) == (90, [30, None])


def test_a_finding_in_a_list_says_which_one(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfig) as caught:
        load(tmp_path, "store: {retention: [{days: 1}, {devcie: x, days: 0}]}")
    findings = {line.split(": ")[1]: line for line in caught.value.findings}
    assert set(findings) == {"store.retention.1.devcie", "store.retention.1.days"}
    assert "did you mean device?" in findings["store.retention.1.devcie"]
