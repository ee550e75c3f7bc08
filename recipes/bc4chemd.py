"""BC4CHEMD: sentences of PubMed abstracts with every chemical marked.

The corpus is CHEMDNER of BioCreative IV, in the tokenised form in which it is passed on. Raw
layout (github.com/cambridgeltl/MTL-Bioinformatics-2016, folder data/BC4CHEMD, and the data loaders
of github.com/dmis-lab/biobert): one token a line, a tab and its tag; a blank line after each
sentence. Every punctuation mark is a token of its own. Tags are B-Chemical, I-Chemical and O in
the first copy, and B, I and O in the second. The splits are those of BioCreative IV.
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


class BC4CHEMD(Recipe):
    title = "BC4CHEMD (CHEMDNER)"
    homepage = "https://github.com/cambridgeltl/MTL-Bioinformatics-2016"
    license = "unknown"
    citation = (
        "Krallinger et al., 2015, Journal of Cheminformatics 7(S1):S2; Crichton et al., 2017, BMC "
        "Bioinformatics 18:368"
    )
    figure_label = "BC4-Chem"
    access = Access.OPEN
    # The owners of the tokenised copy could not find out whether it may be passed on.
    redistribution = Redistribution.NO
    llm_api = LlmApi.ALLOWED
    manual_download_instructions = (
        "Take the folder BC4CHEMD, with train.tsv, devel.tsv and test.tsv, from the folder data/ "
        "of github.com/cambridgeltl/MTL-Bioinformatics-2016, or from the archive of datasets for "
        "named entity recognition (NERdata.zip) that the readme of github.com/dmis-lab/biobert "
        "links to, and put it here."
    )
    files = raw.conll(
        train="BC4CHEMD/train.tsv",
        validation="BC4CHEMD/devel.tsv",
        test="BC4CHEMD/test.tsv",
    )
    deviations = (
        (
            "All sentences of the official train file are training data, because nothing is "
            "tested on the tenth of them that MedS-Ins leaves out."
        ),
    )

    chemical_ner = Task(
        legacy_id="task125",
        benchmark_id="task125",
        category=Category.NAMED_ENTITY_RECOGNITION,
        domain=Domain.ACADEMIC_PAPERS,
        published_domain=Domain.MEDICAL_KNOWLEDGE_BASES,
        metric="f1",
        definition=(
            "Read a sentence from the abstract or title of a paper in chemistry, pharmacology or "
            "a related field. Write down every mention of a chemical in it: systematic and trivial "
            "names, brand names, formulas, abbreviations, identifiers and families of compounds. "
            "Keep to the order of the sentence and repeat what is mentioned again. Take each "
            "mention over letter for letter, but set every punctuation mark inside it, hyphens "
            "and brackets included, apart by blanks. Separate the mentions by a comma and a blank "
            "and close the list with a full stop. If the sentence has no chemical, your whole "
            f"answer is this text, misspelt as it is: {text.NO_ENTITY}"
        ),
        must_include=(
            text.NO_ENTITY,
            "order|sequence|as they appear|first to last",
            "full stop|period|'.'",
            "punctuation",
        ),
    )

    def instances(self, record: raw.Sentence) -> Examples:
        yield self.chemical_ner(
            input=text.join_tokens(record.tokens),
            output=text.entity_list(tokens for _, tokens in record.entities()),
        )
