"""ECDC-TM: sentences from the website of the European public health agency, translated.

Raw layout (owners' page and the loader of the Hugging Face dataset europa_ecdc_tm): ECDC-TM.zip
holds ECDC-TM/ECDC.tmx, a TMX document in UTF-16: `tu` elements with a `tuv` for each of up to 25
languages, named by `xml:lang` in capitals, and the text in its `seg`. English is the original.
Some texts are headings, labels of buttons, or several of these run together; some have "&nbsp;"
written out, or two spaces where a link was.
"""

import html
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

LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"


class EcdcTM(Recipe):
    title = "ECDC Translation Memory (ECDC-TM)"
    homepage = (
        "https://joint-research-centre.ec.europa.eu/language-technology-resources/"
        "ecdc-translation-memory_en"
    )
    license = "CC-BY-4.0"
    citation = "Steinberger et al., 2014, Language Resources and Evaluation 48(4):679-707"
    figure_label = "ECDC-TM"
    access = Access.OPEN
    redistribution = Redistribution.YES
    llm_api = LlmApi.ALLOWED
    manual_download_instructions = (
        "Download ECDC-TM.zip from the homepage and put it here; it is read as it is."
    )
    files = raw.xml("ECDC-TM.zip!*ECDC.tmx", roots=("tmx",))
    deviations = (
        (
            "Built from the owners' file, because the three files of Super-NaturalInstructions "
            "that MedS-Ins took were made from it with fewer sentences, and no longer tell which "
            "ones belong together."
        ),
        "Entities such as '&nbsp;' and runs of spaces are one space, because they are no text.",
        (
            "Train and test are drawn by the English sentence, for all three tasks together, "
            "because what is translated into English in one is translated from it in others."
        ),
    )

    en_sv_translation = Task(
        legacy_id="task19",
        category=Category.TRANSLATION,
        domain=Domain.MEDICAL_KNOWLEDGE_BASES,
        languages=("en", "sv"),
        definition=(
            "Translate this text from the website of the European agency for infectious diseases "
            "from English into Swedish. It may be a sentence about a disease, its prevention or "
            "the agency's own work, or only a heading or a label. Use the terms of Swedish health "
            "authorities, keep all figures, names and abbreviations that are not translated as a "
            "rule, and write nothing but the Swedish text."
        ),
    )
    en_de_translation = Task(
        legacy_id="task20",
        category=Category.TRANSLATION,
        domain=Domain.MEDICAL_KNOWLEDGE_BASES,
        languages=("en", "de"),
        definition=(
            "You are given a piece of text in English, published by the European agency that "
            "watches over infectious diseases: a full sentence, an item of a list or a title. Put "
            "it into German as an official translator would, with the usual German names of "
            "diseases, germs and institutions, and neither add nor leave out anything. Reply with "
            "the German version alone."
        ),
    )
    fr_en_translation = Task(
        legacy_id="task21",
        category=Category.TRANSLATION,
        domain=Domain.MEDICAL_KNOWLEDGE_BASES,
        languages=("fr", "en"),
        definition=(
            "The following French text comes from the multilingual website of a European public "
            "health agency. Render it in English. A sentence becomes a sentence, a title a title, "
            "and a fragment stays a fragment. Choose the English terms that epidemiologists and "
            "health authorities use. Give only the translation."
        ),
    )

    def records(self, files: Sequence[raw.RawFile], split: str) -> Iterator[Element]:
        """Yield the translation units."""
        del split
        for document in self.read(files):
            yield from document.iter("tu")

    def instances(self, record: Element) -> Examples:
        said = {}
        for version in record.iter("tuv"):
            language = version.get(LANGUAGE, "").lower()
            said[language] = text.one_line(html.unescape(version.findtext("seg", "")))
        for task in self.tasks.values():
            given, wanted = said.get(task.input_language), said.get(task.output_language)
            if not given or not wanted:
                yield self.skip("one of the two languages is missing")
                continue
            yield task(
                input=given,
                output=wanted,
                key=record.get("tuid", ""),
                group=said["en"].casefold(),
            )
