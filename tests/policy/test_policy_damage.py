"""Packs that are TOML and nonsense: one value replaced by another kind, somewhere."""

import copy
import tomllib
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditor.policy.packs import check_pack
from auditor.policy.reading import Mistake

HOME = Path(__file__).parents[2] / "auditor" / "data" / "packs"
MODELS = [tomllib.loads(path.read_text("utf-8")) for path in sorted(HOME.glob("*.toml"))]
TODAY = date(2026, 11, 23)
ODD = st.one_of(
    st.none(), st.integers(), st.booleans(), st.text(max_size=5), st.lists(st.integers(), max_size=2),
    st.dictionaries(st.sampled_from(["en", "fr", "x"]), st.text(max_size=3), max_size=3), st.dates(),
)  # fmt: skip


def written(value):
    """Any value as TOML, tables inline."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date | int):
        return str(value)
    if isinstance(value, str):
        plain = "".join(c if c.isprintable() and c not in '"\\' else "?" for c in value)
        return f'"{plain}"'
    if isinstance(value, list):
        return f"[{', '.join(map(written, value))}]"
    return f"{{ {', '.join(f'{written(k)} = {written(v)}' for k, v in value.items())} }}"


def places(value, path=()):
    yield path
    items = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, inner in items:
        yield from places(inner, (*path, key))


def put(table, path, value):
    """The table with one place changed, or taken away where the value is None."""
    inside = table
    for key in path[:-1]:
        inside = inside[key]
    if value is None:
        del inside[path[-1]]
    else:
        inside[path[-1]] = value


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_a_pack_with_one_odd_value_is_taken_or_its_mistakes_are_told(tmp_path, data):
    table = copy.deepcopy(data.draw(st.sampled_from(MODELS)))
    path = data.draw(st.sampled_from([p for p in places(table) if p]))
    put(table, path, data.draw(ODD))
    file = tmp_path / "odd.toml"
    file.write_text("\n".join(f"{key} = {written(value)}" for key, value in table.items()), "utf-8")
    for mistake in check_pack(file, TODAY):
        assert isinstance(mistake, Mistake)
        assert str(mistake).startswith(f"{file}:")


@pytest.mark.parametrize("at", range(len(MODELS)))
def test_every_pack_means_the_same_when_it_is_written_in_another_way(tmp_path, at):
    file = tmp_path / "same.toml"
    file.write_text("\n".join(f"{k} = {written(v)}" for k, v in MODELS[at].items()), "utf-8")
    assert check_pack(file, TODAY) == ()


@pytest.mark.parametrize(("change", "complaint"), [
    pytest.param({"start": "submitted:nothing"}, "submitted:<id of a duty>", id="after-no-duty"),
    pytest.param({"start": "yesterday"}, "submitted:<id of a duty>", id="from-no-event"),
    pytest.param({"on": ["moonlight"]}, "no rule gives the reason 'moonlight'", id="on-no-reason"),
    pytest.param({"within": 0}, "greater than or equal to 1", id="due-before-it-began"),
    pytest.param({"unit": "moons"}, "business_days", id="in-no-unit"),
])  # fmt: skip
def test_a_duty_that_could_never_be_due_is_a_mistake(tmp_path, change, complaint):
    table = copy.deepcopy(next(m for m in MODELS if m["id"] == "us-ndaa-889a1B"))
    table["duty"][1] |= change
    file = tmp_path / "duty.toml"
    file.write_text("\n".join(f"{k} = {written(v)}" for k, v in table.items()), "utf-8")
    assert any(complaint in mistake.text for mistake in check_pack(file, TODAY))


def test_a_form_for_no_reason_is_a_mistake(tmp_path):
    table = copy.deepcopy(next(m for m in MODELS if m["id"] == "ca-qc-mcn-2023"))
    table["form"][0]["on"] = ["moonlight"]
    file = tmp_path / "form.toml"
    file.write_text("\n".join(f"{k} = {written(v)}" for k, v in table.items()), "utf-8")
    assert any("moonlight" in mistake.text for mistake in check_pack(file, TODAY))
