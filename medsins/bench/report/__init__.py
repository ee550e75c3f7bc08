"""The report of results files.

leaderboard.py   what it holds, whatever it is written as
page.py          one HTML page; page.css and page.js go into it
task_details.py  what the page says of one task, down to wrong answers
markdown.py      the same tables as Markdown
plots.py         pictures
writing.py       `report`: the files
"""
