"""`packaging/check_bare_root`: do the packages work where there is no Python and no network?

    packaging/check_bare_root ROOT [--deb FILE] [--file FILE] [--source COMMAND]

ROOT is a minimal Debian that debootstrap makes where it is missing. The package is installed there
and every program is run in it by chroot, without a network. Exit codes and messages of errors are
held against COMMAND, the program of the source tree. Needs Linux, root and debootstrap.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import re
import shlex
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
QUESTION: Final = "Tom has 3 bags with 14 marbles each and gives 5 away. How many are left?"
ANSWER: Final = "#### 37"
SCRATCH: Final = "/var/tmp/edgemind-check"
"""The same path here and in the root: messages name it."""
LIBRARIES: Final = "usr/lib/edgemind/_internal/llama_cpp/lib"
MODEL: Final = f"{SCRATCH}/unknown.gguf"
KNOWN_TEMPLATE, OTHER_TEMPLATE = b"{% endfor %}{% if add", b"{% endfor%}{%  if add"
ERRORS: Final = (
    ("ask", ""),
    ("ask", "--no-such-option", "2+2"),
    ("ask", "2+2", "--model", f"{SCRATCH}/nowhere.gguf"),
    ("ask", "2+2", "--model", f"{SCRATCH}/damaged.gguf"),
    ("ask", "2+2", "--model", f"{SCRATCH}/text.txt"),
    ("ask", "2+2", "--strategy", "vot"),
    ("ask", QUESTION, "--seconds", "0.00001"),
    ("chat", "--seconds", "-1"),
)
CODE: Final = """
import collections, datetime, decimal, fractions, heapq, itertools, random, statistics, typing
def double(x):
    '''
    >>> double(2)
    4
    '''
    return statistics.mean([x, x]) * 2
