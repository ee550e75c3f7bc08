"""What reading and writing needs everywhere, each once.

files.py  files that appear whole or not at all
"""
