"""`push`: a finished build goes to a Hub, as far as it may, and only what is not there yet."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from medsins.builds.folder import MANIFEST, BuildFolder
from medsins.builds.verifying import verify
from medsins.errors import AccessError, BuildConflictError, HubError
from medsins.hub.connection import (
    DATASET,
    MAIN,
    Hub,
    RepositoryMissingError,
    check_name,
    endpoint_of,
    quiet,
)
from medsins.hub.upload_plan import (
    Changes,
    Item,
    check_sources,
    difference,
    manifest_of,
    subset,
    upload_items,
)
from medsins.io.logs import logger
from medsins.io.version import __version__
from medsins.policy.decisions import ENDPOINT_ADVICE, Verdict, admitted, publication

if TYPE_CHECKING:
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete
    from huggingface_hub.hf_api import RepoFile

_LOG = logger("hub")
_SHARDS_A_COMMIT = 50
"""The Hub advises 50 to 100 files; smaller commits lose less when one fails."""


@dataclass(frozen=True)
class PushResult:
    """What became of a push.

    Attributes:
        repo_id: The repository.
        endpoint: The Hub that it is on.
        revision: The branch or the pull request; "" after a dry run. A pull request is opened
            only if something has to change, else this is "main".
        commit: The commit that holds the build; "" after a dry run.
        uploaded: Files that were sent; after a dry run, the shards that are allowed.
        deleted: Files of an earlier build that were removed.
        unchanged: Files that lay there already.
        bytes: Total size of what was uploaded, before the Hub's own deduplication.
        verdicts: What was decided for every task of the build.
        left_out: Tasks that stayed here.
        dry_run: Whether nothing was sent.
        refusal: Why a push would be refused as a whole; only a dry run has it.
    """

    repo_id: str
    endpoint: str
    revision: str = ""
    commit: str = ""
    uploaded: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    bytes: int = 0
    verdicts: tuple[Verdict, ...] = ()
    left_out: tuple[str, ...] = ()
    dry_run: bool = False
    refusal: str = ""

    @property
    def url(self) -> str:
        """Where people look at the repository."""
        return f"{self.endpoint}/datasets/{self.repo_id}"


def push(
    path: str | os.PathLike[str],
    repo_id: str,
    *,
    private: bool = True,
    revision: str | None = None,
    create_pr: bool = False,
    dry_run: bool = False,
    only_redistributable: bool = False,
    endpoint: str | None = None,
    endpoint_covered_by: str = "",
    token: str | None = None,
    message: str | None = None,
) -> PushResult:
    """Push a finished build to a dataset repository of a Hugging Face Hub.

    Only files that differ are sent, and shards that the build no longer has are removed; what else
    lies in the repository stays. The manifest goes last: a repository has one if, and only if, the
    build there is whole. If the process is killed, the same call sends the rest.

    What may not be passed on never leaves, private repositories included, except to this machine
    or to an endpoint that an agreement covers. Rejects and the state of a build never leave.

    Args:
        path: The build folder.
        repo_id: The repository as "owner/name"; it is made if there is none.
        private: Whether it is private. Who sees a repository that is there is never changed; if
            it is not as said here, nothing is sent.
        revision: Branch to push to, made if there is none, or "refs/pr/7"; default: "main".
        create_pr: Open a pull request instead.
        dry_run: Only decide what is allowed; neither the network nor a token is used.
        only_redistributable: Leave out the sources that may not be passed on, instead of refusing.
        endpoint: Address of the Hub; default: `$HF_ENDPOINT`, else https://huggingface.co.
        endpoint_covered_by: Name of the agreement under which the endpoint may hold restricted
            data.
        token: Token of the Hub; default: `$HF_TOKEN`, else what `hf auth login` stored.
        message: Title of the commit.

    Raises:
        IncompleteBuildError: The folder holds no finished build, or an empty one.
        CorruptBuildError: The build is not what its manifest says.
        AccessError: It holds what may not be passed on.
        BuildConflictError: It is being built into.
        HubError: No token, no right, no such repository, or no way to reach it.
        ValueError: Arguments exclude each other.
    """
    if create_pr and revision not in (None, MAIN):
        raise ValueError("a new pull request starts from main: give create_pr or revision.")
    address = endpoint_of(endpoint)
    check_name(repo_id)
    folder = BuildFolder(path)
    manifest = manifest_of(folder)
    verdicts = publication(manifest, endpoint=address, covered_by=endpoint_covered_by)
    left_out = tuple(one.task for one in verdicts if not one.allowed)
    decided = PushResult(
        repo_id, address, verdicts=tuple(verdicts), left_out=left_out, dry_run=dry_run
    )
    try:
        tasks = admitted(
            verdicts,
            leave_out=only_redistributable,
            action="be pushed",
            advice=ENDPOINT_ADVICE.format(flag="--only-redistributable"),
        )
    except AccessError as error:
        if dry_run:
            return replace(decided, refusal=str(error))
        raise
    travelling = subset(folder, manifest, tasks)
    paths = tuple(shard.path for shard in travelling.shards)
    if dry_run:
        size = sum(shard.bytes for shard in travelling.shards)
        return replace(decided, uploaded=paths, bytes=size)
    hub = Hub(address, token, needs_token=True)
    is_there = _is_there(hub, repo_id, private)
    verify(folder.path)
    check_sources(folder, manifest)
    items = upload_items(folder, manifest, travelling)
    if folder.finished() != manifest:
        raise BuildConflictError(
            f"{folder.path} was built into while it was being read. Push it when that is done."
        )
    if not is_there:
        _create(hub, repo_id, private)
    branch = _branch(hub, repo_id, revision)
    sent = {shard.task for shard in travelling.shards}
    title = message or f"Push {len(sent)} tasks with medsins {__version__}"
    delivery = _Delivery(hub, repo_id, branch, items, title, create_pr)
    with quiet():
        delivery.run()
    skipped = len(items) - len(delivery.uploaded)
    _LOG.info(
        "pushed %s: %d files uploaded, %d were there", repo_id, len(delivery.uploaded), skipped
    )
    return replace(
        decided,
        revision=delivery.branch,
        commit=delivery.commit,
        uploaded=tuple(delivery.uploaded),
        deleted=tuple(delivery.deleted),
        unchanged=tuple(item.path for item in items if item.path not in delivery.uploaded),
        bytes=sum(item.size for item in items if item.path in delivery.uploaded),
    )


def _is_there(hub: Hub, repo_id: str, private: bool) -> bool:
    """Return whether the repository exists; refuse if it is not what the user thinks it is."""
    doing = f"read {repo_id}"
    try:
        found = hub.call(doing, lambda: hub.api.repo_info(repo_id, repo_type=DATASET))
    except RepositoryMissingError:
        for kind in ("model", "space"):
            try:
                hub.call(doing, partial(hub.api.repo_info, repo_id, repo_type=kind))
            except RepositoryMissingError:
                continue
            raise HubError(
                f"{repo_id} at {hub.endpoint} is a {kind}, not a dataset. Choose another name."
            ) from None
        return False
    if bool(found.private) != private:
        state, wanted = ("private", "public") if found.private else ("public", "private")
        raise HubError(
            f"{repo_id} at {hub.endpoint} is {state}, and --{wanted} was asked for (private is the "
            f"default). Say --{state}, or change who sees it in its settings there."
        )
    return True


def _create(hub: Hub, repo_id: str, private: bool) -> None:
    owner = repo_id.split("/")[0]
    hub.call(
        # A repository of others that this token may not see cannot be told from none.
        f"make {repo_id}, which is not there or not to be seen, in the name of {owner}",
        lambda: hub.api.create_repo(repo_id, repo_type=DATASET, private=private, exist_ok=True),
    )


def _branch(hub: Hub, repo_id: str, revision: str | None) -> str:
    """Return the branch to push to; make it if there is none."""
    if revision is None or revision == MAIN:
        return MAIN
    refs = hub.call(
        f"read {repo_id}",
        lambda: hub.api.list_repo_refs(repo_id, repo_type=DATASET, include_pull_requests=True),
    )
    requests = {ref.ref for ref in refs.pull_requests or ()}
    if revision in requests | {ref.name for ref in refs.branches}:
        return revision
    if revision in {ref.name for ref in refs.tags} or re.fullmatch("[0-9a-f]{40}", revision):
        raise HubError(f"{revision} of {repo_id} is a tag or a commit. Name a branch to push to.")
    if revision.startswith("refs/"):
        raise HubError(f"{repo_id} has no {revision}. Name a branch, or use --create-pr.")
    hub.call(
        f"make the branch {revision} of {repo_id}",
        lambda: hub.api.create_branch(repo_id, branch=revision, repo_type=DATASET, exist_ok=True),
    )
    return revision


class _Delivery:
    """Commits that bring a repository from what it holds to what it should hold.

    Every step looks at the repository first. So it does not matter whether an earlier step, of
    this process or of one that was killed, did what it should and only the answer was lost.
    """

    def __init__(
        self,
        hub: Hub,
        repo_id: str,
        branch: str,
        items: Sequence[Item],
        message: str,
        create_pr: bool,
    ) -> None:
        self.branch = branch
        self.commit = ""
        self.uploaded: list[str] = []
        self.deleted: list[str] = []
        self._hub, self._repo_id, self._items = hub, repo_id, items
        self._message = message
        self._commits = 0
        self._sent: Changes | None = None
        self._answered = False
        self._refusal: Exception | None = None
        self._opening = create_pr
        self._before: set[str] | None = None

    def run(self) -> None:
        """Commit until the repository holds what it should, which the last look confirms."""
        while self._hub.call(f"write to {self._repo_id}", self._step):
            pass

    def _step(self) -> bool:
        """Look at the repository and commit what is next; return False if nothing is left."""
        if self._opening:
            self._find_request()
        head, remote = self._hub.look(self._repo_id, self.branch)
        changes = difference(self._items, remote)
        self._settle(changes)
        if not changes.paths:
            self.commit = head
            return False
        batch = changes.first(_SHARDS_A_COMMIT)
        self._send(batch, head, remote, last=batch is changes)
        return True

    def _settle(self, changes: Changes) -> None:
        """Account for the commit before, now that the repository shows whether it happened."""
        if self._sent is None:
            return
        open_still = self._sent.paths & changes.paths
        if not open_still:
            self.uploaded += [item.path for item in (*self._sent.shards, *self._sent.texts)]
            self.deleted += self._sent.gone
            self._commits += 1
        elif self._refusal is not None:
            raise self._refusal
        elif self._answered:
            raise HubError(
                f"{len(open_still)} files did not arrive in {self._repo_id} as they were sent, "
                f"{min(open_still)} among them. Did the build change meanwhile, or does a "
                ".gitignore there hold them back? Run the same command again."
            )
        self._sent = None

    def _send(self, batch: Changes, head: str, remote: dict[str, RepoFile], *, last: bool) -> None:
        from huggingface_hub.errors import HfHubHTTPError

        sizes = len(batch.shards) + len(batch.texts), len(batch.gone)
        _LOG.info("commit to %s: %d files to upload, %d to delete", self._repo_id, *sizes)
        part = "" if last and not self._commits else f" (part {self._commits + 1})"
        self._sent, self._answered, self._refusal = batch, False, None
        try:
            done = self._hub.api.create_commit(
                self._repo_id,
                self._operations(batch, remote, last=last),
                commit_message=f"{self._message}{part}",
                repo_type=DATASET,
                revision=self.branch,
                create_pr=self._opening,
                parent_commit=head,
            )
        except ValueError as error:
            # The client library has one exception for both, without a field that tells them apart.
            if "README.md" in str(error):
                raise HubError(
                    f"{self._hub.endpoint} refuses the dataset card: "
                    f"{self._hub.quote(str(error))} Mend the README.md of the build."
                ) from None
            # Old clients stumble over the answer of a Hub that HF_ENDPOINT does not name.
            self._refusal = error
            return
        except HfHubHTTPError as error:
            if error.response is None or error.response.status_code != 412:
                raise
            # It may have been our own commit, whose answer was lost: the next look tells.
            self._refusal = HubError(
                f"{self._repo_id} was changed by someone else during the push (412). Look at its "
                "latest commit; then run the same command again."
            )
            return
        self._answered = True
        if self._opening and done.pr_revision:
            self.branch, self._opening = done.pr_revision, False

    def _operations(
        self, batch: Changes, remote: dict[str, RepoFile], *, last: bool
    ) -> list[CommitOperationAdd | CommitOperationDelete]:
        from huggingface_hub import CommitOperationAdd, CommitOperationDelete

        gone = list(batch.gone)
        if not last and MANIFEST in remote:
            # From here on, until the last commit, the repository holds no whole build.
            gone.append(MANIFEST)
        return [
            *(CommitOperationDelete(path, is_folder=False) for path in gone),
            *(CommitOperationAdd(i.path, i.source) for i in (*batch.shards, *batch.texts)),
        ]

    def _find_request(self) -> None:
        """Find the pull request that was opened although no answer said so."""
        refs = self._hub.api.list_repo_refs(
            self._repo_id, repo_type=DATASET, include_pull_requests=True
        )
        there = {ref.ref for ref in refs.pull_requests or ()}
        if self._before is None:
            self._before = there
        for ref in there - self._before:
            _, remote = self._hub.look(self._repo_id, ref)
            if self._sent and not self._sent.paths & difference(self._items, remote).paths:
                self.branch, self._opening = ref, False
                return
