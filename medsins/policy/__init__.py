"""What may leave this machine: one decision for every exit, closed by default.

decisions.py  what the sources of a build allow: to publish, to export, to ask a model
personal.py   patient data in definitions and seed prompts
"""
