# SPDX-License-Identifier: Apache-2.0
"""DDS through the real gateway: participants made with CycloneDDS's own tools, a domain of its own on the loopback interface."""
import json
import os
import pathlib
import random
import re
import signal
import socket
import struct
import subprocess
import tempfile
import time

from harness import GatewayCase, main, wait_until
from harness.clock import seconds
from harness.gateway import BUILD, SANITIZED, SOURCE, Groups
from harness.process import Lines, compile_c

DEADLINE_S = 60
PORTS = 12  # of one domain that participants of ours use


class Domain:
    """A number that no test on this machine uses at the same time, by the same mark as tests/adapter/dds_rig.c."""

    def __init__(self):
        for _ in range(200):
            self.number = random.randrange(1, 230)
            self._mark = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                self._mark.bind(f"\0tidegate-test-dds-{self.number}")
                for port in range(PORTS):
                    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
                        probe.bind(("127.0.0.1", 7410 + 250 * self.number + port))
                return
            except OSError:
                self._mark.close()
        raise AssertionError("no free domain")

    def close(self):
        self._mark.close()


class Peer:
    """tests/adapter/dds_peer.c: told what to do line by line."""

    def __init__(self, domain, role, topic, kind, *options, environment=None, program="dds_peer"):
        self.process = subprocess.Popen(
            [BUILD / "tests/adapter" / program, str(domain.number), role, topic, kind, *options], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={**os.environ, **(environment or {})})
        self.lines = Lines()
        self.lines.follow(self.process.stdout)
        self.expect("ready")

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def expect(self, line, count=1):
        self.lines.wait_for(lambda lines: sum(said == line for said in lines) >= count, f"a peer says {line}", DEADLINE_S)

    def do(self, line, answer):
        before = sum(said == answer for said in self.lines.all())
        self.say(line)
        self.expect(answer, before + 1)

    def samples(self):
        return [line for line in self.lines.all() if line.startswith("sample ")]

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()


class DdsCase(GatewayCase):
    """cell (dds) -> cloud (mqtt), field (coap) -> cell."""

    links = ["cloud", "cell"]
    cell = {}
    allowed = [r"is insecure", r"insecure = true"]

    def setUp(self):
        self.domain = Domain()
        self.addCleanup(self.domain.close)
        super().setUp()

    def configuration(self, **changes):
        settings = super().configuration(**changes)
        settings["endpoints"] = Groups([
            *settings["endpoints"],
            {"name": "cell", "adapter": "dds", "domain": self.domain.number, "interfaces": ["lo"],
             "peers": ["127.0.0.1"], "topics": ["T"], "insecure": True, **self.cell},
        ])
        settings["routes"] = Groups([
            {"name": "samples", "from": "cell", "match": "/{path}", "to": "cloud", "address": "up/{device}/{path}"},
            {"name": "down", "from": "field", "match": "/{topic}", "to": "cell", "address": "{topic}"},
        ])
        return settings

    def peer(self, *words, **named):
        peer = Peer(self.domain, *words, **named)
        self.addCleanup(peer.close)
        return peer

    def arrived(self):
        """The numbers of the readings that the cloud has, in order."""
        return [json.loads(m.payload)["data"]["seq"] for m in self.subscriber.messages() if m.topic.startswith("up/")]

    def wait_numbers(self, count):
        wait_until(lambda: len(set(self.arrived())) >= count, f"{count} readings arrive", DEADLINE_S)
        return self.arrived()



class Reload(DdsCase):
    def test_topics_come_and_go_in_the_same_process(self):
        writer, other = self.peer("write", "T", "Reading"), self.peer("write", "Other", "Reading")
        writer.do("match 1", "matched")
        writer.do("write 0 10", "written")
        pid = self.gateway.pid("cell")
        for topics, there, gone in ((["T", "Other"], other, None), (["Other"], other, writer), (["T"], writer, other)):
            self.cell = {"topics": topics}
            self.gateway.configure(self.configuration())
            self.gateway.ctl("reload")
            there.do("match 1", "matched")
            if gone:
                gone.do("match 0", "matched")
        writer.do("write 10 20", "written")
        self.assertEqual(self.wait_numbers(20), list(range(20)))
        self.assertEqual(self.gateway.pid("cell"), pid)


