"""A store that we are given: how it is asked, and what makes it unfit for the live queue or for contacts."""

import contextlib
from collections.abc import Mapping

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

OLDEST_REDIS = (7, 0)  # functions came with it
ASK_WITHIN_S = 2.0


def given_server(url: str) -> redis.Redis:
    """A client for looking at a server we are given: every question is asked once, and answered or given up soon.

    redis-py's own defaults ask eleven times, which runs for a minute against a dead server.
    """
    return redis.Redis.from_url(
        url,
        decode_responses=True,
        retry=Retry(NoBackoff(), 0),
        socket_timeout=ASK_WITHIN_S,
        socket_connect_timeout=ASK_WITHIN_S,
    )


def faults_of_server(client: redis.Redis) -> list[str]:
    """What makes this server unfit to be the live queue, one sentence each with its remedy; empty if nothing is known.

    `client` is made by `given_server`. A managed server may refuse CONFIG GET, or hide lines of INFO: then only what is
    known is reported.
    """
    try:
        info = {str(key): str(value) for key, value in client.info().items()}
    except redis.ResponseError:
        info = {}
    except (redis.RedisError, OSError) as error:
        return [_away(error)]
    faults = []
    version = info.get("redis_version", "")
    if "valkey_version" not in info and version and _numbers(version) < OLDEST_REDIS:
        faults.append(f"ストアは Redis {version} です。関数のある Redis 7.0 以上か Valkey にしてください。")
    policy = _setting(client, "maxmemory-policy") or info.get("maxmemory_policy")
    if policy not in (None, "noeviction"):
        faults.append(
            f"メモリー不足でストアが番号を捨てます。maxmemory-policy を noeviction にしてください（今は {policy}）。"
        )
    appendonly = _setting(client, "appendonly") or {"0": "no", "1": "yes"}.get(info.get("aof_enabled", ""))
    if appendonly == "no":
        faults.append("ストアが終わるとすべての番号が消えます。appendonly を yes にしてください（今は no）。")
    return faults + _faults_of_privacy(client, info)


def _faults_of_privacy(client: redis.Redis, info: Mapping[str, str]) -> list[str]:
    """What would keep contacts for longer than a day, or show them to somebody."""
    faults = []
    if int(info.get("connected_slaves", "0")):
        faults.append("ストアに複製があります。連絡先の写しになるため、複製のないストアにしてください。")
    if _setting(client, "save"):
        faults.append('ストアがスナップショットを残します。消した連絡先が残るため、save を "" にしてください。')
    for name in ("slowlog-log-slower-than", "commandlog-request-larger-than", "commandlog-reply-larger-than"):
        if _setting(client, name) not in (None, "-1"):
            faults.append(f"ストアの記録にコマンドの中身が残ります。{name} を -1 にしてください。")
    if _is_open(client):
        faults.append(
            "ストアにだれでも入れます。利用者を分け、default を off にしてください（junban doctor --acl で作れます）。"
        )
    if _is_readable_on_the_way(client):
        faults.append("ストアまでの通信が暗号化されていません。rediss:// か unix:// にしてください。")
    return faults


def _is_open(client: redis.Redis) -> bool:
    """Somebody without a password may come in over the network; a socket has its folder for a door."""
    pool = client.connection_pool
    if "path" in pool.connection_kwargs:
        return False
    as_stranger = pool.connection_kwargs | {"username": None, "password": None}
    with contextlib.closing(redis.ConnectionPool(connection_class=pool.connection_class, **as_stranger)) as strangers:
        try:
            return bool(redis.Redis(connection_pool=strangers).ping())
        except redis.RedisError:
            return False


def _is_readable_on_the_way(client: redis.Redis) -> bool:
    told = client.connection_pool.connection_kwargs
    if "path" in told or issubclass(client.connection_pool.connection_class, redis.SSLConnection):
        return False
    return told.get("host") not in ("127.0.0.1", "localhost", "::1")


def why_away(client: redis.Redis) -> str | None:
    """Why nobody can work with this server at the moment, one sentence with its remedy; None if it answers."""
    try:
        client.ping()
    except redis.ResponseError:
        return None  # no answer to PING, but an answer
    except (redis.RedisError, OSError) as error:
        return _away(error)
    return None


def _away(error: Exception) -> str:
    if isinstance(error, redis.AuthenticationError):
        return f"ストアに入れません（{error}）。JUNBAN_REDIS_URL の利用者名とパスワードを直してください。"
    return f"ストアが応答しません（{error}）。ストアを起動するか、JUNBAN_REDIS_URL を直してください。"


def _setting(client: redis.Redis, name: str) -> str | None:
    try:
        answer = client.config_get(name)
    except redis.RedisError:  # refused (a managed server) or gone: not known
        return None
    return str(answer[name]) if name in answer else None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())
