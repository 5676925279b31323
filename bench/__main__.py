"""``python -m bench [NAME ...]``: run the benchmarks named, or all of them, and print their tables."""

from __future__ import annotations

import importlib
import pkgutil
import sys

import bench


def main(names: list[str]) -> int:
    """Run each ``bench_*`` module's ``main``."""
    known = [module.name for module in pkgutil.iter_modules(bench.__path__) if module.name.startswith("bench_")]
    wanted = [f"bench_{name}" for name in names] or known
    unknown = sorted(set(wanted) - set(known))
    if unknown:
        print(f"no benchmark {', '.join(unknown)}; there are: {', '.join(known)}", file=sys.stderr)
        return 2
    for name in wanted:
        module = importlib.import_module(f"bench.{name}")
        title = (module.__doc__ or name).splitlines()[0]
        print(f"\n## {title}\n", flush=True)
        module.main()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
