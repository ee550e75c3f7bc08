"""A build folder.

folder.py     its layout and its lock
manifest.py   the facts in `manifest.json`; schemas.py has their JSON Schemas
commit.py     how a new build replaces the old one
loading.py    `load`: its rows as `datasets`
verifying.py  `verify`: whether its files are what the manifest says
"""
