"""`edgemind prove`: answer a question under the eyes of strace, and print what the process did."""

from __future__ import annotations

import glob
import json as json_text
import os
import re
import shlex
import shutil
import site
import subprocess
import sys
import sysconfig
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

import edgemind
from edgemind.catalog.bundled import bundled_model
from edgemind.choosing import default_model, model_path
from edgemind.cli import options
from edgemind.cli.options import FAILED, clean_errors
from edgemind.cli.terminal import printable, put, put_json
from edgemind.errors import ConfigError, EdgemindError
from edgemind.folders import cache_folder, config_folder, data_folder
from edgemind.guard.evidence import Evidence, Kind, Places, judge
from edgemind.guard.strace import FOLLOW
from edgemind.verify.children import frozen_variables

QUESTION = "Tom has 3 bags with 14 marbles each and gives 5 away. How many are left?"
WORDS: dict[Kind, str] = {
    "network": "sockets",
    "read": "files read",
    "write": "files written",
    "process": "programs started",
    "other": "other",
}
_FORK = re.compile(r"(?:v?fork|clone3?)\(.* = (\d+)").match
_NAMESPACE = ("--user", "--map-root-user", "--net")
_SHELL = '"$@"; code=$?; grep "^Ip:" /proc/net/snmp >&3; exit $code'


