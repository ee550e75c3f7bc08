"""Radiopaedia caption NER: sentences of radiology reports cut into typed parts.

The corpus was never published. Raw layout, as the authors of MedS-Ins read it: JSON Lines with
`subtext` (the text), `sentences` (its tokens, a list for each sentence) and `ner` (for each
sentence a list of [first token, last token, type]; the last is inclusive). This is the layout of
DyGIE++ (github.com/dwadden/dygiepp, doc/data.md), in which tokens are counted over the whole
document. Records whose tokens are counted in each sentence anew are told from those by offsets
that lie outside their sentence.
"""

import json
from itertools import accumulate, pairwise
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

TYPES = ("Anatomy", "Abnormality", "Non-Abnormality", "Disease")


class RadiopaediaNER(Recipe):
    title = "Radiopaedia caption NER"
    homepage = "https://radiopaedia.org/"
    license = "unknown"
    citation = "Unpublished; for its successor RaTE-NER: Zhao et al., 2024, arXiv:2406.16845"
    figure_label = "Radiopaedia Caption NER"
    access = Access.LICENSED
    redistribution = Redistribution.NO
    llm_api = LlmApi.LOCAL_ONLY
    manual_download_instructions = (
        "The file cannot be obtained: it is private to the authors of MedS-Ins, and the text is "
        "Radiopaedia's. If you were given it, put it here as Report_NER/train_new_new.jsonl. Its "
        "open successor, huggingface.co/datasets/Angelakeke/RaTE-NER, has other files and types."
    )
    files = raw.jsonl("Report_NER/train_new_new.jsonl")
    deviations = (
        "The output is JSON, because that can be parsed; the published one is a Python repr.",
        (
            "All sentences of a text are read, and the words are those of the text, because the "
            "published script takes the tokens of the first sentence only."
        ),
    )

    sentence_decomposition = Task(
        legacy_id="task72",
        category=Category.SENTENCE_COMPOSITION_ANALYSIS,
        domain=Domain.CLINICAL_TEXTS,
        published_count=27000,
        definition=(
            "You are given a sentence from a radiology report or an image caption. Take it apart "
            "into the words that carry its findings. Each part has one of four types: Anatomy (a "
            "place in the body), Abnormality (something that is not normal in the image), "
            "Non-Abnormality (something that is said to be normal or absent) or Disease (a "
            "diagnosis). Answer with a JSON list of pairs, each a list of the words, copied from "
            'the sentence, and the type: [["words", "type"], ["words", "type"]]. Keep the order '
            "of the sentence. If there is nothing to list, answer with the empty list []."
        ),
        must_include=(
            '[["words", "type"], ["words", "type"]]',
            "Anatomy",
            " Abnormality|(Abnormality",
            "Non-Abnormality",
            "Disease",
            "copied|copy",
            "order|sequence|left to right",
            "[]",
        ),
    )

    def instances(self, record: dict[str, Any]) -> Examples:
        written, sentences = record["subtext"], record["sentences"]
        if not written.strip():
            yield self.skip("empty text")
            return
        try:
            spans = text.token_spans(written, [token for tokens in sentences for token in tokens])
        except ValueError as error:
            raise raw.RecordError("tokens are not those of the text", field="sentences") from error
        parts = []
        for first, last, kind in _marks(sentences, record["ner"]):
            if kind not in TYPES:
                raise raw.RecordError("type is none of the four", field="ner", detail=kind)
            parts.append((spans[first][0], spans[last][1], kind))
        listed = [[written[start:end], kind] for start, end, kind in sorted(parts)]
        yield self.sentence_decomposition(
            input=written, output=json.dumps(listed, ensure_ascii=False), group=written.strip()
        )


def _marks(sentences: list[list[str]], ner: list[list[Any]]) -> list[tuple[int, int, str]]:
    """Return (first token, last token, type), with tokens counted over the whole document."""
    begins = [0, *accumulate(map(len, sentences))]
    marks = [
        (begin, end, first, last, kind)
        for (begin, end), found in zip(pairwise(begins), ner, strict=True)
        for first, last, kind in found
    ]
    if all(begin <= first <= last < end for begin, end, first, last, _ in marks):
        return [(first, last, kind) for _, _, first, last, kind in marks]
    if all(0 <= first <= last < end - begin for begin, end, first, last, _ in marks):
        return [(begin + first, begin + last, kind) for begin, _, first, last, kind in marks]
    raise raw.RecordError("offsets lie outside the sentence", field="ner")
