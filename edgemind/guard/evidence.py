"""What a traced run did with sockets, files and processes, and what of that it may do.

Pure: calls and folders in, findings out. `edgemind.cli.prove` traces and prints.
A finding without a group is one that nothing allows.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, Literal

from edgemind.guard.strace import Call, read_call

Kind = Literal["network", "read", "write", "process", "other"]

SELF_TEST: Final = "the lock's own self-test, refused"
PAIR: Final = "a pair of connected ends inside the program"
OWN: Final = "edgemind's data, cache and config folders"
NAMED: Final = "the model and what was named"
LIBRARY: Final = "the program's own files and the system's libraries"
SYSTEM: Final = "what the system says of itself (/proc, /sys, time zone, language)"
DEVICE: Final = "devices (null, random, terminal)"
COMPILED: Final = "Python's compiled files (__pycache__)"
TEMPORARY: Final = "temporary folders of verifiers"
GONE: Final = "temporary files that the same process removed again"
CHILD: Final = "a locked child of the program"

# Where the paths stand: (index of the folder's descriptor or None, index of the path).
_CHANGES: Final[Mapping[str, tuple[tuple[int | None, int], ...]]] = {
    **dict.fromkeys(
        ("mkdir", "rmdir", "unlink", "truncate", "chmod", "chown", "lchown", "mknod", "utime"),
        ((None, 0),),
    ),
    **dict.fromkeys(("utimes", "setxattr", "lsetxattr", "removexattr"), ((None, 0),)),
    **dict.fromkeys(("mkdirat", "unlinkat", "mknodat", "fchmodat", "fchownat"), ((0, 1),)),
    **dict.fromkeys(("fchmodat2", "utimensat", "futimesat"), ((0, 1),)),
    "rename": ((None, 0), (None, 1)),
    "renameat": ((0, 1), (2, 3)),
    "renameat2": ((0, 1), (2, 3)),
    "link": ((None, 0), (None, 1)),
    "linkat": ((0, 1), (2, 3)),
    "symlink": ((None, 1),),
    "symlinkat": ((1, 2),),
}
_OPENS: Final = {"open": 1, "openat": 2, "openat2": 2}  # where the flags stand
_WRITING: Final = ("O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC")
_REACHING: Final = {"socket", "connect", "bind", "listen", "accept", "accept4", "io_uring_setup"}
_SENDING: Final = {"sendto", "sendmsg", "sendmmsg"}
_FORKS: Final = {"fork", "vfork", "clone", "clone3"}
_EXECS: Final = {"execve", "execveat"}
_ODD: Final = {
    *("mount", "umount", "umount2", "pivot_root", "chroot", "swapon", "swapoff", "acct"),
    *("move_mount", "open_tree", "fsmount", "mount_setattr", "fspick", "open_by_handle_at"),
    "uselib",
}
_SYSTEM: Final = (
    *("/sys", "/usr/share/zoneinfo", "/usr/share/locale", "/usr/lib/locale", "/usr/share/terminfo"),
    *("/etc/localtime", "/etc/timezone", "/etc/locale.alias", "/etc/nsswitch.conf"),
    *("/etc/terminfo", "/lib/terminfo", "/etc/ssl/openssl.cnf", "/usr/lib/ssl/openssl.cnf"),
    *("/etc/inputrc", "/etc/os-release", "/usr/lib/os-release"),
)
_LIBRARIES: Final = (
    *("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache"),
    *("/etc/ld.so.preload", "/etc/OpenCL/vendors"),
)
_DEVICES: Final = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom", "/dev/tty", "/dev/pts")


@dataclass(frozen=True, slots=True)
class Places:
    """What a run may open: folders and files, each standing for what is below it.

    `program` is what was started, `here` its working folder. `library` and `named` may be read, of
    `listed` folders only their lists of names, `own` read and written; below `temporary` what is
    called `edgemind-…`.
    """

    program: Path
    library: tuple[Path, ...]
    listed: tuple[Path, ...]
    named: tuple[Path, ...]
    own: tuple[Path, ...]
    temporary: Path
    here: Path


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that happened, in words; `group` says why it may, or is empty."""

    kind: Kind
    what: str
    group: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """All findings of a run, and whether it put the lock on."""

    findings: tuple[Finding, ...]
    locked: bool

    @property
    def against(self) -> tuple[Finding, ...]:
        """What nothing allows."""
        return tuple(one for one in self.findings if not one.group)


