# SPDX-License-Identifier: Apache-2.0
"""Every test of the installed package, on each Debian that it is for: makes the packages once, makes the roots, runs the tests.

Prints a line for each test, what a failed one said, and the sum as the last line. Where this machine cannot do it, that is said and counted
as skipped: where it can, a failure is one. --long runs all of the one that takes more than ten minutes. TG_SYSTEM_RELEASES names the releases,
and with TG_SYSTEM_MINUTES none is begun after so many.
"""
import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock

from box import Failed
from roots import NoDebian, build_packages, make_root, probe

HERE = Path(__file__).resolve().parent
RELEASES = {"bookworm": "Debian 12", "trixie": "Debian 13"}
TESTS = ["test_box.py", "test_box_boot.py", "test_package.py", "test_upgrade.py --short"]
LONG_TESTS = [*TESTS[:3], "test_upgrade.py"]
TOOLS = ["dpkg-buildpackage", "dpkg-scanpackages", "mmdebstrap", "nsenter", "openssl", "systemd-nspawn"]
# They wait most of the time: two of them fit where one does.
AT_ONCE = 2


class Run:
    """What has been found out so far."""

    def __init__(self, folder, tests):
        self.folder, self.tests = folder, tests
        self.begin, self.limit_s = time.monotonic(), 60 * float(os.environ.get("TG_SYSTEM_MINUTES", 0))
        self.lock, self.counts = Lock(), {"PASS": 0, "FAIL": 0, "SKIP": 0}

    def say(self, outcome, what, count=1):
        with self.lock:
            self.counts[outcome] += count
            print(f"{outcome}: {what}", flush=True)

    def skip(self, release, why):
        self.say("SKIP", f"{RELEASES[release]}: SKIPPED: the package was NOT tested there: {why}", len(self.tests))

    def summary(self):
        counts = self.counts
        print(f"{counts['PASS']} passed, {counts['FAIL']} failed, {counts['SKIP']} skipped", flush=True)
        return 1 if counts["FAIL"] else 0

    def can_test(self, release):
        """Whether there is time, and a box comes up here; else it is skipped."""
        if self.limit_s and time.monotonic() - self.begin > self.limit_s:
            self.skip(release, f"this machine is slow, and the {self.limit_s / 60:.0f} minutes before it begins are over")
            return False
        place = self.folder / release / "probe"
        place.parent.mkdir()
        try:
            probe(place, release)
        except Failed as problem:
            self.skip(release, f"no box of it comes up here ({problem})")
            return False
        finally:
            shutil.rmtree(place, ignore_errors=True)
        return True

    def prepare(self, release):
        """Packages and root; returns the environment of the tests."""
        begin = time.monotonic()
        print(f"{RELEASES[release]}: a box comes up here, making the packages", flush=True)
        folder = self.folder / release
        packages = build_packages(folder, release)
        root = folder / "root"
        make_root(root, release, [path for name in ("tidegate", "tidegate-amqp", "tidegate-hypercat") for path in packages.glob(f"{name}_*.deb")])
        print(f"{RELEASES[release]}: packages and root made in {time.monotonic() - begin:.0f} s", flush=True)
        return {**os.environ, "TG_PACKAGES": str(packages), "TG_SYSTEM_ROOT": str(root), "TMPDIR": str(folder)}

    def run_test(self, release, name, environment):
        begin = time.monotonic()
        program, *words = name.split()
        result = subprocess.run(
            [sys.executable, "-B", str(HERE / program), *words], env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, encoding="utf-8", errors="replace", check=False)
        outcome = {0: "PASS", 77: "SKIP"}.get(result.returncode, "FAIL")
        said = result.stdout.splitlines()
        if outcome != "FAIL":
            said = [f"  {line.split(' ...   ')[-1].strip()}" for line in said if line.startswith(("  ", "SKIPPED")) or " ...   " in line]
        text = "\n".join([f"{RELEASES[release]}, {name} ({time.monotonic() - begin:.0f} s)", *said[-250:]])
        self.say(outcome, text)

    def release(self, release, pool):
        """Begins the tests of a release; returns what is to be waited for."""
        try:
            environment = self.prepare(release)
        except NoDebian as problem:
            self.skip(release, f"it cannot be had here ({problem})")
            return []
        except (Failed, subprocess.TimeoutExpired) as problem:
            self.say("FAIL", f"{RELEASES[release]}: the packages cannot be made: {problem}", len(self.tests))
            return []
        return [pool.submit(self.run_test, release, name, environment) for name in self.tests]


def missing():
    """Why nothing can be tested here, or nothing."""
    if os.geteuid() != 0:
        return "it wants root"
    tools = [name for name in TOOLS if not shutil.which(name)]
    return f"missing here: {', '.join(tools)}" if tools else ""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--long", action="store_true", help="run all of the test of upgrades, which takes more than ten minutes")
    tests = LONG_TESTS if parser.parse_args().long else TESTS
    releases = os.environ.get("TG_SYSTEM_RELEASES", " ".join(RELEASES)).split()
    with tempfile.TemporaryDirectory(prefix="tidegate-system-", ignore_cleanup_errors=True) as folder:
        run = Run(Path(folder), tests)
        why = missing()
        for release in releases if why else []:
            run.skip(release, why)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            # The next packages are made while the tests of these run.
            begun = [run.release(release, pool) for release in releases if not why and run.can_test(release)]
            for each in sum(begun, []):
                each.result()
    sys.exit(run.summary())


if __name__ == "__main__":
    main()
