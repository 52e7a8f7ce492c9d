# SPDX-License-Identifier: Apache-2.0
"""The life of the core: reloads that take endpoints away and bring them back, what earlier cores left behind, stops at bad moments."""
import os
import signal
import subprocess

from harness import GatewayCase, Load, main, wait_until
from harness.gateway import Gateway, Groups

SANITIZER = r"AddressSanitizer|LeakSanitizer|runtime error"


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class LifeCase(GatewayCase):
    def tearDown(self):
        super().tearDown()
        found = [line for line in self.gateway.lines.all() if any(word in line for word in SANITIZER.split("|"))]
        self.assertEqual(found, [])

    def changed(self, *, without=(), field=None, cloud=None, **groups):
        """The usual configuration without some endpoints and the routes to and from them."""
        wanted = self.configuration(field=field, cloud=cloud, **groups)
        wanted["endpoints"] = Groups(e for e in wanted["endpoints"] if e["name"] not in without)
        wanted["routes"] = Groups(r for r in wanted["routes"] if r["from"] not in without and r["to"] not in without)
        return wanted

    def reload_with(self, wanted):
        self.gateway.configure(wanted)
        self.gateway.ctl("reload")
        self.gateway.wait_ready()

    def reload(self, **changes):
        self.reload_with(self.changed(**changes))

    def stop_broker(self):
        self.broker.stop()
        wait_until(lambda: self.gateway.endpoint("cloud")["link"] != "up", "the link is gone")

    def wait_pid(self, name):
        return wait_until(lambda: self.gateway.pid(name), f"'{name}' has a process")

    def hold_some(self, sensor, count=5):
        """Readings that only the disk has: the broker is away."""
        self.stop_broker()
        for number in range(count):
            self.assertEqual(sensor.post("t", f"held {number}").code, "2.04")

    def assert_held_arrive(self, count=5):
        messages = self.subscriber.wait_for(count, lambda m: m.payload.startswith("held"))
        self.assertEqual([m.payload for m in messages][:count], [f"held {n}" for n in range(count)])


class Reload(LifeCase):
    allowed = [r"cloud: ", r"field: ", r"other: "]

    def test_what_an_endpoint_holds_survives_its_removal(self):
        self.hold_some(self.psk_sensor("pump-1"))
        self.reload(without=["cloud"])
        status = self.gateway.status()
        self.assertEqual(status["ledger"]["held"], 5)
        self.assertIn("not configured any more", str(status["problems"]))
        self.assertEqual(self.gateway.stop(), 0)
        self.gateway.start()
        status = self.gateway.status()
        self.assertEqual(status["ledger"]["held"], 5)
        self.assertIn("not configured any more", str(status["problems"]))
        self.broker.start()
        self.subscriber = self.broker.subscribe()
        self.reload()
        self.assert_held_arrive()
        self.wait_drained()

    def test_removed_and_added_again_in_one_life(self):
        sensor = self.psk_sensor("pump-1")
        self.hold_some(sensor)
        self.reload(without=["cloud"])
        self.assertEqual(sensor.post("t", "no route").code, "4.04")
        self.broker.start()
        self.subscriber = self.broker.subscribe()
        self.reload()
        self.assert_held_arrive()
        self.wait_drained()

    def test_disabled_and_enabled(self):
        pid = self.gateway.pid("cloud")
        self.reload(cloud={"enabled": False})
        wait_until(lambda: not is_alive(pid), "the process is gone")
        self.assertEqual(self.gateway.endpoint("cloud")["state"], "disabled")
        self.reload()
        self.wait_link("cloud")
        self.assertEqual(self.psk_sensor("pump-1").post("t", "again").code, "2.04")
        self.subscriber.wait_for(1)

    def test_endpoint_with_another_adapter(self):
        """Its process starts again; until then what it tells is not read by the names of the new one."""
        wanted = self.configuration()
        wanted["endpoints"].append({"name": "other", "adapter": "loopback"})
        self.reload_with(wanted)
        self.wait_link("other")
        wanted["endpoints"][-1] = {**wanted["endpoints"][1], "name": "other", "client_id": "other"}
        self.reload_with(wanted)
        self.assertEqual(self.gateway.endpoint("other")["adapter"], "mqtt")
        wait_until(lambda: "mqtts" in self.gateway.endpoint("other")["detail"], "the new adapter is up")

    def test_everything_at_once_under_load(self):
        keys = self.keys(20)
        load = Load(self.folder, self.coap_port, keys, "--seconds", 600, "--ack-timeout", 0.2, "--response-timeout", 2,
                    "--retransmits", 3).start()
        changes = [
            {"outbox": {"hold_ms": 0}}, {"outbox": {"window": 1}}, {"cloud": {"enabled": False}},
            {"limits": {"rate": 50}}, {"without": ["cloud"]}, {"outbox": {"hold_ms": 60000, "window": 65535}}, {},
        ]
        for change in changes:
            seen = len(self.subscriber.messages())
            self.reload(**change)
            os.kill(self.wait_pid("field"), signal.SIGKILL)
            self.gateway.ctl("device", "rotate", "sensor-01", "--now")
            self.gateway.ctl("device", "revoke", "sensor-02")
            if "cloud" not in change and "without" not in change:
                self.wait_link("cloud")
                self.subscriber.wait_for(seen + 20)
        self.broker.stop()
        wait_until(lambda: self.gateway.outbox()["held_disk"] > 0, "messages are held on disk")
        self.broker.start()
        self.subscriber = self.broker.subscribe()
        self.gateway.ctl("drain", "--timeout", "30")
        self.gateway.ctl("drain", "--off")
        load.stop()
        self.wait_drained()