def judge(traces: Mapping[int, Iterable[str]], root: int, places: Places) -> Evidence:
    """Judge the lines that strace wrote for each process; `root` is the first one's number."""
    judges = {one: _Judge(one == root, frozenset(traces), places) for one in traces}
    for process, lines in traces.items():
        judges[process].read(lines)
    execs = {process for process, one in judges.items() if one.ran}
    findings = [finding for one in judges.values() for finding in one.findings]
    for one in judges.values():
        for child in one.forked - execs:
            findings.append(Finding("process", f"process {child} forked off, without a program"))
    # Sending needs a socket; without one it can only be an end of a pair.
    paired = any(finding.group == PAIR for finding in findings)
    for one in judges.values():
        findings += [Finding("network", text, PAIR if paired else "") for text in one.sent]
    return Evidence(tuple(findings), any(one.locks for one in judges.values()))


@dataclass(slots=True)
class _Judge:
    """One process or thread."""

    is_root: bool
    processes: Set[int]
    places: Places
    findings: list[Finding] = field(default_factory=list)
    forked: set[int] = field(default_factory=set)
    sent: list[str] = field(default_factory=list)
    made: set[str] = field(default_factory=set)
    written: set[str] = field(default_factory=set)
    ran: bool = False
    locks: int = 0
    _here: str = ""
    _may_test: bool = False

    def read(self, lines: Iterable[str]) -> None:
        self._here = str(self.places.here)
        for line in lines:
            try:
                call = read_call(line)
            except ValueError as error:
                self._add("other", str(error))
                continue
            if call is not None:
                self._call(call)
        self._forgive_what_is_gone()

    def _forgive_what_is_gone(self) -> None:
        """Python makes and removes a file to see whether a folder will do for temporary files."""
        removed = {path for path in self.made if f"unlink {path}" in self.written}
        for place, one in enumerate(self.findings):
            if one.kind == "write" and one.what.removeprefix("unlink ") in removed:
                self.findings[place] = replace(one, group=GONE)

    def _add(self, kind: Kind, what: str, group: str = "") -> None:
        self.findings.append(Finding(kind, what, group))

    def _call(self, call: Call) -> None:
        name, worked = call.name, call.result is not None and call.result >= 0
        if name == "seccomp" and worked and "SECCOMP_SET_MODE_FILTER" in call.arguments[0]:
            self.locks += 1
            self._may_test = True
        elif name in _REACHING:
            self._reaching(call)
        elif name == "socketpair":
            self._add("network", _shown(call), PAIR)
        elif name in _SENDING:
            self.sent.append(_shown(call))
        elif not worked:
            return
        elif name in ("chdir", "fchdir"):
            self._here = (call.text(0) if name == "chdir" else call.folder(0)) or self._here
        elif name in _FORKS:
            if call.result and "CLONE_THREAD" not in " ".join(call.arguments):
                self.forked.add(call.result)
        elif name in _EXECS:
            self._exec(call)
        elif name in _OPENS:
            flags = call.arguments[_OPENS[name]]
            self._opened(call, any(flag in flags for flag in _WRITING), flags)
        elif name == "creat":
            self._opened(call, True, "")
        elif name in _CHANGES:
            self._changed(call)
        elif name in _ODD:
            self._add("other", _shown(call))

    def _reaching(self, call: Call) -> None:
        tested = (
            self._may_test
            and call.name == "socket"
            and call.arguments[:2] == ("AF_INET", "SOCK_DGRAM|SOCK_CLOEXEC")
            and call.error == "EPERM"
        )
        self._may_test = False
        self._add("network", _shown(call), SELF_TEST if tested else "")

    def _exec(self, call: Call) -> None:
        first = self.is_root and not self.ran
        self.ran = True
        if first:
            return
        which = int(call.name == "execveat")
        ours = str(self.places.program) == call.text(which)
        ours = ours and '"_child"' in call.arguments[which + 1]
        self._add("process", _shown(call), CHILD if ours else "")

    def _opened(self, call: Call, writing: bool, flags: str) -> None:
        path = call.path.removesuffix(" (deleted)")
        if not path:
            relative = call.text(0 if call.name in ("open", "creat") else 1)
            path = self._absolute(call, 0 if call.name.startswith("openat") else None, relative)
        if writing:
            if "O_CREAT" in flags and "O_EXCL" in flags and self._is_in_temporary(path):
                self.made.add(path)
            self._wrote(path, "O_TMPFILE" in flags)
        else:
            self._add("read", path, self._reading(path, "O_DIRECTORY" in flags))

    def _changed(self, call: Call) -> None:
        for folder, index in _CHANGES[call.name]:
            if (text := call.text(index)) is not None:
                path = self._absolute(call, folder, text)
                makes_way = call.name.startswith("mkdir") and any(
                    _below(str(own), (path,)) for own in self.places.own
                )
                if makes_way:
                    self._add("write", f"{call.name} {path}", OWN)
                else:
                    self._wrote(path, False, f"{call.name} ")

    def _wrote(self, path: str, unnamed: bool, doing: str = "") -> None:
        self.written.add(doing + path)
        self._add("write", doing + path, self._writing(path, unnamed))

    def _absolute(self, call: Call, folder: int | None, relative: str | None) -> str:
        base = self._here if folder is None else call.folder(folder) or self._here
        return os.path.normpath(os.path.join(base, relative or ""))

    def _writing(self, path: str, unnamed: bool) -> str:
        if _below(path, self.places.own):
            return OWN
        if _below(path, _DEVICES):
            return DEVICE
        if self._is_temporary(path) or (unnamed and _below(path, (self.places.temporary,))):
            return TEMPORARY
        if "/__pycache__" in path and _below(path, self.places.library):
            return COMPILED
        return ""

    def _reading(self, path: str, folder: bool) -> str:
        if _below(path, self.places.own):
            return OWN
        if _below(path, self.places.named):
            return NAMED
        if _below(path, _DEVICES):
            return DEVICE
        if _below(path, _SYSTEM) or self._is_open_proc(path):
            return SYSTEM
        if _below(path, self.places.library) or _below(path, _LIBRARIES):
            return LIBRARY
        if folder and Path(path) in self.places.listed:
            return LIBRARY
        return TEMPORARY if self._is_temporary(path) else ""

    def _is_open_proc(self, path: str) -> bool:
        """Of /proc: what is said of the system and of the run itself, not of other programs."""
        if not _below(path, ("/proc",)):
            return False
        process = path.split(os.sep)[2] if path.count(os.sep) > 1 else ""
        return not process.isdigit() or int(process) in self.processes

    def _is_in_temporary(self, path: str) -> bool:
        return os.path.dirname(path) == str(self.places.temporary)

    def _is_temporary(self, path: str) -> bool:
        return path.startswith(f"{self.places.temporary}{os.sep}edgemind-")


def _below(path: str, roots: Iterable[str | Path]) -> bool:
    return any(path == str(root) or path.startswith(f"{root}{os.sep}") for root in roots)


def _shown(call: Call) -> str:
    ending = call.error or ("?" if call.result is None else str(call.result))
    return f"{call.name}({', '.join(call.arguments)}) = {ending}"
