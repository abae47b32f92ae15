"""What a frozen program is made of: a bill of materials (CycloneDX), and the licences as text.

Made from PyInstaller's own lists, so that it names what is inside rather than what is installed.
cyclonedx-bom describes the Python packages; the interpreter, system libraries and the model are
added here.
"""

from __future__ import annotations

import hashlib
import platform
import re
import shutil
import subprocess
import sysconfig
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any, Final

Entry = tuple[str, str, str]
"""A line of PyInstaller's lists: name inside, path on this machine, kind."""
_LICENSE: Final = re.compile(r"(?i)(licen[cs]e|copying|notice|thirdpartynotices)[^/]*$")


def inside(entries: Iterable[Entry]) -> tuple[dict[str, Distribution], list[Path]]:
    """The installed packages that these files belong to, by name, and the files of the system."""
    owners: dict[str, Distribution] = {}
    for each in distributions():
        for file in each.files or ():
            owners[str(file.locate())] = each
    found: dict[str, Distribution] = {}
    system = set()
    for _, source, kind in entries:
        path = Path(source)
        owner = owners.get(str(path)) or owners.get(str(path.resolve()))
        if owner is not None:
            found[_plain(owner.name)] = owner
        elif kind == "BINARY" and _is_of_the_system(path):
            system.add(path.resolve())
    return dict(sorted(found.items())), sorted(system)


def debian_packages(paths: Sequence[Path]) -> dict[str, str]:
    """Which of Debian's packages hold these files, and their versions; empty on other systems."""
    if shutil.which("dpkg-query") is None:
        return {}
    names = set()
    for path in paths:
        for one in (str(path), str(path).removeprefix("/usr")):
            done = subprocess.run(
                ["dpkg-query", "-S", one], capture_output=True, text=True, check=False
            )
            if done.returncode == 0:
                names.add(done.stdout.partition(": ")[0].partition(":")[0])
                break
    versions = {}
    for name in sorted(names):
        asked = ["dpkg-query", "-W", "-f", "${Version}\n", name]
        done = subprocess.run(asked, capture_output=True, text=True, check=True)
        versions[name] = done.stdout.splitlines()[0]
    return versions


def bill(
    whole: dict[str, Any],
    packages: Mapping[str, Distribution],
    debian: Mapping[str, str],
    model: Path,
    version: str,
) -> dict[str, Any]:
    """The bill: of `whole`, what cyclonedx-bom says of the environment, what is inside; and what is
    no Python package.
    """
    components = [
        _without_places(one)
        for one in whole.get("components", ())
        if _plain(one["name"]) in packages
    ]
    described_names = {_plain(one["name"]) for one in components}
    for name in packages.keys() - described_names - {"edgemind"}:
        raise ValueError(f"the bill of materials lacks {name}: cyclonedx-bom did not describe it")
    python = platform.python_version()
    extra: list[dict[str, Any]] = [
        {
            "type": "application",
            "name": "cpython",
            "version": python,
            "bom-ref": f"cpython@{python}",
            "cpe": f"cpe:2.3:a:python:python:{python}:*:*:*:*:*:*:*",
            "licenses": [{"license": {"id": "PSF-2.0"}}],
        },
        {
            "type": "machine-learning-model",
            "name": model.stem,
            "version": version,
            "bom-ref": f"{model.stem}@{version}",
            "hashes": [
                {"alg": "SHA-256", "content": hashlib.sha256(model.read_bytes()).hexdigest()}
            ],
            "licenses": [{"license": {"id": "Apache-2.0"}}],
        },
    ]
    for name, one in debian.items():
        purl = f"pkg:deb/debian/{name}@{one}"
        extra.append(
            {"type": "library", "name": name, "version": one, "bom-ref": purl, "purl": purl}
        )
    kept = sorted((*components, *extra), key=lambda one: str(one["bom-ref"]))
    references = {one["bom-ref"] for one in kept}
    return {
        **{key: value for key, value in whole.items() if key not in ("components", "dependencies")},
        "metadata": {
            **whole.get("metadata", {}),
            "component": {
                "type": "application",
                "name": "edgemind",
                "version": version,
                "bom-ref": "edgemind",
                "licenses": [{"license": {"id": "Apache-2.0"}}],
            },
        },
        "components": kept,
        "dependencies": [
            {"ref": "edgemind", "dependsOn": sorted(references)},
            *(
                {
                    "ref": one["ref"],
                    "dependsOn": [to for to in one.get("dependsOn", ()) if to in references],
                }
                for one in whole.get("dependencies", ())
                if one["ref"] in references
            ),
        ],
    }


def licences(packages: Mapping[str, Distribution], debian: Mapping[str, str]) -> str:
    """The licences of everything inside, one part after the other."""
    interpreter = Path(sysconfig.get_path("stdlib"), "LICENSE.txt")
    parts = [_part(f"Python {platform.python_version()}", "PSF-2.0", [interpreter])]
    for name, one in packages.items():
        if name == "edgemind":
            continue
        files = [Path(str(file.locate())) for file in one.files or () if _LICENSE.search(str(file))]
        parts.append(_part(f"{one.name} {one.version}", _named(one), sorted(files)))
    for name, version in debian.items():
        parts.append(_part(f"{name} {version}", "", [Path("/usr/share/doc", name, "copyright")]))
    return "\n".join(parts)


def _part(title: str, named: str, files: Sequence[Path]) -> str:
    texts = [path.read_text("utf-8", "replace").strip() for path in files if path.is_file()]
    if not texts and not named:
        raise ValueError(f"no licence was found for {title}")
    line = "=" * 80
    return "\n\n".join((f"{line}\n{title}  {named}".rstrip() + f"\n{line}", *texts)) + "\n"


def _without_places(component: dict[str, Any]) -> dict[str, Any]:
    """Without references to files of the machine that it was built on."""
    references = component.get("externalReferences", ())
    kept = [one for one in references if not str(one.get("url", "")).startswith("file:")]
    others = {key: value for key, value in component.items() if key != "externalReferences"}
    return {**others, "externalReferences": kept} if kept else others


def _named(package: Distribution) -> str:
    """The licence as the package's metadata name it, in one of three ways."""
    fields = ("License-Expression", "License")
    named = next((package.metadata[one] for one in fields if one in package.metadata), "")
    classifiers = package.metadata.get_all("Classifier") or []
    found = [one.rpartition(" :: ")[2] for one in classifiers if one.startswith("License ::")]
    return named.partition("\n")[0] or ", ".join(found)


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _is_of_the_system(path: Path) -> bool:
    return path.is_file() and str(path).startswith(("/lib", "/usr/lib", "/usr/local/lib"))
