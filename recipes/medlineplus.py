"""MedlinePlus: pages of the American National Library of Medicine (NLM) for patients.

There is no release of the pages, so the layout is ours: `pages.jsonl`, JSON Lines that each user
makes from the site, a page a line: {kind, url, title, sections: [{heading, text}]}. The kind is
"drug" (medlineplus.gov/druginfo/meds/), "encyclopedia" (/ency/article/), "medical_test"
(/lab-tests/) or "genetics" (/genetics/condition/ and /gene/). A text is that of its section, a
paragraph or an item of a list a line; the heading of what comes before the first one is "".

Health topics are the NLM's own file `mplus_topics_<date>.xml` (medlineplus.gov/xml.html, and public
readers of it): `health-topic` elements with `id`, `title`, `url` and `language` (English or
Spanish), whose `full-summary` is HTML as text: p, ul, li, h3, a, and a p of the class attribution.

The error tasks are made of text that the NLM wrote, which is in the public domain: topics, tests
and genetics. In one sentence of a section, something is changed that makes it false whatever the
rest says: a number of hours, types and so on is doubled; what a plain statement says of its
subject is turned into the contrary (recessive, dominant; too much, too little); or else its verb
is negated, or its negation taken away. Sentences in which that might be true as well are left
alone: those with "some", "may" or "if", say, and those that give a number as a limit.
"""

import html
import re
from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import Element
from zlib import crc32

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

NO_TEXT = {
    "alternative names",
    "images",
    "references",
    "review date",
    "related health topics",
    "related medical tests",
}
"""Headings, in lower case, of sections that are no text."""

FEWEST, SHORT = 3, 6
"""How many sentences a passage has at least, and how many a short one has at most."""

DOUBLE = {"two": "four", "three": "six", "four": "eight", "five": "ten", "six": "twelve"}
QUANTITY = re.compile(
    r"(?<![\w.,/-])(?:[2-9]|[1-9]\d\d?|two|three|four|five|six)(?= (?:main |different )?(?:minutes|"
    r"hours|days|weeks|months|years|times|types|kinds|stages|doses|copies|pairs|chromosomes|"
    r"chambers|layers|parts|glasses|teaspoons)\b)"
)
STATEMENT = re.compile(
    r"(?P<subject>[A-Z][\w'’-]*(?: [\w'’()-]+){0,6}?) "
    r"(?P<verb>is not|are not|cannot|is|are|can)(?= [\w'’-])"
)
NEGATED = {"is": "is not", "are": "are not", "can": "cannot"}
OPPOSITE = NEGATED | {negated: verb for verb, negated in NEGATED.items()}
NEGATION = re.compile(r"\b(?:not|cannot)\b")
CONTRARIES = (
    "dominant/recessive, bacteria/viruses, bacterial/viral, artery/vein, arteries/veins, "
    "rare/common, too much/too little, too many/too few, higher/lower, high/low, more/less, "
    "increased/decreased, larger/smaller, benign/malignant, red/white, left/right, inside/outside, "
    "before/after, women/men, children/adults, early/late"
)
CONTRARY = {
    word: pair[::-1][pair.index(word)]
    for pair in (pair.split("/") for pair in CONTRARIES.split(", "))
    for word in pair
}
# A statement with one of these and its negation may both be true, or its negation is no English.
HEDGES = (
    "some, sometimes, many, most, several, few, rarely, seldom, hardly, also, other, others, "
    "another, either, or, no, not, never, none, nothing, only, even, just, yet, still, but, "
    "although, however, except, may, might, could, would, should, if, unless, whether, when, there"
)
# What is true of a number may with one of these be true of its double.
LIMITS = (
    "can, least, at most, more, less, fewer, up to, within, over, under, older, younger, longer, "
    "shorter, greater, lower, higher, above, below, until, since, after, before, between"
)
# With one of these in its subject, the verb that is found may be that of a clause.
CLAUSE = "who, which, that, what, how, where, why, while, because, as, you, they, he, she, we, it"
# What is done for one thing may be done for its contrary too, and what has one part the other.
PURPOSES = (
    "used, test, tests, check, checks, treat, treats, treated, diagnose, measure, measures, shows, "
    "help, helps, including, includes, include, such as, example, like, called"
)
HEDGED, LIMITED, IN_CLAUSE, FOR_MORE = (
    text.whole_words(words.split(", ")) for words in (HEDGES, LIMITS, CLAUSE, PURPOSES)
)
CONTRASTED = text.whole_words(CONTRARY)

