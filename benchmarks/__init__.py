"""What the client costs, measured; ``python -m benchmarks`` prints it. See ``docs/performance.md``."""
