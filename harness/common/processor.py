"""What a processor offers to numerical libraries, which choose their kernels, and so speed and rounding, by it."""

from pathlib import Path

ROOT = Path("/")


def read_cpuinfo(root: Path = ROOT) -> dict[str, str]:
    """Return what /proc/cpuinfo says of the first core; empty where there is no such file."""
    try:
        text = (root / "proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return {}
    first = text.split("\n\n", 1)[0]
    return {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in first.splitlines())}


def flags(root: Path = ROOT) -> list[str] | None:
    """Return the instruction sets and features of the processor, sorted; None where the system does not show them."""
    found = read_cpuinfo(root)
    words = found.get("flags", found.get("Features"))
    return None if words is None else sorted(set(words.split()))


def microcode(root: Path = ROOT) -> str | None:
    """Return the version of the microcode; None where the system does not show it."""
    return read_cpuinfo(root).get("microcode")


def hypervisor(root: Path = ROOT) -> str | None:
    """Return the name of the hypervisor, or "none" on a machine without; None where the system does not show it."""
    found = flags(root)
    for path in ("sys/hypervisor/type", "sys/class/dmi/id/sys_vendor"):
        name = _read(root / path)
        if name and (found is None or "hypervisor" in found):
            return name
    if found is None:
        return None
    return "present, of unknown name" if "hypervisor" in found else "none"


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return ""
