"""An OpenAI-compatible server on loopback that a script makes good, bad or broken.

    with LlmServer({"faults": {"rate": 0.2}}, tmp_path) as server:
        client = AsyncOpenAI(base_url=server.url, api_key=server.api_key, max_retries=0)

It is a real process: `python llm_server.py --port 0 --script FILE --log FILE [--state DIR]` prints
`{"port": N}`. Everything in the script is optional:

- `seed` (0), `api_key` ("sk-test", a list, or null for a server that wants none), `models`
  (["gpt-test"]), `fingerprint`, `idempotent` (an answered `Idempotency-Key` is answered again
  without being billed), `unsupported` (parameters refused with 400, "response_format:json_schema"
  for one type only);
- `latency`: seconds `fixed`, `jitter`, `first` (before the first event of a stream), `event`;
- `faults`: `rate`, `kinds` (`llm_server_faults.RETRYABLE` unless named), `max_consecutive` (3),
  `wait` (0.05 s, what 429s demand), `slow` (0.3 s), `huge_bytes`;
- `at`: faults by number of the request: "7", "7-9" or "7+";
- `limits`: `rpm`, `tpm`, `window` (60 s);
- `brain`: weights of `llm_server_rewrites.KINDS` and `llm_server_brain.FORMS`; `answers` and
  `answer_map` for prompts without a DATA fence: see `llm_server_brain.Brain`;
- `batch`: `polls`, `end` or `ends`, `partial`, `line_errors`, `line_kinds` and so on: see
  `llm_server_batches.Batches`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from llm_server_app import App, entries
from llm_server_wire import CHAT


async def _serve(app: App, port: int, watched: bool) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    tasks: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        await app.connection(reader, writer)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    server = await asyncio.start_server(connected, "127.0.0.1", port, backlog=1024)
    sys.stdout.write(json.dumps({"port": server.sockets[0].getsockname()[1]}) + "\n")
    sys.stdout.flush()
    if watched:
        # The test holds the other end: it closes when the test ends, however that happens.
        loop.add_reader(sys.stdin.fileno(), _until_closed, loop, stop)
    await stop.wait()
    server.close()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _until_closed(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    if not os.read(sys.stdin.fileno(), 1024):
        loop.remove_reader(sys.stdin.fileno())
        stop.set()


def main() -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__, add_help=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--script", type=Path, required=True)
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--state", type=Path)
    parser.add_argument("--watch-stdin", action="store_true", help="stop when stdin closes")
    options = parser.parse_args()
    script = json.loads(options.script.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as temporary:
        if options.state is None:
            options.log.unlink(missing_ok=True)
        state = options.state or Path(temporary)
        app = App(script, options.script.parent, options.log, state)
        asyncio.run(_serve(app, options.port, options.watch_stdin))


class LlmServer:
    """The server as a process, for a test.

    Args:
        script: What it does; see the module.
        folder: Where script, log and state lie; it is made if need be.
    """

    def __init__(self, script: Mapping[str, Any], folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._port = 0
        self._process: subprocess.Popen[str] | None = None
        key = script.get("api_key", "sk-test")
        self.api_key: str = (key if isinstance(key, str) else key[0]) if key else "unused"
        self.write_script(script)

    def write_script(self, script: Mapping[str, Any]) -> None:
        """Change the script; it is read at the next start."""
        text = json.dumps(script, ensure_ascii=False, indent=1)
        (self._folder / "script.json").write_text(text, encoding="utf-8")

    def __enter__(self) -> LlmServer:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()
        said = (self._folder / "stderr.txt").read_text(encoding="utf-8", errors="replace")
        if said.strip() and kind is None:
            raise RuntimeError(f"the test server failed:\n{said}")

    def start(self) -> None:
        """Start the process, on the port that it had before."""
        files = {"--script": "script.json", "--log": "log.jsonl", "--state": "state"}
        options = [text for k, v in files.items() for text in (k, str(self._folder / v))]
        with (self._folder / "stderr.txt").open("ab") as errors:
            self._process = subprocess.Popen(
                [
                    sys.executable, str(Path(__file__)), "--watch-stdin",
                    "--port", str(self._port), *options,
                ],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True,
            )  # fmt: skip
        assert self._process.stdout is not None
        first = self._process.stdout.readline()
        if not first:
            said = (self._folder / "stderr.txt").read_text(encoding="utf-8", errors="replace")
            raise RuntimeError(f"the test server did not start:\n{said}")
        self._port = json.loads(first)["port"]

    def _end(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(number)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for stream in (process.stdin, process.stdout):
            assert stream is not None
            stream.close()

    def stop(self) -> None:
        """End the process in good order."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Kill the process; `start` starts it again with what it has on disk."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Stop and start; port, files, batches and bills stay."""
        self.stop()
        self.start()

    @property
    def url(self) -> str:
        """Base URL for clients."""
        return f"http://127.0.0.1:{self._port}/v1"

    def log(self) -> list[dict[str, Any]]:
        """Return the requests in the order of arrival; see `entries`.

        Besides what the lines have, `body` is the body read as JSON, or None.
        """
        found = entries(self._folder / "log.jsonl")
        for entry in found:
            try:
                entry["body"] = json.loads(entry["raw"])
            except ValueError:
                entry["body"] = None
        return found

    def chats(self) -> list[dict[str, Any]]:
        """Return the requests for completions."""
        return [entry for entry in self.log() if entry["path"] == CHAT]

    @property
    def high_water(self) -> int:
        """Largest number of requests that were under way at once."""
        return max((entry["in_flight"] for entry in self.log()), default=0)

    def bills(self, *, usable: bool = False) -> Counter[str]:
        """Return how often each key was billed: `Idempotency-Key`, custom id, or identity.

        Every answer with choices that arrived whole is billed, a cut or filtered one too.

        Args:
            usable: Count only answers that a client has no reason to ask for again.
        """
        what = "usable" if usable else "billed"
        return Counter(str(one["key"]) for one in self._answered() if one.get(what))

    def _answered(self) -> list[dict[str, Any]]:
        """Return the entries of requests and of lines in batches."""
        return [one for entry in self.log() for one in (entry, *entry.get("lines", ()))]

    def strings(self) -> list[tuple[str, str]]:
        """Return kind and text of every rewrite in every answer, damaged ones included."""
        return [
            pair
            for one in self._answered()
            for pair in zip(one.get("kinds", ()), one.get("texts", ()), strict=True)
        ]


if __name__ == "__main__":
    main()