"""
SETTLED: Final = {"LC_ALL": "C.UTF-8", "COLUMNS": "80", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}


class Root:
    """The bare Debian, and how programs run in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def make(self) -> None:
        """Bootstrap it where it is missing."""
        if not (self.folder / "usr/bin/dpkg").exists():
            command = ["debootstrap", "--variant=minbase", "bookworm", str(self.folder)]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        if not (self.folder / "usr/bin/strace").exists():  # for `prove`
            install = ["chroot", str(self.folder), "apt-get", "install", "-qq", "-y"]
            subprocess.run([*install, "--no-install-recommends", "strace"], check=True)

    def run(
        self, *command: str, stdin: str = "", **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a program in there: no network, its own processes, /dev and /proc."""
        inside = ["unshare", "--net", "--mount", "--pid", "--fork", "sh", "-c", _ENTER, "sh"]
        return subprocess.run(
            [*inside, str(self.folder), *command],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
            env=SETTLED | {"HOME": f"{SCRATCH}/home"} | variables,
        )


_ENTER: Final = (
    'root=$1; shift; mount --bind /dev "$root/dev" && mount -t proc proc "$root/proc" && '
    'exec chroot "$root" "$@"'
)


class Checks:
    """What was looked at, and what failed."""

    def __init__(self) -> None:
        self.failed = 0

    def tell(self, good: bool, what: str, seen: str = "") -> None:
        """One line for one check; what was seen, where that is not what it should be."""
        self.failed += not good
        print(f"{'ok  ' if good else 'FAIL'}  {what}", flush=True)
        if not good:
            print("".join(f"        {line}\n" for line in seen.strip().splitlines()), end="")


def check(root: Root, program: str, source: Sequence[str], checks: Checks) -> None:
    """Everything that a package's program has to do, in the bare root."""
    name = program
    done = root.run(program, "ask", QUESTION)
    good = done.returncode == 0 and ANSWER in done.stdout
    checks.tell(good, f"{name} answers right", done.stdout + done.stderr)

    done = root.run(program, "ask", "–" + QUESTION, "--json", LC_ALL="C")
    good = done.returncode == 0 and '"network": "locked:seccomp"' in done.stdout
    checks.tell(good, f"{name} answers in the C locale, locked", done.stdout + done.stderr)

    done = root.run(program, "chat", stdin="What is 12 + 30?\nWhat is 5 + 6?\n")
    good = done.returncode == 0 and "#### 42" in done.stdout and "#### 11" in done.stdout
    checks.tell(good, f"{name} chats with lines from a pipe", done.stdout + done.stderr)

    done = root.run(program, "doctor")
    good = done.returncode == 0 and re.search(r"lock +locked", done.stdout) is not None
    checks.tell(good, f"{name} doctor", done.stdout + done.stderr)

    done = root.run(program, "prove")
    good = done.returncode == 0 and "anything else: nothing" in done.stdout
    good = good and "lock put on: yes" in done.stdout and ANSWER in done.stdout
    checks.tell(good, f"{name} prove finds no socket, file or program", done.stdout + done.stderr)

    for arguments in ERRORS:
        here = run_source(source, *arguments)
        there = root.run(program, *arguments)
        good = here.returncode == there.returncode != 0
        good = good and _settled(here.stderr) == _settled(there.stderr)
        words = " ".join(shlex.quote(word.replace(SCRATCH, "…")[:24]) for word in arguments)
        both = f"source {here.returncode}: {here.stderr}\nhere {there.returncode}: {there.stderr}"
        checks.tell(good, f"{name} {words}: exit {here.returncode}, as the source tree", both)

    # A model that was never seen, with a template that nobody knows: two kinds of children.
    done = root.run(
        "strace", "-f", "-e", "trace=execve", program, "ask", QUESTION, "--model", MODEL
    )
    children = set(re.findall(r'execve\(.*"_child", "(\w+)"', done.stderr))
    good = done.returncode == 0 and ANSWER in done.stdout and {"probe", "template"} <= children
    checks.tell(
        good, f"{name} tries an unknown model in children", done.stdout + done.stderr[-2000:]
    )

    done = root.run(program, "ask", QUESTION, "--verify", "grep -q '#### 37'", "--explain")
    good = done.returncode == 0 and ANSWER in done.stdout
    checks.tell(good, f"{name} --verify", done.stdout + done.stderr)

    limits = {"seconds": 20, "memory": 1 << 29, "open_files": 64, "file": 1 << 24}
    request = {"code": CODE, "certain": True, "sessions": [], "tests": "assert double(4) == 8"}
    opening = {"until": 1e9, "request": request, "limits": limits, "errors": False}
    done = root.run(program, "_child", "python", stdin=json.dumps(opening) + "\n")
    said = done.stdout.splitlines()
    good = (
        said.count('"passed"') == 3 and said[-1:] == ['"done"'] and "objection" not in done.stdout
    )
    checks.tell(good, f"{name} runs Python code in a child", done.stdout + done.stderr)

    target = f"{SCRATCH}/smaller.gguf"
    (root.folder / target[1:]).unlink(missing_ok=True)
    done = root.run(program, "models", "quantize", MODEL, target, "--type", "Q4_K_M", "--no-check")
    good = done.returncode == 0 and (root.folder / target[1:]).stat().st_size > 1_000_000
    checks.tell(good, f"{name} quantises in a child", done.stdout + done.stderr)

    onnx = str(root.run("find", "/usr/lib/edgemind", "-name", "edgemind-nano-onnx").stdout.strip())
    done = root.run(program, "ask", QUESTION, "--model", onnx)
    good = done.returncode == 0 and ANSWER in done.stdout
    checks.tell(good, f"{name} answers with the ONNX model", done.stdout + done.stderr)

    check_variants(root, program, root.folder / LIBRARIES, checks)


def run_source(source: Sequence[str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the program of the source tree, on this machine."""
    return subprocess.run(
        [*source, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        env=SETTLED | {"HOME": f"{SCRATCH}/home", "PYTHONPATH": str(ROOT)},
    )


def _settled(message: str) -> str:
    """A message without what was measured, and with the program's usual name."""
    return re.sub(r"\d+(\.\d+)?", "N", message.replace("python -m edgemind", "edgemind"))


def check_variants(root: Root, program: str, libraries: Path, checks: Checks) -> None:
    """The best code for this processor is taken, and the least that every processor can run."""
    name = program
    done = root.run("strace", "-f", "-e", "trace=openat", program, "ask", QUESTION)
    opened = re.findall(r"libggml-cpu-(\w+)\.so.* = \d", done.stderr)
    best = opened[-1] if opened else "none"
    good = best == scored_variant(libraries)
    checks.tell(good, f"{name} takes the variant {best} of llama.cpp", str(opened))
    for variant in ("x64", "sse42", "haswell"):
        done = root.run(program, "ask", QUESTION, EDGEMIND_CPU_VARIANT=variant)
        good = done.returncode == 0 and ANSWER in done.stdout
        checks.tell(good, f"{name} answers with {variant}", done.stdout + done.stderr)
    done = root.run(program, "ask", QUESTION, EDGEMIND_CPU_VARIANT="haswel")
    good = done.returncode == 2 and "did you mean haswell?" in done.stderr
    checks.tell(good, f"{name} refuses a variant that is not there", done.stdout + done.stderr)


def scored_variant(folder: Path) -> str:
    """The variant that llama.cpp itself gives most points to on this processor."""
    ctypes.CDLL(str(folder / "libggml-base.so.0"), ctypes.RTLD_GLOBAL)
    scores = {
        path.name.removeprefix("libggml-cpu-").removesuffix(".so"): int(
            ctypes.CDLL(str(path)).ggml_backend_score()
        )
        for path in folder.glob("libggml-cpu-*.so")
    }
    return max(scores, key=lambda name: scores[name], default="none")


def seconds_to_first_token(command: Sequence[str], variables: dict[str, str]) -> float:
    """From the start of the process to the first byte of an answer."""
    started = time.perf_counter()
    with subprocess.Popen(
        [*command, "ask", QUESTION, "--strategy", "direct"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
        env=variables,
    ) as process:
        assert process.stdout is not None
        os.read(process.stdout.fileno(), 1)
        seconds = time.perf_counter() - started
        process.stdout.read()
    return seconds


def compare_starts(programs: Mapping[str, Sequence[str]], rounds: int) -> None:
    """Medians of the time to the first token, the programs by turns."""
    variables = SETTLED | {"HOME": f"{SCRATCH}/home", "PYTHONPATH": str(ROOT)}
    times: dict[str, list[float]] = {name: [] for name in programs}
    for _ in range(rounds + 1):
        for name, command in programs.items():
            times[name].append(seconds_to_first_token(command, variables))
    medians = {name: statistics.median(each[1:]) for name, each in times.items()}
    for name, median in medians.items():
        ratio = median / medians["source tree"]
        print(f"first token of {name}: {median:.3f} s, {ratio:.2f} × the source tree")


def prepare(root: Root) -> None:
    """The files that the checks name, here and in the root."""
    bundled = (ROOT / "models" / "edgemind-nano.gguf").read_bytes()
    assert KNOWN_TEMPLATE in bundled and len(KNOWN_TEMPLATE) == len(OTHER_TEMPLATE)
    for place in (Path(SCRATCH), root.folder / SCRATCH[1:]):
        shutil.rmtree(place, ignore_errors=True)
        (place / "home").mkdir(parents=True)
        (place / "damaged.gguf").write_bytes(bundled[:100_000])
        (place / "text.txt").write_text("no model", encoding="utf-8")
        unknown = bundled.replace(KNOWN_TEMPLATE, OTHER_TEMPLATE)
        (place / "unknown.gguf").write_bytes(unknown)


def newest(pattern: str) -> Path | None:
    """The file in dist/ that was built last."""
    found = [path for path in (ROOT / "dist").glob(pattern) if path.is_file()]
    return max(found, key=lambda path: path.stat().st_mtime, default=None)


def main(arguments: Sequence[str]) -> int:
    """Check what was built."""
    parser = argparse.ArgumentParser(prog="packaging/check_bare_root", description=__doc__)
    parser.add_argument("root", type=Path)
    parser.add_argument("--deb", type=Path, default=newest("edgemind_*.deb"))
    parser.add_argument("--file", type=Path, default=newest("edgemind-[0-9]*-x86_64"))
    parser.add_argument("--source", default=f"{ROOT}/.venv/bin/python -P -m edgemind")
    parser.add_argument("--rounds", type=int, default=9, help="starts that are timed")
    options = parser.parse_args(arguments)
    if os.geteuid() != 0 or shutil.which("debootstrap") is None:
        print("check_bare_root: needs root and debootstrap", file=sys.stderr)
        return 1
    root, checks, source = Root(options.root.resolve()), Checks(), shlex.split(options.source)
    root.make()
    prepare(root)
    # What an answer costs is learned from the first one; messages tell of that.
    run_source(source, "ask", QUESTION)
    pythons = [path.name for path in (root.folder / "usr/bin").glob("python*")]
    checks.tell(not pythons, "the root has no Python", " ".join(pythons))
    programs: dict[str, Sequence[str]] = {"source tree": source}
    if options.deb is not None:
        shutil.copy(options.deb, root.folder / "edgemind.deb")
        done = root.run("dpkg", "--install", "/edgemind.deb")
        checks.tell(done.returncode == 0, "the package installs", done.stdout + done.stderr)
        check(root, "/usr/bin/edgemind", source, checks)
        programs["one folder"] = [str(root.folder / "usr/lib/edgemind/edgemind")]
    if options.file is not None:
        target = root.folder / "opt/one-file/edgemind"  # messages tell how it is called
        target.parent.mkdir(exist_ok=True)
        shutil.copy(options.file, target)
        target.chmod(0o755)
        check(root, "/opt/one-file/edgemind", source, checks)
        programs["one file"] = [str(options.file)]
    left = list((root.folder / "tmp").iterdir())
    checks.tell(not left, "nothing is left in /tmp", " ".join(map(str, left)))
    compare_starts(programs, options.rounds)
    print(f"{checks.failed} failed" if checks.failed else "all good")
    return min(checks.failed, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
