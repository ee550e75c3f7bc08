"""SPECIES-800: sentences of PubMed abstracts with the names of organisms marked.

Raw layout (the loader of the Hugging Face dataset species_800, which reads the archive of
github.com/dmis-lab/biobert): one token a line, a tab and its tag; a blank line after each
sentence. Every punctuation mark is a token of its own. The tags are bare B, I and O there, and
B-LIVB and I-LIVB in another copy of the corpus. That one is a single file without the splits, so
it is not read: it has the sentences that MedS-Bench tests on among the others.

"sp. nov." belongs to the name in some sentences and not in others; it is left as it is.
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


class Species800(Recipe):
    title = "SPECIES-800 (S800)"
    homepage = "https://species.jensenlab.org/"
    license = "unknown"
    citation = "Pafilis et al., 2013, PLoS ONE 8(6):e65390"
    figure_label = "Species-800"
    access = Access.OPEN
    redistribution = Redistribution.DERIVED_ONLY
    llm_api = LlmApi.ALLOWED
    manual_download_instructions = (
        "Follow the link in the readme of github.com/dmis-lab/biobert to the datasets for named "
        "entity recognition (NERdata.zip, Google Drive, no account needed), and put the folder "
        "s800 of the archive, with train.tsv, devel.tsv and test.tsv, here."
    )
    files = raw.conll(train="s800/train.tsv", validation="s800/devel.tsv", test="s800/test.tsv")
    deviations = (
        (
            "All 5,733 sentences of the official train file are training data, because nothing is "
            "tested on the tenth of them that MedS-Ins leaves out."
        ),
    )

    organism_ner = Task(
        legacy_id="task128",
        benchmark_id="task128",
        category=Category.NAMED_ENTITY_RECOGNITION,
        domain=Domain.ACADEMIC_PAPERS,
        published_domain=Domain.MEDICAL_KNOWLEDGE_BASES,
        published_count=5159,
        metric="f1",
        definition=(
            "The input is a sentence from an abstract on bacteria, viruses, fungi, plants, animals "
            "or people. Name all the organisms in it that are identified as a species, or as a "
            "kind of one, by their scientific or common names. Give the names in the order in "
            "which they stand there, each as many times as it stands there, with ', ' between "
            "two of them and '.' after the last. Spell them as the sentence does, except that a "
            "punctuation mark inside a name has a blank before and after it, as in 'E . coli'. "
            "Where there is no organism, reply with the following words and keep their spelling: "
            f"{text.NO_ENTITY}"
        ),
        must_include=(text.NO_ENTITY, "punctuation"),
        ignored_constraints=("E . coli",),
    )

    def instances(self, record: raw.Sentence) -> Examples:
        yield self.organism_ner(
            input=text.join_tokens(record.tokens),
            output=text.entity_list(tokens for _, tokens in record.entities()),
        )
