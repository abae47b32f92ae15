"""The filter that seccomp loads, run by a small machine of its own: each processor, anywhere."""

from __future__ import annotations

import errno
import struct

import pytest

from edgemind.guard.bpf import (
    ALLOW,
    AND,
    AROUND,
    JUMP_ANY_BIT,
    JUMP_AT_LEAST,
    JUMP_EQUAL,
    LOAD,
    MACHINES,
    NOT_THERE,
    OTHERS,
    REFUSE,
    RETURN,
    SOCKETS,
    Instruction,
    Machine,
    program,
)

ME, OTHER = 4711, 4712
THREAD, CHILD = 0x10F00, 0x1200011
MAX_INSTRUCTIONS = 4096
OPEN = {"x86_64": 2, "aarch64": 56}
machine_names = pytest.mark.parametrize("name", MACHINES)


def answer(instructions: tuple[Instruction, ...], number: int, *arguments: int, on: int) -> int:
    """What a filter returns for a system call on the architecture `on`."""
    padded = [*arguments, 0, 0, 0, 0, 0, 0][:6]
    data = struct.pack("=IIQ6Q", number, on, 0, *padded)
    value, place = 0, 0
    while True:
        code, yes, no, constant = instructions[place]
        place += 1
        match code:
            case 0x20:
                [value] = struct.unpack_from("=I", data, constant)
            case 0x54:
                value &= constant
            case 0x06:
                return constant
            case _:
                holds = {
                    JUMP_EQUAL: value == constant,
                    JUMP_AT_LEAST: value >= constant,
                    JUMP_ANY_BIT: bool(value & constant),
                }[code]
                place += yes if holds else no


def asked(name: str, call: str | int, *arguments: int, alone: int | None = None) -> int:
    machine = MACHINES[name]
    number = call if isinstance(call, int) else machine.calls[call]
    return answer(program(machine, alone=alone), number, *arguments, on=machine.architecture)


def test_codes_are_those_of_the_kernel() -> None:
    assert (LOAD, AND, RETURN) == (0x20, 0x54, 0x06)
    assert REFUSE & 0xFFFF == errno.EPERM and NOT_THERE & 0xFFFF == errno.ENOSYS


@machine_names
@pytest.mark.parametrize("alone", [None, ME])
def test_no_way_to_a_network(name: str, alone: int | None) -> None:
    for call in ("socket", *AROUND):
        for family in (1, 2, 10, 16, 17):
            assert asked(name, call, family, 1, alone=alone) == REFUSE
    cloexec, stream, datagram, raw = 0o2000000, 1, 2, 3
    assert asked(name, "socketpair", 1, stream | cloexec, alone=alone) == ALLOW
    for kind in (datagram, datagram | cloexec, raw, 5, 0):
        assert asked(name, "socketpair", 1, kind, alone=alone) == REFUSE
    assert asked(name, OPEN[name], alone=alone) == ALLOW


@machine_names
def test_unix_sockets_may_be_left(name: str) -> None:
    machine = MACHINES[name]
    instructions = program(machine, unix=True)
    for family in range(64):
        for high in (0, 1 << 32):  # the kernel looks at the low half
            made = answer(
                instructions, machine.calls["socket"], family | high, 1, on=machine.architecture
            )
            assert made == (ALLOW if family == 1 else REFUSE)
    for call in AROUND:
        refused = answer(instructions, machine.calls[call], 1, on=machine.architecture)
        assert refused == REFUSE


@pytest.mark.parametrize("unix", [False, True])
def test_the_call_of_all_socket_calls_is_refused_where_it_exists(unix: bool) -> None:
    known = MACHINES["x86_64"]
    old = Machine(0x14, {**known.calls, "socketcall": 102})
    assert answer(program(old, unix=unix), 102, 1, on=0x14) == REFUSE
    assert "socketcall" in SOCKETS and "socketcall" not in known.calls


@machine_names
def test_other_architectures_are_refused_everything(name: str) -> None:
    instructions = program(MACHINES[name])
    for other in (0x40000003, 0, *(m.architecture for m in MACHINES.values())):
        expected = ALLOW if other == MACHINES[name].architecture else REFUSE
        assert answer(instructions, OPEN[name], on=other) == expected
    assert asked(name, 0x40000000 | 41) == REFUSE
    assert asked(name, 0xFFFFFFFF) == REFUSE


@machine_names
def test_alone(name: str) -> None:
    for call in OTHERS:
        if call in MACHINES[name].calls:
            assert asked(name, call, ME, alone=ME) == REFUSE
            assert asked(name, call, ME) == ALLOW
    assert asked(name, "clone3", alone=ME) == NOT_THERE
    assert asked(name, "clone", THREAD, alone=ME) == ALLOW
    assert asked(name, "clone", CHILD, alone=ME) == REFUSE
    for call in ("kill", "tgkill"):
        assert asked(name, call, ME, alone=ME) == ALLOW
        for pid in (OTHER, 0, 1, 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF):
            assert asked(name, call, pid, alone=ME) == REFUSE
    assert asked(name, "prlimit64", 0, 7, 0, 0x1000, alone=ME) == ALLOW
    for pointer in (1, 1 << 32, 0x7FFF00000000):
        assert asked(name, "prlimit64", 0, 7, pointer, alone=ME) == REFUSE


@machine_names
def test_every_path_ends(name: str) -> None:
    instructions = program(MACHINES[name], alone=ME)
    assert len(instructions) < MAX_INSTRUCTIONS
    for place, (code, yes, no, _) in enumerate(instructions):
        if code not in (LOAD, AND, RETURN):
            assert place + 1 + max(yes, no) < len(instructions)
    assert instructions[-1] == (RETURN, 0, 0, ALLOW)
