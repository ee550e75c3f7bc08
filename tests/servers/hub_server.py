"""A small Hub on this machine, for tests: what huggingface_hub and datasets ask of one.

Repositories live in memory; large files come by Git LFS, not by Xet. Faults are scripted: the next
requests to a path fail as said, then all is well again.
"""

from __future__ import annotations

import base64
import fnmatch
import hashlib
import json
import re
import secrets
import socket
import struct
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

ATTRIBUTES = b"*.parquet filter=lfs diff=lfs merge=lfs -text\n"

Action = int | str
"""A status to answer with; "ok": all is well; "drop": no answer; "lost": done, and no answer;
"cut": half of the answer."""


@dataclass(frozen=True)
class Account:
    """Whose token it is, and what it may do."""

    name: str
    may_write: bool = True


@dataclass(frozen=True)
class Entry:
    """A file of a commit."""

    sha256: str
    size: int
    blob: str
    lfs: bool

    def facts(self, path: str) -> dict[str, Any]:
        facts: dict[str, Any] = {"type": "file", "path": path, "size": self.size, "oid": self.blob}
        if self.lfs:
            facts["lfs"] = {"oid": self.sha256, "size": self.size, "pointerSize": 130}
        return facts


Tree = dict[str, Entry]


@dataclass(frozen=True)
class Commit:
    """A commit: what it says, and all files at it."""

    title: str
    tree: Tree
    parent: str = ""


@dataclass
class Repository:
    """A repository, its commits, and where its branches are."""

    private: bool
    commits: dict[str, Commit] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    objects: set[str] = field(default_factory=set)

    def add(self, branch: str, commit: Commit) -> str:
        name = secrets.token_hex(20)
        self.commits[name] = commit
        self.branches[branch] = name
        return name

    def titles(self, branch: str = "main") -> list[str]:
        """Titles of the commits of a branch, the oldest first."""
        found = []
        name = self.branches[branch]
        while name:
            found.append(self.commits[name].title)
            name = self.commits[name].parent
        return found[::-1]


@dataclass
class Fault:
    """What becomes of the next requests of a kind."""

    method: str
    path: str
    actions: list[Action]


class RefusedError(Exception):
    def __init__(self, status: int, message: str, code: str = "", **facts: str) -> None:
        super().__init__(message)
        self.status, self.message, self.code, self.facts = status, message, code, facts


