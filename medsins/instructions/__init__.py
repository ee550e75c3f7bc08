"""What a definition demands of every wording of it.

spec.py         all that is known of a task's definition: `InstructionSpec`
constraints.py  what a wording has to keep: labels, literals, limits, order
filters.py      what is wrong with a wording taken by itself; phrases.toml has the words
phrases.py      those words, compiled
languages.py    the language of a wording
similarity.py   how alike two wordings are
seeds.py        seed prompts on disk
lint.py         checks of the seed prompts of a task
wordings.py     which instructions go with the instances of a task
"""