class MadeOfIdl(DdsCase):
    """The type of a writer that does not describe it comes from a library made of the IDL file by the script of the package."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="tidegate-idl-")
        self.addCleanup(folder.cleanup)
        library = pathlib.Path(folder.name, "plant.so")
        script = [SOURCE / "plugins/dds/tidegate-dds-type", "-o", library]
        said = subprocess.run([*script, SOURCE / "tests/adapter/dds_types.idl"], check=True, stdout=subprocess.PIPE, text=True)
        self.cell = {"types": re.findall(r'^  "(.*)",?$', said.stdout, re.MULTILINE)}
        self.assertIn(f"{library} plant::Reading", self.cell["types"])
        broken = pathlib.Path(folder.name, "broken.idl")
        broken.write_text("struct", encoding="utf-8")
        for bad in ([broken], ["none.idl"], [], ["-x", broken]):
            self.assertNotEqual(subprocess.run([*script, *bad], check=False, stdout=subprocess.DEVNULL,
                                               stderr=subprocess.DEVNULL).returncode, 0, bad)
        super().setUp()

    def test_a_writer_that_does_not_describe_its_type(self):
        writer = self.peer("write", "T", "Reading", program="dds_peer_untold")
        writer.do("match 1", "matched")
        writer.do("write 0 10", "written")
        self.assertEqual(self.wait_numbers(10), list(range(10)))


class Ways(DdsCase):
    def test_samples_go_to_the_cloud(self):
        writer = self.peer("write", "T", "Reading", "instances=3")
        writer.do("match 1", "matched")
        writer.do("write 0 100", "written")
        self.assertEqual(sorted(self.wait_numbers(100)), list(range(100)))
        message = self.subscriber.messages()[0]
        self.assertEqual((message.device, message.topic), ("cell", "up/cell/T/0"))
        payload = json.loads(message.payload)
        self.assertEqual(payload["state"], "alive")
        self.assertEqual(payload["key"], {"id": 0})
        self.assertIn("INSECURE", self.gateway.endpoint("cell")["detail"])
        self.wait_drained()

    def test_readings_of_devices_become_samples(self):
        reader = self.peer("read", "Set", "Reading")
        sensor = self.psk_sensor("meter-1")
        reading = json.dumps({"data": {"id": 4, "seq": 2, "value": 0.5, "scale": "KELVIN", "text": "from coap"}})
        self.assertEqual(sensor.post("Set", reading).code, "2.04")
        wait_until(lambda: reader.samples() == ["sample 4 2 0.5 1 from coap"], "the sample arrives", DEADLINE_S)
        wait_until(lambda: self.gateway.outbox("cell")["ledger"]["delivered"] == 1, "it is delivered", DEADLINE_S)


class Kills(DdsCase):
    """Its writer keeps what it has written: after a kill it gives it again, and repeats are all there may be."""

    allowed = [*DdsCase.allowed, r"cell", r"cloud"]
    settings = {"limits": {"restart_min_ms": 10, "restart_max_ms": 100}}
    cell = {"write_durability": "transient_local", "write_depth": 1000}
    READINGS, KILLS = 2000, 5

    def write_and_kill(self, kill):
        writer = self.peer("write", "T", "Reading", "transient_local")
        writer.do("match 1", "matched")
        step = self.READINGS // self.KILLS
        for begin in range(0, self.READINGS, step):
            writer.say(f"write {begin} {begin + step}")
            self.wait_numbers(begin + random.randrange(1, step))
            kill()
        self.assertEqual(sorted(set(self.wait_numbers(self.READINGS))), list(range(self.READINGS)))
        self.wait_drained()

    def kill_endpoint(self, name):
        pid = wait_until(lambda: self.gateway.pid(name), f"'{name}' runs", DEADLINE_S)
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: self.gateway.pid(name) not in (None, pid), f"'{name}' runs again", DEADLINE_S)

    def test_of_the_dds_process_lose_nothing(self):
        self.write_and_kill(lambda: self.kill_endpoint("cell"))

    def test_of_the_core_lose_nothing(self):
        def kill():
            self.gateway.kill()
            self.gateway.start()
        self.write_and_kill(kill)

    def test_of_the_writing_process_lose_nothing(self):
        """Readings of a device are acknowledged when they are safe; each becomes a sample, though the process dies again and again."""
        reader = self.peer("read", "Set", "Reading")
        sensor = self.psk_sensor("meter-1")
        for n in range(60):
            text = {"data": {"id": 1, "seq": n, "value": 1, "scale": "KELVIN", "text": "x"}}
            self.assertEqual(sensor.post("Set", json.dumps(text)).code, "2.04")
            if n % 20 == 10:
                self.kill_endpoint("cell")

        def all_there():
            return {int(line.split()[2]) for line in reader.samples()} == set(range(60))
        wait_until(all_there, "every reading is a sample", DEADLINE_S)
        wait_until(lambda: self.gateway.outbox("cell")["ledger"]["held"] == 0, "all is delivered", DEADLINE_S)


class Outage(DdsCase):
    allowed = [*DdsCase.allowed, r"cloud"]

    def test_of_the_broker_is_waited_for(self):
        writer = self.peer("write", "T", "Reading")
        writer.do("match 1", "matched")
        self.broker.stop()
        writer.do("write 0 500", "written")
        writer.do("acks", "acknowledged")
        self.broker.start()
        self.assertEqual(sorted(set(self.wait_numbers(500))), list(range(500)))
        self.wait_drained()


class Stop(DdsCase):
    """The writer keeps nothing: what the library has taken from it is ours alone."""

    cell = {"window": 1}
    settings = {"limits": {"stop_deadline_s": 60}}  # for any disk

    def test_of_the_gateway_loses_nothing(self):
        writer = self.peer("write", "T", "Reading")
        writer.do("match 1", "matched")
        for begin in range(0, 6000, 2000):
            writer.do(f"write {begin} {begin + 2000}", "written")
            writer.do("acks", "acknowledged")
            self.assertEqual(self.gateway.stop(), 0)
            writer.do("match 0", "matched")
            self.gateway.start()
            writer.do("match 1", "matched")
        self.assertEqual(sorted(set(self.wait_numbers(6000))), list(range(6000)))
        self.wait_drained()


class Secured(DdsCase):
    """DDS Security behind the sandbox: its plugins and papers are there, though no file can be opened any more."""

    allowed = [r"library: "]

    def setUp(self):
        papers = self.root / "papers"
        if not papers.exists():
            subprocess.run([SOURCE / "tests/adapter/dds_pki.sh", papers], check=True)
        self.papers = papers
        self.cell = {
            "insecure": None, "certificate": papers / "gateway.crt", "key": papers / "gateway.key",
            "trust": papers / "identity-ca.crt", "permissions_trust": papers / "permissions-ca.crt",
            "governance": papers / "governance.p7s", "permissions": papers / "gateway.p7s",
        }
        super().setUp()

    def in_2020(self):
        library, offset = self.folder / "fake_clock.so", self.folder / "offset"
        compile_c("-shared", "-fPIC", "-o", library, SOURCE / "tests/integration/fake_clock.c")
        offset.write_bytes(struct.pack("=qq", round(seconds("2020-06-01") - time.time()), 0))
        sanitized = {"ASAN_OPTIONS": "verify_asan_link_order=0:detect_leaks=0"} if SANITIZED else {}
        return {"LD_PRELOAD": str(library), "FAKE_CLOCK": str(offset), **sanitized}

    def test_only_who_is_known_gets_in(self):
        stranger = self.peer("write", "T", "Reading", f"security={self.papers}/stranger")
        nobody = self.peer("write", "T", "Reading")
        for bad in stranger, nobody:
            bad.do("write 1000 1010", "written")
        writer = self.peer("write", "T", "Reading", f"security={self.papers}/good")
        writer.do("match 1", "matched")
        writer.do("write 0 50", "written")
        self.assertEqual(sorted(self.wait_numbers(50)), list(range(50)))
        for bad in stranger, nobody:
            bad.do("match 0", "matched")
        self.assertIn("DDS Security", self.gateway.endpoint("cell")["detail"])

    def test_an_expired_certificate_is_refused(self):
        """Its owner lives in 2020, when it was good."""
        expired = self.peer("write", "T", "Reading", f"security={self.papers}/expired", environment=self.in_2020())
        expired.do("write 1000 1010", "written")
        self.gateway.lines.wait_line(r"library: .*expired")
        writer = self.peer("write", "T", "Reading", f"security={self.papers}/good")
        writer.do("match 1", "matched")
        writer.do("write 0 1", "written")
        self.assertEqual(self.wait_numbers(1), [0])
        expired.do("match 0", "matched")


if __name__ == "__main__":
    main()