HEADING = re.compile(r"<h\d[^>]*>.*?</h\d>", re.IGNORECASE | re.DOTALL)
ATTRIBUTION = re.compile(r"<p[^>]*\battribution\b.*?</p>", re.IGNORECASE | re.DOTALL)
LINE_END = re.compile(r"</(?:p|li|ul|ol|div)>|<(?:br|li|ul|ol)\b[^>]*>", re.IGNORECASE)
TAG = re.compile(r"<[^>]+>")


def passages(summary: str) -> Iterator[str]:
    """Yield the text under each heading of an HTML summary."""
    for part in HEADING.split(ATTRIBUTION.sub("", summary)):
        lines = TAG.sub("", LINE_END.sub("\n", text.one_line(part)))
        if passage := re.sub(r"\n+", "\n", text.tidy_lines(html.unescape(lines))):
            yield passage


def falsified(sentence: str) -> str:
    """Return a true sentence changed so that it is false; "" if that cannot be done for certain."""
    if not sentence.endswith("."):
        return ""
    numbers = QUANTITY.findall(sentence)
    if len(numbers) == 1 and len(re.findall(r"\d+", sentence)) == numbers[0].isdigit():
        if HEDGED.search(sentence) or LIMITED.search(sentence):
            return ""
        number = numbers[0]
        return QUANTITY.sub(DOUBLE.get(number) or str(2 * int(number)), sentence)
    found = STATEMENT.match(sentence)
    if found is None:
        return ""
    subject, verb, rest = found["subject"], found["verb"], sentence[found.end() :]
    clause = " " in subject and IN_CLAUSE.search(subject)
    if clause or re.search(r"\d", subject) or HEDGED.search(subject) or HEDGED.search(rest):
        return ""
    contrasted = CONTRASTED.findall(sentence)
    if len(contrasted) == 1 and verb in ("is", "are") and not FOR_MORE.search(sentence):
        contrary = CONTRASTED.sub(lambda word: CONTRARY.get(word[0], word[0]), rest)
        if contrary != rest:
            return f"{subject} {verb}{contrary}"
    return f"{subject} {OPPOSITE[verb]}{rest}"


def with_error(passage: str, seed: str) -> tuple[str, str, int] | None:
    """Return a passage with one false sentence, that sentence, and how many sentences there are.

    Which of those that can be falsified it is, the seed decides. None if none can.
    """
    spans = text.sentence_spans(passage)
    wrong = [(start, end, falsified(passage[start:end])) for start, end in spans]
    wrong = [found for found in wrong if found[2]]
    if len(spans) < FEWEST or not wrong:
        return None
    # A new "not" gives itself away.
    wrong = [found for found in wrong if not NEGATION.search(found[2])] or wrong
    start, end, sentence = wrong[crc32(seed.encode()) % len(wrong)]
    return f"{passage[:start]}{sentence}{passage[end:]}", sentence, len(spans)


