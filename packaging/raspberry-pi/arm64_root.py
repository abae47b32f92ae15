"""A small Debian for arm64 in a folder, and programs run in it on another kind of machine.

QEMU plays the processor for one program at a time (`qemu-aarch64-static`). The kernel has to be
told that it should start ARM programs with it; since Linux 6.7 that can be said for a user
namespace alone (`binfmt_misc`), so nothing of this machine changes, and children work, too.
Needs root, for the folder's files belong to several users.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

TOOLS: Final = {"debootstrap": "debootstrap", "qemu-aarch64-static": "qemu-user-static"}
"""Programs that have to be there, and Debian's packages that hold them."""
IDS: Final = 65_536
"""How many users and groups the folder's files may belong to: all that Debian makes."""
# 64-bit little-endian ELF for the machine 183 (AArch64), programs and shared objects.
HANDLER: Final = (
    r":qemu-aarch64:M::\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00"
    r":\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff"
)
BOARDS: Final = {
    False: ("0xd08", "fp asimd evtstrm crc32 cpuid"),
    True: (
        "0xd0b",
        "fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc "
        "dcpop asimddp",
    ),
}
"""The processor's number and features as /proc/cpuinfo of a Pi 4 and a Pi 5 tells them."""
OLD: Final = ("cortex-a53", "cortex-a57", "cortex-a72")
"""Processors without dot products."""
CPUINFO: Final = "etc/edgemind-cpuinfo"
UNSHARE: Final = "unshare --user --mount --pid --fork sh -c".split()
# Waits for its users, says who starts ARM programs (F: opened now, from outside of the folder),
# gives the folder its own /dev of harmless files and a board's /proc/cpuinfo (onnxruntime crashes
# when it reads another machine's), and becomes the command.
ENTER: Final = r"""
set -e
read -r mapped
mount -t binfmt_misc none /proc/sys/fs/binfmt_misc
printf '%s' "$2" >/proc/sys/fs/binfmt_misc/register
mount -t proc none "$1/proc" 2>/dev/null || mount --rbind /proc "$1/proc"
mount --bind "$1/etc/edgemind-cpuinfo" "$1/proc/cpuinfo"
mount --rbind /sys "$1/sys"
mount -t tmpfs -o mode=755 none "$1/dev"
for device in null zero full random urandom tty; do
    : >"$1/dev/$device"
    mount --bind "/dev/$device" "$1/dev/$device"
done
mkdir "$1/dev/pts"
mount -t devpts -o newinstance,ptmxmode=666 none "$1/dev/pts"
ln -s pts/ptmx "$1/dev/ptmx"
mkdir -m 1777 "$1/dev/shm"
ln -s /proc/self/fd "$1/dev/fd"
root=$1
shift 2
exec chroot "$root" "$@" </dev/null
"""


class NoRoot(Exception):
    """The folder cannot be made or entered here; the text says why and what to do."""


def make(root: Path, packages: Sequence[str], suite: str, mirror: str | None) -> None:
    """Install Debian `suite` for arm64 with `packages` into the folder `root`; minutes.

    Raises `NoRoot`. A folder that was left half done is made anew.
    """
    ready = root / "etc" / "edgemind-root"
    if ready.exists() and ready.read_text() == suite:
        return
    if os.geteuid() != 0:
        raise NoRoot("an arm64 system in a folder needs root: run this with sudo")
    for tool, package in TOOLS.items():
        if shutil.which(tool) is None:
            raise NoRoot(f"{tool} is missing. On Debian or Ubuntu: sudo apt install {package}")
    if root.exists():
        shutil.rmtree(root)
    root.parent.mkdir(parents=True, exist_ok=True)
    first = ["debootstrap", "--arch=arm64", "--foreign", "--variant=minbase"]
    if packages:
        first.append(f"--include={','.join(packages)}")
    first += [suite, str(root), *([mirror] if mirror else [])]
    if subprocess.run(first, check=False).returncode:
        raise NoRoot(f"debootstrap failed: see {root}/debootstrap/debootstrap.log")
    # Device files cannot be made in a user namespace; it knows that of this kind of container.
    second = ["/debootstrap/debootstrap", "--second-stage"]
    if run(root, second, {"container": "lxc"}).returncode:
        raise NoRoot(f"debootstrap failed: see {root}/debootstrap/debootstrap.log")
    shutil.rmtree(root / "var" / "cache" / "apt" / "archives", ignore_errors=True)
    (root / "var" / "cache" / "apt" / "archives" / "partial").mkdir(parents=True)
    ready.write_text(suite)


