"""What contributors need.

check.py       the contract of recipes
scaffold.py    the three files of a new recipe
task_files.py  task files in the published form, checked and built
raw_files.py   how to get the raw files of a source
"""
