"""LINNAEUS: full papers with every name of a species marked.

Raw layout (owners' readme): `txt/<document>.txt`, and tables of tags without quoting, whose first
row is a comment: species id, document, start, end, text, category code; offsets count characters,
the end is exclusive. `tags.tsv` has words such as "patient" and "woman", which are clues to the
species human, marked too; in `filtered_tags.tsv`, which is read here, are only names of species.
The texts of papers that were scanned have line breaks inside sentences.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property

from medsins import (
    Access,
    Category,
    Domain,
    Examples,
    LlmApi,
    Recipe,
    Redistribution,
    Task,
    raw,
    text,
)


class Linnaeus(Recipe):
    title = "LINNAEUS species corpus"
    homepage = "https://linnaeus.sourceforge.net/"
    license = "CC-BY-4.0"
    citation = "Gerner, Nenadic and Bergman, 2010, BMC Bioinformatics 11:85"
    figure_label = "Linnaeus Corpus"
    access = Access.OPEN
    redistribution = Redistribution.YES
    llm_api = LlmApi.ALLOWED
    manual_download_instructions = (
        "Download manual-corpus-species-1.0.tar.gz from the homepage and unpack it here, or clone "
        "its mirror github.com/spyysalo/linnaeus-corpus-data: the folder txt and the file "
        "filtered_tags.tsv may lie here or in a folder below."
    )
    files = raw.lines("**/txt/*.txt")
    lookups = {"tags": raw.lines("**/filtered_tags.tsv")}
    deviations = (
        (
            "The definition asks for species, because that is what the answers are; the published "
            "one asks for genes and proteins."
        ),
        (
            "Built from the owners' files, because task1484 of Super-NaturalInstructions, from "
            "which MedS-Ins took 125 sentences, has few of them and cannot be split by paper. "
            "Here are all sentences that name a species, not tokenised, and each of their names "
            "is accepted."
        ),
        "Words such as 'patients' are no answers, because they do not name a species.",
    )

    species_extraction = Task(
        legacy_id="task33",
        category=Category.NAMED_ENTITY_RECOGNITION,
        domain=Domain.ACADEMIC_PAPERS,
        published_domain=Domain.MEDICAL_KNOWLEDGE_BASES,
        published_count=125,
        definition=(
            "This line of a life science paper mentions a species, be it an animal, a plant, a "
            "fungus, a bacterium or a virus. Extract its name, scientific or common, in full or "
            "abbreviated, just as the line spells it. People count only where they are called "
            "human, not where they are patients, women or children. When more than one species "
            "is mentioned, extract one of them. The answer is the bare name."
        ),
        must_include=(
            "one of|any one|single|just one|only one|one name|several|more than one|one species",
            "human",
        ),
    )

    def records(self, files: Sequence[raw.RawFile], split: str) -> Iterator[tuple[str, str]]:
        """Yield the papers, each as a whole, with their names."""
        del split
        for file in files:
            yield file.name.rsplit("/", 1)[-1].removesuffix(".txt"), file.text("utf-8")

    def instances(self, record: tuple[str, str]) -> Examples:
        document, paper = record
        mentions = self._mentions.get(document, [])
        if any(paper[start:end] != name for start, end, name in mentions):
            raise raw.RecordError("text at the offsets differs from the tag", field="start")
        if not mentions:
            yield self.skip("no species in the paper")
            return
        for start, end in text.sentence_spans(paper, [(m[0], m[1]) for m in mentions]):
            names = text.distinct(name for at, _, name in mentions if start <= at < end)
            if not names:
                yield self.skip("no species in the sentence")
                continue
            yield self.species_extraction(
                input=paper[start:end],
                output=names[0],
                references=names,
                key=document,
                group=document,
            )

    @cached_property
    def _mentions(self) -> dict[str, list[tuple[int, int, str]]]:
        """(start, end, name) of the mentions in each document, in order."""
        mentions: dict[str, list[tuple[int, int, str]]] = {}
        rows = (line.split("\t") for line in self.lookup("tags") if not line.startswith("#"))
        for _, document, start, end, name, *_ in rows:
            mentions.setdefault(document, []).append((int(start), int(end), name))
        return {document: sorted(found) for document, found in mentions.items()}
