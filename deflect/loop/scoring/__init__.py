"""Scoring archives: blocks in, answered parts out, side by side and resumable; `batch` is the face of it."""