class HubServer:
    """A Hub at `url`, from `with` on.

    Attributes:
        accounts: Accounts by token.
        repositories: Repositories by kind and id: ("dataset", "alice/data").
        blobs: Contents by SHA-256.
        asked: Method, path and status of every request that was answered.
        received: Body of every request, whatever became of it.
        puts: SHA-256 of every large file that arrived.
        before: Called with method and path before a request is answered.
        message: What scripted errors say.
        card_problems: What is wrong with the metadata of a README.md.
        retry_after: After how many seconds to come back, in answers with status 429.
    """

    def __init__(self) -> None:
        self.accounts = {"hf_write": Account("alice"), "hf_read": Account("alice", may_write=False)}
        self.repositories: dict[tuple[str, str], Repository] = {}
        self.blobs: dict[str, bytes] = {}
        self.asked: list[tuple[str, str, int]] = []
        self.received: list[bytes] = []
        self.puts: list[str] = []
        self.before: Callable[[str, str], None] = lambda method, path: None
        self.message = "scripted"
        self.retry_after = "0"
        self.card_problems: list[str] = []
        self.lock = threading.RLock()
        self._faults: list[Fault] = []
        handler = type("BoundHandler", (Handler,), {"hub": self})
        self._server = _Server(("127.0.0.1", 0), handler)
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}"
        serve = self._server.serve_forever
        self._thread = threading.Thread(target=serve, kwargs={"poll_interval": 0.01})

    def __enter__(self) -> HubServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def fail(self, path: str, *actions: Action, method: str = "") -> None:
        """Let the next requests whose path holds a pattern fail, each as one action says."""
        self._faults.append(Fault(method, path, list(actions)))

    def fault_of(self, method: str, path: str) -> Action | None:
        with self.lock:
            for fault in self._faults:
                if fault.actions and fault.method in ("", method) and re.search(fault.path, path):
                    return fault.actions.pop(0)
        return None

    def make(self, repo_id: str, kind: str = "dataset", *, private: bool = True) -> Repository:
        """Make a repository, as a user does on the web site."""
        repository = Repository(private)
        tree = {".gitattributes": self.keep(ATTRIBUTES, lfs=False)}
        repository.add("main", Commit("initial commit", tree))
        self.repositories[kind, repo_id] = repository
        return repository

    def edit(self, repo_id: str, path: str, content: bytes | None) -> None:
        """Commit a small file, or its removal, as a user does on the web site."""
        repository = self.repository(repo_id)
        tree = dict(self.tree(repo_id))
        tree.pop(path, None)
        if content is not None:
            tree[path] = self.keep(content, lfs=False)
        repository.add("main", Commit(f"edit {path}", tree, repository.branches["main"]))

    def keep(self, content: bytes, *, lfs: bool) -> Entry:
        digest = hashlib.sha256(content).hexdigest()
        self.blobs[digest] = content
        blob = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
        return Entry(digest, len(content), blob, lfs)

    def repository(self, repo_id: str) -> Repository:
        return self.repositories["dataset", repo_id]

    def tree(self, repo_id: str, branch: str = "main") -> Tree:
        repository = self.repository(repo_id)
        return repository.commits[repository.branches[branch]].tree

    def files(self, repo_id: str, branch: str = "main") -> dict[str, bytes]:
        """Contents of all files of a branch by path."""
        return {path: self.blobs[one.sha256] for path, one in self.tree(repo_id, branch).items()}


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(
        self, request: socket.socket | tuple[bytes, socket.socket], client_address: Any
    ) -> None:
        # Who is killed hangs up.
        if not isinstance(sys.exc_info()[1], ConnectionError | ValueError):
            super().handle_error(request, client_address)


ROUTES: list[tuple[str, re.Pattern[str], str]] = []


def route(method: str, pattern: str) -> Callable[[Any], Any]:
    def register(function: Any) -> Any:
        ROUTES.append((method, re.compile(pattern), function.__name__))
        return function

    return register


