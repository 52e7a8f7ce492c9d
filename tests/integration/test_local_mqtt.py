# SPDX-License-Identifier: Apache-2.0
"""A broker on site as a source: what is published there goes on to the cloud's broker, from whom the route says that it is."""
import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

from harness import BUILD, Broker, Commander, GatewayCase, Process, main, wait_until
from harness.gateway import Groups
from harness.process import DEADLINE_S


class LocalCase(GatewayCase):
    """`near` and `far` are brokers, and routes lead from one to the other."""

    local_more = ""  # of the configuration of the broker on site
    near = {}        # more settings of the endpoint
    route = {}       # more of the route
    more_routes = []
    links = ["cloud", "near"]

    local = None

    def configuration(self, **changes):
        if self.local is None:
            self.start_local()
        settings = super().configuration(routes=Groups([
            {"name": "telemetry", "from": "near", "match": "sensors/{sensor}/{path}",
             "to": "cloud", "address": "{site}/{device}/{path}", **self.route}, *map(dict, self.more_routes)]), **changes)
        settings["endpoints"][0] = {
            "name": "near", "adapter": "mqtt", "broker": [f"mqtts://localhost:{self.local.port}"],
            "certificate": self.pki.certificate("cloud"), "key": self.pki.key("cloud"), "trust": self.pki.certificate("cloud-ca"),
            "backoff_min_ms": 50, "backoff_max_s": 1, **self.near,
        }
        return settings

    def start_local(self):
        """The harness makes the broker in the cloud; this one is there before the gateway is."""
        folder = self.folder / "local"
        folder.mkdir()
        self.local = Broker(folder, self.pki, self.local_more)
        self.addCleanup(self.local.close)
        self.local.start()
        self.publisher = Commander(self.local, None)

    def wait_receiving(self):
        wait_until(lambda: self.counters().get("subscriptions"), "the broker on site is subscribed to")

    def counters(self):
        return self.gateway.endpoint("near")["counters"]


