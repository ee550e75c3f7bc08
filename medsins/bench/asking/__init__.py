"""Asking a model all questions of the benchmark.

prompts.py             what it is asked
record.py              what a run was asked with, on disk
runs.py                `run`: the folder of a run, and asking it all
transformers_model.py  a model on this machine
"""
