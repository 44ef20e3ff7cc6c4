"""Cells as spreadsheets, tools and people leave them: read, or said why not; never guessed."""

import io
import string
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.errors import DataError
from auditor.importers import values
from auditor.importers.cells import Reader
from auditor.importers.dates import read_day, read_moment
from auditor.importers.header import find_head
from auditor.importers.headings import folded, shipped
from auditor.importers.lines import lines
from auditor.importers.plan import plan
from auditor.importers.rows import ends_inside, rows
from auditor.importers.secrets import clean, may_hold
from auditor.plugins import Options

OCTETS = st.binary(min_size=6, max_size=6).filter(lambda raw: not raw[0] & 1 and any(raw))
WAYS = (
    lambda raw: raw.hex(":"), lambda raw: raw.hex("-").upper(), lambda raw: raw.hex(),
    lambda raw: raw.hex(" "), lambda raw: ".".join(raw.hex()[at : at + 4] for at in (0, 4, 8)),
    lambda raw: "01:" + raw.hex(":"), lambda raw: f" '{raw.hex(':')} ", lambda raw: f'="{raw.hex(":")}"',
    lambda raw: ":".join(f"{octet:x}" for octet in raw), lambda raw: "0x" + raw.hex(),
)  # fmt: skip


@given(OCTETS, st.sampled_from(WAYS))
def test_a_hardware_address_is_read_however_it_is_written(raw, way):
    assert values.mac(way(raw)).text == raw.hex(":")


@given(st.lists(OCTETS, min_size=1, max_size=20), st.integers(0, 5))
def test_a_column_is_read_as_its_cells_are(raws, way):
    cells = [WAYS[way](raw) for raw in raws]
    read = Reader("mac", "", {}).read(cells)
    assert read.texts == [values.mac(cell).text for cell in cells]


@given(st.lists(st.text(max_size=12), min_size=1, max_size=30), st.sampled_from(["text", "key", "serial", "ip", "mac", "host", "day", "amount"]))  # fmt: skip
def test_a_quick_look_at_a_column_says_what_a_slow_one_does(cells, kind):
    whole = Reader(kind, "", {}).read(cells)
    slow = [Reader(kind, "", {})._one_by_one([cell], {cell}) for cell in cells]
    assert whole.texts == [read.texts[0] for read in slow]


@pytest.mark.parametrize("said", ["1E+11", "1.1E+11", "1,11E+11", "zz:zz", "ff:ff:ff:ff:ff:ff", "00:00:00:00:00:00", "44:19:b6", "1.12233445E10", "01:00:5e:00:00:01"])  # fmt: skip
def test_what_is_no_hardware_address_of_a_device_is_said_so(said):
    found = values.mac(said)
    assert found.text is None
    assert found.reason


def test_leading_zeros_that_a_spreadsheet_took_are_put_back_and_said():
    found = values.mac("1122334455")
    assert found.text == "00:11:22:33:44:55"
    assert "leading zeros" in found.reason


def test_several_addresses_in_one_cell_are_all_read():
    found = values.mac("eth0 44:19:b6:00:00:01, wlan0 44-19-b6-00-00-02")
    assert (found.text, found.more) == ("44:19:b6:00:00:01", ("44:19:b6:00:00:02",))
    found = values.ip("10.0.0.1; 10.0.0.2 fe80::1")
    assert (found.text, found.more) == ("10.0.0.1", ("10.0.0.2", "fe80::1"))


@pytest.mark.parametrize(
    ("said", "address"),
    [("10.0.0.1", "10.0.0.1"), ("10.0.0.1/24", "10.0.0.1"), ("http://u:p@10.0.0.1:80/x", "10.0.0.1"),
     ("10.0.0.1:8000", "10.0.0.1"), ("010.000.000.001", "10.0.0.1"), ("[fe80::1]:80", "fe80::1"),
     ("FE80::0001", "fe80::1"), ("0.0.0.0", None), ("-", None), ("10.0.0.1 (static)", "10.0.0.1")],
)  # fmt: skip
def test_an_internet_address_is_found_inside_of_what_is_written(said, address):
    found = values.ip(said)
    assert (found.text, found.reason) == (address, "")


@pytest.mark.parametrize("said", ["010.1.2.3", "999.1.1.1", "10.0.0", "١٠.٠.٠.٣"])
def test_what_two_people_read_differently_is_no_address(said):
    assert values.ip(said).text is None
    assert values.ip(said).reason not in {"", "host"}


def test_a_name_where_an_address_should_be_is_a_host_name():
    assert values.ip("http://cam-1.example.org/") == ("cam-1.example.org", "host", ())


@pytest.mark.parametrize("said", ["6.37E+15", "6,37E+15", "8.9E18", "1E+20"])
def test_an_eaten_serial_number_is_none(said):
    assert values.key(said) == (None, "is what a spreadsheet left of a longer number", ())


