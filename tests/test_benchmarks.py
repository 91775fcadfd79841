"""The benchmarks run, say what they measured, and compare as they should."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from shutil import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import tables
from benchmarks.harness import Effort, Measurement, WrongAnswerError, agree, measure, summary
from benchmarks.histories import LOG, READ, WRITE
from benchmarks.large.crowd import CROWDED, PREFIX, Crowd
from benchmarks.large.load import STEPS
from benchmarks.large.questions import READS, SCANS, WRITES
from benchmarks.scenarios import SCENARIOS, Answer, Scenario
from benchmarks.startup import STARTUP
from benchmarks.targets import FLOOR, STORE, TARGETS, Target

ROOT = Path(__file__).parent.parent
README = ROOT / "benchmarks" / "README.md"
SECONDS = st.floats(1e-6, 10.0)


def operations(backend: str) -> Sequence[str]:
    """What is measured of a backend."""
    shared = [scenario.name for scenario in SCENARIOS if scenario.backend in ("", backend)]
    return [*shared, *(STARTUP if backend == "sqlite" else ())]


@pytest.mark.parametrize("backend", ["memory", "sqlite", "postgresql"])
def test_a_quick_run_measures_every_operation_writes_it_down_and_leaves_nothing(
    backend: str, tmp_path: Path, postgres_url: str
) -> None:
    readme = copy(README, tmp_path)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    options = ["--quick", "--rows", "1000", "--backends", backend, "--output", str(readme)]

    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", *options],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(scratch), "EXPERIMENT_STORE_TEST_POSTGRES": postgres_url},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    table = [line for line in done.stdout.splitlines() if line.startswith("| ")]
    assert [line.split(" | ")[0][2:] for line in table] == ["operation", *operations(backend)]
    assert "\n".join(table[1:]) in Path(readme).read_text()
    assert list(scratch.iterdir()) == []


def test_a_quick_run_of_growth_measures_every_operation_and_leaves_nothing(tmp_path: Path) -> None:
    options = ["--backends", "sqlite", "--small", "1000", "--large", "2000", "--quick"]

    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.large", *options],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    table = [line.split(" | ")[0][2:] for line in done.stdout.splitlines() if line[:2] == "| "]
    operations = [question.name for question in (*READS, *WRITES)]
    scans = [question.name for question in SCANS]
    assert table == ["operation", *operations, "scan", *scans, "step", *STEPS, *STEPS]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("backend", ["sqlite", "postgresql"])
def test_a_quick_run_of_histories_measures_every_operation_and_leaves_nothing(
    backend: str, tmp_path: Path, postgres_url: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.histories", "--quick", "--backends", backend],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path), "EXPERIMENT_STORE_TEST_POSTGRES": postgres_url},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    table = [line.split(" | ")[0][2:] for line in done.stdout.splitlines() if line[:2] == "| "]
    assert table == ["operation", WRITE, LOG, READ]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("rows", [1000, 20_000])
def test_a_crowd_is_as_large_as_it_says_whatever_its_size(rows: int) -> None:
    crowd = Crowd(rows)

    made = [crowd.experiment(number) for number in range(rows)]

    assert sum(map(crowd.runs_of, range(rows))) == rows * crowd.runs
    assert sum(new.namespace == CROWDED for new in made) == rows // 2
    assert sum(new.name.startswith(PREFIX) for new in made) == 50
    assert len({(new.namespace, new.name) for new in made}) == rows


@given(st.lists(st.tuples(SECONDS, SECONDS), min_size=1))
def test_a_ratio_is_the_median_of_the_rounds_and_not_of_the_times(
    pairs: Sequence[tuple[float, float]],
) -> None:
    rounds = [{FLOOR: floor, STORE: store} for floor, store in pairs]

    measured = summary("get", FLOOR, rounds)

    ratios = sorted(store / floor for floor, store in pairs)
    half = (len(ratios) - 1) // 2
    assert ratios[half] <= measured.ratios[STORE] <= ratios[-1 - half]
    assert measured.ratios[FLOOR] == 1.0


def test_one_disturbed_round_changes_no_ratio() -> None:
    calm = {FLOOR: 1.0, STORE: 3.0}
    disturbed = {FLOOR: 50.0, STORE: 2.0}

    measured = summary("get", FLOOR, [calm, disturbed, calm])

    assert measured == Measurement("get", {FLOOR: 1.0, STORE: 3.0}, {FLOOR: 1.0, STORE: 3.0})


class Side:
    """Answers what it is told to, and takes as long as it is told to."""

    def __init__(self, title: str, answer: Answer, seconds: float, log: list[str]) -> None:
        self.title = title
        self._answer = answer
        self._seconds = seconds
        self._log = log

    def offers(self, scenario: str) -> bool:
        """Take part in all but one."""
        return scenario != "unknown"

    def answer(self, scenario: str) -> Answer:
        """Answer as told."""
        return self._answer

    def time(self, scenario: str, count: int) -> float:
        """Note whose turn it is, and how many operations it has."""
        self._log.append(f"{self.title} {count}")
        return self._seconds

    def close(self) -> None:
        """Do nothing."""


def scenario(name: str, *, most: int = 20, step: int = 1) -> Scenario:
    """A scenario that only sides as above can do."""
    return Scenario(name, lambda _: [], lambda *_: list, most=most, step=step)


def test_sides_take_turns_and_who_begins_alternates() -> None:
    log: list[str] = []
    sides = [Side(title, [], 1.0, log) for title in (FLOOR, STORE)]

    measure(scenario("walk", most=1), sides[0], sides[1:], Effort(rounds=3))

    assert log == ["floor 1", "store 1", "store 1", "floor 1", "floor 1", "store 1"]


@pytest.mark.parametrize(
    ("seconds", "most", "step", "count"),
    [(0.01, 20, 1, 10), (0.001, 20, 1, 20), (0.01, 20, 8, 8), (5.0, 20, 1, 1), (5.0, 20, 8, 8)],
)
def test_the_slowest_side_decides_how_many_operations_a_round_has(
    seconds: float, most: int, step: int, count: int
) -> None:
    log: list[str] = []
    sides = [Side(FLOOR, [], seconds / 100, log), Side(STORE, [], seconds, log)]

    measure(scenario("get", most=most, step=step), sides[0], sides[1:], Effort(0.101, rounds=1))

    assert log[-2:] == [f"floor {count}", f"store {count}"]


def test_no_round_begins_when_patience_is_over_but_the_first() -> None:
    log: list[str] = []
    sides = [Side(title, [], 1.0, log) for title in (FLOOR, STORE)]

    measure(scenario("walk", most=1), sides[0], sides[1:], Effort(rounds=3, patience=-1.0))

    assert log == ["floor 1", "store 1"]


def test_a_side_that_does_not_offer_a_scenario_is_left_out() -> None:
    sides = [Side(title, [], 1.0, []) for title in (FLOOR, STORE)]

    measured = measure(scenario("unknown"), sides[0], sides[1:], Effort(rounds=1))

    assert list(measured.seconds) == [FLOOR]


def test_a_wrong_answer_is_not_timed() -> None:
    log: list[str] = []
    floor, store = Side(FLOOR, [{"name": "a"}], 1.0, log), Side(STORE, [{"name": "b"}], 1.0, log)

    with pytest.raises(WrongAnswerError, match="get: floor and store disagree"):
        measure(scenario("get"), floor, [store], Effort())

    assert log == []


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ([{"name": "a", "id": "1"}], [{"name": "a", "id": "1"}], True),
        ([{"name": "a", "id": "1"}], [{"name": "a"}], True),
        ([{"name": "a", "id": "1"}], [{"name": "a", "id": "2"}], False),
        ([{"name": "a"}, {"name": "b"}], [{"name": "b"}, {"name": "a"}], False),
        ([{"name": "a"}], [{"name": "a"}, {"name": "b"}], False),
        ([{"name": "a"}], [{"id": "1"}], False),
        ([], [], True),
    ],
)
def test_answers_agree_if_all_that_both_describe_is_the_same(
    one: Answer, other: Answer, *, same: bool
) -> None:
    assert agree(one, other) is same


@pytest.mark.parametrize(
    ("target", "reached"),
    [
        (Target(2.0), True),
        (Target(1.9), False),
        (Target(seconds=0.2), True),
        (Target(seconds=0.1), False),
    ],
    ids=str,
)
def test_a_target_is_a_ratio_or_a_time(target: Target, *, reached: bool) -> None:
    measured = Measurement("get", {FLOOR: 0.1, STORE: 0.2}, {FLOOR: 1.0, STORE: 2.0})

    assert target.is_reached(measured) is reached


@pytest.mark.parametrize("backend", TARGETS)
def test_every_target_is_that_of_an_operation(backend: str) -> None:
    assert set(TARGETS[backend]) <= set(operations(backend))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(2.5, "2.50 s"), (0.0125, "12.5 ms"), (0.5, "500 ms"), (2.5e-6, "2.50 µs"), (9e-8, "0.09 µs")],
)
def test_a_duration_has_a_fitting_unit(seconds: float, text: str) -> None:
    assert tables.duration(seconds) == text


def test_a_table_is_written_between_its_marks_only(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    text = "a\n<!-- x -->\nold\n<!-- end of x -->\nb\n<!-- y -->\n<!-- end of y -->\n"
    readme.write_text(text)

    tables.write(readme, "x", "new")

    assert readme.read_text() == text.replace("old", "new")


def test_a_table_without_a_place_is_refused(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text("<!-- x -->\n")

    with pytest.raises(ValueError, match="has no <!-- x --> … <!-- end of x -->"):
        tables.write(readme, "x", "new")
