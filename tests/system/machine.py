# SPDX-License-Identifier: Apache-2.0
"""A whole machine with a kernel of Debian's own, in qemu without hardware's help: for what a container's kernel does not have. It is
spoken to by its serial line, where root is logged in."""
import base64
import os
import re
import shlex
import subprocess
import threading

from box import Failed, call, wait_until
from roots import TOOLS, make_debian, runtime_packages

# A machine in qemu that shares two processors with other work is ten times slower than a container.
DEADLINE_S, BOOT_S = 300, 900
DISK = "3G"
PARTS = ["initramfs-tools", "kmod", "linux-image-cloud-amd64", "udev"]
LOGIN = "[Service]\nExecStart=\nExecStart=-/sbin/agetty -a root --keep-baud 115200 %I dumb\n"


class Machine:
    """Built from packages of the release and files put into its root before the first boot."""

    def __init__(self, folder, release, packages, extra):
        self.folder, self.root, self.disk = folder, folder / "root", folder / "disk.img"
        self._qemu, self._said, self._marks, self._lock = None, "", 0, threading.Lock()
        make_debian(self.root, release, TOOLS + runtime_packages(packages) + PARTS + extra)

    def put(self, path, text):
        """Into the root, before the first boot."""
        target = self.root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")

    def prepare(self):
        self.put("etc/fstab", "/dev/vda / ext4 defaults 0 1\n")
        self.put("etc/hostname", "box-1\n")
        self.put("etc/hosts", "127.0.0.1 localhost\n::1 localhost\n127.0.1.1 box-1\n")
        self.put("etc/systemd/system/serial-getty@ttyS0.service.d/root.conf", LOGIN)
        shadow = (self.root / "etc/shadow").read_text(encoding="ascii")
        self.put("etc/shadow", re.sub(r"^root:[^:]*:", "root::", shadow, flags=re.MULTILINE))
        call("mke2fs", "-q", "-t", "ext4", "-d", self.root, self.disk, DISK)

    def boot(self):
        kernel, first = (next((self.root / "boot").glob(f"{name}-*")) for name in ("vmlinuz", "initrd.img"))
        self._qemu = subprocess.Popen(
            ["qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max", "-m", "1500", "-smp", "2", "-display", "none", "-monitor",
             "none", "-serial", "stdio", "-nic", "none", "-no-reboot", "-kernel", str(kernel), "-initrd", str(first), "-append",
             "root=/dev/vda rw console=ttyS0 loglevel=1 systemd.show_status=false security=apparmor",
             "-drive", f"file={self.disk},format=raw,if=virtio"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )
        threading.Thread(target=self._read, daemon=True).start()
        wait_until(lambda: "(automatic login)" in self._said, "the machine has booted", BOOT_S)
        self._type("stty -echo; PS1=; PS2=; export TERM=dumb PAGER=cat SYSTEMD_PAGER= LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive")
        self.run("systemctl", "is-system-running", "--wait", check=False, deadline_s=BOOT_S)

    def _read(self):
        while True:
            data = os.read(self._qemu.stdout.fileno(), 65536)
            if not data:
                return
            with self._lock:
                self._said += data.decode("utf-8", "replace").replace("\r", "")

    def _type(self, text):
        if self._qemu.poll() is not None:
            raise Failed(f"the machine has ended:\n{self._said[-2000:]}")
        self._qemu.stdin.write(text.encode() + b"\n")
        self._qemu.stdin.flush()

    def run(self, *command, check=True, deadline_s=DEADLINE_S):
        """Runs a program as root; returns (exit code, both outputs)."""
        return self._run(shlex.join(map(str, command)), check, deadline_s)

    def shell(self, text, check=True, deadline_s=DEADLINE_S):
        return self._run(text, check, deadline_s)[1]

    def _run(self, text, check, deadline_s):
        self._marks += 1
        mark = f"==={self._marks}==="
        with self._lock:
            self._said = ""
        # The line's own limit is 4,095 characters: it goes over in pieces.
        packed = base64.b64encode(text.encode()).decode()
        for at in range(0, len(packed), 2000):
            self._type(f"printf %s {packed[at:at + 2000]} {'>>' if at else '>'}/run/typed")
        self._type(f"base64 -d /run/typed >/run/script; echo '{mark}'B; sh /run/script </dev/null 2>&1; echo '{mark}'E$?")
        pattern = re.compile(rf"^{mark}B\n(.*?){mark}E(\d+)\n", re.MULTILINE | re.DOTALL)
        found = wait_until(lambda: pattern.search(self._said), f"'{text[:200]}' has ended", deadline_s)
        if check and int(found[2]):
            raise Failed(f"'{text}' ended with {found[2]}:\n{found[1]}")
        return int(found[2]), found[1]

    def write(self, path, text, mode=0o644, owner=None):
        packed = base64.b64encode(text.encode()).decode()
        self.shell(f"mkdir -p $(dirname {path}); echo {packed} | base64 -d >{path}; chmod {mode:o} {path}")
        if owner:
            self.run("chown", owner, path)

    def power_off(self):
        if not self._qemu:
            return
        self._qemu.kill()
        self._qemu.wait()
        self._qemu.stdin.close()
        self._qemu.stdout.close()
        self._qemu = None