REPO = r"/api/(?P<kind>models|datasets|spaces)/(?P<repo>[^/]+/[^/]+)"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    hub: HubServer

    def log_message(self, format: str, *args: object) -> None:
        pass

    def respond(self) -> None:
        self.query = parse_qs(urlsplit(self.path).query)
        self.place = urlsplit(self.path).path
        self.body = self.read_body()
        self.hub.received.append(self.body)
        self.hub.before(self.command, self.place)
        self.fault = self.hub.fault_of(self.command, self.place)
        try:
            if self.fault == "drop":
                self.hang_up()
            elif isinstance(self.fault, int):
                raise RefusedError(self.fault, self.hub.message)
            else:
                with self.hub.lock:
                    self.find_route()
        except RefusedError as refused:
            headers = {"X-Error-Message": refused.message}
            if refused.code:
                headers["X-Error-Code"] = refused.code
            if refused.status == 429:
                headers["Retry-After"] = self.hub.retry_after
            self.send({"error": refused.message, **refused.facts}, refused.status, headers)

    def do_GET(self) -> None:
        self.respond()

    def do_HEAD(self) -> None:
        self.respond()

    def do_POST(self) -> None:
        self.respond()

    def do_PUT(self) -> None:
        self.respond()

    def read_body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            blocks = []
            while size := int(self.rfile.readline(), 16):
                blocks.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(blocks)
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def hang_up(self) -> None:
        """Cut the connection with a reset."""
        self.close_connection = True
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.connection.close()
        raise ConnectionResetError

    def find_route(self) -> None:
        method = "GET" if self.command == "HEAD" else self.command
        for wanted, pattern, name in ROUTES:
            match = pattern.fullmatch(self.place)
            if wanted == method and match:
                getattr(self, name)(**{k: v and unquote(v) for k, v in match.groupdict().items()})
                return
        raise RefusedError(404, f"nothing at {self.place}")

    def send(self, value: Any, status: int = 200, headers: dict[str, str] | None = None) -> None:
        self.hub.asked.append((self.command, self.place, status))
        if self.fault == "lost":
            self.hang_up()
        content = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.send_response(status)
        for name, text in {"Content-Length": str(len(content)), **(headers or {})}.items():
            self.send_header(name, text)
        self.end_headers()
        if self.command == "HEAD":
            return
        if self.fault == "cut":
            self.wfile.write(content[: len(content) // 2])
            self.wfile.flush()
            self.hang_up()
        self.wfile.write(content)

    @property
    def origin(self) -> str:
        """The address that the client knows this server by."""
        return f"http://{self.headers['Host']}"

    def json(self) -> Any:
        return json.loads(self.body or b"{}")

    def account(self) -> Account | None:
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if token and token not in self.hub.accounts:
            raise RefusedError(401, "Invalid credentials in Authorization header")
        return self.hub.accounts.get(token)

    def repository(self, kind: str, repo: str, *, write: bool = False) -> Repository:
        account = self.account()
        found = self.hub.repositories.get((kind[:-1], repo))
        mine = account is not None and account.name == repo.split("/")[0]
        if found is None or (found.private and not mine):
            raise RefusedError(404 if account else 401, "Repository not found", "RepoNotFound")
        if write and not (mine and account and account.may_write):
            raise RefusedError(403, "you don't have the rights to write to this repository")
        return found

    def commit_at(self, repository: Repository, revision: str) -> tuple[str, Commit]:
        name = repository.branches.get(revision) or repository.tags.get(revision) or revision
        if name not in repository.commits:
            raise RefusedError(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        return name, repository.commits[name]

    @route("GET", "/api/whoami-v2")
    def whoami(self) -> None:
        account = self.account()
        if account is None:
            raise RefusedError(401, "Invalid username or password.")
        self.send({"type": "user", "name": account.name, "orgs": []})

    @route("POST", "/api/validate-yaml")
    def validate_yaml(self) -> None:
        wrong = [{"message": message} for message in self.hub.card_problems]
        self.send({"errors": wrong, "warnings": []}, 400 if wrong else 200)

    @route("POST", "/api/repos/create")
    def create(self) -> None:
        account, wanted = self.account(), self.json()
        if account is None:
            raise RefusedError(401, "Invalid username or password.")
        owner, kind = wanted.get("organization") or account.name, wanted.get("type", "model")
        repo_id = f"{owner}/{wanted['name']}"
        if owner != account.name or not account.may_write:
            raise RefusedError(403, f'no rights to create a {kind} under the namespace "{owner}"')
        page = f"{self.origin}/{kind}s/{repo_id}"
        if (kind, repo_id) in self.hub.repositories:
            raise RefusedError(409, f"You already created this {kind} repo", url=page)
        private = wanted.get("visibility") == "private" or bool(wanted.get("private"))
        self.hub.make(repo_id, kind, private=private)
        self.send({"url": page, "name": repo_id})

    @route("PUT", f"{REPO}/settings")
    def settings(self, kind: str, repo: str) -> None:
        repository, wanted = self.repository(kind, repo, write=True), self.json()
        repository.private = wanted.get("visibility", "private") == "private"
        self.send({})

    @route("GET", f"{REPO}(?:/revision/(?P<revision>[^/]+))?")
    def info(self, kind: str, repo: str, revision: str | None) -> None:
        repository = self.repository(kind, repo)
        name, commit = self.commit_at(repository, revision or "main")
        siblings = [{"rfilename": path} for path in sorted(commit.tree)]
        facts = {"id": repo, "sha": name, "private": repository.private, "siblings": siblings}
        self.send({**facts, "tags": [], "gated": False, "downloads": 0, "likes": 0})

    @route("GET", f"{REPO}/refs")
    def refs(self, kind: str, repo: str) -> None:
        repository = self.repository(kind, repo)

        def listed(names: dict[str, str], prefix: str) -> list[dict[str, str]]:
            return [
                {"name": name, "ref": f"{prefix}{name}", "targetCommit": commit}
                for name, commit in names.items()
            ]

        requests = {k: v for k, v in repository.branches.items() if k.startswith("refs/pr/")}
        branches = {k: v for k, v in repository.branches.items() if k not in requests}
        self.send(
            {
                "branches": listed(branches, "refs/heads/"),
                "tags": listed(repository.tags, "refs/tags/"),
                "converts": [],
                "pullRequests": listed(requests, ""),
            }
        )

    @route("POST", f"{REPO}/branch/(?P<branch>[^/]+)")
    def create_branch(self, kind: str, repo: str, branch: str) -> None:
        repository = self.repository(kind, repo, write=True)
        if branch in repository.branches:
            raise RefusedError(409, "Reference already exists")
        repository.branches[branch] = repository.branches["main"]
        self.send({})

    @route("GET", f"{REPO}/tree/(?P<revision>[^/]+)(?:/(?P<below>.*))?")
    def tree(self, kind: str, repo: str, revision: str, below: str | None) -> None:
        _, commit = self.commit_at(self.repository(kind, repo), revision)
        prefix = f"{below.strip('/')}/" if below else ""
        deep = self.query.get("recursive", ["false"])[0].lower() in ("true", "1")
        rows: dict[str, dict[str, Any]] = {}
        for path, entry in sorted(commit.tree.items()):
            if not path.startswith(prefix):
                continue
            inner = path.removeprefix(prefix).split("/")
            for depth in range(1, len(inner) if deep else min(2, len(inner))):
                folder = prefix + "/".join(inner[:depth])
                oid = hashlib.sha1(folder.encode()).hexdigest()
                rows[folder] = {"type": "directory", "path": folder, "oid": oid, "size": 0}
            if deep or len(inner) == 1:
                rows[path] = entry.facts(path)
        if prefix and not rows:
            raise RefusedError(404, f"{below} does not exist", "EntryNotFound")
        self.send(list(rows.values()))

    @route("POST", f"{REPO}/paths-info/(?P<revision>[^/]+)")
    def paths_info(self, kind: str, repo: str, revision: str) -> None:
        _, commit = self.commit_at(self.repository(kind, repo), revision)
        if "json" in self.headers.get("Content-Type", ""):
            paths = self.json()["paths"]
        else:
            paths = parse_qs(self.body.decode()).get("paths", [])
        rows = []
        for path in paths:
            if path in commit.tree:
                rows.append(commit.tree[path].facts(path))
            elif any(one.startswith(f"{path}/") for one in commit.tree):
                oid = hashlib.sha1(path.encode()).hexdigest()
                rows.append({"type": "directory", "path": path, "oid": oid, "size": 0})
        self.send(rows)

    @route("POST", f"{REPO}/preupload/(?P<revision>[^/]+)")
    def preupload(self, kind: str, repo: str, revision: str) -> None:
        repository = self.repository(kind, repo, write="create_pr" not in self.query)
        _, commit = self.commit_at(repository, revision)
        ignored = (
            self.hub.blobs[commit.tree[".gitignore"].sha256].decode().split()
            if (".gitignore" in commit.tree)
            else []
        )
        answers = []
        for file in self.json()["files"]:
            path = file["path"]
            old = commit.tree.get(path)
            lfs = path.endswith(".parquet") or file["size"] > 10 << 20
            answers.append(
                {
                    "path": path,
                    "uploadMode": "lfs" if lfs else "regular",
                    "shouldIgnore": any(fnmatch.fnmatch(path, pattern) for pattern in ignored),
                    "oid": None if old is None else old.sha256 if old.lfs else old.blob,
                }
            )
        self.send({"files": answers})

    @route("POST", "/(?P<kind>datasets)/(?P<repo>[^/]+/[^/]+).git/info/lfs/objects/batch")
    def batch(self, kind: str, repo: str) -> None:
        repository = self.repository(kind, repo)
        answers = []
        for one in self.json()["objects"]:
            answer = {"oid": one["oid"], "size": one["size"]}
            if one["oid"] not in repository.objects:
                place = f"{self.origin}/lfs/{repo}/{one['oid']}"
                answer["actions"] = {"upload": {"href": place}, "verify": {"href": place}}
            answers.append(answer)
        self.send({"transfer": "basic", "objects": answers})

    @route("PUT", "/lfs/(?P<repo>[^/]+/[^/]+)/(?P<oid>[0-9a-f]{64})")
    def put(self, repo: str, oid: str) -> None:
        assert "Authorization" not in self.headers, "the token went to the storage"
        digest = self.hub.keep(self.body, lfs=True).sha256
        self.hub.puts.append(digest)
        self.send({})

    @route("POST", "/lfs/(?P<repo>[^/]+/[^/]+)/(?P<oid>[0-9a-f]{64})")
    def verify(self, repo: str, oid: str) -> None:
        if oid not in self.hub.blobs:
            raise RefusedError(404, "Object not found")
        self.repository("datasets", repo).objects.add(oid)
        self.send({})

    @route("POST", f"{REPO}/commit/(?P<branch>[^/]+)")
    def commit(self, kind: str, repo: str, branch: str) -> None:
        request = "create_pr" in self.query
        repository = self.repository(kind, repo, write=not request)
        if branch not in repository.branches:
            raise RefusedError(404, f"Invalid rev id: {branch}", "RevisionNotFound")
        head = repository.branches[branch]
        lines = [json.loads(line) for line in self.body.splitlines()]
        header = lines[0]["value"]
        if header.get("parentCommit") not in (None, head):
            raise RefusedError(412, "A commit has happened since.")
        tree = dict(repository.commits[head].tree)
        for line in lines[1:]:
            self.apply(line["key"], line["value"], repository, tree)
        if request:
            number = sum(name.startswith("refs/pr/") for name in repository.branches) + 1
            branch = f"refs/pr/{number}"
        name = repository.add(branch, Commit(header["summary"], tree, head))
        page = f"{self.origin}/datasets/{repo}"
        answer = {"success": True, "commitOid": name, "commitUrl": f"{page}/commit/{name}"}
        if request:
            answer["pullRequestUrl"] = f"{page}/discussions/{number}"
        self.send(answer)

    def apply(self, key: str, value: dict[str, Any], repository: Repository, tree: Tree) -> None:
        path = value["path"]
        if key == "file":
            tree[path] = self.hub.keep(base64.b64decode(value["content"]), lfs=False)
        elif key == "lfsFile":
            if value["oid"] not in repository.objects:
                raise RefusedError(400, f"the LFS file of {path} does not exist")
            tree[path] = self.hub.keep(self.hub.blobs[value["oid"]], lfs=True)
        elif tree.pop(path, None) is None:
            raise RefusedError(404, f"A file with this name doesn't exist: {path}")

    @route("GET", "/datasets/(?P<repo>[^/]+/[^/]+)/resolve/(?P<revision>[^/]+)/(?P<path>.+)")
    def resolve(self, repo: str, revision: str, path: str) -> None:
        name, commit = self.commit_at(self.repository("datasets", repo), revision)
        if path not in commit.tree:
            raise RefusedError(404, "Entry not found", "EntryNotFound")
        entry = commit.tree[path]
        content = self.hub.blobs[entry.sha256]
        headers = {
            "X-Repo-Commit": name,
            "ETag": f'"{entry.sha256 if entry.lfs else entry.blob}"',
            "Accept-Ranges": "bytes",
        }
        status = 200
        bounds = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if bounds:
            first, last = int(bounds[1]), int(bounds[2] or len(content) - 1)
            last = min(last, len(content) - 1)
            headers["Content-Range"] = f"bytes {first}-{last}/{len(content)}"
            content, status = content[first : last + 1], 206
        self.send(content, status, headers)


def decoded(bodies: list[bytes]) -> Iterator[bytes]:
    """Yield all that arrived, and what it holds: files within commits, columns of Parquet."""
    import pyarrow as pa
    from pyarrow import parquet

    for body in bodies:
        yield body
        if body.startswith(b"PAR1"):
            yield json.dumps(parquet.read_table(pa.BufferReader(body)).to_pylist()).encode()
        for match in re.finditer(rb'"content": ?"([A-Za-z0-9+/=]*)"', body):
            yield base64.b64decode(match[1])