class MedlinePlus(Recipe):
    title = "MedlinePlus"
    homepage = "https://medlineplus.gov/"
    # The NLM's own text is in the public domain; the encyclopedia is A.D.A.M.'s, and what is said
    # of drugs the American Society of Health-System Pharmacists' (ASHP).
    license = "LicenseRef-MedlinePlus"
    citation = "National Library of Medicine, MedlinePlus, since 1998, https://medlineplus.gov"
    figure_label = "MedlinePlus"
    access = Access.OPEN
    redistribution = Redistribution.NO
    llm_api = LlmApi.LOCAL_ONLY
    manual_download_instructions = (
        "Download the health topics from https://medlineplus.gov/xml.html and unpack them here "
        "(mplus_topics_<date>.xml, one date). There is no release of the other pages: see "
        "https://medlineplus.gov/about/using/usingcontent/ for what may be done with them, save "
        "those you may use, and write them here as pages.jsonl, a JSON object a line: kind (drug, "
        "encyclopedia, medical_test or genetics), url, title, and sections, a list of objects with "
        "heading and text."
    )
    files = {
        "pages": raw.jsonl("pages.jsonl"),
        "topics": raw.xml("mplus_topics_*.xml", roots=("health-topics",)),
    }
    deviations = (
        (
            "The crawl of MedS-Ins and the layouts of its seven tasks are not published, and the "
            "pages have changed since, so neither instances nor their numbers are the same."
        ),
        (
            "task97 has the sections of drug pages whose heading is a question, with the drug's "
            "name before it, because the question alone does not say it."
        ),
        (
            "task133 to task136: only the name of task132 and the start of task133's are known, "
            "'short medical test' and 'sho…'. The other kinds of text are a guess, and how "
            "MedS-Ins made the errors is not known."
        ),
    )

    drug_qa = Task(
        legacy_id="task97",
        category=Category.QUESTION_ANSWERING,
        domain=Domain.MEDICAL_KNOWLEDGE_BASES,
        definition=(
            "After 'Drug:' a medicine is named, and after 'Question:' you find what a patient "
            "wants to know about it: what it is for, how it is taken, what to beware of, its side "
            "effects or how to store it. Answer for this medicine, in plain words and in full, "
            "speaking to the patient. Put each item of a list on a line of its own."
        ),
        must_include=("plain|simple|everyday|lay ", "in full|complete|leave nothing out"),
    )
    encyclopedia_title = Task(
        legacy_id="task98",
        category=Category.TEXT_SUMMARIZATION,
        domain=Domain.MEDICAL_KNOWLEDGE_BASES,
        definition=(
            "You are given an article of a medical encyclopedia for the public, section by "
            "section, without its title. Write the title under which readers would look for it: "
            "the name of the disease, symptom, test, injury or treatment, in a few words and "
            "without a full stop."
        ),
        must_include=("title", "full stop"),
    )
    error_sentence = {
        key: Task(
            legacy_id=f"task{number}",
            category=Category.FACT_VERIFICATION,
            domain=Domain.MEDICAL_KNOWLEDGE_BASES,
            definition=(
                f"You are given {passage}. All its sentences were true, until one of them was "
                "changed so that it says something false: a number is wrong, a word stands for "
                "its contrary, or what is so is denied. Find this sentence and copy it exactly "
                "as it stands, from its first word to its full stop. Do not correct it, and write "
                "nothing else."
            ),
            template_vars={"passage": passage},
            must_include=(
                "number|figure|quantity",
                "contrary|opposite|reverse",
                "full stop",
                "correct",
            ),
        )
        for number, (key, passage) in enumerate(
            {
                "medical_test_short": (
                    "a short passage on a medical test, of three to six sentences or lines"
                ),
                "health_topic_short": (
                    "a short passage on a disease or another health topic, of three to six "
                    "sentences or lines"
                ),
                "medical_test_long": (
                    "a passage on a medical test, of seven or more sentences or lines"
                ),
                "health_topic_long": (
                    "a passage on a disease or another health topic, of seven or more sentences "
                    "or lines"
                ),
                "genetics": "a passage on a gene or an inherited condition",
            }.items(),
            132,
        )
    }

    def instances_pages(self, record: dict[str, Any]) -> Examples:
        kind, url, title = record["kind"], record["url"], text.one_line(record["title"])
        sections = [
            (heading, body)
            for section in record["sections"]
            if (heading := text.one_line(section["heading"])).lower() not in NO_TEXT
            and (body := text.tidy_lines(section["text"]))
        ]
        if not title or not sections:
            yield self.skip("page without a title or without text")
        elif kind == "drug":
            for heading, body in sections:
                if heading.endswith("?"):
                    yield self.drug_qa(
                        input=f"Drug: {title}\nQuestion: {heading}",
                        output=body,
                        key=f"{url}#{heading}",
                        group=url,
                    )
                else:
                    yield self.skip("heading of a drug page is no question")
        elif kind == "encyclopedia":
            article = "\n\n".join(f"{heading}\n{body}".strip() for heading, body in sections)
            yield self.encyclopedia_title(input=article, output=title, key=url)
        elif kind in ("medical_test", "genetics"):
            yield from self._errors(kind, url, (body for _, body in sections))
        else:
            raise raw.RecordError("kind of page is unknown", field="kind")

    def instances_topics(self, record: Element) -> Examples:
        for topic in record.iter("health-topic"):
            if topic.get("language") != "English":
                yield self.skip("topic in another language than English")
                continue
            summary = topic.findtext("full-summary", "")
            yield from self._errors("health_topic", topic.get("url", ""), passages(summary))

    def _errors(self, kind: str, url: str, bodies: Iterator[str]) -> Examples:
        for number, body in enumerate(bodies, 1):
            found = with_error(body, f"{url}#{number}")
            if found is None:
                yield self.skip("too short, or no sentence can be falsified for certain")
                continue
            passage, sentence, sentences = found
            length = "short" if sentences <= SHORT else "long"
            yield self.error_sentence[kind if kind == "genetics" else f"{kind}_{length}"](
                input=passage, output=sentence, key=f"{url}#{number}", group=url
            )
