"""The loop: learn from an archive, promise, evaluate, score files; built on the line."""
