"""Writes a file that appears whole or not at all."""

from __future__ import annotations

import errno
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def replacing(target: Path) -> Iterator[BinaryIO]:
    """Open a temporary file that takes the target's place when all went well; else the target stays as it was.

    OSError says that the target is something else than a file, such as /dev/null, whose place no file must take.
    """
    if target.exists() and not target.is_file():
        raise OSError(errno.EINVAL, "it is no file", str(target))
    part = target.with_name(f".{target.name[:100]}.{uuid.uuid4().hex[:12]}.part")
    try:
        with part.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
