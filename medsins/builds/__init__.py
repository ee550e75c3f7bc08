"""A build folder.

folder.py     its layout, its lock, and how a new build replaces the old one
loading.py    `load`: its rows as `datasets`
verifying.py  `verify`: what lies there is what its manifest says
"""
