"""The configuration is checked before anything starts, and every fault is told at once, with its remedy."""

import tomllib
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from config.faults import Faulty
from config.office_file import PRACTICE_OFFICE, read_office
from config.office_hours import is_holiday
from config.settings import Machine, default_data_folder, read_all
from hub.desk.hours import moment_text
from hub.desk.lane import Purpose


def special(entry: str) -> str:
    return f'key = "ward"\nspecial_days = [{{ name = "休み", {entry} }}]'


SOUND = """
key = "ward"
name = "区役所"
lanes = [
  { key = "moves", name = "異動", prefix = "A", first = 1, last = 99 },
  { key = "seal", name = "印鑑", prefix = "B", first = 1, last = 99 },
]
counters = [
  { key = "1", name = "1番窓口", lanes = ["moves"] },
  { key = "2", name = "2番窓口", lanes = ["seal", "moves"] },
]
"""

WEEK = 'key = "ward"\nhours = [{ days = ["mon"], open = "08:30", close = "17:00" }]'

# What is changed in SOUND → the keys that are named, in order.
FAULTS: list[tuple[str, str, list[str]]] = [
    ('key = "ward"', 'key = "Ward 1"', ["key"]),
    ('name = "区役所"', 'name = ""', ["name"]),
    ('name = "区役所"', "", ["name"]),
    ('key = "ward"', 'key = "ward"\nopening = 8', ["opening"]),
    ('key = "ward"', 'key = "ward"\nreturn_after = -1', ["return_after"]),
    ('key = "ward"', 'key = "ward"\nreturn_after = "2"', ["return_after"]),
    ('key = "ward"', 'key = "ward"\nweb_open = "8:30"', ["web_open"]),
    ('key = "ward"', 'key = "ward"\nweb_close = "24:01"', ["web_close"]),
    ('key = "ward"', 'key = "ward"\nweb_check_in = "yes"', ["web_check_in"]),
    ('key = "ward"', 'key = "ward"\nweb_open = "17:00"', ["web_close"]),
    ('key = "ward"', 'key = "ward"\nnotices = {}', ["notices.purpose", "notices.purpose_version"]),
    (
        'key = "ward"',
        'key = "ward"\nnotices = { purpose = " \\n ", purpose_version = "1 a" }',
        ["notices.purpose", "notices.purpose_version"],
    ),
    (
        'key = "ward"',
        'key = "ward"\nnotices = { purpose = "a\\rb", purpose_version = "1" }',
        ["notices.purpose"],
    ),
    ('key = "ward"', WEEK.replace('"mon"', '"monday"'), ["hours[0].days[0]"]),
    ('key = "ward"', WEEK.replace('"mon"', '"sun6"'), ["hours[0].days[0]"]),
    ('key = "ward"', WEEK.replace('["mon"]', "[]"), ["hours[0].days"]),
    ('key = "ward"', WEEK.replace("17:00", "24:30"), ["hours[0].close"]),
    ('key = "ward"', WEEK.replace("17:00", "08:30"), ["hours[0].close"]),
    ('key = "ward"', WEEK.replace("17:00", "02:00"), ["hours[0].close"]),  # over midnight: two entries
    ('key = "ward"', WEEK.replace(" }", ', lanes = ["moves"] }'), ["lanes[1]"]),  # seal never opens
    ('key = "ward"', WEEK.replace(" }", ', lanes = ["moves", "taxes"] }'), ["hours[0].lanes", "lanes[1]"]),
    ('key = "ward"', special('dates = ["02-30"]'), ["special_days[0].dates[0]"]),
    ('key = "ward"', special('dates = ["2026-13-01"]'), ["special_days[0].dates[0]"]),
    ('key = "ward"', special('dates = ["12-29"], open = "09:00"'), ["special_days[0]"]),
    ('key = "ward"', special('dates = ["12-29"], open = "09:00", close = "09:00"'), ["special_days[0].close"]),
    ('key = "ward"', special('dates = ["12-29"] }, { name = "b", dates = ["12-29"]'), ["special_days[1]"] * 2),
    ('prefix = "A", first = 1', 'prefix = "A", step = 0, first = 1', ["lanes[0].step"]),
    ('prefix = "A", first = 1', 'prefix = "A", cap = 0, first = 1', ["lanes[0].cap"]),
    ('["seal", "moves"]', '["seal", "moves"], weights = { moves = 11 }', ["counters[1].weights.moves"]),
    ('["seal", "moves"]', '["seal", "moves"], weights = { taxes = 2 }', ["counters[1].weights"]),
    (
        'key = "ward"',
        'key = "ward"\npriorities = [{ key = "a", name = "優先", every = 1, given_by = ["web"] }]',
        ["priorities[0].every", "priorities[0].given_by[0]"],
    ),
    ('prefix = "A"', 'prefix = "A1"', ["lanes[0].prefix"]),
    ('prefix = "A", first = 1', 'prefix = "A", first = "1"', ["lanes[0].first"]),
    ('prefix = "A", first = 1', 'prefix = "A", first = 100', ["lanes[0].first"]),
    ('prefix = "A", first = 1', 'prefix = "A", frist = 1', ["lanes[0].first", "lanes[0].frist"]),
    ('prefix = "B"', 'prefix = "A"', ["lanes[0]"]),
    ('key = "seal"', 'key = "moves"', ["lanes", "counters[1].lanes"]),
    ('key = "2"', 'key = "1"', ["counters"]),
    ('["seal", "moves"]', '["seals"]', ["counters[1].lanes", "lanes[1]"]),
    ('["seal", "moves"]', '["moves"]', ["lanes[1]"]),
    ('["moves"]', "[]", ["counters[0].lanes"]),
    ('["moves"]', '["moves", "moves"]', ["counters[0].lanes"]),
    ("lanes = [\n", "lanes = 5\n_ = [\n", ["lanes", "_"]),
    ('["moves"]', '["koseki", "Seal"]', ["counters[0].lanes[1]"]),
]