@pytest.mark.parametrize("said", ["12E45", "3E8", "0012", "E+12", "DS-2E+1"])
def test_a_serial_number_with_an_e_in_it_is_one(said):
    assert values.key(said).text == said


@given(st.dates(date(1950, 1, 1), date(2099, 12, 31)))
def test_a_day_is_read_in_every_order_that_is_named(day):
    assert read_day(day.isoformat()).value == day.isoformat()
    assert read_day(f"{day:%d/%m/%Y}", "dmy").value == day.isoformat()
    assert read_day(f"{day:%m/%d/%Y}", "mdy").value == day.isoformat()
    assert read_day(f"{day:%Y/%m/%d}").value == day.isoformat()
    assert read_day(f"{day:%Y%m%d}").value == day.isoformat()


@given(st.dates(date(1950, 1, 1), date(2099, 12, 31)))
def test_a_day_is_never_guessed(day):
    found = read_day(f"{day:%d/%m/%Y}").value
    ambiguous = day.day <= 12 and day.day != day.month
    assert found == ("" if ambiguous else day.isoformat())


@pytest.mark.parametrize(
    ("said", "day"),
    [("3 avril 2023", "2023-04-03"), ("Apr 3, 2023", "2023-04-03"), ("1er août 2021", "2021-08-01"),
     ("23-Jan-2023", "2023-01-23"), ("déc. 2020", "2020-12"), ("2019", "2019"), ("12/2019", "2019-12"),
     ("45000", "2023-03-15"), ("2023-04-03T10:11:12Z", "2023-04-03"), ("1/23/23", "2023-01-23"),
     ("31/02/2023", ""), ("00/00/0000", ""), ("soon", ""), ("12345678901234", ""), ("9999-99-99", ""),
     ("25/12/23", ""), ("2023-04", "2023-04")],
)  # fmt: skip
def test_days_as_people_write_them(said, day):
    assert read_day(said).value == day


@given(st.text(max_size=40), st.sampled_from(["", "dmy", "mdy", "ymd"]))
def test_no_text_breaks_the_reader_of_days(said, order):
    found = read_day(said, order)
    assert bool(found.value) != bool(found.reason)
    moment, why = read_moment(said, order)
    assert (moment is None) == bool(why)


def test_a_moment_is_of_the_zone_that_is_named_or_set():
    assert read_moment("2026-02-03 04:05", "", "America/Toronto")[0] == datetime(2026, 2, 3, 9, 5, tzinfo=UTC)  # fmt: skip
    assert read_moment("23/01/2026 4:05 PM")[0] == datetime(2026, 1, 23, 16, 5, tzinfo=UTC)
    assert read_moment("1672008118")[0] == datetime(2022, 12, 25, 22, 41, 58, tzinfo=UTC)


@pytest.mark.parametrize(
    "said",
    ["password: Tr0ub4dor", "Mot de passe = Tr0ub4dor", "mdp:Tr0ub4dor", "user/pwd admin / Tr0ub4dor",
     "rtsp://admin:Tr0ub4dor@10.0.0.1/", "https://Tr0ub4dor@host/x", "admin:Tr0ub4dor@10.0.0.1",
     "communauté SNMP : Tr0ub4dor", "snmp community is Tr0ub4dor", "code = Tr0ub4dor", "PIN:Tr0ub4dor",
     "clé wifi: 'Tr0ub4dor'", 'secret="Tr0ub4dor x"', "login: admin mdp: Tr0ub4dor", "root|Tr0ub4dor"],
)  # fmt: skip
def test_a_secret_in_a_text_is_taken_out(said):
    assert "Tr0ub4dor" not in clean(f"Camera at gate. {said} since 2020")


@pytest.mark.parametrize(
    "said",
    ["pw Tr0ub4dor", "Password Tr0ub4dor; user admin", "Default pw is Tr0ub4dor", "PW=Tr0ub4dor admin",
     "mot de passe Tr0ub4dor", "mdp admin Tr0ub4dor", "user admin password Tr0ub4dor",
     "u: admin p: Tr0ub4dor", "password changed to Tr0ub4dor", "nouveau mot de passe : Tr0ub4dor"],
)  # fmt: skip
def test_a_secret_that_is_said_in_passing_is_taken_out(said):
    assert may_hold([said])
    assert "Tr0ub4dor" not in clean(f"Camera at gate. {said} since 2020")


def test_a_cell_of_a_user_and_a_password_keeps_the_user():
    assert clean("admin, Tr0ub4dor") == "admin, [removed]"


@pytest.mark.parametrize(
    "said",
    ["Password unknown", "password protected web page", "mot de passe inconnu", "installed by admin, AC-2143G0",
     "pwd changed by vendor", "Upward view", "password see binder"],
)  # fmt: skip
def test_what_only_speaks_of_passwords_stays(said):
    assert clean(said) == said


