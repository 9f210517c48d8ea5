"""What makes a store unfit for the live queue, or for contacts, is told with its remedy. Told of both servers."""

from contextlib import closing
from pathlib import Path

import pytest
import redis

from config.embedded import EmbeddedValkey
from config.given_store import faults_of_server, given_server
from tests.config.stores import binary, client, store
from tests.ports import free_ports

__all__ = ["binary", "client", "store"]


def test_our_own_store_has_no_fault(client: redis.Redis) -> None:
    assert faults_of_server(client) == []


def test_each_fault_of_a_given_server_is_one_sentence(client: redis.Redis) -> None:
    client.config_set("maxmemory-policy", "allkeys-lru")
    client.config_set("appendonly", "no")
    assert faults_of_server(client) == [
        "メモリー不足でストアが番号を捨てます。maxmemory-policy を noeviction にしてください（今は allkeys-lru）。",
        "ストアが終わるとすべての番号が消えます。appendonly を yes にしてください（今は no）。",
    ]


def test_a_managed_server_that_hides_its_settings_is_judged_by_what_it_says(client: redis.Redis) -> None:
    client.config_set("maxmemory-policy", "volatile-ttl")
    client.config_set("appendonly", "no")
    client.acl_setuser("default", enabled=True, commands=["-config"])
    assert len(faults_of_server(client)) == 2
    client.acl_setuser("default", enabled=True, commands=["-info"])
    assert faults_of_server(client) == []


def test_a_server_that_asks_for_a_password_is_not_called_fit(client: redis.Redis, store: EmbeddedValkey) -> None:
    client.acl_setuser("default", enabled=True, reset_passwords=True, passwords=["+a-secret"])
    with closing(given_server(store.url)) as stranger:
        (fault,) = faults_of_server(stranger)
    assert fault.startswith("ストアに入れません（")
    assert "a-secret" not in fault


def test_an_old_server_is_refused_by_its_version(client: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "info", lambda: {"redis_version": "6.2.14"})
    assert faults_of_server(client) == [
        "ストアは Redis 6.2.14 です。関数のある Redis 7.0 以上か Valkey にしてください。"
    ]


def test_a_server_that_is_not_there_is_said_to_be_away(tmp_path: Path) -> None:
    with closing(given_server(f"unix://{tmp_path}/nobody.sock")) as client:
        (fault,) = faults_of_server(client)
    assert fault.startswith("ストアが応答しません（")
    assert fault.endswith("ストアを起動するか、JUNBAN_REDIS_URL を直してください。")


@pytest.mark.parametrize(
    ("setting", "value", "says"),
    [
        ("save", "3600 1", "スナップショット"),
        ("slowlog-log-slower-than", "10000", "コマンドの中身"),
        ("maxmemory-policy", "volatile-ttl", "noeviction"),
        ("appendonly", "no", "appendonly"),
    ],
)
def test_a_server_that_would_keep_or_lose_contacts_is_told(
    client: redis.Redis, setting: str, value: str, says: str
) -> None:
    assert faults_of_server(client) == []
    client.config_set(setting, value)
    assert any(says in fault for fault in faults_of_server(client))


def test_a_valkey_that_logs_large_requests_is_told(tmp_path: Path) -> None:
    with EmbeddedValkey(tmp_path / "store") as server, closing(given_server(server.url)) as client:
        client.config_set("commandlog-request-larger-than", "10")
        (fault,) = faults_of_server(client)
    assert "コマンドの中身" in fault


def test_a_server_on_the_network_without_password_is_told(client: redis.Redis) -> None:
    (port,) = free_ports(1)
    client.config_set("port", port)
    with closing(given_server(f"redis://127.0.0.1:{port}")) as over_tcp:
        (fault,) = faults_of_server(over_tcp)
    assert "だれでも入れます" in fault