def faults_of(tmp_path: Path, text: str) -> Faulty:
    path = tmp_path / "office.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(Faulty) as found:
        read_office(path)
    assert {fault.where for fault in found.value.faults} == {str(path)}
    return found.value


@pytest.mark.parametrize(("was", "becomes", "keys"), FAULTS)
def test_each_fault_of_an_office_file_is_named_by_its_key(
    tmp_path: Path, was: str, becomes: str, keys: list[str]
) -> None:
    assert was in SOUND
    faults = faults_of(tmp_path, SOUND.replace(was, becomes, 1)).faults
    assert [fault.key for fault in faults] == keys
    assert all(fault.remedy.endswith("。") for fault in faults)


def test_all_faults_of_a_file_are_told_at_once(tmp_path: Path) -> None:
    text = SOUND
    for was, becomes in (
        ('key = "ward"', 'key = "WARD"'),
        ('name = "異動"', "nmae = 3"),
        ('prefix = "B", first = 1', 'prefix = "B", first = 100'),
        ('["seal", "moves"]', '["koseki"]'),
    ):
        text = text.replace(was, becomes, 1)
    assert [fault.key for fault in faults_of(tmp_path, text).faults] == [
        "key",
        "lanes[0].name",
        "lanes[0].nmae",
        "lanes[1].first",
        "counters[1].lanes",
        "lanes[1]",
    ]


def test_a_fault_between_lanes_names_both_and_the_way_out(tmp_path: Path) -> None:
    (fault,) = faults_of(tmp_path, SOUND.replace('prefix = "B"', 'prefix = "A"')).faults
    assert "seal" in fault.remedy
    assert str(fault) == f"{tmp_path / 'office.toml'}: lanes[0]: {fault.remedy}"


def test_bands_of_one_prefix_may_stand_side_by_side(tmp_path: Path) -> None:
    path = tmp_path / "office.toml"
    text = SOUND.replace('prefix = "B", first = 1, last = 99', 'prefix = "A", first = 100, last = 199')
    path.write_text(text, encoding="utf-8")
    assert [lane.first for lane in read_office(path).lanes] == [1, 100]


def test_without_a_purpose_an_office_offers_no_notices(tmp_path: Path) -> None:
    path = tmp_path / "office.toml"
    path.write_text(SOUND, encoding="utf-8")
    assert read_office(path).purpose is None
    path.write_text(SOUND + '[notices]\npurpose_version = "2"\npurpose = """\n一行目\n二行目\n"""\n', encoding="utf-8")
    assert read_office(path).purpose == Purpose("2", "一行目\n二行目")


def test_a_ward_writes_its_hours_as_the_example_shows(tmp_path: Path) -> None:
    """The example in the practice ward's file, with its marks of a comment taken away."""
    text = PRACTICE_OFFICE.read_text(encoding="utf-8")
    path = tmp_path / "office.toml"
    example = [line.removeprefix("#   ") for line in text.splitlines() if line.startswith("#   ")]
    path.write_text(text + "\n" + "\n".join(example) + "\n", encoding="utf-8")
    hours = read_office(path).hours
    assert not hours.is_always

    def clock(lane: str, day: str) -> list[str]:
        return [f"{moment_text(opens)}–{moment_text(closes)}" for opens, closes in hours.windows(lane, day)]

    assert clock("moves", "2026-11-24") == ["11月24日（火）8:30–11月24日（火）19:00"]
    assert clock("seal", "2026-11-24") == ["11月24日（火）8:30–11月24日（火）17:00"]
    assert clock("seal", "2026-11-22") == ["11月22日（日）9:00–11月22日（日）17:00"]
    assert clock("seal", "2026-11-23") == clock("seal", "2026-12-30") == clock("seal", "2027-01-01") == []


