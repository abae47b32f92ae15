"""Does the arm64 package answer as this machine does? See `check_qemu`, which starts this.

QEMU plays processors with and without dot products, so that each variant of the kernels is taken.
What it says of speed is worth nothing; it is not measured.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import arm64_root

HERE: Final = Path(__file__).resolve().parent
CHECKOUT: Final = HERE.parents[1]
PYTHON: Final = "/usr/lib/edgemind/bin/python3"
INSIDE: Final = "/opt/check"
"""Where the folder of the check lies in the arm64 system."""
ONNX: Final = "/usr/lib/edgemind/lib/python3.11/site-packages/edgemind/models/edgemind-nano-onnx"
CPUS: Final = ("cortex-a72", "cortex-a76", "max")
"""The Pi 4's processor, the Pi 5's, and everything that QEMU knows."""
TEST_PACKAGES: Final = (
    "gguf>=0.17,<1",
    "hypothesis>=6.100,<7",
    "onnx>=1.17,<2",
    "onnx-ir>=0.1,<2",
    "pytest>=8.3,<10",
)
PLATFORMS: Final = tuple(
    f"{name}_aarch64"
    for name in "manylinux2014 manylinux_2_17 manylinux_2_26 manylinux_2_27 manylinux_2_28".split()
)
TESTS: Final = (
    *(f"tests/test_{name}.py" for name in "budget chat config prompt router run".split()),
    *(f"tests/test_{name}.py" for name in "run_samples settings stopping strategies".split()),
    *(f"tests/test_{name}.py" for name in "structured tally thoughts".split()),
    *(f"tests/engines/test_{name}.py" for name in "cores llama_files llama_sampling".split()),
    *(f"tests/engines/test_{name}.py" for name in "llama_grammar llama_sizing reading".split()),
    *(f"tests/engines/test_{name}.py" for name in "samplings scripted verbs".split()),
    "tests/catalog/test_gguf_header.py",
    "tests/catalog/test_gguf_model.py",
    "tests/catalog/test_shelf.py",
    "tests/costs",
    "tests/meters/test_sensors.py",
)
"""What keeps no time, needs no lock of the kernel and starts few children."""
NOT_THERE: Final = ("test_what_is_bundled_is_told_by_its_place",)
"""Tests of the checkout's own model, whose place an installed package does not know."""


@dataclass(frozen=True, slots=True)
class Said:
    """What one machine answered: its kernels, and text and confidence by prompt."""

    kernels: str
    answers: dict[str, tuple[str, float]]

    @staticmethod
    def read(lines: str) -> Said:
        """From the output of `greedy.py`."""
        head, *rest = (json.loads(line) for line in lines.splitlines())
        answers = {one["prompt"]: (one["text"], one["confidence"]) for one in rest}
        return Said(f"{head['machine']}: {features(head['kernels'])}", answers)


def features(info: str) -> str:
    """The names of what llama.cpp says it uses: `NEON ARM_FMA DOTPROD`."""
    pairs = (part.split("=") for part in info.replace(":", "|").split("|") if "=" in part)
    return " ".join(name.strip() for name, value in pairs if value.strip() != "0")


def compare(ours: Said, theirs: Said) -> tuple[int, list[str], float]:
    """How many texts are equal, a line on each that is not, the largest step of confidence."""
    same, differing, largest = 0, [], 0.0
    for prompt, (text, confidence) in ours.answers.items():
        other, other_confidence = theirs.answers.get(prompt, ("(no answer)", confidence))
        if other == text:
            same += 1
            largest = max(largest, abs(other_confidence - confidence))
        else:
            differing.append(f"{prompt!r}: {text!r} here, {other!r} there")
    return same, differing, largest


def install(root: Path, deb: Path) -> None:
    """Put the package into the system as a person would; apt checks what it depends on."""
    folder = root / INSIDE.lstrip("/")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in ("greedy.py", "prompts.txt"):
        shutil.copy(HERE / name, folder / name)
    shutil.copy(deb, folder / deb.name)
    # apt's own user for fetching cannot read what lies in a folder of root's.
    apt = ["apt-get", "-qq", "-o", "APT::Sandbox::User=root", "-o", "Acquire::Languages=none"]
    options = ["install", "-y", "--reinstall", "--allow-downgrades", "--no-install-recommends"]
    for command in ([*apt, "update"], [*apt, *options, f"{INSIDE}/{deb.name}"]):
        if arm64_root.run(root, command).returncode:
            raise arm64_root.NoRoot(f"{deb} could not be installed: see above")


