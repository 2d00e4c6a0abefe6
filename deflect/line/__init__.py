"""The line: text to suggestion, one ticket at a time; NumPy and the standard library only."""
