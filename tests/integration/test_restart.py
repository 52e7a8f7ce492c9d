# SPDX-License-Identifier: Apache-2.0
"""A planned restart of the core: endpoint processes and their DTLS sessions stay, unless their code is another one now; sensors notice
nothing, or are told to come again. And what a stop leaves behind: nothing."""
import os
import shutil
import signal
import time

from harness import BUILD, SANITIZED, SOURCE, GatewayCase, Load, main, wait_until
from harness.process import compile_c

SENSORS = 50


def state_of(pid):
    """As ps shows it; "" where there is none."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
            return stat.read().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def is_alive(pid):
    return state_of(pid) not in ("", "Z")


class RestartCase(GatewayCase):
    def leave(self):
        """What systemctl restart does first; returns the exit code."""
        self.gateway.process.signal(signal.SIGUSR1)
        return self.gateway.process.wait()  # the processes that stay have its standard error

    def restart(self):
        self.assertEqual(self.leave(), 0, "tidegated did not end well")
        self.gateway.start()
        self.wait_link("cloud")

    def pids(self):
        return {name: self.gateway.pid(name) for name in ("field", "cloud")}

    def counter(self, name):
        return self.gateway.endpoint("field")["counters"][name]

    def load(self, *options):
        return Load(self.folder, self.coap_port, self.keys(SENSORS), "--rate", 20, "--ack-timeout", 5, "--linger", 60, *options)


class Sessions(RestartCase):
    def test_fifty_sensors_notice_nothing(self):
        load = self.load().start()
        pids = self.pids()
        for _ in range(5):
            seen = len(self.subscriber.messages())
            self.subscriber.wait_for(seen + SENSORS)
            self.restart()
            self.assertEqual(self.pids(), pids)
        self.subscriber.wait_for(len(self.subscriber.messages()) + SENSORS)
        handshakes = self.counter("handshakes")
        summary = load.stop()
        print("readings:", {key: summary[key] for key in ("acknowledged", "retransmitted", "refused", "latency_ms")},
              "handshakes:", handshakes)
        self.assertEqual((summary["sessions_lost"], summary["unanswered"], summary["strange"]), (0, 0, 0), summary)
        self.assertEqual(handshakes, SENSORS)
        self.assert_promises(load, summary)
        self.wait_drained()

    def test_while_the_cloud_is_away(self):
        """What is held is in the same place and order afterwards."""
        sensor = self.psk_sensor("pump-1")
        self.broker.stop()
        self.allowed = [r"^warning: cloud: "]
        wait_until(lambda: self.gateway.endpoint("cloud")["link"] != "up", "the link is gone")
        for number in range(5):
            self.assertEqual(sensor.post("t", f"held {number}").code, "2.04")
        pids = self.pids()
        self.assertEqual(self.leave(), 0)
        self.gateway.start()
        self.assertEqual(self.pids(), pids)
        self.assertEqual(self.gateway.outbox()["ledger"]["held"], 5)
        self.assertEqual(sensor.post("t", "held 5").code, "2.04")
        self.broker.start_with_subscribers()
        messages = self.subscriber.wait_for(6, lambda m: m.payload.startswith("held"))
        self.assertEqual([m.payload for m in messages], [f"held {n}" for n in range(6)])
        self.wait_drained()


class OtherCode(RestartCase):
    """The files are those of this case alone."""

    def prepare(self):
        program, adapters = self.folder / "tidegate-endpoint", self.folder / "adapters"
        shutil.copy(BUILD / "tidegate-endpoint", program)
        adapters.mkdir()
        for path in (BUILD / ".libs").glob("*.so"):
            shutil.copy(path, adapters)
        self.gateway.endpoint_program, self.gateway.adapters = program, adapters

    @staticmethod
    def replace(path, add=b""):
        """As a package manager does it. What is added at its end is not loaded."""
        new = path.with_suffix(".new")
        new.write_bytes(path.read_bytes() + add)
        new.chmod(0o755)
        new.rename(path)

    def test_another_adapter(self):
        before = self.pids()
        self.replace(self.gateway.adapters / "coap.so", b"\0")
        self.restart()
        after = self.pids()
        self.assertNotEqual(after["field"], before["field"])
        self.assertEqual(after["cloud"], before["cloud"])
        self.assertFalse(is_alive(before["field"]))
        self.assertEqual(self.psk_sensor("pump-1").post("t", "new code").code, "2.04")
        self.assertFalse([line for line in self.gateway.lines.all() if "still runs as process" in line and "it ends" in line])

    def test_another_program(self):
        before = self.pids()
        self.replace(self.gateway.endpoint_program, b"\0")
        self.restart()
        after = self.pids()
        self.assertFalse(set(after.values()) & set(before.values()))
        self.assertEqual(self.psk_sensor("pump-1").post("t", "new code").code, "2.04")

    def test_the_same_again(self):
        """Installed anew, and no other than before."""
        before = self.pids()
        self.replace(self.gateway.endpoint_program)
        self.replace(self.gateway.adapters / "coap.so")
        self.restart()
        self.assertEqual(self.pids(), before)

    def test_a_killed_core_is_followed_by_other_code(self):
        before = self.pids()
        self.gateway.kill()
        self.replace(self.gateway.adapters / "coap.so", b"\0")
        self.gateway.start()
        self.wait_link("cloud")
        wait_until(lambda: self.gateway.pid("field") not in (None, before["field"]), "another process serves")
        self.assertFalse(is_alive(before["field"]))
        self.assertEqual(self.gateway.pid("cloud"), before["cloud"])
        wait_until(lambda: self.gateway.endpoint("field")["state"] == "running", "it runs")
        self.assertEqual(self.psk_sensor("pump-1").post("t", "new code").code, "2.04")

    def test_nobody_knows_what_it_runs(self):
        before = self.pids()
        self.gateway.kill()
        (self.gateway.run / "endpoint-field-0.code").unlink()
        self.gateway.start()
        self.wait_link("cloud")
        wait_until(lambda: self.gateway.pid("field") not in (None, before["field"]), "another process serves")


class ServiceManager(RestartCase):
    """What it is told; its watchdog is one of four seconds."""

    def prepare(self):
        library, self.block = self.folder / "slow_disk.so", self.folder / "block"
        compile_c("-shared", "-fPIC", "-o", library, SOURCE / "tests/integration/slow_disk.c")
        self.gateway.environment.update({"WATCHDOG_USEC": "4000000", "LD_PRELOAD": str(library), "SLOW_DISK": str(self.block)})
        if SANITIZED:
            self.gateway.environment["ASAN_OPTIONS"] = "verify_asan_link_order=0:detect_leaks=0"

    def feeds(self):
        return self.gateway.notified().count("WATCHDOG=1")

    def wait_feeds(self, count):
        wait_until(lambda before=self.feeds(): self.feeds() >= before + count, f"the watchdog is fed {count} times")

    def assert_starved(self):
        """For longer than the watchdog has patience."""
        time.sleep(1)  # what was said before has been heard by then
        before = self.feeds()
        time.sleep(5)
        self.assertEqual(self.feeds(), before)

    def status(self):
        return [word for word in self.gateway.notified() if word.startswith("STATUS=")][-1]

    def test_a_core_that_stands_still(self):
        self.wait_feeds(2)
        self.gateway.process.signal(signal.SIGSTOP)
        wait_until(lambda: state_of(self.gateway.process.pid) == "T", "it stands still")
        self.assert_starved()
        self.gateway.process.signal(signal.SIGCONT)
        self.wait_feeds(2)

    def test_a_writer_that_hangs(self):
        self.allowed = [r"^warning: cloud: ", r"stuck: the store's writer"]
        sensor = self.psk_sensor("pump-1")
        self.broker.stop()
        wait_until(lambda: self.gateway.endpoint("cloud")["link"] != "up", "the link is gone")
        self.wait_feeds(2)  # to wait for an outbox is no standstill
        self.block.touch()
        client = sensor.begin_post("t", "waits for the disk")
        self.addCleanup(client.close)
        wait_until(lambda: any("stuck: " in line for line in self.gateway.lines.all()), "it says that it is stuck")
        self.assert_starved()
        self.assertEqual(client.replies(), [])
        wait_until(lambda: "stuck" in self.status(), "the status says so")
        self.block.unlink()
        self.wait_feeds(2)
        wait_until(lambda: "stuck" not in self.status(), "the status says so")
        self.broker.start_with_subscribers()
        self.subscriber.wait_for(1, lambda m: m.payload == "waits for the disk")
        self.wait_drained()

    def test_texts(self):
        self.allowed = [r"^warning: cloud: "]
        wait_until(lambda: self.status() == "STATUS=running: 2 of 2 links up, 0 messages held", "it is well")
        self.broker.stop()
        sensor = self.psk_sensor("pump-1")
        self.assertEqual(sensor.post("t", "held").code, "2.04")
        wait_until(lambda: self.status() == "STATUS=running: 1 of 2 links up (down: cloud), 1 messages held", "the link is down")
        self.gateway.ctl("reload")
        wait_until(lambda: "RELOADING=1" in self.gateway.notified(), "the reload is told")
        wait_until(lambda: "READY=1" in self.gateway.notified()[self.gateway.notified().index("RELOADING=1"):], "and its end")
        self.broker.start_with_subscribers()
        self.subscriber.wait_for(1, lambda m: m.payload == "held")
        self.wait_drained()
        self.assertEqual(self.leave(), 0)
        last = ["STOPPING=1", "STATUS=restarting, 0 messages held"]
        wait_until(lambda: self.gateway.notified()[-2:] == last, "the end is told")
        self.assertLess(len([w for w in self.gateway.notified() if w.startswith("STATUS=")]), 20)


class Leftovers(RestartCase):
    def assert_gone(self, pids):
        wait_until(lambda: not any(is_alive(pid) for pid in pids.values()), "no process is left", 20)

    def test_none_after_a_stop(self):
        pids = self.pids()
        self.assertEqual(self.gateway.stop(), 0)
        self.assert_gone(pids)

    def test_none_after_a_restart_that_becomes_a_stop(self):
        """The service manager takes the run folder away when nobody will come: long before their patience of 30 s ends."""
        pids = self.pids()
        self.assertEqual(self.leave(), 0)
        self.assertTrue(all(is_alive(pid) for pid in pids.values()))
        os.rename(self.gateway.run, self.folder / "taken-away")
        self.assert_gone(pids)

    def test_none_after_a_stop_in_the_middle(self):
        pids = self.pids()
        self.gateway.process.signal(signal.SIGUSR1)
        self.gateway.process.signal(signal.SIGTERM)
        self.assertEqual(self.gateway.process.wait(), 0)
        if (self.gateway.run / "core.sock").exists():  # it had left already
            os.rename(self.gateway.run, self.folder / "taken-away")
        self.assert_gone(pids)


if __name__ == "__main__":
    main()
