# SPDX-License-Identifier: Apache-2.0
"""A small Debian of its own, booted with its systemd by systemd-nspawn: the box that the package meets."""
import os
import shutil
import signal
import subprocess
import time
import uuid
from pathlib import Path

DEADLINE_S = 180


class Failed(Exception):
    pass


def call(*command, check=True, deadline_s=600, **options):
    """Runs a program on this machine; returns (exit code, both outputs)."""
    result = subprocess.run(
        [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        encoding="utf-8", errors="replace", timeout=deadline_s, check=False, **options,
    )
    if check and result.returncode:
        raise Failed(f"{' '.join(map(str, command))} ended with {result.returncode}:\n{result.stdout}")
    return result.returncode, result.stdout


def wait_until(condition, what, deadline_s=DEADLINE_S):
    end = time.monotonic() + deadline_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failed(f"still not so after {deadline_s} s: {what}")
        time.sleep(0.1)


# Where the hierarchies of control groups are that a systemd keeps its units in, by their name in /proc/self/cgroup.
HIERARCHIES = {"": ("/sys/fs/cgroup", "/sys/fs/cgroup/unified"), "name=systemd": ("/sys/fs/cgroup/systemd",)}


def make_control_groups(name):
    """Of this name below our own ones, for one box: two in the same would take each other's units away. Returns their folders."""
    made = []
    for line in Path("/proc/self/cgroup").read_text(encoding="ascii").splitlines():
        _, hierarchy, path = line.split(":", 2)
        for mount in map(Path, HIERARCHIES.get(hierarchy, ())):
            own = mount / path.lstrip("/")
            if (mount / "cgroup.procs").exists() and (own / "cgroup.procs").exists():
                try:
                    (own / name).mkdir()
                except OSError as problem:
                    raise Failed(f"no control group for the box ({problem})") from problem
                made.append(own / name)
    return made


def remove_control_groups(places):
    for place in places:
        for folder, _, _ in os.walk(place, topdown=False):
            try:
                os.rmdir(folder)
            except OSError:
                return  # A process is still on its way out: an empty folder harms nobody.


class Box:
    """One container. Nothing but its loopback interface is in it; packages come from a folder in it."""

    def __init__(self, folder):
        self.root = Path(folder)
        self._nspawn = None
        self._init = None
        self._log = None
        self._followed = []
        self._groups = []

    def prepare(self):
        """Before the first boot: no source of packages but ours, a broker that waits for its certificates."""
        for path in [self.root / "etc/apt/sources.list", *(self.root / "etc/apt/sources.list.d").glob("*")]:
            path.unlink(missing_ok=True)
        (self.root / "etc/apt/sources.list").write_text("deb [trusted=yes] file:/srv/packages ./\n", encoding="ascii")
        (self.root / "srv/packages").mkdir(parents=True, exist_ok=True)
        (self.root / "etc/machine-id").write_text("", encoding="ascii")
        (self.root / "etc/hosts").write_text("127.0.0.1 localhost\n::1 localhost\n127.0.1.1 box-1\n", encoding="ascii")
        (self.root / "etc/hostname").write_text("box-1\n", encoding="ascii")
        call("systemd-firstboot", f"--root={self.root}", "--setup-machine-id", "--force")

    def boot(self, *options):
        self._log = open(self.root.parent / f"{self.root.name}.console", "a", encoding="utf-8")
        self._groups = make_control_groups(f"tidegate-box-{uuid.uuid4().hex}")
        join = 'while [ "$1" != -- ]; do echo $$ >"$1/cgroup.procs" || exit; shift; done; shift; exec "$@"'
        self._nspawn = subprocess.Popen(
            ["sh", "-c", join, "sh", *self._groups, "--",
             "systemd-nspawn", "--quiet", "-D", self.root, "--register=no", "--keep-unit", "--private-network", "--link-journal=no",
             "--system-call-filter=landlock_create_ruleset landlock_add_rule landlock_restrict_self",
             *options, "-b"],
            stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log, start_new_session=True,
        )
        self._init = wait_until(self._find_init, "the container's init is there")
        wait_until(self._is_up, "the container has booted")

    def _find_init(self):
        if self._nspawn.poll() is not None:
            raise Failed(f"systemd-nspawn ended with {self._nspawn.returncode}; see {self._log.name}")
        path = Path(f"/proc/{self._nspawn.pid}/task/{self._nspawn.pid}/children")
        for pid in path.read_text(encoding="ascii").split():
            # The first child only prepares the place, and ends.
            if Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip() in ("systemd", "init"):
                return int(pid)
        return None

    def _is_up(self):
        return self.run("systemctl", "is-system-running", check=False)[1].strip() in ("running", "degraded")

    def run(self, *command, check=True, deadline_s=120):
        """Runs a program in the box as root; returns (exit code, both outputs)."""
        return call("nsenter", "-t", self._init, "-a", "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8",
                    "HOME=/tmp", "DEBIAN_FRONTEND=noninteractive", *command, check=check, deadline_s=deadline_s)

    def shell(self, text, **options):
        return self.run("sh", "-c", text, **options)[1]

    def follow(self, *command):
        """Starts a program in the box whose output goes on, until the box is switched off; returns its Popen."""
        process = subprocess.Popen(
            ["nsenter", "-t", str(self._init), "-a", "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", *command],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", errors="replace",
        )
        self._followed.append(process)
        return process

    def follow_service(self, *command):
        """The same, as a service that the box stops in good order when it goes down."""
        return self.follow("systemd-run", "--quiet", "--pipe", "--wait", "--collect", "-p", "TimeoutStopSec=40", *command)

    def write(self, path, text, mode=0o644, owner=None):
        target = self.root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        target.chmod(mode)
        if owner:
            self.run("chown", owner, path)

    def read(self, path):
        return (self.root / path.lstrip("/")).read_text(encoding="utf-8")

    def power_off(self, hard=False):
        """In good order, or as when the plug is pulled."""
        if not self._nspawn:
            return
        if hard:
            os.kill(self._init, signal.SIGKILL)
        else:
            self.run("systemctl", "--no-block", "poweroff", check=False)
        try:
            self._nspawn.wait(DEADLINE_S)
        except subprocess.TimeoutExpired:
            self._nspawn.kill()
            self._nspawn.wait()
        self._nspawn = None
        self._log.close()
        for process in self._followed:
            process.kill()
            process.wait()
        self._followed = []
        remove_control_groups(self._groups)

    def reboot(self, hard=False):
        self.power_off(hard)
        self.boot()

    def publish(self, packages, update=True):
        """Makes packages known to the box's apt, and forgets those of before; without `update` it still has to look."""
        place = self.root / "srv/packages"
        for path in place.iterdir():
            path.unlink()
        for path in packages:
            shutil.copy(path, place)
        _, index = call("sh", "-c", "dpkg-scanpackages --multiversion . 2>/dev/null", cwd=place)
        (place / "Packages").write_text(index, encoding="utf-8")
        if update:
            self.run("apt-get", "-q", "update")

    def apt(self, *words, check=True):
        return self.run("apt-get", "-q", "-y", *words, check=check, deadline_s=300)
