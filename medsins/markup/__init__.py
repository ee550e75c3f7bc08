"""Markup, escaped by construction.

html.py      HTML and SVG elements
markdown.py  Markdown: tables, lists, plain text
svg.py       whole pictures
"""
