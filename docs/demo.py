"""The main job on a SQLite file, each call with what it returned: `make demo`."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import experiment_store
from experiment_store import (
    ConflictError,
    Experiment,
    ExperimentStore,
    InvalidFilterError,
    NewExperiment,
    NewRun,
    NotFoundError,
    Page,
)

MODELS = ("resnet", "vit", "bert", "gpt", "lstm")
TEAMS = ("cv", "nlp", "speech")


def main(path: Path) -> None:
    """Run all steps on a new store at *path*."""
    for leftover in path.parent.glob(f"{path.name}*"):
        leftover.unlink()
    url = f"sqlite:///{path}"
    show(f'store = experiment_store.connect("{url}")')
    with experiment_store.connect(url) as store:
        fill(store)
        browse(store)
        page_through(store)
        change(store)
        archive(store)
        delete(store)
    show(f'experiment_store.connect("{url}")  # all of it is still there')
    with experiment_store.connect(url) as store:
        tell(f"{store.list(page_size=1, with_total=True).total_size} experiments")


def fill(store: ExperimentStore) -> None:
    """Create experiments one by one and many at once, and children."""
    step("Create")
    show('store.create("mnist", namespace="vision", labels={"team": "cv"})')
    mnist = store.create("mnist", namespace="vision", labels={"team": "cv"})
    tell(f"id {mnist.id}, etag {mnist.etag}")
    started = time.perf_counter()
    show("store.create_many(NewExperiment(…) for 150 in each of two namespaces)")
    made = store.create_many(
        NewExperiment(
            f"{MODELS[number % 5]}-{number:03}",
            namespace=namespace,
            description=f"attempt {number} with {MODELS[number % 5]}",
            labels={"team": TEAMS[number % 3], "priority": str(number % 10)},
        )
        for namespace in ("vision", "language")
        for number in range(150)
    )
    tell(f"{len(made)} experiments in {(time.perf_counter() - started) * 1000:.0f} ms")
    show('store.runs.create_many(NewRun(experiment.id, "seed-…") for three of each experiment)')
    started = time.perf_counter()
    runs = store.runs.create_many(
        NewRun(experiment.id, f"seed-{seed}", labels={"seed": str(seed)}, state="SUCCEEDED")
        for experiment in made
        for seed in range(3)
    )
    tell(f"{len(runs)} runs in {(time.perf_counter() - started) * 1000:.0f} ms")
    show('store.runs.create(mnist.id, "run-1"); store.jobs.create(mnist.id, "nightly")')
    run, job = store.runs.create(mnist.id, "run-1"), store.jobs.create(mnist.id, "nightly")
    tell(f"run is {run.state} and {run.storage_state}, job enabled: {job.enabled}")


def browse(store: ExperimentStore) -> None:
    """List with a filter and an order."""
    step("List")
    filters = (
        'labels.team = cv AND (name = "resnet*" OR labels.priority = 7)',
        "NOT labels.team = (cv OR nlp) AND created_at > ago(1h)",
        "attempt -labels.priority = 3 last_run_created_at:*",
    )
    for text in filters:
        show(f'store.list(namespace="vision", filter={text!r},')
        show('           order_by="name desc", page_size=3, with_total=True)')
        page = store.list(
            namespace="vision", filter=text, order_by="name desc", page_size=3, with_total=True
        )
        table(page)
    show('store.list(filter="labels.team = cv AND storage_sate = ARCHIVED")')
    try:
        store.list(filter="labels.team = cv AND storage_sate = ARCHIVED")
    except InvalidFilterError as error:
        tell(str(error))


def page_through(store: ExperimentStore) -> None:
    """Walk through all pages by their tokens."""
    step("Page tokens")
    show('page = store.list(order_by="labels.team, name desc", page_size=100, page_token=…)')
    token, names = "", []
    while True:
        page = store.list(order_by="labels.team, name desc", page_size=100, page_token=token)
        names += [experiment.name for experiment in page.items]
        token = page.next_page_token
        tell(f"{len(page.items):3} items, next_page_token {token[:24] + '…' if token else '(end)'}")
        if not token:
            break
    tell(f"{len(names)} in all; store.iterate() does the same by itself")


def change(store: ExperimentStore) -> None:
    """Update with an etag, and see a stale one refused."""
    step("Update")
    mnist = store.get_by_name("mnist", namespace="vision")
    show('store.update(mnist.id, description="tuned", etag=mnist.etag)')
    tuned = store.update(mnist.id, description="tuned", etag=mnist.etag)
    tell(f"description {tuned.description!r}, etag {mnist.etag} -> {tuned.etag}")
    show('store.update(mnist.id, description="late", etag=mnist.etag)  # the old one')
    try:
        store.update(mnist.id, description="late", etag=mnist.etag)
    except ConflictError as error:
        tell(f"ConflictError: {error}")


def archive(store: ExperimentStore) -> None:
    """Archive an experiment with its children."""
    step("Archive")
    mnist = store.get_by_name("mnist", namespace="vision")
    show("store.archive(mnist.id)")
    archived = store.archive(mnist.id)
    [run] = store.runs.list(experiment_id=mnist.id).items
    [job] = store.jobs.list(experiment_id=mnist.id).items
    tell(f"{archived.storage_state}; its run is {run.storage_state}, job enabled: {job.enabled}")


def delete(store: ExperimentStore) -> None:
    """Delete an experiment with its runs, and use its name again."""
    step("Delete")
    resnet = store.get_by_name("resnet-000", namespace="vision")
    show('store.delete(resnet.id, children="delete")')
    store.delete(resnet.id, children="delete")
    try:
        store.get(resnet.id)
    except NotFoundError as error:
        tell(f"NotFoundError: {error}")
    show('store.create("resnet-000", namespace="vision")  # the name is free')
    tell(f"id {store.create('resnet-000', namespace='vision').id}")


def step(title: str) -> None:
    """Head what follows."""
    print(f"\n{title}\n{'-' * len(title)}")


def show(call: str) -> None:
    """Print a call."""
    print(f"> {call}")


def tell(result: str) -> None:
    """Print what came of it."""
    for line in result.splitlines():
        print(f"    {line}")


def table(page: Page[Experiment]) -> None:
    """Print a page."""
    for experiment in page.items:
        labels = ", ".join(f"{key}={value}" for key, value in experiment.labels.items())
        tell(f"{experiment.name:12} {labels:24} created {experiment.created_at:%H:%M:%S.%f}")
    tell(f"({len(page.items)} of {page.total_size})")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "demo.db"))