class Leftovers(LifeCase):
    """What a killed core leaves behind is taken over, or ended."""
    allowed = [r"cloud: ", r"field: "]

    def restart_with(self, **changes):
        pids = {name: self.gateway.pid(name) for name in ("field", "cloud")}
        self.gateway.kill()
        self.gateway.configure(self.changed(**changes))
        self.gateway.start()
        return pids

    def test_same_configuration(self):
        pids = self.restart_with()
        self.assertEqual({name: self.gateway.pid(name) for name in pids}, pids)

    def test_endpoint_gone_from_the_configuration(self):
        pids = self.restart_with(without=["cloud"])
        wait_until(lambda: not is_alive(pids["cloud"]), "the process of the old endpoint is gone")
        self.assertEqual(self.gateway.pid("field"), pids["field"])

    def test_stranger_that_does_not_listen(self):
        os.kill(self.gateway.pid("cloud"), signal.SIGSTOP)
        pids = self.restart_with(without=["cloud"])
        wait_until(lambda: not is_alive(pids["cloud"]), "the stopped process was killed")

    def test_adopted_process_that_never_joins(self):
        os.kill(self.gateway.pid("cloud"), signal.SIGSTOP)
        pids = self.restart_with()
        wait_until(lambda: self.gateway.pid("cloud") not in (None, pids["cloud"]), "another one was started")
        self.wait_link("cloud")

    def test_fewer_workers(self):
        self.assertEqual(self.gateway.stop(), 0)
        self.gateway.configure(self.changed(field={"workers": 3}))
        self.gateway.start()
        pids = wait_until(
            lambda: len(self.gateway.endpoint("field")["pids"]) == 3 and self.gateway.endpoint("field")["pids"], "three"
        )
        self.gateway.kill()
        self.gateway.configure(self.changed())
        self.gateway.start()
        wait_until(lambda: not any(is_alive(pid) for pid in pids), "the old workers are gone")
        wait_until(lambda: self.gateway.endpoint("field")["state"] == "running", "the new one runs")
        self.assertEqual(self.psk_sensor("pump-1").post("t", "still here").code, "2.04")


