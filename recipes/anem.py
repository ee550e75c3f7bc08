"""AnEM: abstracts and extracts of full papers with every anatomical entity marked.

Raw layout (the owners' AnEM-1.0.4.tar.gz, as unpacked): brat standoff, `standoff/<document>.txt`
with its `.ann`, and lists of document names. Of these, test/ has the final test set, and
development/ cuts the rest in two (owners' readme). A line is a heading, a title or a paragraph.

The relation `frag` joins two mentions that share a word which only the second has: "T" and
"B-cells" in "T and B-cells". The first is not a name by itself, so it is not an answer here.
"""

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


class AnEM(Recipe):
    title = "AnEM anatomical entity corpus"
    homepage = "http://www.nactem.ac.uk/anatomy/"
    license = "CC-BY-SA-3.0"
    citation = "Ohta et al., 2012, DSSD at ACL, W12-4304"
    figure_label = "ANEM"
    access = Access.OPEN
    redistribution = Redistribution.YES
    llm_api = LlmApi.ALLOWED
    manual_download_instructions = (
        "Download AnEM-1.0.4.tar.gz from the homepage and unpack it into the source's folder; "
        "the folders standoff, development and test may stay in AnEM-1.0.4 or lie directly in it."
    )
    files = raw.brat("**/standoff/*.txt")
    lookups = {
        "train": raw.lines("**/development/train-files.list"),
        "validation": raw.lines("**/development/test-files.list"),
        "test": raw.lines("**/test/test-files.list"),
    }
    deviations = (
        (
            "Built from the owners' files, because task1486 and task1487 of "
            "Super-NaturalInstructions, from which MedS-Ins took 109 and 93 sentences, leave out "
            "sentences with other types of entities and lost the official splits. Here are all "
            "sentences that name the wanted type, not tokenised, and each of its names is accepted."
        ),
    )

    cell_extraction = Task(
        legacy_id="task35",
        category=Category.NAMED_ENTITY_RECOGNITION,
        domain=Domain.ACADEMIC_PAPERS,
        published_domain=Domain.MEDICAL_KNOWLEDGE_BASES,
        published_count=109,
        definition=(
            "You are shown one sentence, heading or figure caption from a life science paper. "
            "Find a cell in it: a type of cell, a group of cells or a cell line, of whatever "
            "organism. Answer with the cell's name in the words of the text, without anything "
            "else. If there are several, name whichever you like, but only one."
        ),
        must_include=(
            "one of|any one|single|just one|only one|one name|several|more than one|one cell",
        ),
    )
    organism_substance_extraction = Task(
        legacy_id="task36",
        category=Category.NAMED_ENTITY_RECOGNITION,
        domain=Domain.ACADEMIC_PAPERS,
        published_domain=Domain.MEDICAL_KNOWLEDGE_BASES,
        published_count=93,
        definition=(
            "In the following line of a life science paper, find a substance that an organism "
            "consists of or gives off and that has no shape of its own, such as blood, serum, "
            "urine, bile or a sample of one. Write down what the text calls it, letter for "
            "letter, and nothing more. One such substance is enough where the line has several."
        ),
        must_include=(
            "one of|any one|single|just one|only one|one name|several|more than one|one such",
        ),
    )

    def instances(self, record: raw.Document) -> Examples:
        split = self._split(record.id)
        spans = [(mention.start, mention.end) for mention in record.mentions]
        parts = {relation.head for relation in record.relations if relation.type == "frag"}
        mentions = sorted(
            (mention for mention in record.mentions if mention.id not in parts),
            key=lambda mention: mention.start,
        )
        for start, end in text.sentence_spans(record.text, spans):
            inside = [mention for mention in mentions if start <= mention.start < end]
            for task, kind, none in (
                (self.cell_extraction, "Cell", self.skip("no cell in the sentence")),
                (
                    self.organism_substance_extraction,
                    "Organism_substance",
                    self.skip("no organism substance in the sentence"),
                ),
            ):
                names = text.distinct(m.text for m in inside if m.type == kind)
                if not names:
                    yield none
                    continue
                yield task(
                    input=record.text[start:end],
                    output=names[0],
                    references=names,
                    key=record.id,
                    split=split,
                )

    def _split(self, document: str) -> str:
        for split in self.lookups:
            if document in self.lookup(split):
                return split
        raise raw.RecordError("document is in none of the official lists", detail=document)
