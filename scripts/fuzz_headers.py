"""Spoil model files and see that nothing but a clean refusal comes of it.

    python scripts/fuzz_headers.py headers [--count 200000] [--vocabularies FOLDER]
    python scripts/fuzz_headers.py files [--count 2000]
    python scripts/fuzz_headers.py onnx [--count 500]

`headers`: the reader of GGUF headers may raise nothing but `ModelError`s, take no longer than
100 ms and a microsecond a string (of the processor's time), and no more than 64 MB. FOLDER holds
`*.gguf` vocabularies, for example `vendor/llama.cpp/models` of llama-cpp-python's source archive.
`files`: whole files through `edgemind.load`, its probe included, and a question to what opens: this
process may not end, no file may take longer than 10 s. `onnx`: the same for folders with ONNX
models, as far as a session of onnxruntime in the probe (needs the onnx library to make them).
A seed makes each run repeatable; the first failure is kept as `fuzz-failure.bin` and ends it, and
Ctrl-C (or SIGTERM) ends it with what came until then.
"""

from __future__ import annotations

import argparse
import io
import random
import resource
import signal
import tempfile
import time
import tracemalloc
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import fuzz_seeds
from edgemind.catalog.bundled import bundled_model
from edgemind.catalog.gguf_model import judge
from edgemind.errors import EdgemindError, ModelError
from fuzz_seeds import Seed

SECONDS, SECONDS_PER_STRING = 0.1, 1e-6
MEMORY = 64 << 20
FILE_SECONDS = 10.0
FULL_EVERY, MEASURED_EVERY = 1000, 200


class Failure(Exception):
    """A spoiled file did what it must not."""


def header_seeds(vocabularies: Path | None) -> tuple[list[Seed], list[Seed]]:
    """Short seeds, and whole ones (real vocabularies as they are)."""
    short = [
        fuzz_seeds.seed(f"v{version}", fuzz_seeds.generated(40, version)) for version in (2, 3)
    ]
    short.append(fuzz_seeds.seed("few", fuzz_seeds.generated(4)))
    whole = [fuzz_seeds.bundled(bundled_model())]
    for path in sorted(vocabularies.glob("*.gguf")) if vocabularies else []:
        short += [fuzz_seeds.shortened(path, most) for most in (6, 60)]
        whole.append(fuzz_seeds.seed(path.stem, path.read_bytes()))
    return short, whole


def try_header(data: bytes, size: int, measured: bool = False) -> tuple[str, float]:
    """Read a header; what came of it, and the share of its time that it took. Raises `Failure`."""
    if measured:
        tracemalloc.start()
    begun = time.process_time()
    try:
        judge(Path("spoiled.gguf"), io.BytesIO(data), size)
        told = "sound"
    except ModelError as error:
        told = type(error).__name__
        if "\n" in str(error) or not str(error).isprintable():
            raise Failure(f"an error that is no line: {error!r}") from None
    except Exception as error:
        raise Failure(f"{type(error).__name__}: {error}") from error
    finally:
        spent = time.process_time() - begun
        peak = tracemalloc.get_traced_memory()[1] if measured else 0
        tracemalloc.stop()
    if peak > MEMORY:
        raise Failure(f"{peak >> 20} MB")
    # Each string takes at least the eight bytes of its length.
    share = spent / (SECONDS + SECONDS_PER_STRING * len(data) / 8)
    if share > 1 and not measured:
        raise Failure(f"{spent * 1e3:.0f} ms for {len(data)} bytes")
    return told, 0.0 if measured else share


def fuzz_headers(count: int, rng: random.Random, vocabularies: Path | None) -> Counter[str]:
    """Spoil `count` headers."""
    short, whole = header_seeds(vocabularies)
    for one in whole:
        try_header(one.data, one.size, measured=True)
    came: Counter[str] = Counter()
    worst = 0.0
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with suppress(KeyboardInterrupt):
        for number in range(count):
            chosen = rng.choice(whole if number % FULL_EVERY == 0 else short)
            data, size = fuzz_seeds.spoiled(rng, chosen, short)
            told, share = kept(data, partial(try_header, data, size, number % MEASURED_EVERY == 1))
            came[told] += 1
            worst = max(worst, share)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - resident
    print(f"{len(short)} short seeds, {len(whole)} whole; worst share of the time {worst:.0%}")
    print(f"the process grew by {grown / 1024:.1f} MB beyond its seeds")
    return came


def kept(data: bytes, attempt: Callable[[], tuple[str, float]]) -> tuple[str, float]:
    """`attempt`, with the data kept in a file where it fails."""
    try:
        return attempt()
    except Failure:
        Path("fuzz-failure.bin").write_bytes(data)
        raise


