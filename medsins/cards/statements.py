"""What is said of a build in sentences; the card and croissant.json say the same.

Sentences are plain text but for names between backquotes.
"""

from __future__ import annotations

from collections import Counter

from medsins.cards.citations import Cited, entries
from medsins.cards.contents import BuiltSource, Contents, grouped
from medsins.errors import MedsinsError
from medsins.taxonomy import LANGUAGES, Category, Domain
from medsins.text import counted

MAKERS = "The medsins contributors"

SYNTHETIC = (
    "This build is synthetic: it was made from the invented samples that come with medsins, to "
    "show and to test what a build looks like. Nothing in it comes from a real source, nothing in "
    "it is medically true, and nothing should be trained or evaluated on it."
)

USES = (
    "Research on instruction tuning of language models on medical text, and on its evaluation.",
    "Building one's own mixture of medical tasks, with the origin of every row known.",
)

MISUSES = (
    (
        "Diagnosis, treatment, triage, prescribing, or advice to patients, by people or by a model "
        "trained on this, without the clinical evaluation and the approval that the law asks for."
    ),
    "Any attempt to find out who a patient, a doctor or the asker of a question is.",
    "Decisions on people: insurance, employment, credit, law enforcement.",
    "Whatever the terms of a source rule out, commercial use for one where they say so.",
)

NO_DEVICE = (
    "Nothing here is a medical device or medical advice. Texts may be wrong, out of date or "
    "harmful if they are followed; nobody with clinical training checked them for this build."
)

_WORKS = """\
@software{medsins,
  author = {{The medsins contributors}},
  title = {{medsins}},
  version = {%s},
}
@misc{wu2024medsins,
  author = {Wu, Chaoyi and Qiu, Pengcheng and others},
  title = {Towards evaluating and building versatile large language models for medicine},
  year = {2024},
  eprint = {2408.12547},
  archiveprefix = {arXiv},
}"""


def summary(contents: Contents) -> str:
    """Return what the build is, in two sentences."""
    categories = {task.task.category for task in contents.tasks if task.task}
    domains = {task.task.domain for task in contents.tasks if task.task}
    return (
        f"{counted(contents.rows, 'instance')} of {counted(len(contents.tasks), 'task')} from "
        f"{counted(len(contents.sources), 'source')}, in {_of(len(categories), len(Category))} "
        f"task categories and {_of(len(domains), len(Domain))} text domains of MedS-Ins "
        "(arXiv:2408.12547). Every instance has an instruction, an input and an output, and the "
        "raw file and record that it was made from."
    )


def _of(number: int, total: int) -> str:
    return f"all {total}" if number == total else f"{number} of the {total}"


def processing(contents: Contents) -> list[str]:
    """Return how raw files became rows."""
    facts = [source.facts for source in contents.sources]
    records = sum(one.records for one in facts)
    skipped = sum(sum(one.skipped.values()) for one in facts)
    rejected = sum(sum(one.rejected.values()) for one in facts)
    duplicates = sum(one.duplicates for one in facts)
    return [
        "Raw files are read as their owners publish them; `manifest.json` has the SHA-256 of each.",
        (
            "A recipe, one small class for each source, turns a raw record into instances: it lays "
            "out the record's texts as input and output of its tasks."
        ),
        (
            "Each instance is validated: no empty texts, outputs from the task's labels where it "
            "has a closed set, languages, split and license stated."
        ),
        (
            f"Of {counted(records, 'record')} read, {skipped:,} gave no instance for a reason that "
            f"the recipe states, and {rejected:,} could not be used. "
            f"{counted(duplicates, 'instance')} went as equal to another one in task, input and "
            "output. `manifest.json` has all counts and reasons, source by source."
        ),
    ]


def splits(contents: Contents) -> list[str]:
    """Return how the splits were made."""
    tested = [task for task in contents.tasks if task.task and task.task.benchmark_id]
    said = [
        (
            "Official splits are kept. Where the files of a source name none, its records may, and "
            "what MedS-Bench tests on is never in `train`."
        ),
        (
            f"Everything else is drawn: a hash of the seed ({contents.options.seed}) and "
            "of the patient, document or question decides, so that what belongs together is on one "
            "side, and no record's side depends on any other record."
        ),
        "Of equal instances in `train` and in another split, the one in `train` is dropped.",
    ]
    if tested:
        said.append(
            f"MedS-Bench tests {counted(len(tested), 'task')} of this build. Do not train on the "
            "`test` split of these, and mind that other tasks may share text with it: `medsins "
            "check --leaks` counts what does."
        )
    if only := contents.options.split:
        said.append(f"This build holds the split `{only}` alone.")
    return said


def instructions(contents: Contents) -> list[str]:
    """Return where the instructions come from, and who wrote them."""
    kind = contents.options.instructions
    own = (
        "The definition of a task says what comes in, what goes out, and in which form. "
        "It comes "
        "with the recipe, not from the owners of the source; clinicians neither wrote nor "
        "reviewed the definitions of medsins' own recipes."
    )
    if kind == "definition":
        return [
            (
                "The column `definition` holds the definition of the row's task, the same in all "
                "rows of a task."
            ),
            own,
        ]
    if kind == "seeds":
        return [
            (
                "The column `definition` holds one of the seed prompts of the row's task: other "
                "wordings of its definition. The instance's id says which."
            ),
            _authors(contents),
            own,
        ]
    if kind == "expanded":
        return [
            (
                "The column `definition` holds one of many wordings of the definition of the row's "
                "task. The instance's id says which."
            ),
            (
                "A language model wrote them, given the definition and seed prompts, in the manner "
                "of Self-Instruct (Wang et al., 2022, arXiv:2212.10560). Rules dropped what is "
                "nearly said already, or loses a label or a format that the definition asks for. "
                "Nobody read all of them."
            ),
            own,
        ]
    return [f"The column `definition` holds instructions of the kind `{kind}`.", own]


