"""What contributors write: a `Recipe` for one source, and the `Task`s it builds.

It does not depend on how records are read or instances stored, and is quick to import, since every
listing of tasks needs it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from medsins.errors import CorruptFileError, MissingFilesError, RecordError
from medsins.raw.files import Download, FileSet, RawFile, Reader
from medsins.taxonomy import LANGUAGES, Access, Category, Domain, LlmApi, Redistribution

if TYPE_CHECKING:
    from medsins.instructions.constraints import Constraint
    from medsins.instructions.spec import InstructionSpec

_FINDS = (Category.NAMED_ENTITY_RECOGNITION, Category.INFORMATION_EXTRACTION)

Example: TypeAlias = "tuple[Task, str, str, Sequence[str], str, str, str]"
"""What varies between instances of a task: task, input, output, references, key, group, split."""


class Skip(str):
    """A reason why a record gives no instance; it is counted, and the build goes on."""

    __slots__ = ()


Examples: TypeAlias = "Iterator[Example | Skip]"
"""What `Recipe.instances` yields."""


@dataclass(eq=False, kw_only=True)
class Task:
    """One thing a model is asked to do on a source.

    Attributes:
        definition: The instruction: what comes in, what goes out, in which form.
        category: One of the paper's 19 categories.
        domain: One of the paper's 5 text domains: where the text really comes from.
        published_domain: The domain of the published figure, where that differs.
        languages: ISO 639-1 codes of input and output: one for both, or (input, output);
            default: the recipe's.
        legacy_id: The task's number in MedS-Ins ("task83"); "" if it is not in there.
        benchmark_id: The number of its test file in MedS-Bench, if it is in there.
        published_count: How many instances MedS-Ins has of it, where that is known.
        labels: The closed set of labels, where there is one; an output with another is rejected.
        template: The output with `{label}` in it, where the output is more than the label.
        metric: Name of the benchmark's metric, if the task is in MedS-Bench.
        template_vars: Value of each placeholder in the seed prompts of its family.
        must_include: Constraints beside those that rules derive from the definition: one string
            for each, with "|" between ways to satisfy it.
        ignored_constraints: Values of derived constraints that no wording has to keep.
        name: Full name; set by the recipe.
        source: Name of the recipe; set by the recipe.
        license: License of the source; set by the recipe.
    """

    definition: str
    category: Category
    domain: Domain
    published_domain: Domain | None = None
    languages: str | tuple[str, str] = ""
    legacy_id: str = ""
    benchmark_id: str = ""
    published_count: int | None = None
    labels: tuple[str, ...] = ()
    template: str = "{label}"
    metric: str = ""
    template_vars: Mapping[str, str] = field(default_factory=dict)
    must_include: tuple[str, ...] = ()
    ignored_constraints: tuple[str, ...] = ()
    name: str = field(default="", init=False)
    source: str = field(default="", init=False)
    license: str = field(default="", init=False)
    recipe: type[Recipe] | None = field(default=None, init=False, repr=False)

    def __call__(
        self,
        *,
        input: str,
        output: str,
        references: Sequence[str] = (),
        key: str = "",
        group: str = "",
        split: str = "",
    ) -> Example:
        """Return one example of this task.

        Args:
            input: What the model reads.
            output: What it should answer.
            references: All acceptable answers, if there are several; `output` counts as the first.
            key: The record's identifier in its source; default: its row number.
            group: What has to stay in one split (patient, document, question) where the files have
                no official split; default: the key.
            split: The split the record itself names, where neither files nor groups decide.
        """
        return self, input, output, references, key, group, split

    @property
    def input_language(self) -> str:
        """ISO 639-1 code of the input's language."""
        return self.languages if isinstance(self.languages, str) else self.languages[0]

    @property
    def output_language(self) -> str:
        """ISO 639-1 code of the output's language."""
        return self.languages if isinstance(self.languages, str) else self.languages[1]

    @cached_property
    def outputs(self) -> frozenset[str]:
        """The closed set of outputs; empty where outputs are free text."""
        return frozenset(self.template.format(label=label) for label in self.labels)

    @property
    def spec(self) -> InstructionSpec:
        """What the definition demands of its wordings."""
        from medsins.instructions.spec import InstructionSpec

        translates = self.category is Category.TRANSLATION
        return InstructionSpec(
            name=self.name,
            definition=self.definition,
            source=self.source,
            seed_file=self.recipe.seed_file() if self.recipe else None,
            template_vars=self.template_vars,
            labels=self.labels,
            template=self.template,
            metric=self.metric,
            translation=(self.input_language, self.output_language) if translates else None,
            finds=self.category in _FINDS,
            must_include=self.must_include,
            ignored_constraints=self.ignored_constraints,
        )

    @property
    def seeds(self) -> list[str]:
        """The seed prompts: wordings of the definition that are written by hand, filled in."""
        if self.recipe is None:
            return []
        # Not through the spec: a build needs the texts, and not what checks of them import.
        from medsins.instructions.seeds import read_seeds

        attribute = self.name.removeprefix(f"{self.source}_")
        found = read_seeds(self.recipe.seed_file(), attribute, self.template_vars, self.name)
        return [seed.text for seed in found]

    @property
    def constraints(self) -> list[Constraint]:
        """What every wording of the definition has to keep."""
        return list(self.spec.constraints)

    @property
    def benchmark_only(self) -> bool:
        """Whether MedS-Bench has this task and MedS-Ins has not."""
        return bool(self.benchmark_id) and not self.legacy_id