def file_seeds(folder: Path) -> list[bytes]:
    """Whole models: small random ones, and the bundled one."""
    import random_model

    made = []
    for number in range(2):
        path = folder / f"seed{number}.gguf"
        random_model.write_model(path, random_model.SHAPES["tiny"], number)
        made.append(path.read_bytes())
    return [*made, *made, bundled_model().read_bytes()]


def try_file(path: Path) -> tuple[str, float]:
    """Open a file and ask it something; what came of it, and the seconds. Raises `Failure`."""
    import edgemind

    begun = time.monotonic()
    try:
        with edgemind.load(path, context=256, width=2, threads=1) as mind:
            told = "opened"
            mind.ask("What is 17 * 23?", budget=edgemind.Budget(tokens=6), width=2)
            told = "answered"
    except ModelError as error:
        told = f"{type(error).__name__}: " + refusal(str(error))
    except EdgemindError as error:
        told = f"{type(error).__name__} after it opened"
    except Exception as error:
        raise Failure(f"{type(error).__name__}: {error}") from error
    seconds = time.monotonic() - begun
    if seconds > FILE_SECONDS:
        raise Failure(f"{seconds:.1f} s")
    return told, seconds


def refusal(reason: str) -> str:
    """Who refused a file."""
    if "not a sound" in reason or "holds no weights" in reason or "is not a language" in reason:
        return "by its header"
    if "did not survive" in reason:
        return "it ended the probe"
    return "too slow for the probe" if "was not loaded within" in reason else "by the library"


def fuzz_files(count: int, rng: random.Random, folder: Path) -> Counter[str]:
    """Spoil `count` whole files: headers and weights."""
    seeds = [fuzz_seeds.seed(str(number), data) for number, data in enumerate(file_seeds(folder))]
    # Half of them without places: what lies behind the header is spoiled as well.
    seeds += [replace(one, places=()) for one in seeds]
    path = folder / "spoiled.gguf"

    def attempt() -> tuple[bytes, Callable[[], tuple[str, float]]]:
        data, _ = fuzz_seeds.spoiled(rng, rng.choice(seeds), seeds, most=2)
        path.unlink(missing_ok=True)
        path.write_bytes(data)
        return data, lambda: try_file(path)

    return repeated(count, attempt)


def fuzz_onnx(count: int, rng: random.Random, folder: Path) -> Counter[str]:
    """Spoil `count` models in folders of their own, with and without weights beside them."""
    from fuzz_onnx import WEIGHTS_FILE, WEIGHTS_OUTSIDE, models, try_folder

    seeds = [Seed(str(number), data, len(data), ()) for number, data in enumerate(models())]
    (folder / WEIGHTS_OUTSIDE).write_bytes(bytes(1 << 16))

    def attempt() -> tuple[bytes, Callable[[], tuple[str, float]]]:
        data, _ = fuzz_seeds.spoiled(rng, rng.choice(seeds), seeds)
        inner = Path(tempfile.mkdtemp(dir=folder))
        (inner / "model.onnx").write_bytes(data)
        (inner / WEIGHTS_FILE).write_bytes(bytes(1 << 16))
        return data, lambda: try_folder(inner)

    return repeated(count, attempt)


def repeated(
    count: int, attempt: Callable[[], tuple[bytes, Callable[[], tuple[str, float]]]]
) -> Counter[str]:
    """Make and run `count` attempts; what came of them."""
    came: Counter[str] = Counter()
    slowest = 0.0
    with suppress(KeyboardInterrupt):
        for _ in range(count):
            data, run = attempt()
            told, seconds = kept(data, run)
            came[told] += 1
            slowest = max(slowest, seconds)
    print(f"slowest {slowest:.2f} s")
    return came


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("what", choices=("headers", "files", "onnx"))
    parser.add_argument("--count", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--vocabularies", type=Path)
    given = parser.parse_args(arguments)
    rng = random.Random(given.seed)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        match given.what:
            case "headers":
                count = given.count or 200_000
                came = fuzz_headers(count, rng, given.vocabularies)
            case "files":
                count = given.count or 2000
                came = fuzz_files(count, rng, Path(name))
            case _:
                count = given.count or 500
                came = fuzz_onnx(count, rng, Path(name))
    seconds = time.monotonic() - begun
    print(f"{came.total()} of {count} {given.what}, seed {given.seed}, {seconds:.0f} s")
    for told, times in came.most_common():
        print(f"{times:8}  {told}")


if __name__ == "__main__":
    main()
