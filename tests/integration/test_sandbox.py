# SPDX-License-Identifier: Apache-2.0
"""What an endpoint process cannot do, even when it was taken over: told by the kernel, and tried by a hostile adapter."""
import os
import unittest
from pathlib import Path

from harness import BUILD, SANITIZED, SOURCE, GatewayCase, main
from harness.process import compile_c


class Kernel(GatewayCase):
    def test_what_the_kernel_says(self):
        for name in ("field", "cloud"):
            text = Path(f"/proc/{self.gateway.pid(name)}/status").read_text(encoding="utf-8")
            status = dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)
            self.assertEqual(status["NoNewPrivs"], "1", name)
            for capabilities in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
                self.assertEqual(int(status[capabilities], 16), 0, f"{name} {capabilities}")
            if not SANITIZED:
                self.assertEqual(status["Seccomp"], "2", name)
            limits = Path(f"/proc/{self.gateway.pid(name)}/limits").read_text(encoding="utf-8")
            self.assertRegex(limits, r"Max core file size +0 +0 ")

    def test_no_endpoint_holds_the_files_of_another(self):
        """The coap process has neither the cloud's key nor the registry open, and the other way round."""
        store = {str(file) for file in self.gateway.state.iterdir()}
        for name, others in (("field", "cloud"), ("cloud", "gateway")):
            folder = Path(f"/proc/{self.gateway.pid(name)}/fd")
            opened = {os.readlink(entry) for entry in folder.iterdir()}
            self.assertEqual(opened & (store | {str(self.pki.key(others))}), set(), name)


class Spy(GatewayCase):
    allowed = [r"spy"]
    settings = {"limits": {"restart_min_ms": 10, "restart_max_ms": 100}}

    def start_spy(self, run_program=False):
        adapters = self.folder / "adapters"
        adapters.mkdir()
        for name in ("coap", "mqtt"):
            (adapters / f"{name}.so").symlink_to(BUILD / ".libs" / f"{name}.so")
        compile_c("-D_GNU_SOURCE", "-shared", "-fPIC", f"-I{SOURCE}/include", SOURCE / "tests/integration/spy.c",
                  "-o", adapters / "spy.so")
        self.files = [self.pki.key("cloud"), self.pki.key("gateway"), self.gateway.state / "devices.db", self.gateway.file,
                      "/etc/shadow", "/etc/passwd"]
        self.marker = self.folder / "marker"
        settings = self.configuration()
        settings["endpoints"].append({
            "name": "spy", "adapter": "spy", "files": self.files, "marker": self.marker,
            "control": self.gateway.run / "control.sock", "run_program": run_program,
        })
        self.assertEqual(self.gateway.stop(), 0)
        self.gateway.adapters = adapters
        self.gateway.configure(settings)
        self.gateway.begin()

    def test_nothing_is_open_to_it(self):
        self.start_spy()
        self.gateway.lines.wait_line(r"probe end: open")
        probes = [line.partition("probe ")[2] for line in self.gateway.lines.all() if "probe " in line]
        self.assertEqual(len(probes), len(self.files) + 4, probes)
        self.assertEqual([probe for probe in probes if probe.endswith(": open")], ["end: open"])
        self.assertFalse(self.marker.exists())

    @unittest.skipIf(SANITIZED, "with sanitizers there is no filter of system calls")
    def test_starting_a_program_ends_it(self):
        self.start_spy(run_program=True)
        self.gateway.lines.wait_for(
            lambda lines: len([l for l in lines if "spy" in l and "killed by signal 31" in l]) >= 2, "the kernel to end it"
        )
        self.assertFalse(self.marker.exists())
        sensor = self.psk_sensor("pump-1")
        self.assertEqual(sensor.post("t", "the others go on").code, "2.04")
        self.subscriber.wait_for(1)


if __name__ == "__main__":
    main()