class Devices(LocalCase):
    route = {"source_device": "{sensor}"}
    more_routes = [
        {"name": "anybody", "from": "near", "match": "relay/{sensor}/{path}", "source_device": "{sensor}", "impersonate": True,
         "to": "cloud", "address": "relay/{device}/{path}"},
        {"name": "other", "from": "near", "match": "other/{path}", "to": "cloud", "address": "{device}/{path}"},
        {"name": "round", "from": "near", "match": "round/{path}", "to": "near", "address": "round/{path}", "back": True},
    ]

    def setUp(self):
        super().setUp()
        self.wait_receiving()

    def configuration(self, **changes):
        settings = super().configuration(**changes)
        settings["endpoints"].append({
            "name": "field", "adapter": "coap", "listen": [f"coaps://127.0.0.1:{self.coap_port}"],
            "certificate": self.pki.certificate("gateway"), "key": self.pki.key("gateway"),
            "trust": self.pki.certificate("devices-ca")})
        settings["routes"].append({"name": "field", "from": "field", "match": "{path}", "to": "cloud", "address": "field/{device}/{path}"})
        return settings

    def refused(self):
        return sum(self.gateway.status()["ledger"]["refused"].values())

    def assert_refused(self, topic):
        before = self.refused()
        self.publisher.publish(topic, "1")
        wait_until(lambda: self.refused() > before, f"{topic} is refused")

    def test_a_capture_is_the_device(self):
        self.publisher.publish("sensors/oven-1/temp", "210", content_type="text/plain")
        message = self.subscriber.wait_for(1)[0]
        self.assertEqual((message.topic, message.payload, message.device), ("plant-7/oven-1/temp", "210", "oven-1"))
        if not self.near:
            self.assertEqual(message.content_type, "text/plain;charset=utf-8")

    def test_without_a_word_it_is_the_endpoint(self):
        self.publisher.publish("other/x", "1")
        message = self.subscriber.wait_for(1)[0]
        self.assertEqual((message.topic, message.device), ("near/x", "near"))

    def test_nobody_speaks_for_a_device_that_is_enrolled(self):
        self.psk_sensor("pump-1")
        self.assert_refused("sensors/pump-1/temp")
        self.assert_refused("sensors/field/temp")
        self.publisher.publish("relay/pump-1/temp", "2")
        message = self.subscriber.wait_for(1)[0]
        self.assertEqual((message.topic, message.device), ("relay/pump-1/temp", "pump-1"))
        self.gateway.ctl("device", "revoke", "pump-1")
        self.assert_refused("relay/pump-1/temp")
        self.assertEqual(len(self.subscriber.messages()), 1)

    def test_the_way_is_shown(self):
        tail = Process([BUILD / "tidegatectl", "--json", "--run", self.gateway.run, "tail", "--device", "oven-1", "--count", "4"])

        def listens():  # it has no way to say so
            self.publisher.publish("sensors/oven-1/probe", "0")
            return tail.lines.all()
        wait_until(listens, "tail shows something")
        self.publisher.publish("sensors/oven-1/temp", "210")
        message = self.subscriber.wait_for(1, lambda m: m.payload == "210")[0]

        def ended():  # it may have begun between the two events of a message
            self.publisher.publish("sensors/oven-1/probe", "0")
            return not tail.is_running()
        wait_until(ended, "tail has shown four events")
        self.assertEqual(tail.wait(), 0)
        tail.wait_lines()
        for event in map(json.loads, tail.lines.all()):
            self.assertEqual((event["device"], event["to"]), ("oven-1", "cloud"))
            self.assertRegex(event["address"], "^plant-7/oven-1/(probe|temp)$")
        self.assertRegex(message.id, "-7")
        step = self.gateway.ctl("routes", "test", "near", "near", "sensors/oven-1/temp")[0]
        self.assertEqual((step["goes"], step["source"], step["address"]), (True, "oven-1", "plant-7/oven-1/temp"))
        _, said, _ = self.gateway.say("routes", "test", "near", "near", "sensors/oven-1/temp")
        self.assertIn('plant-7/oven-1/temp as "oven-1"', said)

    def test_the_last_reading_is_the_devices(self):
        self.publisher.publish("sensors/oven-1/temp", "210")
        self.subscriber.wait_for(1)
        readings = wait_until(lambda: self.gateway.ctl("readings")["readings"], "there is a reading")
        self.assertEqual([(r["device"], r["path"]) for r in readings], [("oven-1", "sensors/oven-1/temp")])

    def test_the_way_back_goes_once(self):
        """What is published where it is taken from comes back, and is known."""
        self.publisher.publish("round/x", "1")
        wait_until(lambda: self.counters()["ignored"] == 1, "it came back")
        wait_until(lambda: self.counters()["acknowledged"] == 2, "both are acknowledged")
        self.assertEqual(self.gateway.outbox("near")["ledger"]["delivered"], 1)

    def test_a_way_back_has_to_be_meant(self):
        settings = self.configuration()
        del settings["routes"][3]["back"]
        self.gateway.configure(settings)
        code, said = self.gateway.check()
        self.assertEqual(code, 78)
        self.assertIn("is the endpoint that the messages come from; where that is meant, set back = true", said)


class DevicesOfOld(Devices):
    """The same in MQTT 3.1.1, where no property tells anything."""

    near = {"protocol": "3.1.1"}

    def test_what_only_looks_the_same_is_not_lost(self):
        """Somebody else publishes just what went back."""
        self.publisher.publish("round/x", "1")
        wait_until(lambda: self.gateway.outbox("near")["ledger"]["delivered"] == 1, "it went back")
        wait_until(lambda: self.counters()["ignored"] == 1, "it came back")
        self.publisher.publish("round/x", "1")
        wait_until(lambda: self.gateway.outbox("near")["ledger"]["delivered"] == 2, "the other one went back as well")


