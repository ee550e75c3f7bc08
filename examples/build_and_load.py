"""Build two tasks from the synthetic samples, look at them, and check the build.

    python examples/build_and_load.py

With raw files of your own, leave out `sample=True` and say where they lie: `raw="~/raw"`.
"""

import tempfile

import medsins

with tempfile.TemporaryDirectory() as folder:
    result = medsins.build("medqa_mcqa_en meqsum", sample=True, out=folder, progress=False)
    print(result.counts)

    train = medsins.load(folder, split="train")
    row = train[0]
    print(row["definition"], row["input"], row["output"], sep="\n\n")

    facts = result.manifest.recipes["medqa"]
    print(f"{facts.records} records read, skipped: {facts.skipped}")

    print(medsins.verify(folder, progress=False))
