"""Compiles the kernel while the package is built or installed; without a C compiler the package is pure Python."""

from __future__ import annotations

import os
import shlex
import subprocess
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCE = Path("deflect/line/kernel.c")
LIBRARY = Path("deflect/line/kernel.compiled")
#: Products and sums are rounded one by one, so that each ticket has the same bits whichever way a loop was compiled.
FLAGS = ("-std=c99", "-O3", "-ffp-contract=off", "-fno-math-errno", "-fPIC", "-shared")


class KernelHook(BuildHookInterface[Any]):
    """Puts the compiled kernel into the wheel, and beside its source."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002  # hatchling's signature.
        """Compile the kernel; say in one line if that fails."""
        root = Path(self.root)
        problem = compile_kernel(root / SOURCE, root / LIBRARY)
        if problem:
            self.app.display_warning(f"The kernel was not compiled, NumPy does its work, only slower: {problem}")
            return
        build_data["artifacts"].append(f"/{LIBRARY.as_posix()}")
        build_data["pure_python"] = False
        # Nothing of Python is compiled in, so one wheel suits every version of it on this platform.
        build_data["tag"] = f"py3-none-{sysconfig.get_platform().replace('-', '_').replace('.', '_')}"


def compile_kernel(source: Path, target: Path) -> str:
    """Compile a source file into a library; return what went wrong, or nothing.

    A library that is there already is replaced at once, or taken away if it cannot be: one of older source may differ.
    """
    command = [*shlex.split(os.environ.get("CC", "cc")), *FLAGS, str(source), "-lm", "-o"]
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        fresh = Path(folder) / target.name
        try:
            subprocess.run([*command, str(fresh)], capture_output=True, text=True, check=True)  # noqa: S603  # See CC.
        except OSError as error:
            problem = str(error)
        except subprocess.CalledProcessError as error:
            faults = [line for line in error.stderr.splitlines() if "error" in line]
            problem = f"{command[0]}: {faults[0] if faults else f'exit status {error.returncode}'}"
        else:
            fresh.replace(target)
            return ""
    target.unlink(missing_ok=True)
    return problem
