"""Asking models: one client, budget and journal for all that talks to an endpoint.

requests.py  what is asked and what comes back; `Source`, from which transports draw
endpoint.py  where requests go, and with which key
budget.py    caps on money, requests, tokens and time; nothing is sent that could pass them
journal.py   every request and answer, on disk before anything depends on it
online.py    requests in parallel, retried, paced
failures.py  which failures to retry, when, and which end the run
batches.py   OpenAI Batch files
local.py     a Python function in place of an endpoint
calls.py     what a user says of the model, for all of the above
"""