def prove_command(
    question: Annotated[str, typer.Argument(help="What to ask meanwhile.")] = QUESTION,
    model: options.Model = None,
    keep: Annotated[
        Path | None, typer.Option(help="Keep what strace wrote in this folder, to read yourself.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Answer a question under strace: what the process did with sockets, files and programs.

    Prints the command with which anyone can repeat it. Exit code 1 where anything happened that a
    private answer does not need. Linux only.
    """
    with clean_errors():
        if not sys.platform.startswith("linux"):
            raise ConfigError("prove watches system calls with strace, which is a tool of Linux")
        asking = [*program(), "ask", question]
        if model is not None:
            asking += ["--model", model]
        with _folder(keep) as folder:
            evidence = _traced(asking, folder, model, json)
        if evidence is None:
            _in_an_empty_network(asking, json)
        else:
            (put_json if json else put)((as_json if json else as_text)(evidence))
            if evidence.against:
                raise typer.Exit(FAILED)


def program() -> tuple[str, ...]:
    """This program as a command: frozen into one file or not."""
    if getattr(sys, "frozen", False):
        return (sys.executable,)
    # -P: the working folder is no place to import from.
    return (sys.executable, "-P", "-m", "edgemind")


def tracing(trace: Path) -> tuple[str, ...]:
    """strace, writing one file for each process: `trace` and its number behind a dot."""
    calls, written = FOLLOW
    told = (word for pair in frozen_variables().items() for word in ("-E", "=".join(pair)))
    return ("strace", *written, "-e", f"trace={calls}", "-o", str(trace), *told)


def places(model: str | None) -> Places:
    """What a private answer may touch on this machine."""
    package = Path(edgemind.__file__).parent
    installed = {Path(sysconfig.get_path(name)) for name in ("purelib", "platlib", "stdlib")}
    user = Path(site.getusersitepackages()) if site.ENABLE_USER_SITE else package
    bases = {Path(base) for base in (sys.prefix, sys.base_prefix, sys.exec_prefix)}
    config = os.environ.get("EDGEMIND_CONFIG")
    weights = model_path(model) if model is not None else default_model() or bundled_model()
    own = (data_folder(), cache_folder(), config_folder())
    return Places(
        program=Path(sys.executable),
        library=_real(package, user, *installed, *bases, Path(sys.executable)),
        listed=_real(*(Path(entry) for entry in sys.path if entry)),
        named=_real(*_files_of(weights), *([Path(config)] if config else [])),
        own=_real(*own),
        temporary=Path(tempfile.gettempdir()).resolve(),
        here=Path.cwd(),
    )


def _files_of(model: Path) -> tuple[Path, ...]:
    """What a model's name stands for: a folder, all parts of a split GGUF file, an ONNX file's."""
    if model.suffix == ".onnx":
        return (model.parent,)
    if part := re.fullmatch(r"(.*)-\d{5}-of-(\d{5})\.gguf", model.name):
        return tuple(model.parent.glob(f"{glob.escape(part[1])}-*-of-{part[2]}.gguf"))
    return (model,)


def _real(*paths: Path) -> tuple[Path, ...]:
    """Each path as it is named and as it is without links, which is what strace shows."""
    return tuple(dict.fromkeys(one for p in paths for one in (p.absolute(), p.resolve())))


def _traced(asking: Sequence[str], folder: Path, model: str | None, json: bool) -> Evidence | None:
    """Run it under strace and judge; None where there is no strace, or it may not trace."""
    if shutil.which("strace") is None:
        return None
    before = set(folder.iterdir())
    command = [*tracing(folder / "trace"), *asking]
    if not json:
        put(f"$ {shlex.join(command)}")
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    said = done.stderr.decode("utf-8", "replace")
    files = {path for path in folder.glob("trace.*") if path not in before}
    if not files:
        if not json:
            print(f"strace cannot watch here: {printable(said.strip())}")
        return None
    if done.returncode != 0:
        raise EdgemindError(f"the question was not answered: {printable(said.strip())}")
    if not json:
        answer = done.stdout.decode("utf-8", "replace").strip()
        print("".join(f"  {printable(line)}\n" for line in answer.split("\n")))
    traces = {
        int(path.suffix[1:]): path.read_text("utf-8", "surrogateescape").splitlines()
        for path in files
    }
    return judge(traces, _root(traces), places(model))


def _root(traces: Mapping[int, Sequence[str]]) -> int:
    """The process that no other one made. Its number need not be the lowest: they begin anew."""
    made = {int(found[1]) for lines in traces.values() for line in lines if (found := _FORK(line))}
    return next(number for number in sorted(traces) if number not in made)


def _in_an_empty_network(asking: Sequence[str], json: bool) -> None:
    """Without strace: answer where no network exists, and count the packets that were tried."""
    if shutil.which("unshare") is None:
        raise ConfigError("prove needs strace: install it (or unshare, of util-linux)")
    with tempfile.TemporaryFile() as counted:
        told = ["=".join(pair) for pair in frozen_variables().items()]
        again = ["env", *told, *asking] if told else asking
        command = ["unshare", *_NAMESPACE, "sh", "-c", _SHELL, "sh", *again]
        if not json:
            put(f"$ {shlex.join(command)} 3>packets")
        # The shell's descriptor 3 is this file.
        done = subprocess.run(
            ["sh", "-c", f'exec 3>&{counted.fileno()}; exec "$@"', "sh", *command],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            pass_fds=(counted.fileno(),),
            check=False,
        )
        counted.seek(0)
        names, _, values = counted.read().decode().strip().partition("\n")
    if done.returncode != 0:
        said = printable(done.stderr.decode("utf-8", "replace").strip())
        raise EdgemindError(f"there is no strace, and no empty network to answer in: {said}")
    packets = dict(zip(names.split()[1:], map(int, values.split()[1:]), strict=True))
    tried = packets["OutRequests"] + packets["OutNoRoutes"]
    if json:
        print(json_text.dumps({"by": "namespace", "packets": tried}))
    else:
        print(
            f"answered in a network namespace with no network in it; packets tried: {tried}\n"
            "Sockets, files and programs were not watched: that needs strace."
        )
    if tried:
        raise typer.Exit(FAILED)


def as_text(evidence: Evidence) -> str:
    """The report: a line for each group of what happened, then everything that nothing allows."""
    lines = [f"lock put on: {'yes' if evidence.locked else 'no'}"]
    for kind, title in WORDS.items():
        groups = Counter(one.group for one in evidence.findings if one.kind == kind and one.group)
        lines.append(f"{title}:" if groups else f"{title}: none")
        lines += [f"  {count:5}  {group}" for group, count in groups.most_common()]
    against = Counter((one.kind, one.what) for one in evidence.against)
    lines.append(f"anything else: {len(against) or 'nothing'}")
    lines += [
        f"  {count:5}  {WORDS[kind]}: {printable(what)}" for (kind, what), count in against.items()
    ]
    return "\n".join(lines)


def as_json(evidence: Evidence) -> str:
    """All findings, those that nothing allows once more by themselves."""
    values = {
        "by": "strace",
        "locked": evidence.locked,
        "findings": [asdict(one) for one in evidence.findings],
        "against": [asdict(one) for one in evidence.against],
    }
    return json_text.dumps(values, indent=1)


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="edgemind-prove-") as folder:
            yield Path(folder)
        return
    try:
        keep.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{keep} cannot be made: {error.strerror}") from None
    yield keep
