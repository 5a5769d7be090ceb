"""The description of the processor, from made-up files of the system."""

import pytest
from bakeoff.common import machine, processor

CPUINFO = """processor\t: 0
model name\t: Made Up 3000
microcode\t: 0x2b000603
flags\t\t: sse2 fma avx2{more}

processor\t: 1
flags\t\t: other
"""


@pytest.fixture
def root(tmp_path):
    """Return a way to write the files of a made-up system."""

    def write(more="", vendor=None):
        (tmp_path / "proc").mkdir()
        (tmp_path / "proc/cpuinfo").write_text(CPUINFO.format(more=more))
        if vendor is not None:
            (tmp_path / "sys/class/dmi/id").mkdir(parents=True)
            (tmp_path / "sys/class/dmi/id/sys_vendor").write_text(vendor + "\n")
        return tmp_path

    return write


def test_flags_and_microcode_are_those_of_the_first_core(root):
    folder = root()
    assert processor.flags(folder) == ["avx2", "fma", "sse2"]
    assert processor.microcode(folder) == "0x2b000603"


@pytest.mark.parametrize(
    ("more", "vendor", "name"),
    [
        ("", "Laptop Maker", "none"),
        (" hypervisor", "QEMU", "QEMU"),
        (" hypervisor", None, "present, of unknown name"),
    ],
)
def test_the_hypervisor_is_named_where_there_is_one(root, more, vendor, name):
    assert processor.hypervisor(root(more, vendor)) == name


def test_a_system_that_shows_nothing_gives_none(tmp_path):
    assert processor.flags(tmp_path) is processor.microcode(tmp_path) is processor.hypervisor(tmp_path) is None


def test_the_description_of_this_machine_has_what_kernels_are_chosen_by():
    assert {"flags", "microcode", "hypervisor", "c_library", "kernel"} <= set(machine.describe())
