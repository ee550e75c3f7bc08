"""What reading and writing needs everywhere, each once.

files.py     files that appear whole or not at all
locks.py     one process at a time
retries.py   when something is tried again
progress.py  progress bars
logs.py      the log, and who sees it
lazy.py      packages whose public names are imported when they are first used
"""
