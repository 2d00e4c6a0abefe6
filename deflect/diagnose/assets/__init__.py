"""Stale assets: committed build output that keeps changes from the site. ``stacks.toml`` has the rules."""