class Stop(LifeCase):
    allowed = [r"cloud: ", r"did not stop in order"]

    def test_while_a_device_waits_for_delivery(self):
        routes = self.configuration()["routes"]
        routes[0]["ack"] = "delivered"
        self.reload_with(self.configuration(routes=routes))
        self.stop_broker()
        sensor = self.psk_sensor("pump-1")
        client = sensor.begin_post("t", "waits")
        self.addCleanup(client.close)
        wait_until(lambda: self.gateway.outbox()["ledger"]["held"] == 1, "its reading is here")
        client.leave()
        self.assertEqual(client.replies(), [])
        self.assertEqual(self.gateway.stop(), 0)
        self.broker.start()
        self.subscriber = self.broker.subscribe()
        self.gateway.start()
        self.subscriber.wait_for(1)

    def test_while_somebody_waits_for_the_drain(self):
        self.hold_some(self.psk_sensor("pump-1"))
        drain = subprocess.Popen(self.ctl_command("drain", "--timeout", "60"), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        wait_until(lambda: self.gateway.status()["state"] == "draining", "it drains")
        self.gateway.process.signal(signal.SIGTERM)
        self.gateway.process.signal(signal.SIGHUP)
        self.gateway.process.signal(signal.SIGTERM)
        self.assertEqual(self.gateway.process.wait(), 0)
        self.assertIn(drain.wait(10), (1, 3))
        drain.communicate()

    def test_while_a_process_waits_for_its_next_start(self):
        for _ in range(3):
            pid = self.wait_pid("cloud")
            os.kill(pid, signal.SIGKILL)
            wait_until(lambda pid=pid: self.gateway.pid("cloud") != pid, "its end is noticed")
        self.assertEqual(self.gateway.stop(), 0)

    def test_a_hanging_process_is_not_waited_for(self):
        os.kill(self.gateway.pid("cloud"), signal.SIGSTOP)
        self.assertEqual(self.gateway.stop(), 0)

    def ctl_command(self, *words):
        return [Gateway.command(self.gateway)[0].parent / "tidegatectl", "--run", self.gateway.run, *words]


class Folders(LifeCase):
    """Where the gateway may not live. The one of the case is there already and stays unharmed."""

    def refused(self, *options):
        command = self.gateway.command()
        for option, value in options:
            command[command.index(option) + 1] = value
        result = subprocess.run(command, capture_output=True, timeout=30, encoding="utf-8", check=False)
        self.assertEqual(result.returncode, 1, result.stderr)
        return result.stderr

    def test_two_gateways(self):
        self.assertIn("another gateway uses it", self.refused())
        other = self.folder / "other"
        other.mkdir()
        self.assertIn("run folder", self.refused(("--state", other)))
        self.wait_link("cloud")

    def test_bad_folders(self):
        shared = self.folder / "shared"
        shared.mkdir()
        shared.chmod(0o777)
        self.assertIn("does not belong", self.refused(("--state", shared)))
        self.assertIn("does not belong", self.refused(("--state", self.folder / "s1"), ("--run", shared)))
        self.assertIn("No such file", self.refused(("--state", self.folder / "no" / "where")))
        self.assertIn("Not a directory", self.refused(("--state", self.gateway.file)))
        long = self.folder / ("r" * 120)
        self.assertIn("too long", self.refused(("--state", self.folder / "s2"), ("--run", long)))

    def test_control_socket(self):
        mode = os.stat(self.gateway.run / "control.sock")
        self.assertEqual((mode.st_mode & 0o777, mode.st_gid), (0o660, os.getegid()))
        self.assertEqual(os.stat(self.gateway.run / "core.sock").st_mode & 0o777, 0o600)


class BrokenEndpoint(LifeCase):
    allowed = [r"cloud: "]

    def test_ready_all_the_same(self):
        self.assertEqual(self.gateway.stop(), 0)
        junk = self.folder / "junk.key"
        junk.write_text("no key\n", encoding="ascii")
        junk.chmod(0o600)
        self.gateway.configure(self.configuration(cloud={"key": str(junk)}))
        self.gateway.start()
        self.assertEqual(self.gateway.endpoint("field")["state"], "running")
        self.assertIn("cloud", str(self.gateway.status()["problems"]))
        self.assertEqual(self.psk_sensor("pump-1").post("t", "held 0").code, "2.04")
        self.reload()
        self.assert_held_arrive(1)


if __name__ == "__main__":
    main()
