"""BC5CDR, chemicals: sentences of PubMed abstracts with every chemical marked.

Raw layout (github.com/cambridgeltl/MTL-Bioinformatics-2016, folder data/BC5CDR-chem-IOB): one
token a line, a tab and its tag (B-Chemical, I-Chemical, O); a blank line after each sentence.
Every punctuation mark is a token of its own. The splits are those of BioCreative V.
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

GITHUB = (
    "https://raw.githubusercontent.com/cambridgeltl/MTL-Bioinformatics-2016/"
    "d62961c5750439aec6396f5703f3a1c03d97ebd3/data/"
)
SHA256 = {
    "BC5CDR-chem-IOB/devel.tsv": "3f1df5cfcff95735663ffc37121fd3687e82b1e9a019bec0480491502652721b",
    "BC5CDR-chem-IOB/test.tsv": "6fce42139a9d819151eff3ab8cb0eda6fbf861fd17d4cfe6be2123f010a3b6c5",
}


class BC5CDRChem(Recipe):
    title = "BC5CDR chemical NER (IOB)"
    homepage = "https://github.com/cambridgeltl/MTL-Bioinformatics-2016"
    license = "CC-BY-4.0"
    citation = "Li et al., 2016, Database, baw068; Crichton et al., 2017, BMC Bioinformatics 18:368"
    figure_label = "BC5-Chem"
    access = Access.OPEN
    redistribution = Redistribution.YES
    llm_api = LlmApi.ALLOWED
    manual_download_instructions = (
        "Take train.tsv from the folder data/BC5CDR-chem-IOB of "
        "github.com/cambridgeltl/MTL-Bioinformatics-2016 and put it in BC5CDR-chem-IOB."
    )
    files = raw.conll(
        train="BC5CDR-chem-IOB/train.tsv",
        validation="BC5CDR-chem-IOB/devel.tsv",
        test="BC5CDR-chem-IOB/test.tsv",
    )
    downloads = tuple(raw.Download(GITHUB + path, path, sha256) for path, sha256 in SHA256.items())
    deviations = (
        (
            "All 4,560 sentences of the official train file are training data, because nothing is "
            "tested on the tenth of them that MedS-Ins leaves out."
        ),
    )

    ner = Task(
        legacy_id="task126",
        benchmark_id="task126",
        category=Category.NAMED_ENTITY_RECOGNITION,
        domain=Domain.ACADEMIC_PAPERS,
        published_domain=Domain.MEDICAL_KNOWLEDGE_BASES,
        published_count=4104,
        metric="f1",
        definition=(
            "You are given one sentence from the title or abstract of a biomedical article. List "
            "all the chemicals and drugs that it names, in the order in which they occur; a name "
            "that occurs twice is listed twice. Copy each name from the sentence, with one blank "
            "before and after every punctuation mark inside it, hyphens and brackets included. "
            "Put a comma and a blank between two names, and a full stop right after the last. If "
            f"no chemical is named, answer with these words, spelt just like this: {text.NO_ENTITY}"
        ),
        must_include=(text.NO_ENTITY, "comma|', '", "full stop|period|'.'", "punctuation"),
    )

    def instances(self, record: raw.Sentence) -> Examples:
        yield self.ner(
            input=text.join_tokens(record.tokens),
            output=text.entity_list(tokens for _, tokens in record.entities()),
        )
