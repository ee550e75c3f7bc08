"""Self-Instruct: instructions made by a model from seed prompts, held to what the task asks.

masking.py   spans that no rewrite may change, as placeholders
prompts.py   what a model is asked
parsing.py   rewrites out of what it said
pool.py      what a candidate has to pass, and the pool it has to be new in
plan.py      rounds of prompts, judged in their order
running.py   `expand`
writing.py   the folder of expanded instructions
report.py    measures of a set of instructions, ours or the published ones
tally.py     how they are counted
measures.py  variety and repeats, as numbers
"""