class Away(LocalCase):
    """What is published while the gateway is away, or while its broker is, comes when it is back."""

    route = {"source_device": "{sensor}"}
    near = {"subscribe_qos": 2}
    allowed = ["near"]

    def publish(self, first, last, sensor="oven-1", qos=2):
        """One process for all of them."""
        self.publisher.publish_lines(f"sensors/{sensor}/temp", [f"{sensor} {n}" for n in range(first, last + 1)], qos)
        return {(sensor, f"{sensor} {n}") for n in range(first, last + 1)}

    def assert_once(self, wanted):
        self.subscriber.wait_for_readings(wanted)
        came = [(m.device, m.payload) for m in self.subscriber.messages()]
        self.assertEqual(sorted(came), sorted(wanted))

    def test_nothing_is_lost_while_the_gateway_is_away(self):
        self.wait_receiving()
        wanted = self.publish(1, 50)
        self.assertEqual(self.gateway.stop(), 0)
        wanted |= self.publish(51, 100) | self.publish(101, 150, qos=1)
        self.gateway.start()
        self.assert_once(wanted)

    def test_nothing_is_lost_while_its_broker_is_away(self):
        """A broker that is killed knows what it has saved."""
        self.wait_receiving()
        self.assertEqual(self.gateway.stop(), 0)
        wanted = self.publish(1, 100)
        saved = self.folder / "local/mosquitto.db"
        before = saved.stat().st_mtime_ns if saved.exists() else None
        self.local.save()
        wait_until(lambda: saved.exists() and saved.stat().st_mtime_ns != before, "it is saved")
        self.local.kill()
        self.gateway.start()
        self.local.start()
        wanted |= self.publish(101, 200)
        self.assert_once(wanted)

    def test_a_process_that_dies_before_the_verdict(self):
        self.wait_receiving()
        os.kill(self.gateway.process.pid, signal.SIGSTOP)
        pid = self.endpoint_pid("near")
        seen = len(self.local.lines.all())
        wanted = self.publish(1, 10)
        self.local.lines.wait_line(r"Sending PUBLISH to hall-3-near-in \(.*, q2, .*, m10,", seen)
        os.kill(pid, signal.SIGKILL)
        self.local.lines.wait_line(r"Client hall-3-near-in (closed its connection|disconnected)", seen)
        said = self.local.lines.all()[seen:]
        self.assertEqual([line for line in said if "PUBREC from hall-3-near-in" in line], [], "acknowledged before its verdict")
        os.kill(self.gateway.process.pid, signal.SIGCONT)
        self.subscriber.wait_for_readings(wanted)

    def endpoint_pid(self, name):
        """Of a core that stands still nothing can be asked."""
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                words = path.read_bytes().split(b"\0")
            except OSError:
                continue
            if b"tidegate-endpoint" in words[0] and name.encode() in words and str(self.gateway.run).encode() in b" ".join(words):
                return int(path.parent.name)
        raise AssertionError(f"no process of '{name}'")


class Killing(LocalCase):
    """kill -9 at random moments under load. A chain of brokers and a gateway loses nothing that a broker still has."""

    route = {"source_device": "{sensor}"}
    allowed = ["near", "cloud"]
    settings = {"limits": {"restart_min_ms": 10, "restart_max_ms": 100}}
    local_more = "max_inflight_messages 20"
    kills = 12

    def setUp(self):
        super().setUp()
        self.random = random.Random(time.time_ns())
        self.wait_receiving()
        self.stream = Stream(self.publisher, "sensors/oven-1/temp")
        self.addCleanup(self.stream.end)

    def kill_endpoint(self, name):
        pid = wait_until(lambda: self.gateway.pid(name), f"'{name}' runs")
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: self.gateway.pid(name) not in (None, pid), f"'{name}' runs again")

    def kill_core(self):
        self.gateway.kill()
        self.gateway.start()

    def kill_again_and_again(self, *kills):
        for n in range(self.kills):
            self.subscriber.wait_for(len({m.id for m in self.subscriber.messages()}) + 1, deadline_s=60)
            time.sleep(self.random.uniform(0, 0.1))  # the random moment
            kills[n % len(kills)]()
        count = self.stream.end()
        self.subscriber.wait_for_readings({("oven-1", f"oven-1 {n}") for n in range(1, count + 1)}, 60)
        self.wait_drained()
        return count


class KillingOnce(Killing):
    def test_each_process(self):
        self.kill_again_and_again(
            lambda: self.kill_endpoint("near"), self.kill_core, lambda: self.kill_endpoint("cloud"))


class KillingTwice(Killing):
    """The same with QoS 2: only what was being taken when a process was killed may come twice."""

    near = {"subscribe_qos": 2}

    def test_each_process(self):
        count = self.kill_again_and_again(
            lambda: self.kill_endpoint("near"), self.kill_core, lambda: self.kill_endpoint("cloud"))
        payloads = {}
        for message in self.subscriber.messages():
            payloads.setdefault(message.payload, set()).add(message.id)
        twice = [payload for payload, ids in payloads.items() if len(ids) > 1]
        self.assertLessEqual(len(twice), 100 * self.kills, "more than the windows hold")
        self.assertEqual(len(payloads), count)

    def configuration(self, **changes):
        settings = super().configuration(**changes)
        if not hasattr(self, "relay"):
            self.relay = Relay(self.local.port)
            self.addCleanup(self.relay.close)
        settings["endpoints"][0]["broker"] = [f"mqtts://localhost:{self.relay.port}"]
        return settings

    def test_connections_that_are_cut_repeat_nothing(self):
        def cut():
            seen = len(self.local.lines.all())
            self.relay.cut()
            self.local.lines.wait_line(r"Sending CONNACK to hall-3-near-in \(1, 0\)", seen)
        self.kill_again_and_again(cut)
        payloads = {}
        for message in self.subscriber.messages():
            payloads.setdefault(message.payload, set()).add(message.id)
        self.assertEqual([payload for payload, ids in payloads.items() if len(ids) > 1], [])