@dataclass(frozen=True)
class SplitRule:
    """Shares of the splits for files without an official one.

    A group's split is decided by a hash of the build's seed and the group, so it depends on
    nothing else: not on the order of records, nor on which other records there are.

    Attributes:
        train: Share of groups for training; the paper uses 9:1.
        validation: Share for validation.
        test: Share for testing.
    """

    train: float = 0.9
    validation: float = 0.0
    test: float = 0.1

    def __post_init__(self) -> None:
        if abs(self.train + self.validation + self.test - 1) > 1e-9:
            raise ValueError("shares of the splits must add up to 1")


class Recipe:
    """One source: its facts, its raw files, and how a raw record becomes instances.

    Subclasses declare class attributes and define `instances(self, record)`, or
    `instances_<set>(self, record)` for each set if `files` is a dict of sets. It is a generator:
    it yields the instances of one raw record, as calls of tasks, and `self.skip(reason)` for what
    the record lacks. Whatever it raises sets the record aside with the reason, and the build goes
    on; raise `raw.RecordError` for a clear reason.

    Attributes:
        name: Name of the recipe: that of its module.
        path: The file that it was loaded from; set when it is loaded.
        title: The source's name, as its owners write it.
        homepage: Where the source lives.
        license: SPDX identifier, or a name listed in `medsins.taxonomy.LICENSES`.
        citation: The publication to cite.
        languages: ISO 639-1 code of its tasks, unless a task says otherwise.
        access: How a user gets the raw files.
        redistribution: What of it may be passed on; closed by default.
        llm_api: Whether its text may be sent to models that the user does not run.
        manual_download_instructions: What a user has to do and sign to get the raw files that
            cannot be fetched.
        figure_label: Its label in the published figure of MedS-Ins.
        files: Its raw files, or a dict of sets of them.
        lookups: Further files that records are joined with; read whole by `lookup`.
        downloads: Files that `medsins fetch` gets.
        split: Shares of the splits for files without an official one.
        deviations: Where and why the result differs from the published one.
    """

    name: ClassVar[str]
    path: ClassVar[Path]
    title: ClassVar[str]
    homepage: ClassVar[str]
    license: ClassVar[str]
    citation: ClassVar[str]
    languages: ClassVar[str] = "en"
    access: ClassVar[Access] = Access.OPEN
    redistribution: ClassVar[Redistribution] = Redistribution.NO
    llm_api: ClassVar[LlmApi] = LlmApi.LOCAL_ONLY
    manual_download_instructions: ClassVar[str] = ""
    figure_label: ClassVar[str] = ""
    files: ClassVar[FileSet | Mapping[str, FileSet]]
    lookups: ClassVar[Mapping[str, FileSet]] = {}
    downloads: ClassVar[Sequence[Download]] = ()
    split: ClassVar[SplitRule] = SplitRule()
    deviations: ClassVar[Sequence[str]] = ()

    tasks: ClassVar[dict[str, Task]] = {}
    """Its tasks by full name, in the order of declaration; filled in by the class itself."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Name the tasks and check what the class declares.

        Raises:
            ValueError: Something is missing or impossible.
        """
        super().__init_subclass__(**kwargs)
        if "name" not in cls.__dict__:
            cls.name = cls.__module__.rpartition(".")[2]
        for fact in ("title", "homepage", "license", "citation", "files"):
            if not getattr(cls, fact, None):
                raise ValueError(f"recipe {cls.name} does not declare {fact}")
        declared = list(vars(cls).items())
        cls.tasks = {}
        for attribute, value in declared:
            if isinstance(value, Task):
                cls._adopt(f"{cls.name}_{attribute}", value)
            elif isinstance(value, dict) and value and _all_tasks(value):
                for key, task in value.items():
                    cls._adopt(f"{cls.name}_{attribute}_{key}", task)
        if not cls.tasks:
            raise ValueError(f"recipe {cls.name} does not declare a task")
        for file_set in cls.file_sets():
            if not hasattr(cls, _method_name(file_set)):
                raise ValueError(f"recipe {cls.name} does not define {_method_name(file_set)}()")

    @classmethod
    def _adopt(cls, name: str, task: Task) -> None:
        task.name, task.source, task.license, task.recipe = name, cls.name, cls.license, cls
        task.languages = task.languages or cls.languages
        for code in (task.input_language, task.output_language):
            if code not in LANGUAGES:
                known = ", ".join(LANGUAGES)
                raise ValueError(f"{name}: {code!r} is not a language of the taxonomy ({known})")
        if not task.definition.strip():
            raise ValueError(f"{name}: the definition is empty")
        cls.tasks[name] = task

    def __init__(self, raw_root: Path | None = None) -> None:
        self._raw_root = raw_root
        self._looked_up: dict[str, list[Any]] = {}
        self.reader: Reader = next(iter(self.file_sets().values())).reader
        self._requested = frozenset(self.tasks.values())
        self.unreadable: list[tuple[str, int, RecordError]] = []

    @classmethod
    def file_sets(cls) -> dict[str, FileSet]:
        """Return the file sets by name; a single one is named ""."""
        return {"": cls.files} if isinstance(cls.files, FileSet) else dict(cls.files)

    @classmethod
    def folder(cls, files: FileSet, raw_root: Path) -> Path:
        """Return the folder of the files of a set."""
        return raw_root / (files.folder or cls.name)

    @classmethod
    def seed_file(cls) -> Path:
        """Return the path of its seed prompts."""
        return cls.path.parent.parent / "seed_prompts" / f"{cls.name}.yaml"

    def records(self, files: Sequence[RawFile], split: str) -> Iterator[Any]:
        """Yield the records of all files of one split; override only to join or group files.

        Args:
            files: The files of the split, in order.
            split: Name of the official split, or "".
        """
        del split
        yield from self.read(files)

    def read(self, files: Sequence[RawFile]) -> Iterator[Any]:
        """Yield the records of files as their reader gives them, for `records` to join.

        Records that cannot be read are set aside and counted as rejected.
        """
        for file in files:
            for batch in self.reader.read(file):
                self.unreadable.extend((file.name, row, error) for row, error in batch.bad)
                yield from batch.records

    def prepare(self, file_set: str, tasks: Iterable[Task]) -> None:
        """Prepare to map the records of one file set to some tasks; the engine calls this.

        A recipe may extend it: compute once what every record would need, or choose a `reader` of
        fewer columns if the tasks need no others.
        """
        self.reader = self.file_sets()[file_set].reader
        self._requested = frozenset(tasks)

    def is_requested(self, *tasks: Task) -> bool:
        """Return whether any of these tasks is being built: work for others can be skipped."""
        return not self._requested.isdisjoint(tasks)

    def skip(self, reason: str) -> Skip:
        """Return why a record gives no instance of a task; equal reasons are counted together."""
        return Skip(reason)

    def lookup(self, name: str) -> list[Any]:
        """Return all records of the files declared in `lookups` under this name.

        Raises:
            MissingFilesError: None of its files exists.
            CorruptFileError: One of its records cannot be read.
        """
        if name not in self._looked_up:
            assert self._raw_root is not None
            files = self.lookups[name]
            folder = self.folder(files, self._raw_root)
            located = files.locate(folder)
            if not located.files:
                patterns = ", ".join(pattern for _, pattern in located.absent)
                raise MissingFilesError(
                    f"recipe {self.name} also needs {patterns} in {folder}, but none exists."
                )
            records: list[Any] = []
            for file in located.files:
                for batch in files.reader.read(file):
                    for row, error in batch.bad:
                        raise CorruptFileError(
                            f"{file.path}, row {row}: {error}. Recipe {self.name} joins its "
                            "records with it, so all of it has to be readable."
                        )
                    records.extend(batch.records)
            self._looked_up[name] = records
        return self._looked_up[name]


def _all_tasks(values: dict[Any, Any]) -> bool:
    return all(isinstance(value, Task) for value in values.values())


def joins_files(recipe: type[Recipe]) -> bool:
    """Return whether a recipe overrides `records`, so that a split's files are read together."""
    return recipe.records is not Recipe.records


def method_for(recipe: Recipe, file_set: str) -> Any:
    """Return the method that maps the records of a file set."""
    return getattr(recipe, _method_name(file_set))


def _method_name(file_set: str) -> str:
    return f"instances_{file_set}" if file_set else "instances"
