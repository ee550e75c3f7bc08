"""MedQuAD: questions and answers made from the pages of twelve sites of the NIH.

Raw layout (github.com/abachaa/MedQuAD): a folder for each site, one XML document a page. There
are three generations of the schema: `Document` with `QAPairs/QAPair/Question, Answer`; the same
under `DiseaseFile` (one document of 9_CDC_QA); and `doc` with `qaPairs/pair/question, answer`
(two documents of 6_NINDS_QA). The answers of the three MedlinePlus folders 10, 11 and 12 were
taken out for copyright (owners' readme); the documents are there, their `Answer` is empty.

Answers are pages flattened to text: line breaks inside a line became runs of spaces, two or more
before an item of a list, three or more before a paragraph. Those are line breaks again here.
"""

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

FOLDERS = (
    "1_CancerGov_QA",
    "2_GARD_QA",
    "3_GHR_QA",
    "4_MPlus_Health_Topics_QA",
    "5_NIDDK_QA",
    "6_NINDS_QA",
    "7_SeniorHealth_QA",
    "8_NHLBI_QA_XML",
    "9_CDC_QA",
    "10_MPlus_ADAM_QA",
    "11_MPlusDrugs_QA",
    "12_MPlusHerbsSupplements_QA",
)

SCHEMAS = {
    "Document": ("source", "Focus", "QAPair", "Question", "Answer"),
    "DiseaseFile": ("source", "Focus", "QAPair", "Question", "Answer"),
    "doc": ("corpus", "doctitle-focus", "pair", "question", "answer"),
}
"""By root element: the attribute that names the site, then the elements that are read."""


class MedQuAD(Recipe):
    title = "MedQuAD"
    homepage = "https://github.com/abachaa/MedQuAD"
    license = "CC-BY-4.0"
    citation = "Ben Abacha and Demner-Fushman, 2019, BMC Bioinformatics 20(1):511"
    figure_label = "MedQuAD"
    access = Access.OPEN
    redistribution = Redistribution.YES
    llm_api = LlmApi.ALLOWED
    manual_download_instructions = (
        "In the folder of all raw files, run 'git clone https://github.com/abachaa/MedQuAD "
        "medquad' and then 'git -C medquad checkout 577bd37b96c02d1833b2c9eed2de9f96964e96cb'."
    )
    files = raw.xml(*(f"{folder}/*.xml" for folder in FOLDERS), roots=tuple(SCHEMAS))
    deviations = (
        (
            "How the published task writes a question is unknown. Here it ends in one question "
            "mark without a space before it, because the corpus appends ' ?' even to questions "
            "that already end in '?', and forgets it elsewhere."
        ),
        (
            "Indentation and runs of spaces in an answer become the line breaks they stand for, "
            "because they are what is left of the page's layout."
        ),
    )

    question_answering = Task(
        legacy_id="task103",
        category=Category.QUESTION_ANSWERING,
        domain=Domain.MEDICAL_KNOWLEDGE_BASES,
        published_count=14766,
        definition=(
            "You are given a question that a patient or their family might ask about a disease, "
            "a drug, a test or another health topic, such as what it is, how it shows, how it is "
            "inherited, diagnosed, treated or prevented, or who is at risk. Answer it "
            "thoroughly and in plain language, as an information page of a national health "
            "institute would. Where you list things, put each on its own line after a hyphen."
        ),
        must_include=("hyphen|'- '",),
    )

    def instances(self, record: Element) -> Examples:
        site, focus, pair, question, answer = SCHEMAS[record.tag]
        topic = text.one_line(record.findtext(focus, ""))
        pairs = list(record.iter(pair))
        if not pairs:
            yield self.skip("document without questions")
        for found in pairs:
            asked, answered = found.find(question), found.find(answer)
            if asked is None or not asked.text or answered is None or not topic:
                raise raw.RecordError("topic, question or answer is missing", field=pair)
            if not (answered.text or "").strip():
                yield self.skip("answer is empty")
                continue
            yield self.question_answering(
                input=asked.text.strip(" ?") + "?",
                output=text.tidy_lines(text.unflatten(answered.text or "")),
                key=f"{record.get(site)} {asked.get('qid')}",
                # Several documents and sites have a page on the same topic, often word for word,
                # and then ask the same questions; the pairs of one document share their topic.
                group=topic.casefold(),
            )
