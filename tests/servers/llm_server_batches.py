"""The Files and Batch endpoints of the test server.

A batch ends after a number of polls that the script names, and its lines are answered then: in
any order, some with an error, some not at all. Files and batches lie in the state folder, so that
a server that starts again knows them.
"""

from __future__ import annotations

import json
import random
import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from llm_server_faults import error_body, identity_of
from llm_server_wire import CHAT, Answer, Request, json_answer, uploaded

ENDS = ("completed", "expired", "failed", "cancelled")
MOST_BYTES = 200 * 10**6
MOST_LINES = 50_000

_DONE = (*ENDS, "cancelling")
_PATH = re.compile(r"/v1/(files|batches)(?:/([\w-]+))?(?:/(content|cancel))?")

LineAnswer = Callable[[dict[str, Any], str, str | None], tuple[int, dict[str, Any], dict[str, Any]]]
"""Answers the body of a line with its custom id and fault: status, body, and a note for the log."""


class Batches:
    """The files and batches of a server.

    Args:
        script: Its `batch` has `polls`, `end` or `ends`, `partial`.
        folder: Where they are kept.
        line_fault: Draws attempt and fault of a line by its identity.
        answer: Answers a line.
    """

    def __init__(
        self,
        script: Mapping[str, Any],
        folder: Path,
        line_fault: Callable[[str], tuple[int, str | None]],
        answer: LineAnswer,
    ) -> None:
        self._script: dict[str, Any] = dict(script.get("batch", {}))
        ends = self._script.get("ends", [self._script.get("end", "completed")])
        for end in ends:
            if end not in ENDS:
                raise ValueError(f"a batch cannot end as {end!r}")
        self._ends: list[str] = ends
        self._seed = script.get("seed", 0)
        self._folder = folder
        self._line_fault = line_fault
        self._answer = answer
        self._state: dict[str, dict[str, Any]] = {"files": {}, "batches": {}}
        (folder / "files").mkdir(parents=True, exist_ok=True)
        kept = folder / "batches.json"
        if kept.exists():
            self._state = json.loads(kept.read_text(encoding="utf-8"))

    def handle(self, request: Request) -> tuple[Answer, list[dict[str, Any]]] | None:
        """Answer a request for files or batches; None if it is for something else.

        Returns:
            The answer, and what the log says of each line that was answered on this occasion.
        """
        match = _PATH.fullmatch(request.path)
        if not match:
            return None
        what, name, action = match.groups()
        if name and name not in self._state[what]:
            kind = "File" if what == "files" else "Batch"
            message = f"No such {kind} object: {name}"
            return json_answer(404, error_body(message, param="id")), []
        lines: list[dict[str, Any]] = []
        match (what, request.method, bool(name), action):
            case ("files", "POST", False, None):
                answer = self._upload(request)
            case ("files", "GET", False, None) | ("batches", "GET", False, None):
                answer = self._listed(what, request.query)
            case ("files", "GET", True, None):
                answer = json_answer(200, self._state[what][name])
            case ("files", "GET", True, "content"):
                answer = Answer(200, self._file(name).read_bytes())
                answer.content_type = "application/octet-stream"
            case ("files", "DELETE", True, None):
                self._file(name).unlink()
                del self._state["files"][name]
                answer = json_answer(200, {"id": name, "object": "file", "deleted": True})
            case ("batches", "POST", False, None):
                answer = self._create(request)
            case ("batches", "GET", True, None):
                lines = self._poll(self._state[what][name])
                answer = self._shown(name)
            case ("batches", "POST", True, "cancel"):
                batch = self._state[what][name]
                if batch["status"] not in _DONE:
                    batch["status"] = "cancelling"
                    batch["cancelling_at"] = int(time.time())
                answer = self._shown(name)
            case _:
                message = f"Not allowed to {request.method} on {request.path}."
                return json_answer(405, error_body(message)), []
        self._keep()
        return answer, lines

    def _keep(self) -> None:
        temporary = self._folder / "batches.json.part"
        temporary.write_text(json.dumps(self._state), encoding="utf-8")
        temporary.replace(self._folder / "batches.json")

    def _file(self, name: str) -> Path:
        return self._folder / "files" / name

    def _shown(self, name: str) -> Answer:
        """Return a batch without what only the server knows of it."""
        batch = self._state["batches"][name]
        return json_answer(200, {k: v for k, v in batch.items() if not k.startswith("_")})

    def _listed(self, what: str, query: Mapping[str, str]) -> Answer:
        every = [json.loads(json.dumps(one)) for one in self._state[what].values()][::-1]
        names = [one["id"] for one in every]
        start = names.index(query["after"]) + 1 if query.get("after") in names else 0
        stop = start + int(query.get("limit", "20"))
        page = [
            {k: v for k, v in one.items() if not k.startswith("_")} for one in every[start:stop]
        ]
        return json_answer(200, {"object": "list", "data": page, "has_more": stop < len(every)})

    # --- files -----------------------------------------------------------------------------------

    def _upload(self, request: Request) -> Answer:
        fields = uploaded(request)
        if "file" not in fields or "purpose" not in fields:
            missing = "file" if "file" not in fields else "purpose"
            message = f"'{missing}' is a required property"
            return json_answer(400, error_body(message, param=missing))
        filename, content = fields["file"]
        if len(content) > MOST_BYTES:
            message = f"File is too large. The maximum size is {MOST_BYTES} bytes."
            return json_answer(413, error_body(message))
        return json_answer(200, self._store(filename, content, fields["purpose"][1].decode()))

    def _store(self, filename: str, content: bytes, purpose: str) -> dict[str, Any]:
        name = f"file-{len(self._state['files']) + 1:06d}{random.randbytes(4).hex()}"
        self._file(name).write_bytes(content)
        stored = {
            "id": name, "object": "file", "bytes": len(content), "created_at": int(time.time()),
            "filename": filename, "purpose": purpose, "status": "processed",
        }  # fmt: skip
        self._state["files"][name] = stored
        return stored

    # --- batches ---------------------------------------------------------------------------------

    def _create(self, request: Request) -> Answer:
        try:
            wanted = json.loads(request.body)
            source = wanted["input_file_id"]
            endpoint, window = wanted["endpoint"], wanted["completion_window"]
        except (ValueError, KeyError, TypeError) as error:
            return json_answer(400, error_body(f"Missing required parameter: {error}."))
        if source not in self._state["files"]:
            return json_answer(404, error_body(f"No such File object: {source}", param="id"))
        if endpoint != CHAT or window != "24h":
            return json_answer(400, error_body(f"Invalid endpoint or window: {endpoint} {window}"))
        now = int(time.time())
        number = len(self._state["batches"])
        name = f"batch_{number + 1:06d}{random.randbytes(4).hex()}"
        moments = (
            "in_progress_at", "finalizing_at", "completed_at", "failed_at", "expired_at",
            "cancelling_at", "cancelled_at",
        )  # fmt: skip
        self._state["batches"][name] = {
            "id": name, "object": "batch", "endpoint": endpoint, "errors": None,
            "input_file_id": source, "completion_window": window, "status": "validating",
            "output_file_id": None, "error_file_id": None, "created_at": now,
            "expires_at": now + 86400, **dict.fromkeys(moments),
            "request_counts": {"total": 0, "completed": 0, "failed": 0},
            "metadata": wanted.get("metadata"), "_polls": 0,
            "_end": self._ends[min(number, len(self._ends) - 1)],
        }  # fmt: skip
        return self._shown(name)

    def _poll(self, batch: dict[str, Any]) -> list[dict[str, Any]]:
        """Take a batch one step further; return what the log says of the lines answered."""
        if batch["status"] in ENDS:
            return []
        batch["_polls"] += 1
        polls = int(self._script.get("polls", 2))
        lines, problems = self._read(batch["input_file_id"])
        batch["request_counts"]["total"] = len(lines)
        if batch["status"] == "cancelling":
            return self._finish(batch, "cancelled", lines)
        if problems and batch["_polls"] > 1:
            batch["errors"] = {"object": "list", "data": problems}
            return self._finish(batch, "failed", [])
        if batch["_polls"] > polls:
            return self._finish(batch, batch["_end"], lines)
        state = "validating"
        if batch["_polls"] > 1:
            state = "finalizing" if batch["_polls"] == polls else "in_progress"
        if state != batch["status"]:
            batch["status"] = state
            batch[f"{state}_at"] = int(time.time())
        return []

    def _read(self, name: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Return the lines of an input file, and what is wrong with them."""
        lines: list[dict[str, Any]] = []
        problems = []
        known: set[str] = set()

        def problem(code: str, message: str, line: int | None) -> None:
            problems.append({"code": code, "message": message, "param": None, "line": line})

        for number, text in enumerate(self._file(name).read_text("utf-8").splitlines(), 1):
            try:
                line = json.loads(text)
                key, method, url, body = (
                    line[k] for k in ("custom_id", "method", "url", "body")
                )  # fmt: skip
            except (ValueError, KeyError, TypeError):
                problem("invalid_json_line", "This line is not parseable as valid JSON.", number)
                continue
            if key in known:
                problem("duplicate_custom_id", f"The custom_id {key} is not unique.", number)
            if method != "POST" or url != CHAT:
                problem("invalid_url", "The URL of the line is not that of the batch.", number)
            if body.get("model") != (lines or [line])[0]["body"].get("model"):
                problem("mismatched_model", "All lines of a batch have one model.", number)
            known.add(key)
            lines.append(line)
        if not lines and not problems:
            problem("empty_file", "The input file is empty.", None)
        if len(lines) > MOST_LINES:
            problem("too_many_tasks", "The input file has too many lines.", None)
        return lines, problems

    def _finish(
        self, batch: dict[str, Any], end: str, lines: list[dict[str, Any]]
    ) -> list[dict[str, Any]]:
        """End a batch and write its files."""
        batch["status"] = end
        batch[f"{end}_at"] = int(time.time())
        if end == "failed":
            if not batch["errors"]:
                message = "Enqueued token limit reached for the model."
                problem = {"code": "token_limit_exceeded", "message": message}
                batch["errors"] = {"object": "list", "data": [{**problem, "param": None}]}
            return []
        rng = random.Random(f"{self._seed}/{batch['id'][:12]}/{len(lines)}")
        order = list(range(len(lines)))
        rng.shuffle(order)
        share = 1.0 if end == "completed" else float(self._script.get("partial", 0.5))
        cut = int(len(order) * share)
        output: list[dict[str, Any]] = []
        errors: list[dict[str, Any]] = []
        notes: list[dict[str, Any]] = []
        for place in order[:cut]:
            line = lines[place]
            key = line["custom_id"]
            identity = identity_of("POST", CHAT, json.dumps(line["body"]).encode())
            attempt, fault = self._line_fault(identity)
            status, body, note = self._answer(line["body"], key, fault)
            said = {"custom_id": key, "identity": identity, "attempt": attempt, "fault": fault}
            notes.append({**said, "status": status, **note})
            if fault == "missing":
                continue
            response = {"status_code": status, "request_id": f"req_{place}", "body": body}
            row = {"id": f"batch_req_{place}", "custom_id": key, "response": response}
            (output if status == 200 else errors).append({**row, "error": None})
        if end == "expired":
            late = {
                "code": "batch_expired",
                "message": "This request could not be executed before the completion window "
                "expired.",
            }
            for place in order[cut:]:
                row = {"id": f"batch_req_{place}", "custom_id": lines[place]["custom_id"]}
                errors.append({**row, "response": None, "error": late})
        for rows, field in ((output, "output_file_id"), (errors, "error_file_id")):
            if rows:
                content = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
                stored = self._store(f"{batch['id']}.jsonl", content.encode(), "batch_output")
                batch[field] = stored["id"]
        counts = batch["request_counts"]
        counts["completed"], counts["failed"] = len(output), len(errors)
        return notes
