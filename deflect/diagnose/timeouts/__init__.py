"""Reads router logs: which paths are slow by themselves, and which only waited behind them."""
