"""What reading and writing needs everywhere, each once.

files.py       files that appear whole or not at all
locks.py       one process at a time
logs.py        the loggers below `medsins`, quiet unless asked
progress.py    progress bars, on terminals only
retries.py     how long to wait before something is tried again
lazy.py        packages whose names are imported when they are first used
structured.py  dataclasses out of JSON, checked field by field
version.py     the version of this library
"""