def answers(root: Path, cpu: str) -> Said:
    """What the installed package answers on this processor."""
    command = [PYTHON, f"{INSIDE}/greedy.py", f"{INSIDE}/prompts.txt"]
    done = arm64_root.run(root, command, cpu=cpu, capture=True)
    if done.returncode:
        raise arm64_root.NoRoot(f"greedy.py failed on {cpu}: {done.stderr[-2000:]}")
    return Said.read(done.stdout)


def ask(root: Path, cpu: str, *options: str) -> dict[str, Any]:
    """One answer by the command line."""
    question = (HERE / "prompts.txt").read_text().splitlines()[0]
    command = ["edgemind", "ask", question, "--strategy", "direct", "--temperature", "0", "--json"]
    done = arm64_root.run(root, [*command, *options], cpu=cpu, capture=True)
    if done.returncode:
        raise arm64_root.NoRoot(f"edgemind ask failed on {cpu}: {done.stderr[-2000:]}")
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def run_tests(root: Path, cpu: str, tests: Sequence[str]) -> int:
    """Run tests of this checkout against the installed package; pytest's exit status."""
    folder = root / INSIDE.lstrip("/")
    tree, packages = folder / "tree", folder / "packages"
    if not packages.exists():
        fetch = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(packages)]
        wanted = ["--only-binary", ":all:", "--python-version", "3.11", "--implementation", "cp"]
        platforms = [word for name in PLATFORMS for word in ("--platform", name)]
        subprocess.run([*fetch, *wanted, *platforms, *TEST_PACKAGES], check=True)
    shutil.rmtree(tree, ignore_errors=True)
    names = subprocess.run(
        ["git", "ls-files", "-z"], cwd=CHECKOUT, check=True, capture_output=True, text=True
    ).stdout
    for name in names.strip("\0").split("\0"):
        # The package's modules are those that were installed.
        if not name.startswith("edgemind/"):
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(CHECKOUT / name, tree / name)
    pytest = [PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", f"{INSIDE}/tree"]
    left_out = ["-k", " and ".join(f"not {name}" for name in NOT_THERE)]
    files = [f"{INSIDE}/tree/{name}" for name in tests or TESTS]
    command = ["env", "-C", f"{INSIDE}/tree", *pytest, *left_out, *files]
    return arm64_root.run(root, command, {"PYTHONPATH": f"{INSIDE}/packages"}, cpu=cpu).returncode


def main(arguments: Sequence[str]) -> int:
    """Compare, say what came of it; 0 if every text is equal, 1 if not, 3 if it could not run."""
    parser = argparse.ArgumentParser(prog="check_qemu", description=__doc__)
    parser.add_argument("--cpu", action="append", help="a processor of QEMU; may be repeated")
    parser.add_argument("--suite", default="bookworm", help="the Debian to install into")
    parser.add_argument("--mirror", help="of Debian; debootstrap's own without it")
    parser.add_argument("--installed", action="store_true", help="it is there from the last time")
    parser.add_argument("--tests", nargs="*", help="also run tests there, these or some")
    chosen = parser.parse_args(arguments)
    # Otherwise what runs in the system would outlive this process.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    build = Path(os.environ["CHECK_FOLDER"])
    root = build / f"root-{chosen.suite}"
    found = (CHECKOUT / "dist").glob("edgemind_*_arm64.deb")
    packages = sorted(found, key=lambda path: path.stat().st_mtime)
    try:
        if not packages:
            raise arm64_root.NoRoot("dist/ has no arm64 package: run build_deb first")
        arm64_root.make(root, [], chosen.suite, chosen.mirror)
        if not chosen.installed:
            install(root, packages[-1])
        command = [sys.executable, str(HERE / "greedy.py"), str(HERE / "prompts.txt")]
        ours = Said.read(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        print(f"here        {ours.kernels}")
        failed = False
        for cpu in chosen.cpu or CPUS:
            theirs = answers(root, cpu)
            same, differing, largest = compare(ours, theirs)
            print(f"{cpu:<11} {theirs.kernels}")
            print(f"{'':<11} {same} of {len(ours.answers)} texts equal, ", end="")
            print(f"confidence of the equal ones at most {largest:.1e} apart")
            for line in differing:
                print(f"{'':<11} {line}")
            failed |= bool(differing)
            for kind, options in (("GGUF", ()), ("ONNX", ("--model", ONNX))):
                said = ask(root, cpu, *options)
                print(f"{'':<11} edgemind ask, {kind}: {said['answer']}, {said['network']}")
            sys.stdout.flush()
        if chosen.tests is not None:
            failed |= bool(run_tests(root, (chosen.cpu or CPUS)[-1], chosen.tests))
    except arm64_root.NoRoot as error:
        print(f"edgemind: {error}", file=sys.stderr)
        return 3
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
