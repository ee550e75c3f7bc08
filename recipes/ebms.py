"""EBMSummariser corpus: clinical questions, evidence-based answers and what each rests on.

Raw layout (sourceforge.net/projects/ebmsumcorpus, Mollá and Santiago-Martínez 2012, and public
readers of the file): `ClinicalInquiries.xml`, whose root has `record` elements with an `id`. Each
has `url`, `question` and `answer`; an answer has `snip` elements with `sniptext`, a part of the
answer, its grade `sor`, and `long` elements with `longtext`, the evidence from one study or more,
and their `ref`. Some have no answer or an element without text. In the paper's count these are
456 questions, 1,396 parts of answers and 3,036 justifications.

MedS-Bench tests on 304 justifications of 110 parts, so on a stretch of the file and not on a
sample: its last tenth, as elsewhere.
"""

from collections.abc import Iterator, Sequence
from typing import Any
from xml.etree.ElementTree import Element

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


def plain(parent: Element, name: str) -> str:
    """Return the text of a child in one line; "" if it has none, or is not there."""
    child = parent.find(name)
    return "" if child is None else text.one_line("".join(child.itertext()))


class EBMS(Recipe):
    title = "EBMSummariser corpus"
    homepage = "https://sourceforge.net/projects/ebmsumcorpus/"
    license = "unknown"
    citation = (
        "Mollá and Santiago-Martínez, 2012, Australasian Medical Journal 5(9):503-506; Mollá et "
        "al., 2016, Language Resources and Evaluation 50(4):705-727"
    )
    figure_label = "EBMSummariserCorpus"
    access = Access.OPEN
    redistribution = Redistribution.DERIVED_ONLY
    llm_api = LlmApi.ALLOWED
    manual_download_instructions = (
        "Download the corpus from the homepage (no account needed) and put ClinicalInquiries.xml "
        "here; the abstracts beside it are not needed."
    )
    files = raw.xml("ClinicalInquiries.xml")
    deviations = (
        (
            "task100 leaves out of train what shares its question or its statement with the test "
            "set, the last tenth of the justifications; task99 puts those questions into test, "
            "because their answers are the statements that are tested."
        ),
        (
            "Elements without text give nothing, and are left out where answers are joined, "
            "because the published script stops at them or writes empty instances."
        ),
        "Texts are in one line, because their line breaks are those of the file.",
        "MedS-Bench files task100 under Fact Verification, MedS-Ins under Question Answering.",
    )

    question_answering = Task(
        legacy_id="task99",
        category=Category.QUESTION_ANSWERING,
        domain=Domain.ACADEMIC_PAPERS,
        published_domain=Domain.MEDICAL_KNOWLEDGE_BASES,
        definition=(
            "A family physician asks a question that came up in practice. Give the bottom line "
            "of the published evidence: what works and what does not, for whom, how well and at "
            "what risk, and where evidence is lacking. Write a few dense sentences for "
            "colleagues, the most important first."
        ),
        must_include=("sentences", "colleague|doctors|other physicians|professional reader"),
    )
    justification = Task(
        legacy_id="task100",
        benchmark_id="task100",
        category=Category.QUESTION_ANSWERING,
        domain=Domain.ACADEMIC_PAPERS,
        published_domain=Domain.MEDICAL_KNOWLEDGE_BASES,
        metric="bleu_rouge",
        definition=(
            "You are given a statement from an evidence-based answer to a clinical question. "
            "Back it up with a paragraph on the research behind it: which kind of study it was, "
            "on which and how many patients, what was compared, and what came out in figures. "
            "Write it as part of a review article, without repeating the statement."
        ),
        must_include=("paragraph", "review", "figures|numbers|numerical|quantitative"),
    )

    def records(self, files: Sequence[raw.RawFile], split: str) -> Iterator[dict[str, Any]]:
        """Yield each record with how many of its justifications, the last ones, are held out."""
        del split
        inquiries = [record for root in self.read(files) for record in root.iter("record")]
        counts = [sum(1 for _ in inquiry.iter("long")) for inquiry in inquiries]
        kept = sum(counts) * 9 // 10
        found = []
        for inquiry, count in zip(inquiries, counts, strict=True):
            found.append({"inquiry": inquiry, "held_out": count - min(count, max(kept, 0))})
            kept -= count
        tested = {
            plain(snip, "sniptext")
            for record in found
            if record["held_out"]
            for snip in record["inquiry"].iter("snip")
        }
        for record in found:
            yield {**record, "tested": tested}

    def instances(self, record: dict[str, Any]) -> Examples:
        inquiry, held_out = record["inquiry"], record["held_out"]
        snips = list(inquiry.iter("snip"))
        question = plain(inquiry, "question")
        answer = " ".join(filter(None, (plain(snip, "sniptext") for snip in snips)))
        key = inquiry.get("id", "")
        if question and answer:
            yield self.question_answering(
                input=question, output=answer, key=key, split="test" if held_out else "train"
            )
        else:
            yield self.skip("no question or no answer")
        justified = [(snip, long) for snip in snips for long in snip.iter("long")]
        for i, (snip, long) in enumerate(justified):
            statement, evidence = plain(snip, "sniptext"), plain(long, "longtext")
            in_test = i >= len(justified) - held_out
            if not statement or not evidence:
                yield self.skip("no statement or no justification")
            elif not in_test and statement in record["tested"]:
                yield self.skip("its question or its statement is in the test set")
            else:
                yield self.justification(
                    input=statement,
                    output=evidence,
                    key=f"{key}/{snip.get('id')}/{long.get('id')}",
                    split="test" if in_test else "train",
                )
