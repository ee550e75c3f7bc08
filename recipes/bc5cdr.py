"""BC5CDR, diseases: sentences of PubMed abstracts with every disease marked.

Raw layout: one token a line, a tab and its tag (B-Disease, I-Disease, O), a blank line after each
sentence; every punctuation mark is a token of its own (github.com/cambridgeltl/
MTL-Bioinformatics-2016, folder data/BC5CDR-disease-IOB, with the splits of BioCreative V). And
the file task1449 of Super-NaturalInstructions: tokenised sentences with a leading space, answered
by one disease. Those that could be compared all come from the official test split.
"""

from functools import cached_property
from typing import Any

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


class BC5CDR(Recipe):
    title = "BC5CDR (BioCreative V CDR)"
    homepage = "https://biocreative.bioinformatics.udel.edu/tasks/biocreative-v/track-3-cdr/"
    license = "CC-BY-4.0"
    citation = (
        "Li et al., 2016, Database, baw068; Crichton et al., 2017, BMC Bioinformatics 18:368; "
        "Wang et al., 2022, EMNLP, arXiv:2204.07705"
    )
    figure_label = "BioCreative V"
    access = Access.OPEN
    redistribution = Redistribution.YES
    llm_api = LlmApi.ALLOWED
    manual_download_instructions = (
        "Take train.tsv and devel.tsv from the folder data/BC5CDR-disease-IOB of "
        "github.com/cambridgeltl/MTL-Bioinformatics-2016 and put them in BC5CDR-disease-IOB. The "
        "task file is in the folder tasks/ of github.com/allenai/natural-instructions; put it in "
        "../superni."
    )
    files = {
        "iob": raw.conll(
            train="BC5CDR-disease-IOB/train.tsv",
            validation="BC5CDR-disease-IOB/devel.tsv",
            test="BC5CDR-disease-IOB/test.tsv",
        ),
        "superni": raw.superni("task1449_disease_entity_extraction_bc5cdr_dataset"),
    }
    lookups = {"test": raw.conll("BC5CDR-disease-IOB/test.tsv")}
    downloads = (
        raw.Download(
            "https://raw.githubusercontent.com/cambridgeltl/MTL-Bioinformatics-2016/"
            "d62961c5750439aec6396f5703f3a1c03d97ebd3/data/BC5CDR-disease-IOB/test.tsv",
            "BC5CDR-disease-IOB/test.tsv",
            "a530bf9e17a4122b101b09cedd5f3cf8e6307d6a0093146c33b8de2e69ec0fa3",
        ),
    )
    deviations = (
        (
            "Sentences of task28 that are in the official test split are test instances, because "
            "MedS-Bench tests on that split; MedS-Ins trains on them."
        ),
        (
            "Task127 has training and validation instances, because the corpus has them; "
            "MedS-Bench has only the test instances, and MedS-Ins none."
        ),
    )

    disease_ner = Task(
        benchmark_id="task127",
        category=Category.NAMED_ENTITY_RECOGNITION,
        domain=Domain.ACADEMIC_PAPERS,
        published_domain=Domain.MEDICAL_KNOWLEDGE_BASES,
        metric="f1",
        definition=(
            "Find every disease, disorder and symptom in one sentence of a biomedical article. "
            "List their names in the order of the sentence, as often as they stand in it, joined "
            "by a comma and a blank and closed by a full stop. Each name is copied out of the "
            "sentence; inside it, every punctuation mark, hyphens and brackets included, has one "
            "blank on either side. A sentence that names no disease is answered by exactly this, "
            f"spelling included: {text.NO_ENTITY}"
        ),
        must_include=(text.NO_ENTITY, "full stop|period|'.'", "punctuation"),
    )
    disease_extraction = Task(
        legacy_id="task28",
        category=Category.NAMED_ENTITY_RECOGNITION,
        domain=Domain.ACADEMIC_PAPERS,
        published_domain=Domain.MEDICAL_KNOWLEDGE_BASES,
        published_count=68,
        definition=(
            "The input is a sentence, or a few of them, from a study of drugs and their effects; "
            "words and punctuation marks are set apart by blanks. Pick out a disease, disorder or "
            "symptom that is mentioned, and reply with its name alone, as the text has it. If "
            "more than one is mentioned, give just one; any of them will do."
        ),
        must_include=(
            "one of|any one|single|just one|only one|one name|several|more than one|one is enough",
        ),
    )

    def instances_iob(self, record: raw.Sentence) -> Examples:
        yield self.disease_ner(
            input=text.join_tokens(record.tokens),
            output=text.entity_list(tokens for _, tokens in record.entities()),
        )

    def instances_superni(self, record: dict[str, Any]) -> Examples:
        answers = [answer for answer in record["output"] if answer.strip()]
        if not answers:
            yield self.skip("no answer")
            return
        asked = text.one_line(record["input"])
        yield self.disease_extraction(
            input=record["input"],
            output=answers[0],
            references=answers,
            key=record["id"],
            group=asked,
            split="test" if f" {asked} " in self._test_text else "",
        )

    @cached_property
    def _test_text(self) -> str:
        """All tokens of the official test split, so that runs of sentences are found as well."""
        tokens = (token for sentence in self.lookup("test") for token in sentence.tokens)
        return f" {' '.join(tokens)} "
