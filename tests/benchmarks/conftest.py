"""Prints each benchmark's throughput, and its ratio to the rival that it names, measured in the same run.

A benchmark says how much work a round does (``work``), who it is (``name``) and its rival; one that measures itself gives its
``seconds``, and the ``memory`` that it took [MB].
"""


def pytest_terminal_summary(terminalreporter, config):
    session = getattr(config, "_benchmarksession", None)
    benchmarks = [b for b in session.benchmarks if "work" in b.extra_info] if session else []
    if not benchmarks:
        return
    throughputs = {
        (b.group, b.extra_info["name"]): b.extra_info["work"] / b.extra_info.get("seconds", b["median"]) for b in benchmarks
    }
    terminalreporter.section("work a second, and ratio to the rival")
    for b in benchmarks:
        rival = throughputs.get((b.group, b.extra_info["rival"]))
        throughput = throughputs[b.group, b.extra_info["name"]]
        memory = f"{b.extra_info['memory']:8.0f} MB" if "memory" in b.extra_info else ""
        ratio = f"{throughput / rival:8.2f} x {b.extra_info['rival']}" if rival else ""
        terminalreporter.write_line(f"{b.group:>16}  {b.extra_info['name']:<30} {throughput:12.5g} / s {memory} {ratio}")