def run(
    root: Path,
    command: Sequence[str],
    variables: Mapping[str, str] | None = None,
    *,
    cpu: str | None = None,
    capture: bool = False,
) -> subprocess.CompletedProcess[str]:
    """Run `command` in the folder, with `cpu` as QEMU calls processors; None is its newest.

    The processor is said in a variable: a program that clears its children's variables starts
    them on the newest one. Raises `NoRoot` where this kernel cannot do it.
    """
    qemu = shutil.which("qemu-aarch64-static")
    if qemu is None:
        raise NoRoot("qemu-aarch64-static is missing. On Debian: sudo apt install qemu-user-static")
    environment = {
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": "/root",
        "LANG": "C.UTF-8",
        "DEBIAN_FRONTEND": "noninteractive",
        **(variables or {}),
    }
    if cpu is not None:
        environment["QEMU_CPU"] = cpu
    (root / CPUINFO).write_text(cpuinfo(dotprod=cpu not in OLD))
    started = subprocess.Popen(
        [*UNSHARE, ENTER, "enter", str(root), f"{HANDLER}:{qemu}:POCF", *command],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE if capture else None,
        stderr=subprocess.PIPE if capture else None,
        text=True,
    )
    try:
        wait_for_namespace(started)
        for kind in ("uid_map", "gid_map"):
            Path(f"/proc/{started.pid}/{kind}").write_text(f"0 0 {IDS}")
        said, errors = started.communicate("mapped\n")
    finally:
        end(started)
    return subprocess.CompletedProcess(list(command), started.returncode, said, errors)


def end(process: subprocess.Popen[str]) -> None:
    """End `unshare`, if it still runs, and all that runs in its namespace.

    Its one child is the first process there, with which the others go; it would outlive `unshare`.
    """
    if process.poll() is None:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
        for child in children.split():
            os.kill(int(child), signal.SIGKILL)
        process.kill()
        process.wait()


def cpuinfo(*, dotprod: bool, cores: int = 4) -> str:
    """What /proc/cpuinfo says on a board whose processor has dot products, or has none."""
    part, features = BOARDS[dotprod]
    lines = f"""\
BogoMIPS\t: 108.00
Features\t: {features}
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x0
CPU part\t: {part}
CPU revision\t: 3
"""
    return "\n".join(f"processor\t: {core}\n{lines}" for core in range(cores))


def wait_for_namespace(process: subprocess.Popen[str]) -> None:
    """Until the process has left this user namespace. Raises `NoRoot` where it ended instead."""
    ours = os.stat("/proc/self/ns/user").st_ino
    while process.poll() is None:
        try:
            if os.stat(f"/proc/{process.pid}/ns/user").st_ino != ours:
                return
        except OSError:
            break
    raise NoRoot("this system allows no user namespaces, and an arm64 system needs one")


if __name__ == "__main__":
    if len(sys.argv) < 3:
        raise SystemExit(f"usage: {sys.argv[0]} FOLDER COMMAND [ARGUMENT...]")
    # Otherwise what runs in the system would outlive this process.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    try:
        done = run(Path(sys.argv[1]), sys.argv[2:], cpu=os.environ.get("QEMU_CPU"))
    except NoRoot as error:
        raise SystemExit(f"edgemind: {error}") from None
    sys.exit(done.returncode)
