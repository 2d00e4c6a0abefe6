"""The checks, one module a theme: each takes a Case and yields findings, with no input or output."""