# Cabinet Office, 国民の祝日について, for 2026 and 2027; with the day off of 2026-05-06, 2026-09-22 and 2027-03-22.
HOLIDAYS = """
2026-01-01 2026-01-12 2026-02-11 2026-02-23 2026-03-20 2026-04-29 2026-05-03 2026-05-04 2026-05-05 2026-05-06
2026-07-20 2026-08-11 2026-09-21 2026-09-22 2026-09-23 2026-10-12 2026-11-03 2026-11-23
2027-01-01 2027-01-11 2027-02-11 2027-02-23 2027-03-21 2027-03-22 2027-04-29 2027-05-03 2027-05-04 2027-05-05
2027-07-19 2027-08-11 2027-09-20 2027-09-23 2027-10-11 2027-11-03 2027-11-23
"""


def test_the_holidays_of_the_land_are_known_without_a_network() -> None:
    days = (date(2026, 1, 1) + timedelta(days=n) for n in range(730))
    assert [day.isoformat() for day in days if is_holiday(day)] == HOLIDAYS.split()


def test_practice_is_open_at_all_hours_unless_the_file_says_otherwise(tmp_path: Path) -> None:
    path = tmp_path / "office.toml"
    closed = SOUND.replace('key = "ward"', WEEK)
    path.write_text(closed, encoding="utf-8")
    office = read_office(path).for_practice()
    assert office.hours.is_always
    assert office.is_web_open(0)
    path.write_text("hours_in_practice = true\n" + closed, encoding="utf-8")
    assert not read_office(path).for_practice().hours.is_always


@pytest.mark.parametrize("carrier", ["purpose", "line_purpose", "phone_purpose"])
def test_the_practice_ward_says_what_a_contact_is_for_and_how_it_is_gone(carrier: str) -> None:
    purpose = getattr(read_office(PRACTICE_OFFICE), carrier)
    for said in ("順番が近づいた", "お呼びする", "交付の準備", "だけに使います", "翌日", "消します", "やめて"):
        assert said in purpose.text, "all that is sent is said before it is asked"


@pytest.mark.parametrize("text", ["key = ", "key = 1\nkey = 2", "\udcff"])
def test_what_is_no_toml_is_said_to_be_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "office.toml"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(Faulty, match="TOML として読めません"):
        read_office(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Faulty, match=r"nowhere\.toml: ファイルを読めません"):
        read_office(tmp_path / "nowhere.toml")


def test_the_practice_ward_has_the_lanes_and_the_peak_staffing_of_a_real_one() -> None:
    office = read_office(PRACTICE_OFFICE)
    staffed = {lane.key: sum(lane.key in seat.lanes for seat in office.counters) for lane in office.lanes}
    peak = {"certificates": 5, "moves": 10, "mynumber": 8, "koseki": 3, "foreign": 4, "seal": 2}
    assert staffed == peak | {"delivery": 2}
    assert [seat.name for seat in office.counters][:32] == [f"{figure}番窓口" for figure in range(1, 33)]
    busiest_day = 1641
    assert all(lane.last - lane.first + 1 >= busiest_day for lane in office.lanes if lane.gives_numbers)


def test_the_practice_ward_stays_easy_to_read_for_other_programs() -> None:
    table: dict[str, Any] = tomllib.loads(PRACTICE_OFFICE.read_text(encoding="utf-8"))
    assert list(table) == [
        *("key", "name", "return_after", "web_open", "web_close", "web_check_in"),
        *("absent_after_calls", "absent_after_seconds", "missed_minutes", "push_back_times", "push_back_places"),
        *("notices", "priorities", "pause_reasons", "reasons", "lanes", "counters"),
    ]


