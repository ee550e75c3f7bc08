"""Asking models: one client, budget and journal for all that talks to an endpoint.

requests.py  what is asked and what comes back; `Source`, which transports serve
responses.py what a model's response goes through, from bytes to text
endpoint.py  where requests go, and with which key
budget.py    caps on money, requests, tokens and time; nothing is sent that could pass them
ledger.py    what is spent and what is under way, while requests are out
journal.py   every request and answer, on disk before anything depends on it
online.py    requests in parallel, retried, paced
failures.py  which failures to retry, when, and which end the run
batches.py   OpenAI Batch files
local.py     a Python function in place of an endpoint
settings.py  what a user says of the model, for all of the above
"""
