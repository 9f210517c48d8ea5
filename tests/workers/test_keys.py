"""Keys of the day: made once, open to nobody else, and gone for good the day after."""

import os
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hub.store.sealing import Contact, PublicKey, Unreadable, seal
from workers.keys import KeyHost, KeysUnusable

MASTER = bytes(range(32))
TODAY, TOMORROW, AFTER = "2026-11-24", "2026-11-25", "2026-11-26"
CONTACT = Contact("canary@example.jp", "token")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "keys"


def test_what_is_sealed_under_a_day_opens_for_its_subscription_alone(folder: Path) -> None:
    keys = KeyHost(folder, MASTER)
    sealed = seal(CONTACT, keys.ensure(TODAY), "one")
    assert keys.open(sealed, "one") == CONTACT
    assert KeyHost(folder, MASTER).open(sealed, "one") == CONTACT
    with pytest.raises(Unreadable):
        keys.open(sealed, "another")


def test_a_day_has_one_key_however_often_it_is_asked_for(folder: Path) -> None:
    keys = KeyHost(folder, MASTER)
    assert keys.ensure(TODAY) == keys.ensure(TODAY) == KeyHost(folder, MASTER).ensure(TODAY)
    assert keys.ensure(TODAY) != keys.ensure(TOMORROW)


