"""Prints each benchmark's rate, and its ratio to the rival that it names, measured in the same run."""


def pytest_terminal_summary(terminalreporter, config):
    session = getattr(config, "_benchmarksession", None)
    benchmarks = [b for b in session.benchmarks if "work" in b.extra_info] if session else []
    if not benchmarks:
        return
    rates = {(b.group, b.extra_info["name"]): b.extra_info["work"] / b["median"] for b in benchmarks}
    terminalreporter.section("work a second, and ratio to the rival")
    for b in benchmarks:
        rival = rates.get((b.group, b.extra_info["rival"]))
        rate = rates[b.group, b.extra_info["name"]]
        ratio = f"{rate / rival:8.2f} x {b.extra_info['rival']}" if rival else ""
        terminalreporter.write_line(f"{b.group:>14}  {b.extra_info['name']:<30} {rate:12.0f} / s {ratio}")
