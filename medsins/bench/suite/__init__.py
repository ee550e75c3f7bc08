"""Which tasks MedS-Bench has.

tasks.py      its tasks, and what is published of them
families.py   which metrics a task gets
benchmark.py  the benchmark folder: items, and candidates for few-shot examples
"""