def test_many_processes_that_begin_at_once_get_one_key(folder: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from workers.keys import KeyHost;"
        f"print(KeyHost(Path(sys.argv[1]), bytes(range(32))).ensure({TODAY!r}).id)"
    )
    begun = [
        subprocess.Popen([sys.executable, "-c", program, str(folder)], stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    assert {one.communicate(timeout=60)[0].strip() for one in begun} == {KeyHost(folder, MASTER).ensure(TODAY).id}
    assert [one.returncode for one in begun] == [0] * 4


def test_two_makers_at_the_same_moment_agree_on_every_day(folder: Path) -> None:
    days = [f"2026-{month:02}-{day:02}" for month in (1, 3, 5) for day in range(1, 32)]
    begin = threading.Barrier(4)

    def make(_: int) -> list[str]:
        keys = KeyHost(folder, MASTER)
        begin.wait(timeout=30)
        return [keys.ensure(day).id for day in days]

    with ThreadPoolExecutor(4) as makers:
        made = list(makers.map(make, range(4)))
    assert made[0] == made[1] == made[2] == made[3]
    assert len(set(made[0])) == len(days)


def test_nobody_else_can_read_the_folder_or_a_file(folder: Path) -> None:
    KeyHost(folder, MASTER).ensure(TODAY)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


@pytest.mark.parametrize("mode", [0o750, 0o701, 0o755])
def test_a_folder_that_others_can_read_is_refused_with_the_remedy(folder: Path, mode: int) -> None:
    folder.mkdir(mode=0o700)
    folder.chmod(mode)
    with pytest.raises(KeysUnusable, match="chmod 700"):
        KeyHost(folder, MASTER)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(KeysUnusable, match="JUNBAN_KEY_DIR"):
        KeyHost(tmp_path / "file" / "keys", MASTER)


def test_the_private_half_lies_in_no_file_in_the_clear(folder: Path) -> None:
    keys = KeyHost(folder, MASTER)
    key = keys.ensure(TODAY)
    keys.open(seal(CONTACT, key, "one"), "one")
    (held,) = keys._held.values()
    assert all(held.private.private_bytes_raw() not in path.read_bytes() for path in folder.iterdir())


def test_a_wrong_master_key_is_one_sentence_without_a_key(folder: Path) -> None:
    sealed = seal(CONTACT, KeyHost(folder, MASTER).ensure(TODAY), "one")
    other = KeyHost(folder, bytes(32))
    for ask in (lambda: other.ensure(TODAY), lambda: other.open(sealed, "one")):
        with pytest.raises(KeysUnusable, match="JUNBAN_MASTER_KEY") as refused:
            ask()
        assert refused.value.__cause__ is None
        assert refused.value.__suppress_context__
        assert str(refused.value).endswith("。")
        assert "\n" not in str(refused.value)


def test_a_file_of_one_day_is_no_key_of_another(folder: Path) -> None:
    keys = KeyHost(folder, MASTER)
    keys.ensure(TODAY)
    (folder / f"{TODAY}.key").rename(folder / f"{TOMORROW}.key")
    with pytest.raises(KeysUnusable):
        keys.ensure(TOMORROW)


def test_destroyed_is_gone_for_everybody_also_from_memory(folder: Path) -> None:
    keeper, worker = KeyHost(folder, MASTER), KeyHost(folder, MASTER)
    key = keeper.ensure(TODAY)
    later = keeper.ensure(TOMORROW)
    sealed = seal(CONTACT, key, "one")
    assert worker.open(sealed, "one") == CONTACT
    assert keeper.open(sealed, "one") == CONTACT
    assert keeper.destroy_before(TODAY) == {}
    assert keeper.destroy_before(TOMORROW) == {TODAY: key.id}
    assert keeper.destroy_before(TOMORROW) == {}
    for host in (keeper, worker):
        with pytest.raises(Unreadable):
            host.open(sealed, "one")
    assert worker.open(seal(CONTACT, later, "two"), "two") == CONTACT
    assert worker._held.keys() == {later.id}


def test_an_idle_worker_forgets_too(folder: Path) -> None:
    keeper, worker = KeyHost(folder, MASTER), KeyHost(folder, MASTER)
    worker.open(seal(CONTACT, keeper.ensure(TODAY), "one"), "one")
    keeper.destroy_before(TOMORROW)
    worker.forget_gone()
    assert worker._held == {}


def test_a_key_made_anew_for_a_destroyed_day_opens_nothing_old(folder: Path) -> None:
    keys = KeyHost(folder, MASTER)
    sealed = seal(CONTACT, keys.ensure(TODAY), "one")
    assert keys.open(sealed, "one") == CONTACT
    keys.destroy_before(AFTER)
    keys.ensure(TODAY)
    with pytest.raises(Unreadable):
        keys.open(sealed, "one")


def test_what_was_in_a_destroyed_file_is_overwritten_first(folder: Path) -> None:
    keys = KeyHost(folder, MASTER)
    keys.ensure(TODAY)
    path = folder / f"{TODAY}.key"
    was = path.read_bytes()
    with path.open("rb") as held:  # the blocks of the medium, as far as a test can see them
        keys.destroy_before(TOMORROW)
        now = held.read()
    assert len(now) == len(was)
    assert now != was
    assert was[32:] not in now


def test_a_key_of_a_wrong_master_is_destroyed_all_the_same(folder: Path) -> None:
    key = KeyHost(folder, MASTER).ensure(TODAY)
    assert KeyHost(folder, bytes(32)).destroy_before(TOMORROW) == {TODAY: key.id}
    assert not list(folder.glob("*.key"))


@pytest.mark.parametrize("left", [f"{TOMORROW}.making", f"{TODAY}.destroying"])
def test_what_a_killed_process_left_is_destroyed_too(folder: Path, left: str) -> None:
    keys = KeyHost(folder, MASTER)
    keys.ensure(TOMORROW)
    os.link(folder / f"{TOMORROW}.key", folder / "witness")
    (folder / left).write_bytes(b"half a key")
    keys.ensure(AFTER)
    assert keys.destroy_before(TODAY) == {}
    assert not (folder / left).exists()
    assert {path.name for path in folder.glob("*.key")} == {f"{TOMORROW}.key", f"{AFTER}.key"}


def test_a_half_made_key_is_begun_again(folder: Path) -> None:
    keys = KeyHost(folder, MASTER)
    (folder / f"{TODAY}.making").write_bytes(b"half a key")
    assert isinstance(keys.ensure(TODAY), PublicKey)
    assert not (folder / f"{TODAY}.making").exists()


@pytest.mark.parametrize("date", ["", "../2026-11-24", "2026-1-1", "2026-11-24\n"])
def test_what_is_no_date_is_no_file(folder: Path, date: str) -> None:
    keys = KeyHost(folder, MASTER)
    with pytest.raises(ValueError, match="date"):
        keys.ensure(date)
    with pytest.raises(ValueError, match="date"):
        keys.destroy_before(date)


@pytest.mark.parametrize("sealed", ["", "no colon", "0123456789abcdef:####", "0123456789abcdef:AAAA"])
def test_what_is_no_sealed_contact_is_unreadable(folder: Path, sealed: str) -> None:
    keys = KeyHost(folder, MASTER)
    keys.ensure(TODAY)
    with pytest.raises(Unreadable):
        keys.open(sealed, "one")


def test_another_master_key_wraps_the_same_keys_anew_once(folder: Path) -> None:
    keys, fresh = KeyHost(folder, MASTER), KeyHost(folder, bytes(32))
    public = keys.ensure(TODAY)
    sealed = seal(CONTACT, public, "one")
    keys.ensure(TOMORROW)
    path = folder / f"{TODAY}.key"
    was = path.read_bytes()
    with path.open("rb") as held:
        assert [fresh.rotate(MASTER), fresh.rotate(MASTER)] == [2, 0]
        assert was[32:] not in held.read()
    assert fresh.open(sealed, "one") == CONTACT
    assert fresh.ensure(TODAY) == public
    with pytest.raises(KeysUnusable, match="JUNBAN_MASTER_KEY"):
        keys.open(seal(CONTACT, public, "two"), "two")


def test_a_key_that_neither_master_key_opens_stays_as_it_is(folder: Path) -> None:
    KeyHost(folder, MASTER).ensure(TODAY)
    before = (folder / f"{TODAY}.key").read_bytes()
    with pytest.raises(KeysUnusable, match="JUNBAN_MASTER_KEY"):
        KeyHost(folder, bytes(32)).rotate(bytes([1]) * 32)
    assert (folder / f"{TODAY}.key").read_bytes() == before


def test_without_a_master_key_nothing_is_made_or_opened_and_all_the_same_destroyed(folder: Path) -> None:
    sealed = seal(CONTACT, KeyHost(folder, MASTER).ensure(TODAY), "one")
    keys = KeyHost(folder, None)
    for act in (lambda: keys.ensure(TOMORROW), lambda: keys.open(sealed, "one"), lambda: keys.canary(TODAY)):
        with pytest.raises(KeysUnusable, match="番号の発行と呼び出しは続きます"):
            act()
    assert list(keys.destroy_before(TOMORROW)) == [TODAY]
