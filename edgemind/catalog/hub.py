"""The Hugging Face hub, for `edgemind models pull` alone: what is there, and its bytes.

Names, sizes and hashes come through huggingface_hub, which knows of mirrors (HF_ENDPOINT), tokens
and proxies. The bytes are fetched by a loop of our own over its connection, since its downloads
start anew in each process and are not held against their hash.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from edgemind.catalog.shelf import CHUNK_BYTES
from edgemind.errors import ConfigError, EdgemindError, ModelError, ModelInvalid, ModelNotFound

PART: Final = ".part"
TRIES: Final = 5
"""So often without a single new byte before it is given up."""
TIMEOUT_SECONDS: Final = 30.0
OK, PARTIAL, TOO_FAR, TOO_MANY = 200, 206, 416, 429


@dataclass(frozen=True, slots=True)
class Remote:
    """A file of a repository. `sha256` where it is large, `sha1` (of git's blob) if not."""

    name: str
    bytes: int
    sha256: str | None
    sha1: str | None


@dataclass(frozen=True, slots=True)
class Listing:
    """A repository at one commit."""

    repo: str
    commit: str
    files: tuple[Remote, ...]


class Cut(ModelError):
    """The connection was cut; what came is kept, and the same call goes on from there."""


class Hub:
    """The hub at `endpoint`, else the one that HF_ENDPOINT names.

    Raises `ConfigError` where huggingface_hub is missing.
    """

    def __init__(
        self, endpoint: str | None = None, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        try:
            import huggingface_hub
            from huggingface_hub import constants, errors, utils
        except ImportError:
            raise ConfigError(
                "fetching models needs huggingface_hub: pip install 'edgemind[pull]'"
            ) from None
        self._library: Any = huggingface_hub
        self._errors: Any = errors
        self._utils: Any = utils
        # The library's own HTTP client's errors, whichever client it is.
        self._failures: tuple[type[Exception], ...] = (errors.HfHubHTTPError.__bases__[0], OSError)
        self._sleep = sleep
        self.endpoint = endpoint or str(constants.ENDPOINT)

    def list(self, repo: str, revision: str | None = None) -> Listing:
        """What is in a repository. Raises `ModelNotFound`, `ModelError`."""
        errors = self._errors
        try:
            api = self._library.HfApi(endpoint=self.endpoint, library_name="edgemind")
            info = api.model_info(repo, revision=revision, files_metadata=True)
        except errors.OfflineModeIsEnabled:
            raise ConfigError("HF_HUB_OFFLINE is set: unset it to fetch a model") from None
        except errors.HFValidationError as error:
            raise ConfigError(f"{repo} is no name of a repository: {_line(error)}") from None
        except errors.GatedRepoError:
            raise ModelError(
                f"{repo} is handed out to those who agreed to its terms: do so at "
                f"{self.endpoint}/{repo}, and set HF_TOKEN"
            ) from None
        except errors.RepositoryNotFoundError:
            raise ModelNotFound(
                f"there is no {repo} at {self.endpoint} (a private one takes HF_TOKEN)"
            ) from None
        except errors.RevisionNotFoundError:
            raise ModelNotFound(f"{repo} has no revision {revision}") from None
        except self._failures as error:
            raise ModelError(f"{self.endpoint} cannot be asked: {_line(error)}") from None
        files = [
            Remote(
                one.rfilename,
                int(one.size or 0),
                one.lfs.sha256 if one.lfs else None,
                one.blob_id if not one.lfs else None,
            )
            for one in info.siblings or ()
        ]
        return Listing(repo, str(info.sha), tuple(checked(file) for file in files))

    def fetch(
        self, listing: Listing, file: Remote, target: Path, tell: Callable[[int], None]
    ) -> None:
        """Bring a file to `target`, which is there only once its hash is right.

        What came before a cut lies beside it, and is where the next call goes on. `tell` is told
        bytes that came or were there. Raises `Cut`, and `ModelInvalid` for a wrong hash, after
        which nothing is left of it.
        """
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(target.name + PART)
        url = self._library.hf_hub_url(
            listing.repo, file.name, revision=listing.commit, endpoint=self.endpoint
        )
        with partial.open("a+b") as to:
            taken = _Taken(file, to, tell)
            tries = 0
            while taken.bytes < file.bytes:
                before, reason = taken.bytes, ""
                try:
                    reason = self._receive(url, taken)
                except self._failures as error:
                    reason = _line(error)
                if taken.bytes >= file.bytes:
                    break
                tries = 0 if taken.bytes > before else tries + 1
                if tries >= TRIES:
                    raise Cut(
                        f"{file.name} was cut off at {taken.bytes:,} of {file.bytes:,} bytes "
                        f"({reason or 'no more came'}): the same command goes on from there"
                    )
                self._sleep(min(30.0, 2.0**tries))
            to.flush()
            os.fsync(to.fileno())
        if not taken.right():
            partial.unlink()
            raise ModelInvalid(
                f"{file.name} came with another hash than {self.endpoint} says: it was removed; "
                "try again, or another mirror"
            )
        os.replace(partial, target)

    def _receive(self, url: str, taken: _Taken) -> str:
        """Take what one answer brings; why it brought nothing, where it did not."""
        headers = dict(self._utils.build_hf_headers(library_name="edgemind"))
        headers["Accept-Encoding"] = "identity"  # the bytes that the hash is of
        if taken.bytes:
            headers["Range"] = f"bytes={taken.bytes}-"
        session = self._utils.get_session()
        with session.stream("GET", url, headers=headers, timeout=TIMEOUT_SECONDS) as answer:
            code = answer.status_code
            if code == OK:
                taken.restart()  # the server gives the whole file only
            elif code == PARTIAL:
                if _start(answer.headers) != taken.bytes:
                    taken.restart()
                    return "the server gave another part"
            elif code == TOO_FAR:
                taken.restart()
                return "the server has a shorter file"
            elif code >= 500 or code == TOO_MANY:
                return f"the server answers {code}"
            else:
                raise _refused(url, code)
            for data in answer.iter_bytes():  # as it comes: a cut loses nothing that came
                taken.add(data)
                if taken.bytes > taken.file.bytes:
                    break  # too much: its hash cannot be right
        return ""


class _Taken:
    """The bytes of a file that are here, with their hash. Starts from what is in `to`."""

    def __init__(self, file: Remote, to: Any, tell: Callable[[int], None]) -> None:
        self.file = file
        self._to = to
        self._tell = tell
        self._begin()
        to.seek(0)
        while data := to.read(CHUNK_BYTES):
            self._seen.update(data)
            self.bytes += len(data)
            tell(len(data))
        if self.bytes > file.bytes:
            self.restart()

    def _begin(self) -> None:
        self.bytes = 0
        if self.file.sha256 is not None:
            self._seen = hashlib.sha256()
        else:
            # git's name for small files: the hash of their length and content
            self._seen = hashlib.sha1(b"blob %d\0" % self.file.bytes, usedforsecurity=False)

    def restart(self) -> None:
        """Forget what came so far."""
        self._tell(-self.bytes)
        self._to.truncate(0)
        self._begin()

    def add(self, data: bytes) -> None:
        """Keep what came."""
        self._to.write(data)
        self._seen.update(data)
        self.bytes += len(data)
        self._tell(len(data))

    def right(self) -> bool:
        """Whether all that came is what the hub announced."""
        announced = self.file.sha256 or self.file.sha1
        return self.bytes == self.file.bytes and self._seen.hexdigest() == announced


def checked(file: Remote) -> Remote:
    """The file, or `ModelInvalid` where its name could lead out of a folder."""
    parts = file.name.split("/")
    if any(part in ("", ".", "..") for part in parts) or "\\" in file.name or ":" in file.name:
        raise ModelInvalid(f"the repository has a file with the name {file.name!r}")
    if not file.name.isprintable():
        raise ModelInvalid("the repository has a file whose name cannot be printed")
    return file


def _start(headers: Mapping[str, str]) -> int | None:
    """Where a part begins that the server gives."""
    unit, _, rest = headers.get("Content-Range", "").partition(" ")
    begin = rest.partition("-")[0]
    return int(begin) if unit == "bytes" and begin.isdecimal() else None


def _refused(url: str, code: int) -> EdgemindError:
    if code in (401, 403):
        return ModelError(f"the server does not hand out {url} ({code}): set HF_TOKEN")
    return ModelError(f"the server answers {code} to {url}")


def _line(error: BaseException) -> str:
    """An error of a library's as one line."""
    return " ".join(str(error).split())[:200] or type(error).__name__
