# SPDX-License-Identifier: Apache-2.0
"""The dds source, for the benchmark: a CycloneDDS writer on the loopback interface, the gateway, and a sink that confirms at once."""
import random
import socket
import subprocess
import time

from harness import wait_until
from harness.gateway import BUILD, Gateway, Groups
from parts import CpuMeter


def free_domain():
    """Whose first ports nobody uses."""
    for _ in range(200):
        number = random.randrange(1, 230)
        try:
            for port in range(12):
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
                    probe.bind(("127.0.0.1", 7410 + 250 * number + port))
            return number
        except OSError:
            continue
    raise AssertionError("no free domain")


class DdsBench:
    def __init__(self, folder):
        folder.mkdir()
        self.domain, self.writer = free_domain(), None
        self.gateway = Gateway(folder / "gateway", {
            "gateway": {"name": "hall-3", "site": "plant-7"},
            "endpoints": Groups([
                {"name": "cell", "adapter": "dds", "domain": self.domain, "interfaces": ["lo"], "peers": ["127.0.0.1"],
                 "topics": ["T"], "insecure": True},
                {"name": "end", "adapter": "loopback", "submit": False}]),
            "routes": Groups([{"name": "all", "from": "cell", "match": "/{path}", "to": "end", "address": "{path}"}])})

    def start(self):
        self.gateway.start()
        wait_until(lambda: self.gateway.endpoint("cell")["link"] == "up", "the participant is there")
        self.writer = subprocess.Popen([BUILD / "tests/adapter/dds_peer", str(self.domain), "write", "T", "Reading", "instances=100"],
                                       stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        self.writer.stdin.write(b"match 1\nwrite 0 1000000000\n")
        self.writer.stdin.flush()
        wait_until(lambda: self._accepted() > 1000, "samples come")

    def _accepted(self):
        return self.gateway.endpoint("cell")["counters"]["accepted"]

    def measure(self, seconds):
        """(samples a second, {process: µs a sample})"""
        meter = CpuMeter({"dds": self.gateway.pid("cell"), "core": self.gateway.process.pid, "sink": self.gateway.pid("end"),
                          "writer": self.writer.pid})
        before, begin = self._accepted(), time.monotonic()
        time.sleep(seconds)
        count, taken = self._accepted() - before, time.monotonic() - begin
        return count / taken, meter.microseconds_each(count)

    def stop(self):
        if self.writer:
            self.writer.kill()
            self.writer.wait()
        if self.gateway.is_running():
            self.gateway.stop()
        self.gateway.close()
