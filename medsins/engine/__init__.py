"""The engine: plan, map, store, in one direction.

plan.py        which raw files, cut into which chunks, and what is done already
mapping.py     the map loop over one chunk
chunks.py      what is mapped of a chunk, as an Arrow file; arrays.py puts columns together
receipts.py    what became of a chunk
duplicates.py  instances that come twice
sharding.py    which instances go into which shard
shards.py      the shards of a task
staging.py     one recipe, from its chunks to its staged shards
local.py       processes that do the jobs; memory.py has their memory
runner.py      `build`
"""
