"""BC2GM: sentences of MEDLINE abstracts with every gene and protein marked.

Raw layout (the owners' bc2GMtrain_1.1.tar.gz and bc2GMtest_1.0.tar.gz, as unpacked; formats from
the task page of BioCreative II and from the alt_eval.perl that the owners ship): `train.in` and
`test.in` have a sentence a line, after its identifier and a space. `GENE.eval` beside them has a
line `identifier|start end|name` for each gene or protein; offsets leave spaces out, and the end is
inclusive. `ALTGENE.eval` has, in the same form, names with other boundaries that count as right as
well. A few sentences have "&lt;" and the like for the character.
"""

import html
from functools import cached_property

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


class BC2GM(Recipe):
    title = "BioCreative II gene mention corpus (BC2GM)"
    homepage = (
        "https://biocreative.bioinformatics.udel.edu/resources/corpora/biocreative-ii-corpus/"
    )
    license = "public-domain"
    citation = (
        "Smith et al., 2008, Genome Biology 9(S2):S2; Tanabe et al., 2005, BMC Bioinformatics "
        "6(S1):S3"
    )
    figure_label = "BC2GM"
    access = Access.OPEN
    redistribution = Redistribution.YES
    llm_api = LlmApi.ALLOWED
    manual_download_instructions = (
        "Download bc2GMtrain_1.1.tar.gz and bc2GMtest_1.0.tar.gz from the homepage and unpack both "
        "here. train.in and test.in, each with GENE.eval and ALTGENE.eval beside it, may lie in "
        "the folders of the archives (bc2geneMention/train, BC2GM/test) or in others."
    )
    files = raw.lines(train="**/train.in", test="**/test.in")
    lookups = {
        "genes": raw.lines("**/GENE.eval"),
        "alternatives": raw.lines("**/ALTGENE.eval"),
    }
    deviations = (
        (
            "Built from the owners' files, because task1481 of Super-NaturalInstructions, from "
            "which MedS-Ins took 955 sentences, has few of them and lost the official splits. "
            "Here are all sentences that name a gene or protein, not tokenised."
        ),
        (
            "Every name in the sentence is accepted, and every other boundary that the owners "
            "accept for one, because any of them is right; the published task knows one name."
        ),
    )

    gene_extraction = Task(
        legacy_id="task31",
        category=Category.NAMED_ENTITY_RECOGNITION,
        domain=Domain.ACADEMIC_PAPERS,
        published_domain=Domain.MEDICAL_KNOWLEDGE_BASES,
        published_count=955,
        definition=(
            "Here is a sentence from a biomedical abstract in which at least one gene or gene "
            "product occurs: a gene, a protein, an enzyme, a receptor, an antibody, an RNA or a "
            "family of these. Quote the name of one of them from the sentence, with the words "
            "that belong to it, such as 'human' or 'gene', and do not change a character. Give "
            "one name even if there are more, and no explanation."
        ),
        must_include=(
            "one of|any one|single|just one|only one|one name|several|more than one|one gene",
        ),
        ignored_constraints=("human", "gene"),
    )

    def instances(self, record: str) -> Examples:
        key, _, sentence = record.partition(" ")
        names = [html.unescape(name) for name in self._names.get(key, ())]
        if not names:
            yield self.skip("no gene in the sentence")
            return
        sentence = html.unescape(sentence)
        if any(name not in sentence for name in names):
            raise raw.RecordError("a marked name is not in its sentence", field="GENE.eval")
        yield self.gene_extraction(
            input=sentence, output=names[0], references=text.distinct(names), key=key
        )

    @cached_property
    def _names(self) -> dict[str, list[str]]:
        """Names by sentence: the genes in their order, and then what else is accepted."""
        names: dict[str, list[str]] = {}
        for kind in self.lookups:
            marks = [line.split("|", 2) for line in self.lookup(kind) if line]
            for key, _, name in sorted(marks, key=lambda mark: int(mark[1].split()[0])):
                names.setdefault(key, []).append(name)
        return names
