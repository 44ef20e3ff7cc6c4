"""What Linux is asked for to have networks of our own: namespaces(7), user_namespaces(7).

Namespaces have no names here: they are held by open files and die with the process that
holds them, so that nothing can be left behind.
"""

import ctypes
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from auditor.errors import EnvironmentLack

NEW_MOUNTS, NEW_USER, NEW_NET = 0x00020000, 0x10000000, 0x40000000  # sched.h
_SET_DEATH_SIGNAL = 1  # prctl.h, PR_SET_PDEATHSIG
_MOUNT_PRIVATE = 0x4000 | 0x40000  # MS_REC | MS_PRIVATE
_DETACH = 2  # MNT_DETACH

_libc = ctypes.CDLL(None, use_errno=True)

LACK_HINT = (
    "run it as root, or allow user namespaces: sysctl -w user.max_user_namespaces=10000 "
    "(Debian: kernel.unprivileged_userns_clone=1; Ubuntu 24.04 and later: "
    "kernel.apparmor_restrict_unprivileged_userns=0)"
)


def _call(name: str, *arguments: object) -> None:
    if getattr(_libc, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def unshare(flags: int) -> None:
    """Leave the namespaces named by `flags` for new ones of our own."""
    _call("unshare", flags)


def setns(file: int, kind: int) -> None:
    """Move the calling thread into the namespace that is open as `file`."""
    _call("setns", file, kind)


def die_with_parent() -> None:
    """Ask to be killed when the thread that started this process ends."""
    _call("prctl", _SET_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)


def leave_home() -> None:
    """Move this process into a network of its own, in which it is root.

    With CAP_SYS_ADMIN that is one call; without, a user namespace is made first, in which
    our user is root. The process must have one thread only.
    """
    try:
        unshare(NEW_NET | NEW_MOUNTS)
    except PermissionError:
        _become_root()
    _own_mounts()


def _become_root() -> None:
    user, group = os.geteuid(), os.getegid()
    try:
        unshare(NEW_USER | NEW_NET | NEW_MOUNTS)
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"0 {user} 1")
        Path("/proc/self/gid_map").write_text(f"0 {group} 1")
    except OSError as error:
        raise EnvironmentLack(
            "this machine does not let us make a network namespace",
            why=str(error),
            hint=LACK_HINT,
        ) from error


def _own_mounts() -> None:
    """Let /sys show the devices of our network; where that is not allowed, it shows none."""
    with suppress(OSError):
        _call("mount", None, b"/", None, ctypes.c_ulong(_MOUNT_PRIVATE), None)
        with suppress(OSError):
            _call("umount2", b"/sys", _DETACH)
        _call("mount", b"lab", b"/sys", b"sysfs", ctypes.c_ulong(0), None)


def here() -> int:
    """Open the network namespace that the calling thread is in."""
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


@contextmanager
def inside(network: int) -> Iterator[None]:
    """Let the calling thread be in `network`: sockets opened here belong to it for good."""
    home = here()
    try:
        setns(network, NEW_NET)
        yield
    finally:
        setns(home, NEW_NET)
        os.close(home)


def new_networks(count: int) -> list[int]:
    """Make `count` empty networks; each lives as long as a file or socket of it is open."""
    home = here()
    made = []
    try:
        for _ in range(count):
            unshare(NEW_NET)
            made.append(here())
    finally:
        setns(home, NEW_NET)
        os.close(home)
    return made


def hold_network() -> int:
    """Fork a process that only holds a network (and the mounts to go with it); give its id.

    It dies with us. Others enter the network through it.
    """
    ready, done = os.pipe()
    child = os.fork()
    if child:
        os.close(done)
        answer = os.read(ready, 1)
        os.close(ready)
        if not answer:
            os.waitpid(child, 0)
            raise EnvironmentLack("cannot hold a network namespace", hint=LACK_HINT)
        return child
    try:
        die_with_parent()
        unshare(NEW_NET | NEW_MOUNTS)
        _own_mounts()
        os.write(done, b"1")
        os.closerange(0, 256)
        while True:
            signal.pause()
    finally:
        os._exit(1)


def members(network: int) -> list[int]:
    """List the processes (except ourselves) that are in `network`, as far as we may see."""
    wanted = os.fstat(network).st_ino
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        with suppress(OSError):
            if (entry / "ns/net").stat().st_ino == wanted:
                found.append(int(entry.name))
    return found


def clear(network: int) -> None:
    """Kill every process in `network`, except ourselves and who started us."""
    for process in set(members(network)) - {os.getppid()}:
        with suppress(OSError):
            os.kill(process, signal.SIGKILL)


def end_children() -> None:
    """Kill every process that we have forked and wait for its end."""
    for task in Path("/proc/self/task").iterdir():
        for child in (task / "children").read_text().split():
            with suppress(OSError):
                os.kill(int(child), signal.SIGKILL)
                os.waitpid(int(child), 0)


def set_kernel(name: str, value: str) -> bool:
    """Write one sysctl of the network we are in; False where the machine does not allow it."""
    try:
        Path("/proc/sys", *name.split(".")).write_text(value)
    except OSError:
        return False
    return True