def test_a_machine_without_settings_has_all_of_them() -> None:
    machine, office = read_all({"PATH": "/bin", "JUNBAN_REDIS_URL": "", "JUNBAN_REQUIRE_BROWSER": "1"})
    assert machine == Machine()
    assert (machine.redis_url, machine.port, office.key) == (None, 8080, "sakura")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("JUNBAN_PORT", "http"),
        ("JUNBAN_PORT", "0"),
        ("JUNBAN_PORT", "65536"),
        ("JUNBAN_INSIDE_PORT", "8O81"),
        ("JUNBAN_REDIS_URL", "localhost:6379"),
        ("JUNBAN_REDIS_URL", "http://localhost:6379"),
        ("JUNBAN_REDIS_URL", "redis:///0"),
        ("JUNBAN_REDIS_URL", "redis://:a-secret@host:port/0"),
        ("JUNBAN_REDIS_URL", "unix://run"),
        ("JUNBAN_PUBLIC_URL", "junban.example.jp"),
        ("JUNBAN_PUBLIC_URL", "https://junban.example.jp/number"),
        ("JUNBAN_PUBLIC_URL", "https://[junban"),
        ("JUNBAN_PUBLIC_URL", "ftp://junban.example.jp"),
        ("JUNBAN_INSIDE_URL", "http://madoguchi.example.jp"),
        ("JUNBAN_INSIDE_URL", "https://madoguchi.example.jp/desk"),
        ("JUNBAN_WEBSOCKETS", "websockets"),
    ],
)
def test_each_wrong_variable_is_named_and_its_value_is_not(name: str, value: str) -> None:
    with pytest.raises(Faulty) as found:
        read_all({name: value})
    (fault,) = found.value.faults
    assert (fault.where, fault.key) == ("環境変数", name)
    assert value not in str(fault)


@pytest.mark.parametrize(
    "ports", [{"JUNBAN_PORT": "8081"}, {"JUNBAN_INSIDE_PORT": "8080"}, {"JUNBAN_PORT": "9", "JUNBAN_INSIDE_PORT": "9"}]
)
def test_one_port_for_residents_and_staff_is_a_fault(ports: dict[str, str]) -> None:
    with pytest.raises(Faulty, match="JUNBAN_PORT と同じ") as found:
        read_all(ports)
    assert [fault.key for fault in found.value.faults] == ["JUNBAN_INSIDE_PORT"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("JUNBAN_REDIS_URL", "redis://store"),
        ("JUNBAN_REDIS_URL", "rediss://user:a-secret@store:6380/2"),
        ("JUNBAN_REDIS_URL", "unix:///run/store.sock"),
        ("JUNBAN_PUBLIC_URL", "https://junban.example.jp/"),
        ("JUNBAN_INSIDE_URL", "https://madoguchi.example.jp/"),
        ("JUNBAN_PUBLIC_HOST", "192.0.2.7"),
    ],
)
def test_what_is_right_is_taken(name: str, value: str) -> None:
    machine, _ = read_all({name: value})
    assert str(machine.model_dump(by_alias=True)[name]) == value.rstrip("/")


def test_a_mistyped_name_is_reported_with_the_one_that_was_meant() -> None:
    with pytest.raises(Faulty) as found:
        read_all({"JUNBAN_REDIS_URI": "redis://store", "JUNBAN_QQQQQQQQQ": "1"})
    assert [fault.key for fault in found.value.faults] == ["JUNBAN_QQQQQQQQQ", "JUNBAN_REDIS_URI"]
    assert "JUNBAN_REDIS_URL の間違い" in found.value.faults[1].remedy


def test_faults_of_machine_and_office_are_told_together(tmp_path: Path) -> None:
    path = tmp_path / "office.toml"
    path.write_text(SOUND.replace('key = "ward"', 'key = "WARD"'), encoding="utf-8")
    with pytest.raises(Faulty) as found:
        read_all({"JUNBAN_OFFICE": str(path), "JUNBAN_PORT": "x"})
    assert [(fault.where, fault.key) for fault in found.value.faults] == [
        ("環境変数", "JUNBAN_PORT"),
        (str(path), "key"),
    ]


def test_a_child_is_given_the_same_machine_and_nothing_else_of_ours() -> None:
    machine = Machine(redis_url="unix:///run/store.sock", port=9000)
    given = machine.environment({"PATH": "/bin", "JUNBAN_PORT": "1", "JUNBAN_PUBLIC_URL": "https://other"})
    assert given["PATH"] == "/bin"
    assert Machine.from_environment(given) == machine


@pytest.mark.parametrize(
    ("environment", "folder"),
    [
        ({"XDG_DATA_HOME": "/srv/data"}, Path("/srv/data/junban")),
        ({"XDG_DATA_HOME": "data"}, Path.home() / ".local/share/junban"),  # the convention ignores relative paths
        ({}, Path.home() / ".local/share/junban"),
    ],
)
def test_data_goes_where_the_users_data_goes(environment: dict[str, str], folder: Path) -> None:
    assert default_data_folder(environment) == folder
