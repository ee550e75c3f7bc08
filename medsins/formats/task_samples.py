"""The samples of one task, in the order of the build, each with the key that shuffles it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from medsins.formats.mixtures import quota
from medsins.formats.planning import ExportPlan, TaskPlan
from medsins.formats.rows import Keys, instance_keys, mixed, seed_key
from medsins.formats.samples import Cases, Instructions, Picks, Sample, render


class _Keyed(NamedTuple):
    """Some instances: which wordings they get, and the keys of instances and samples."""

    batch: pa.RecordBatch
    picks: Picks
    instances: Keys
    samples: Keys


class TaskSamples:
    """Draws the samples that an export holds of one task.

    Args:
        planned: The export.
        task: Its part that is about the task.

    Attributes:
        task: That part.
        instructions: The wordings; complete once all samples were drawn.
        count: Samples drawn.
        fewer_cases: Of these, samples that got fewer cases than were asked for.
    """

    def __init__(self, planned: ExportPlan, task: TaskPlan) -> None:
        self._options = planned.options
        self._build = planned.build
        self._more = ["references"] if planned.format.whole_tasks else []
        self.task = task
        self._seed = seed_key(planned.options.seed, "samples")
        self.instructions = Instructions(
            task.task, task.wordings, task.per_instance, planned.options.seed
        )
        self.count = 0
        self.fewer_cases = 0

    def __iter__(self) -> Iterator[tuple[int, Sample]]:
        """Yield each sample after its key, a number of 64 bits."""
        options, task = self._options, self.task
        rule = quota(
            task.samples, task.available, lambda: (keyed.samples for keyed in self._keyed([]))
        )
        cases = Cases(self._build, task.task, options.seed) if options.num_fewshot else None
        for keyed in self._keyed(["input", "output", "record", *self._more]):
            copies = rule.copies(keyed.samples)
            used = np.flatnonzero(copies.any(axis=1))
            batch = keyed.batch.take(pa.array(used))
            copies, samples, picks = copies[used], keyed.samples[used], keyed.picks[used]
            rows = _Rows(batch, keyed.instances[used].tolist())
            for turn in range(int(copies.max(initial=0))):
                # Not the keys themselves: if a quota was taken by them, those used are all small.
                order = mixed(samples + np.uint64(turn))
                which = np.nonzero(copies > turn)
                for key, place, pick in zip(
                    order[which].tolist(), which[0].tolist(), picks[which].tolist(), strict=True
                ):
                    yield key, self._sample(rows, place, pick, cases)

    def _keyed(self, columns: list[str]) -> Iterator[_Keyed]:
        first = 0
        names = ["id", "definition", *columns]
        for batch in self._build.batches(self.task.task, self._options.split, names):
            picks = self.instructions.assign(first, batch.column("definition"))
            instances = instance_keys(self._seed, batch.column("id").to_pylist())
            yield _Keyed(batch, picks, instances, self.instructions.sample_keys(instances, picks))
            first += batch.num_rows

    def _sample(self, rows: _Rows, place: int, pick: int, cases: Cases | None) -> Sample:
        self.count += 1
        wording = self.instructions.wordings[pick]
        text, shown = rows.inputs[place], []
        if cases is not None:
            wanted = self._options.num_fewshot
            shown = cases.draw(rows.keys[place], rows.ids[place], rows.records[place], text, wanted)
            self.fewer_cases += len(shown) < wanted
        system, user = render(self._options.template, wording.text, text, shown)
        return Sample(
            rows.ids[place],
            self.task.task,
            wording.id,
            system,
            user,
            rows.outputs[place],
            rows.references[place] if rows.references else (),
        )


class _Rows:
    """The columns of some instances, as Python's own values."""

    def __init__(self, batch: pa.RecordBatch, keys: list[int]) -> None:
        self.keys = keys
        self.ids: list[str] = batch.column("id").to_pylist()
        self.inputs: list[str] = batch.column("input").to_pylist()
        self.outputs: list[str] = batch.column("output").to_pylist()
        self.records: list[str] = batch.column("record").to_pylist()
        self.references: list[list[str]] = (
            batch.column("references").to_pylist() if "references" in batch.schema.names else []
        )
