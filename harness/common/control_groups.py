"""Control groups: the limits that a container puts on processor time."""

from collections.abc import Iterator
from pathlib import Path

from .system_files import Unreadable, read_word


def limit_cores(root: Path) -> float | None:
    """Return the processor time that the control groups allow, in cores; None for no limit. Raises Unreadable."""
    limits = [_quota(folder) for folder in _control_groups(root)]
    return min((limit for limit in limits if limit is not None), default=None)


def limited_periods(root: Path) -> int:
    """Return in how many periods the control groups stopped their processes at the limit. Raises Unreadable."""
    return sum(_stopped(folder) for folder in _control_groups(root))


def _control_groups(root: Path) -> list[Path]:
    """Return the folders of this process's groups that limit processor time, and of their parent groups."""
    folders: list[Path] = []
    for mount, group in _mounted_groups(root):
        inside = mount / group.lstrip("/")
        # Inside a container the path may be the host's. Then the mounted folder itself is that of this process.
        chain = [inside, *inside.parents]
        folders += [each for each in chain if each.is_relative_to(mount) and each.is_dir()]
    if not folders:
        raise Unreadable("no control group that limits processor time (cgroup, in /proc/self)")
    return folders


def _mounted_groups(root: Path) -> Iterator[tuple[Path, str]]:
    """Yield each mounted hierarchy that may limit processor time, and the path of this process's group in it."""
    try:
        mounts = [line.split() for line in (root / "proc/self/mounts").read_text(encoding="utf-8").splitlines()]
        groups = (root / "proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in groups:
        _, controllers, path = line.split(":", 2)
        for _, folder, kind, options, *_ in mounts:
            second = kind == "cgroup2" and not controllers
            first = kind == "cgroup" and "cpu" in controllers.split(",") and "cpu" in options.split(",")
            if first or second:
                yield root / folder.lstrip("/"), path


def _quota(group: Path) -> float | None:
    """Return the limit of one group in cores, by the second or the first version of control groups."""
    try:
        if (group / "cpu.max").exists():
            quota, period = (group / "cpu.max").read_text(encoding="utf-8").split()
        else:
            quota, period = read_word(group / "cpu.cfs_quota_us"), read_word(group / "cpu.cfs_period_us")
        return None if quota in ("max", "-1") else int(quota) / int(period)
    except (OSError, ValueError, Unreadable):
        return None  # the outermost group has neither a limit nor the file


def _stopped(group: Path) -> int:
    try:
        lines = [line.split() for line in (group / "cpu.stat").read_text(encoding="utf-8").splitlines()]
    except OSError:
        return 0
    return sum(int(value) for name, value in lines if name == "nr_throttled")
