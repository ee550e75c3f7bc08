"""LiveQA: what people wrote to the U.S. National Library of Medicine, with answers to it.

Raw layout (github.com/abachaa/LiveQA_MedicalTask_TREC2017, its readmes and files): two training
files and one test file, each one XML document of `NLM-QUESTION` elements. In training these have
`SUBJECT`, `MESSAGE` and `SUB-QUESTION`s with `ANSWER`s (attribute `answerid` in the first file; in
the second, only the question has an id, `qid`). In the test file subject and message stand in
`Original-Question`, and each answer in a `ReferenceAnswer`, or a `RefAnswer` in the first question.
The older version of that file writes `Subject`, `Message` and `Answer`; both are read.

Training answers are flattened pages, as in MedQuAD, of the same authors. The test file is wrapped
at some 300 columns, and between the wraps has line breaks of its own. Some messages were escaped
twice. Web forms without a subject gave the subject "No".
"""

import html
import re
from collections.abc import Iterator, Sequence
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

# A break inside a sentence, after a line as long as only wrapping makes them.
WRAPPED = re.compile(r"(?<=[^\n]{150})(?<![.:?!])\n\s*")


def texts(question: Element, tag: str) -> list[str]:
    """Return the texts of all elements of this name, in whatever case it is written."""
    return [
        html.unescape(found.text or "") for found in question.iter() if found.tag.upper() == tag
    ]


class LiveQA(Recipe):
    title = "TREC 2017 LiveQA, medical task"
    homepage = "https://github.com/abachaa/LiveQA_MedicalTask_TREC2017"
    license = "unknown"
    citation = "Ben Abacha et al., 2017, TREC"
    figure_label = "LiveQA"
    access = Access.OPEN
    redistribution = Redistribution.DERIVED_ONLY
    llm_api = LlmApi.ALLOWED
    manual_download_instructions = (
        "Take the folders TrainingDatasets and TestDataset of the repository at the homepage."
    )
    files = raw.xml(
        train=(
            "TrainingDatasets/TREC-2017-LiveQA-Medical-Train-1.xml",
            "TrainingDatasets/TREC-2017-LiveQA-Medical-Train-2.xml",
        ),
        test="TestDataset/TREC-2017-LiveQA-Medical-Test.xml",
        roots=("NLM-QUESTIONS", "LiveQA2017-Medical-Test-Set-Full"),
    )
    deviations = (
        (
            "The subject line stands before the message, and alone where the message is empty, "
            "because many messages cannot be understood without it; MedS-Ins has the message only, "
            "even if it is empty."
        ),
        (
            "Flattened and wrapped lines of answers are lines again, because they are what is left "
            "of the layout, and characters that were escaped twice are themselves again."
        ),
        (
            "A test question is one instance with all its reference answers, because they answer "
            "the same thing; in training each answer is an instance, as in MedS-Ins."
        ),
    )

    consumer_answering = Task(
        legacy_id="task62",
        category=Category.DIALOGUE,
        domain=Domain.DAILY_CONVERSATIONS,
        published_count=457,
        definition=(
            "You are given what a member of the public wrote to a medical library: sometimes a "
            "line that begins with 'Subject:', then their message, often unpolished and with "
            "details that do not matter. Find out what they need to know, and answer it as a "
            "physician would: give reliable information on the disease, the medicine, the test or "
            "the treatment in question, in language they understand, and point out when they "
            "should see a doctor. Do not repeat the message, and put each item of a list on a line "
            "of its own after a hyphen."
        ),
        must_include=("hyphen|'- '", "repeat|repetition|restat", "doctor"),
    )

    def records(self, files: Sequence[raw.RawFile], split: str) -> Iterator[Element]:
        """Yield the questions of all documents."""
        del split
        for document in self.read(files):
            yield from document.iter("NLM-QUESTION")

    def instances(self, record: Element) -> Examples:
        subject = text.one_line(" ".join(texts(record, "SUBJECT")))
        message = text.one_line(" ".join(texts(record, "MESSAGE")))
        if subject in ("", "No"):
            asked = message
        else:
            asked = f"Subject: {subject}\n{message}" if message else subject
        if not asked:
            yield self.skip("neither subject nor message")
            return
        answers = [
            text.tidy_lines(text.unflatten(WRAPPED.sub(" ", answer)))
            for answer in texts(record, "ANSWER")
        ]
        answers = [answer for answer in answers if answer]
        if not answers:
            yield self.skip("no answer")
            return
        tested = record.find("ReferenceAnswers") is not None
        for accepted in [answers] if tested else [[answer] for answer in answers]:
            yield self.consumer_answering(
                input=asked,
                output=accepted[0],
                references=accepted,
                key=record.get("questionid") or record.get("qid") or "",
            )