class Relay:
    """A wire to a port of this machine that can be cut."""

    def __init__(self, port):
        self._to = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._ends, self._lock = [], threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                near, _ = self._listener.accept()
                far = socket.create_connection(self._to)
            except OSError:
                return
            with self._lock:
                self._ends += [near, far]
            for pair in ((near, far), (far, near)):
                threading.Thread(target=self._carry, args=pair, daemon=True).start()

    @staticmethod
    def _carry(source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def cut(self):
        with self._lock:
            ends, self._ends = self._ends, []
        for end in ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()


class Stream:
    """A publisher that does not end: "oven-1 1", "oven-1 2" …, QoS 2, until `end` tells how many the broker has taken over."""

    def __init__(self, publisher, topic, pause_s=0.002):
        self._count, self._closing, self._pause_s = 0, threading.Event(), pause_s
        self._process = subprocess.Popen(publisher.command(topic, 2) + ["-l"], stdin=subprocess.PIPE, encoding="utf-8")
        self._thread = threading.Thread(target=self._write, daemon=True)
        self._thread.start()

    def _write(self):
        while not self._closing.wait(self._pause_s):
            self._count += 1
            self._process.stdin.write(f"oven-1 {self._count}\n")
            self._process.stdin.flush()

    def end(self):
        if not self._closing.is_set():
            self._closing.set()
            self._thread.join(DEADLINE_S)
            self._process.stdin.close()
            assert self._process.wait(DEADLINE_S) == 0, "the publisher did not end well"
        return self._count


class Several(LocalCase):
    """Several brokers on site, a group that shares, wildcards, and who the broker says that it was."""

    near = {"share_group": "gateways", "publisher_property": "publisher"}
    route = {"match": "floor-{n}/{sensor}/{path}", "address": "{endpoint}/{n}/{device}/{sensor}/{path}"}

    def configuration(self, **changes):
        settings = super().configuration(**changes)
        near = settings["endpoints"][0]
        folder = self.folder / "other"
        if not folder.exists():
            folder.mkdir()
            self.other = Broker(folder, self.pki)
            self.addCleanup(self.other.close)
            self.other.start()
        settings["endpoints"].append({**near, "name": "third", "broker": [f"mqtts://localhost:{self.other.port}"], "share_group": None,
                                      "publisher_property": None})
        settings["endpoints"].append({**near, "name": "mate"})
        route = settings["routes"][0]
        settings["routes"] += [{**route, "name": name, "from": name} for name in ("third", "mate")]
        return settings

    def setUp(self):
        super().setUp()
        for name in ("near", "mate", "third"):
            wait_until(lambda name=name: self.gateway.endpoint(name)["counters"].get("subscriptions"), f"{name} is subscribed")

    def test_brokers_and_members_of_a_group(self):
        self.publisher.publish_lines("floor-1/a/b/c", [f"{n}" for n in range(40)], 1)
        Commander(self.other, None).publish_lines("floor-2/d/e", [f"{n}" for n in range(40)], 1)
        messages = self.subscriber.wait_for(80)
        count = {}
        for message in messages:
            count[message.topic] = count.get(message.topic, 0) + 1
        self.assertEqual(count.pop("third/2/third/d/e"), 40)
        self.assertEqual(sum(count.values()), 40, "each of the others goes to one member")
        self.assertEqual(set(count), {"near/1/near/a/b/c", "mate/1/mate/a/b/c"})

    def test_the_publisher_is_the_device(self):
        self.publisher.publish("floor-1/a/b", "1", ("user-property", "publisher", "client-7"))
        message = self.subscriber.wait_for(1)[0]
        self.assertEqual(message.device, "client-7")
        before = sum(self.gateway.status()["ledger"]["refused"].values())
        self.publisher.publish("floor-1/a/b", "2", ("user-property", "publisher", "cloud"))
        wait_until(lambda: sum(self.gateway.status()["ledger"]["refused"].values()) > before, "another endpoint is nobody")


if __name__ == "__main__":
    main()