def _authors(contents: Contents) -> str:
    # Whoever lists tasks imports this package too, and needs no rules of wordings.
    authors: Counter[str] = Counter()
    for task in contents.tasks:
        try:
            authors.update(seed.author for seed in (task.task.spec.seeds if task.task else ()))
        except MedsinsError:
            # The file of seed prompts changed since the rows were made.
            continue
    listed = "; ".join(f"{author} ({count:,})" for author, count in authors.most_common())
    return f"Authors of the seed prompts, as their files state them: {listed or 'not known'}."


def biases(contents: Contents) -> list[str]:
    """Return what the composition of the build leans to."""
    said = []
    if contents.rows:
        category, tasks = next(iter(grouped(contents.tasks, lambda task: task.category).items()))
        share = sum(task.rows for task in tasks) / contents.rows
        source = max(contents.sources, key=lambda one: one.rows)
        said.append(
            f"Sizes differ widely. {category} makes up {share:.0%} of the instances, and "
            f"{source.title} alone {source.rows / contents.rows:.0%}: weigh or cap tasks before "
            "you train on all of them."
        )
        english = sum(task.rows for task in contents.tasks if task.languages == ("en",))
        names = ", ".join(LANGUAGES.get(code, code) for code in contents.languages)
        if len(contents.languages) > 1:
            said.append(f"{english / contents.rows:.0%} is English; the languages are {names}.")
        elif names:
            said.append(f"All of it is {names}.")
    said.append(
        "What sources hold is what their countries, hospitals, examiners and users wrote, with "
        "their gaps and prejudices; it stands for no population."
    )
    return said


def limits(contents: Contents) -> list[str]:
    """Return the known limits of the build."""
    said = [
        (
            "Answers are those of the sources. Some are wrong, some have become so since they were "
            "written, and some were written by models; the homepages of the sources say more."
        ),
        (
            "Only instances that are equal word for word count as duplicates. Sources overlap: "
            "several are drawn from the same abstracts, examinations or websites."
        ),
        (
            "Many outputs follow a fixed form, such as a label or the letter of an option. A model "
            "that has learnt the form need not have learnt any medicine."
        ),
    ]
    if limit := contents.options.limit:
        said.append(
            f"The build is cut short: {counted(limit, 'record')} at most of each split of each "
            "set of files were read."
        )
    gone = [source.name for source in contents.sources if source.recipe is None]
    if gone:
        said.append(
            f"The recipes of {', '.join(gone)} are not installed any more where this card was "
            "written, so it cannot describe these sources."
        )
    return said


def duties(contents: Contents) -> list[str]:
    """Return what the terms of the sources ask of whoever holds this build."""
    said = [
        (
            "Each row is under the license of its source, which the column `license` names and "
            "`LICENSES.md` explains. To pass the build on is to pass on all of them."
        ),
    ]
    asked = [source for source in contents.sources if source.needs_agreement]
    if asked:
        said.append(
            f"{_titles(asked)}: each user has to register with the owners, or to sign their "
            "agreement. Having this build does not stand for that."
        )
    stay = [source for source in contents.sources if source.stays]
    if stay:
        said.append(f"{_titles(stay)}: nothing made from these may be passed on.")
    local = [source for source in contents.sources if source.stays_local]
    if local:
        said.append(
            f"{_titles(local)}: the text may not be sent to models that others run, which rules "
            "out public services for training, annotation and evaluation."
        )
    return said


def people(contents: Contents) -> list[str]:
    """Return what is to be said of the people whom the texts are about."""
    clinical = sorted(
        {
            source.title
            for source in contents.sources
            if any(task.domain == Domain.CLINICAL_TEXTS for task in source.tasks)
        }
    )
    said = []
    if clinical:
        said.append(
            f"What comes from records of patients ({'; '.join(clinical)}) was freed by its "
            "owners of what identifies them. De-identified does not mean free to share: the terms "
            "above still hold, and for what is derived from the text as well, a model that may "
            "repeat it included."
        )
    return [
        *said,
        (
            "Questions, conversations and case reports can hold what people said of their own "
            "health. Should you come upon anything that identifies a person, do not repeat it; "
            "tell the owners of the source, and drop the row."
        ),
    ]


def _titles(sources: list[BuiltSource]) -> str:
    return "; ".join(source.title for source in sources)


def bibtex(contents: Contents) -> str:
    """Return BibTeX of medsins, of MedS-Ins, and of every corpus of the build."""
    corpora = [
        Cited(source.title, source.homepage, source.recipe.citation)
        for source in contents.sources
        if source.recipe
    ]
    listed = [str(entry) for entry in entries(corpora)]
    return "\n".join([_WORKS % contents.manifest.engine_version, *listed])
