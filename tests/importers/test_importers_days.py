"""Days, moments and cells as strangers write them: nothing is guessed, nothing ends the import."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from auditor.importers import values
from auditor.importers.dates import ORDERS, read_day, read_moment
from auditor.importers.makes import parted
from auditor.importers.secrets import REMOVED, clean, may_hold

DAYS = st.dates(date(1970, 1, 1), date(2069, 12, 31))
# digits of many scripts, superscripts that only look like digits, signs that dates are made of
ODD = st.text("0123456789²³¹①٠١٢٣४५０１/-.: T+ZapmAPMjanfév,hE\u200b", max_size=24)
CELLS = st.one_of(st.text(max_size=24), ODD)
ZONES = st.sampled_from(["UTC", "America/Toronto", "America/St_Johns", "Pacific/Apia"])


@given(DAYS, st.sampled_from(ORDERS))
def test_a_day_reads_back_in_the_order_that_was_named(day, order):
    written = {"dmy": f"{day:%d/%m/%Y}", "mdy": f"{day:%m/%d/%Y}", "ymd": f"{day:%Y/%m/%d}"}
    assert read_day(written[order], order).value == day.isoformat()


@given(DAYS)
def test_a_day_that_two_people_read_differently_is_not_guessed(day):
    found = read_day(f"{day:%d/%m/%Y}")
    if day.day <= 12 and day.day != day.month:
        assert not found.value and "may be" in found.reason
    else:
        assert found.value == day.isoformat()


@given(DAYS)
def test_a_day_of_a_spreadsheet_is_the_day_that_it_counts(day):
    serial = (day - date(1899, 12, 30)).days
    assert read_day(str(serial)).value == day.isoformat()


@given(DAYS)
def test_months_are_known_by_their_names_in_both_languages(day):
    french = "janvier février mars avril mai juin juillet août septembre octobre novembre décembre"
    name = french.split()[day.month - 1]
    first = "1er" if day.day == 1 else str(day.day)
    assert read_day(f"{first} {name} {day.year}").value == day.isoformat()
    assert read_day(f"{day:%B} {day.day}, {day.year}").value == day.isoformat()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("29/02/2028", "2028-02-29"),
        ("29/02/2027", ""),
        ("31/04/2026", ""),
        ("31.12.1949", ""),
        ("2101-01-01", ""),
        ("31/12/69", "2069-12-31"),
        ("31/12/70", "1970-12-31"),
        ("00/00/0000", ""),
        ("2023-04", "2023-04"),
        ("04/2023", "2023-04"),
        ("2023", "2023"),
    ],
)
def test_days_at_the_edge_of_the_calendar(text, value):
    assert read_day(text).value == value


@given(CELLS, st.sampled_from(["", *ORDERS]))
def test_no_cell_ends_the_reading_of_days(cell, order):
    found = read_day(cell, order)
    assert bool(found.value) != bool(found.reason)


@given(CELLS, st.sampled_from(["", *ORDERS]), ZONES)
def test_no_cell_ends_the_reading_of_moments(cell, order, zone):
    moment, why = read_moment(cell, order, zone)
    assert (moment is None) == bool(why)
    assert moment is None or 1949 <= moment.year <= 2287


@pytest.mark.parametrize(
    "text",
    ["²²²²²²²²²²", "2023/01/15 10:00 +99:99", "2023-01-15 10:00:00 +25:00", "2023/01/15 10:00 -24:00",
     "٢٠٢٣-٠١-٠١T٠٠:٠٠", "1" * 10 + "\n", "9" * 5_000],
)  # fmt: skip
def test_moments_made_to_break_a_reader_break_none(text):
    moment, why = read_moment(text)
    assert moment is not None or why


@pytest.mark.parametrize(
    "text",
    ["0001-01-01T00:00:00", "0001-01-01 00:00:00Z", "9999-12-31T23:59:59", "1900-01-01 00:00"],
)
def test_what_programs_write_for_never_is_no_moment(text):
    """A device that was `first seen` in the year 1 would be overdue in every report."""
    moment, why = read_moment(text)
    assert moment is None and why


@given(st.datetimes(datetime(1971, 1, 1), datetime(2099, 1, 1)), ZONES)
def test_a_moment_without_a_zone_is_of_the_zone_that_was_said(local, zone):
    local = local.replace(microsecond=0, second=0)
    found, why = read_moment(f"{local:%Y-%m-%d %H:%M:%S}", "", zone)
    assert not why and found == local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


@given(st.datetimes(datetime(2001, 9, 10), datetime(2099, 1, 1), timezones=st.just(UTC)))
def test_seconds_since_1970_are_the_same_moment_however_fine(moment):
    seconds = int(moment.timestamp())
    forms = (str(seconds), f"{seconds}000", f"{seconds}000000", f"{seconds}000000000")
    assert {read_moment(form)[0] for form in forms} == {moment.replace(microsecond=0)}


@pytest.mark.parametrize(
    ("text", "hour"), [("12:00 am", 0), ("12:30 pm", 12), ("11:59 p.m.", 23), ("9h05", 9)]
)
def test_twelve_o_clock_is_midnight_in_the_morning_and_noon_after_it(text, hour):
    moment, _ = read_moment(f"2023/01/15 {text}")
    assert moment.hour == hour


def test_the_hour_that_comes_twice_is_one_of_both():
    moment, _ = read_moment("2026-11-01 01:30:00", "", "America/Toronto")
    assert moment in {datetime(2026, 11, 1, hour, 30, tzinfo=UTC) for hour in (5, 6)}


# ---------------------------------------------------------------- cells

READERS = (values.mac, values.ip, values.key, values.host, values.amount, values.count,
           values.plain_text, parted)  # fmt: skip


@given(st.sampled_from(READERS), CELLS)
def test_no_cell_ends_the_reading_of_a_column(reader, cell):
    assert reader(cell) is not None


@pytest.mark.parametrize("cell", ["١٢٣٤٥٦٧٨٩٠", "०१२३४५६७८९", "１２３４５６７８９０", "²²²²²²²²²²"])
def test_digits_of_another_script_are_no_hardware_address(cell):
    found = values.mac(cell)
    assert found.text is None and found.reason


@given(CELLS)
def test_a_hardware_address_that_was_read_is_that_of_a_device(cell):
    found = values.mac(cell)
    for address in (found.text, *found.more):
        assert address is None or (len(address) == 17 and not int(address[:2], 16) & 1)


@given(st.integers(0, 99_999))
def test_a_count_is_read_as_spreadsheets_write_it(number):
    assert {values.count(f"{number}{end}").text for end in ("", ".0", ",00")} == {str(number)}


@pytest.mark.parametrize(
    ("cell", "sum_"),
    [("1 234,56 $", "1234.56"), ("$1,234.56", "1234.56"), ("1.234,56 €", "1234.56"),
     ("1,234,567", "1234567"), ("-5,00", "-5.00"), ("about 5 or 6", "about 5 or 6"), ("2 x 450 $", "2 x 450 $")],
)  # fmt: skip
def test_money_is_read_or_left_as_it_is(cell, sum_):
    assert values.amount(cell).text == sum_


# ---------------------------------------------------------------- secrets

SECRET = st.text("abcdefghkmnrtuvwxyzABCDEFGH23456789!$%", min_size=8, max_size=20)
SAID = st.sampled_from([
    "password: {}", "pwd={}", "mot de passe : {}", "rtsp://admin:{}@10.0.0.1/live", "PSK = {}",
    "see http://root:{}@cam/", "snmp community: {}", "admin/{}1!", "clé: {}", "passphrase is {}",
])  # fmt: skip


@given(SAID, SECRET, st.text("abc éà.", max_size=9))
def test_no_secret_survives_in_a_text(form, secret, before):
    text = f"{before} {form.format(secret)}"
    assert may_hold([text])
    assert secret not in clean(text)


@given(st.text(max_size=60))
def test_cleaning_twice_is_cleaning_once(text):
    once = clean(text)
    assume(REMOVED not in text)
    assert clean(once).replace(REMOVED, "") == once.replace(REMOVED, "")


@pytest.mark.parametrize(
    "text", ["2nd floor, room 12", "Hall d’entrée", "AXIS P3245-LVE", "10.0.0.1:8080", "Zone C-3"]
)
def test_what_is_no_secret_stays(text):
    assert clean(text) == text


def test_a_megabyte_of_colons_is_cleaned_in_a_moment():
    began = datetime.now(UTC)
    clean("admin:" * 30_000 + "@")
    clean("password " * 20_000)
    assert datetime.now(UTC) - began < timedelta(seconds=10)
