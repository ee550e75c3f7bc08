"""MedNLI: statements that follow from a sentence of a clinical note, contradict it, or neither.

Raw layout (PhysioNet, version 1.0.0; field names as in the BigBIO loader): JSON Lines with
`pairID`, `gold_label` (entailment, contradiction, neutral), `sentence1` (the premise, from the
past medical history of a MIMIC-III note), `sentence2` (the hypothesis, by a physician) and four
parses. A premise has one hypothesis of each label, in three lines that stand together as a rule;
premises that read alike occur several times. `[**...**]` stands for what was removed.
"""

from collections.abc import Iterator, Sequence
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

LABELS = ("entailment", "contradiction", "neutral")


class MedNLI(Recipe):
    title = "MedNLI"
    homepage = "https://physionet.org/content/mednli/1.0.0/"
    license = "PhysioNet-1.5.0"
    citation = "Romanov and Shivade, 2018, EMNLP, arXiv:1808.06752"
    figure_label = "MedNLI"
    access = Access.CREDENTIALED
    redistribution = Redistribution.NO
    llm_api = LlmApi.FORBIDDEN
    manual_download_instructions = (
        "Become a credentialed user of PhysioNet, finish its training and sign the data use "
        "agreement of https://physionet.org/content/mednli/1.0.0/. Download it and put "
        "mli_train_v1.jsonl, mli_dev_v1.jsonl and mli_test_v1.jsonl here."
    )
    files = raw.jsonl(
        train="mli_train_v1.jsonl", validation="mli_dev_v1.jsonl", test="mli_test_v1.jsonl"
    )
    deviations = (
        (
            "Premises and hypotheses keep their case and their end; the published script puts "
            "all but the first letter in lower case, which spoils acronyms, and adds a full stop."
        ),
        (
            "task42 is tested on the entailed hypotheses alone, because the task asks for what "
            "follows from the premise. The published test file has all 1,422 pairs, so two thirds "
            "of its references do not follow, and a third of them contradict the premise."
        ),
        (
            "A premise is one instance of task42 and of task43, with all its hypotheses of that "
            "label as references, because each of them is right."
        ),
        (
            "task44 puts together what has the same premise, not three lines in a row, and orders "
            "the sentences by a digest of their identifiers, so that the order is the same in "
            "every build. The answer has no line break at its end."
        ),
        (
            "All of the official train file is training data, because MedS-Bench tests on the "
            "official test file, not on the tenth that MedS-Ins leaves out."
        ),
    )

    entailment_classification = Task(
        legacy_id="task41",
        benchmark_id="task41",
        category=Category.NATURAL_LANGUAGE_INFERENCE,
        domain=Domain.CLINICAL_TEXTS,
        published_count=10108,
        metric="accuracy",
        labels=("Entailment", "Contradiction", "Neutral"),
        definition=(
            "Sentence1 comes from a clinical note about a patient, and Sentence2 is a statement "
            "about the same patient. Judge the statement by the note, with the knowledge of a "
            "physician. Answer 'Entailment' if it is definitely true, 'Contradiction' if it is "
            "definitely false, and 'Neutral' if it may be either. Write this one word, without "
            "quotation marks."
        ),
        must_include=("Sentence1", "Sentence2", "no quotation marks|without quotation marks"),
    )
    entailed_hypothesis_generation = Task(
        legacy_id="task42",
        benchmark_id="task42",
        category=Category.NATURAL_LANGUAGE_INFERENCE,
        domain=Domain.CLINICAL_TEXTS,
        published_count=3369,
        metric="bleu_rouge",
        definition=(
            "You are given a sentence from a clinical note about a patient. Write one short "
            "statement about the patient that a physician can conclude from it with certainty. "
            "It says something that the sentence only implies, rather than the same in other "
            "words. Write the statement alone."
        ),
        must_include=("short", "implies|implied|implicit|implication"),
    )
    contradicting_hypothesis_generation = Task(
        legacy_id="task43",
        category=Category.WRONG_CANDIDATE_GENERATION,
        domain=Domain.CLINICAL_TEXTS,
        published_count=3369,
        definition=(
            "You are given a sentence from a clinical note about a patient. Write one short "
            "statement about the patient that cannot be true if the sentence is: it has to be "
            "about the same matter and clearly at odds with it. Write the false statement alone."
        ),
        must_include=("short", "same matter|very matter|this matter"),
    )
    three_way_labelling = Task(
        legacy_id="task44",
        category=Category.NATURAL_LANGUAGE_INFERENCE,
        domain=Domain.CLINICAL_TEXTS,
        published_count=3369,
        definition=(
            "You are given a statement from a clinical note about a patient, and then Sentence1, "
            "Sentence2 and Sentence3 about the same patient. One of them definitely follows from "
            "the statement (entailment), one definitely conflicts with it (contradiction), and "
            "one may or may not be true (neutral). Answer in three lines, in the order of the "
            "sentences, each of the form 'Sentence1 is entailment.', with the right number and "
            "the label entailment, contradiction or neutral."
        ),
        must_include=("three lines", "contradiction", "neutral"),
    )

    def records(self, files: Sequence[raw.RawFile], split: str) -> Iterator[list[dict[str, Any]]]:
        """Yield the pairs of each premise."""
        del split
        premises: dict[str, list[dict[str, Any]]] = {}
        for pair in self.read(files):
            premises.setdefault(pair["sentence1"].strip(), []).append(pair)
        yield from premises.values()

    def instances(self, record: list[dict[str, Any]]) -> Examples:
        premise = record[0]["sentence1"].strip()
        by_label: dict[str, list[dict[str, Any]]] = {label: [] for label in LABELS}
        for pair in record:
            label, hypothesis = pair["gold_label"], pair["sentence2"].strip()
            if label not in by_label:
                raise raw.RecordError("no such label", field="gold_label", detail=repr(label))
            if not premise or not hypothesis:
                yield self.skip("empty premise or hypothesis")
                continue
            by_label[label].append(pair)
            yield self.entailment_classification(
                input=f"Sentence1: {premise}\n\nSentence2: {hypothesis}",
                output=label.capitalize(),
                key=pair["pairID"],
            )
        for task, label in (
            (self.entailed_hypothesis_generation, "entailment"),
            (self.contradicting_hypothesis_generation, "contradiction"),
        ):
            if right := [pair["sentence2"].strip() for pair in by_label[label]]:
                key = by_label[label][0]["pairID"]
                yield task(input=premise, output=right[0], references=right, key=key)
        if len({len(pairs) for pairs in by_label.values()}) > 1:
            yield self.skip("premise without as many hypotheses of each label")
        for triple in zip(*by_label.values(), strict=False):
            ordered = sorted(triple, key=lambda pair: text.digest(pair["pairID"]))
            listed = (f"Sentence{n}: {p['sentence2'].strip()}" for n, p in enumerate(ordered, 1))
            yield self.three_way_labelling(
                input="\n".join((f"Statement: {premise}", *listed)),
                output="\n".join(
                    f"Sentence{n} is {p['gold_label']}." for n, p in enumerate(ordered, 1)
                ),
                key=triple[0]["pairID"],
            )
