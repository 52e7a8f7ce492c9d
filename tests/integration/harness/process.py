# SPDX-License-Identifier: Apache-2.0
"""Child programs: their lines are events that can be awaited, and none of them outlives the test."""
import atexit
import ctypes
import os
import random
import re
import shlex
import signal
import socket
import subprocess
import threading
import time

DEADLINE_S = 30  # for whatever should happen at once; only a failing test ever waits so long
PR_SET_CHILD_SUBREAPER = 36


def wait_until(condition, what, deadline_s=DEADLINE_S):
    """Polls, where nothing else tells: returns the first true value of condition()."""
    end = time.monotonic() + deadline_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"still not so after {deadline_s} s: {what}")
        time.sleep(0.02)


_claims = []  # descriptors, held as long as this test runs


def claim(port):
    """Whether no other test on this machine has been given this port, listening or not."""
    mark = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        mark.bind(f"\0tidegate-test-port-{port}")
    except OSError:
        mark.close()
        return False
    _claims.append(mark.detach())
    return True


def free_port(kind=socket.SOCK_STREAM):
    """A port that nobody listens on, outside of the range that the kernel gives to clients."""
    for _ in range(100):
        port = random.randrange(20000, 32000)
        if not claim(port):
            continue
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise AssertionError("no free port found")


class Lines:
    """The lines of one or more streams, in the order in which they came; `parse` makes something else of each."""

    def __init__(self, parse=lambda line: line):
        self._parse = parse
        self._lines = []
        self._more = threading.Condition()

    def follow(self, stream):
        """Reads from now on; the event that is returned is set at the stream's end."""
        ended = threading.Event()
        threading.Thread(target=self._read, args=(stream, ended), daemon=True).start()
        return ended

    def _read(self, stream, ended):
        with stream:
            for line in stream:
                self.add(self._parse(line.rstrip("\n")))
        with self._more:
            ended.set()
            self._more.notify_all()

    def add(self, line):
        with self._more:
            self._lines += [] if line is None else [line]
            self._more.notify_all()

    def all(self):
        with self._more:
            return list(self._lines)

    def wait_for(self, condition, what, deadline_s=DEADLINE_S):
        """Waits until condition(all lines) is true, and returns its value."""
        end = time.monotonic() + deadline_s
        with self._more:
            while True:
                value = condition(self._lines)
                if value:
                    return value
                if not self._more.wait(end - time.monotonic()):
                    last = "\n".join(map(str, self._lines[-20:]))
                    raise AssertionError(f"waited {deadline_s} s for {what}; the last lines:\n{last}")

    def wait_line(self, pattern, after=0, deadline_s=DEADLINE_S):
        """Waits for a line that the regular expression is found in, behind the first `after` lines."""
        return self.wait_for(
            lambda lines: next((l for l in lines[after:] if re.search(pattern, l)), None), f"'{pattern}'", deadline_s
        )


class Process:
    """A running program; both its outputs become `lines`, unless standard output is wanted apart."""

    def __init__(self, command, lines=None, **popen):
        self.lines = lines or Lines()
        self._popen = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            encoding="utf-8", errors="replace", **popen,
        )
        self._ended = self.lines.follow(self._popen.stdout)

    @property
    def pid(self):
        return self._popen.pid

    def is_running(self):
        return self._popen.poll() is None

    def signal(self, number):
        self._popen.send_signal(number)

    def wait(self, deadline_s=DEADLINE_S):
        """Waits for its end and returns its exit code; a program that does not end is a failure."""
        try:
            return self._popen.wait(deadline_s)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            raise AssertionError(f"{self._popen.args[0]} did not end within {deadline_s} s") from None

    def wait_lines(self):
        """Waits until its last line has been read."""
        self._ended.wait(DEADLINE_S)

    def wait_line(self, pattern, after=0):
        """As Lines.wait_line, but gives up as soon as no line can come any more."""
        def found_or_ended(lines):
            return any(re.search(pattern, line) for line in lines[after:]) or self._ended.is_set()
        self.lines.wait_for(found_or_ended, f"'{pattern}'")
        self.lines.wait_line(pattern, after, deadline_s=0)

    def kill(self):
        """kill -9, as after a power cut."""
        self._popen.kill()
        return self._popen.wait()


def run(command, deadline_s=DEADLINE_S, check=True, **options):
    """Runs a short program to its end and returns (exit code, standard output, standard error)."""
    result = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", errors="replace",
        timeout=deadline_s, check=False, **options,
    )
    if check and result.returncode:
        raise AssertionError(f"{command[0]} ended with {result.returncode}: {result.stdout}{result.stderr}")
    return result.returncode, result.stdout, result.stderr


def compile_c(*words):
    """With the compiler that has made the programs."""
    run([*shlex.split(os.environ.get("CC", "cc")), *words])


def children(parent=None):
    """The pids of the living children of a process, of this one by default."""
    found = []
    for entry in os.listdir("/proc"):
        try:
            with open(f"/proc/{entry}/stat", encoding="utf-8", errors="replace") as stat:
                state, ppid = stat.read().rpartition(")")[2].split()[:2]
        except (OSError, ValueError):
            continue
        if entry.isdigit() and state != "Z" and int(ppid) == (parent or os.getpid()):
            found.append(int(entry))
    return found


def _kill_what_is_left():
    """Endpoint processes outlive a killed core on purpose: as a subreaper we become their parent."""
    for _ in range(10):
        for pid in children():
            try:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
            except (ProcessLookupError, ChildProcessError):
                pass


ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
atexit.register(_kill_what_is_left)
signal.signal(signal.SIGTERM, lambda number, frame: os._exit(_kill_what_is_left() or 1))