@pytest.mark.parametrize("said", ["Pinewood hall", "Key West", "Service entrance", "Codex room", "Secretary: room 4", "admin office", "a@b"])  # fmt: skip
def test_an_innocent_text_stays_as_it_is(said):
    assert clean(said) == said


@given(st.text(alphabet=string.printable, max_size=300))
def test_cleaning_ends_whatever_the_text(said):
    assert isinstance(clean(said * 20), str)


def test_every_heading_of_the_vocabulary_is_folded_alike():
    vocabulary = shipped()
    for alias in vocabulary.aliases:
        assert alias == folded(alias)
    assert folded("N° de série") == folded("n_DE-serie") == "ndeserie"
    for secret in (
        "Password",
        "Mot de passe",
        "SNMP Community",
        "Clé",
        "Code PIN",
        "api_key",
        "AdminPwd",
    ):
        assert vocabulary.is_secret(secret), secret
    for plain in ("Keyboard", "Spinner", "Clément", "Compass", "Asset Tag", "Encoder"):
        assert not vocabulary.is_secret(plain), plain


def test_no_field_is_taken_for_a_secret():
    vocabulary = shipped()
    for dialect in vocabulary.dialects:
        for heading, field in dialect.columns.items():
            assert not field or not vocabulary.is_secret(heading), heading


@given(
    st.lists(st.lists(st.text(alphabet='ab",\n ', max_size=6), min_size=3, max_size=3), max_size=8)
)
def test_what_a_program_writes_as_csv_is_read_back(table):
    import csv
    import io

    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(table)
    chunks = lines(io.BytesIO(out.getvalue().encode()))
    found = [row for chunk in rows(chunks, ",", 3) for row in chunk.cells]
    assert found == table


def test_a_quote_that_is_open_is_told_from_one_that_is_not():
    assert ends_inside('a,"b', ",") and ends_inside('a,"b""', ",")
    assert not ends_inside('19" rack,b', ",") and not ends_inside('"a","b"', ",")
    assert ends_inside("x", ",", inside=True) and not ends_inside('x",y', ",", inside=True)


def test_a_merged_cell_above_the_headings_makes_them_whole():
    head = find_head(["Serial,,Other,\n", "number,Model,a,b\n", "S-1,M,,\n"], shipped())
    assert head is not None
    assert head.headings[:2] == ("Serial number", "Model")


# ---------------------------------------------------------------- headings


@pytest.mark.parametrize(
    "row", ["cam1,10.0.0.1,admin,Password1!,Lobby", "Model,10.0.0.1,Name,Tag", "x,Password1!,y"]
)
def test_a_row_with_an_address_or_a_password_is_no_row_of_headings(row):
    assert find_head([f"{row}\n", "cam2,10.0.0.2,admin,Tr0ub4dor,Gate\n"], shipped()) is None


def test_a_refusal_repeats_no_password_of_a_list_without_headings():
    from auditor.importers import asset_csv

    raw = b"Ding,Password1!,Zahl\nx,Tr0ub4dor,y\n"
    with pytest.raises(DataError) as refusal:
        list(
            asset_csv.read(
                io.BytesIO(raw),
                Options("hq", datetime(2026, 3, 4, tzinfo=UTC), mapping={"Ding": ""}),
            )
        )
    assert "Password1!" not in f"{refusal.value.what}{refusal.value.why}{refusal.value.hint}"


@pytest.mark.parametrize(
    ("heading", "field"),
    [("Camera Make", "asset.manufacturer"), ("Device", "asset.name"), ("Camera Type", "asset.category"),
     ("Camera Serial", "asset.serial"), ("Marque de la caméra", "asset.manufacturer")],
)  # fmt: skip
def test_the_word_for_the_thing_itself_does_not_hide_what_a_column_is(heading, field):
    options = Options("hq", datetime(2026, 3, 4, tzinfo=UTC))
    (found,) = plan([heading], options, shipped(), "asset_csv").mapped
    assert (found.field, found.score) == (field, 100)


@pytest.mark.parametrize("heading", ["Equipment Firmware", "Camera Floor", "Device Room"])
def test_what_is_left_without_that_word_is_suggested(heading):
    options = Options("hq", datetime(2026, 3, 4, tzinfo=UTC))
    (found,) = plan([heading], options, shipped(), "asset_csv").mapped
    assert found.field is None
    assert f"perhaps asset.{heading.split()[1].lower()}" in found.reason


@pytest.mark.parametrize("heading", ["Camera Mak", "Camera Tape", "Devices"])
def test_the_word_for_the_thing_itself_makes_no_two_columns_alike(heading):
    options = Options("hq", datetime(2026, 3, 4, tzinfo=UTC))
    (found,) = plan([heading], options, shipped(), "asset_csv").mapped
    assert "perhaps mac" not in found.reason and "perhaps ip" not in found.reason
