# SPDX-License-Identifier: Apache-2.0
"""Commands from the cloud to devices that are CoAP servers on their own DTLS session: each ends in exactly one outcome."""
import os
import signal

from harness import Commander, GatewayCase, main, wait_until
from harness.gateway import Groups

TELEMETRY = {"name": "telemetry", "from": "field", "match": "/{path}", "to": "cloud", "address": "{site}/{gateway}/{device}/{path}"}
COMMANDS = {
    "name": "commands", "from": "cloud", "match": "{site}/{gateway}/{device}/command/{path}", "to": "field", "address": "/{path}",
}


def routes(*more, **commands):
    return Groups([TELEMETRY, {**COMMANDS, **commands}, *more])


class CommandCase(GatewayCase):
    settings = {"routes": routes(), "limits": {"restart_min_ms": 10, "restart_max_ms": 100}}

    def setUp(self):
        super().setUp()
        self.commander = Commander(self.broker, self.subscriber)
        self.wait_receiving()

    def wait_receiving(self):
        wait_until(lambda: self.gateway.endpoint("cloud")["counters"].get("receiving"), "commands are received")

    def mailbox(self):
        return self.gateway.status()["mailboxes"][0]

    def waiting(self, device=None):
        return self.gateway.ctl("commands", *([device] if device else []))

    def wait_waiting(self, count):
        return wait_until(lambda: len(self.waiting()) == count and self.waiting(), f"{count} commands wait")

    def assert_outcome(self, outcome, what, code=None, payload=None):
        self.assertEqual((outcome.outcome, outcome.code), (what, code), outcome)
        if payload is not None:
            self.assertEqual(outcome.payload, payload, outcome)


class Commands(CommandCase):
    def test_each_method(self):
        device = self.psk_device("valve-1")
        self.assert_outcome(self.commander.ask("valve-1", "set", "open", method="PUT"), "delivered", "2.04")
        request = device.wait("request", method="PUT")
        self.assertEqual((request["path"].strip("/"), request["payload"]), ("set", "open"))
        self.assert_outcome(self.commander.ask("valve-1", "set", method="GET"), "delivered", "2.05", "open")
        self.assertEqual(self.commander.ask("valve-1", "set", "half").outcome, "delivered")
        self.assertEqual(device.wait("request", method="POST")["payload"], "half")
        self.assert_outcome(self.commander.ask("valve-1", "set", method="DELETE"), "delivered", "2.02")
        self.assertEqual(self.mailbox()["ledger"]["delivered"], 4)

    def test_outcome_says_what_it_is_about(self):
        self.psk_device("valve-1")
        outcome = self.commander.ask("valve-1", "set", "open", method="PUT", content_type="application/json")
        self.assertEqual((outcome.topic, outcome.device, outcome.path), (self.commander.topic, "valve-1", "set"))
        self.assertRegex(outcome.command, r"^[0-9a-f]{8}-[0-9a-f]{4}-7")
        self.assertNotEqual(outcome.id, outcome.command)

    def test_what_the_device_says_is_delivered_too(self):
        self.psk_device("valve-1")
        self.assert_outcome(self.commander.ask("valve-1", "none", method="GET"), "delivered", "4.04")

    def test_separate_and_large_answers(self):
        self.psk_device("valve-1")
        self.assertEqual(self.commander.ask("valve-1", "slow", method="GET").outcome, "delivered")
        big = self.commander.ask("valve-1", "big", method="GET")
        self.assertEqual((big.code, len(big.payload)), ("2.05", 20000))

    def test_strangers_and_wrong_places(self):
        self.psk_device("valve-1")
        self.assert_outcome(self.commander.ask("nobody", "set", "x"), "refused")
        self.gateway.ctl("device", "revoke", "valve-1")
        self.assert_outcome(self.commander.ask("valve-1", "set", "x"), "refused")

    def test_answers_never_become_commands(self):
        device = self.psk_device("valve-1")
        self.commander.send("valve-1", "set", "1", topic="plant-7/hall-3/valve-1/command/set")
        device.wait("request", payload="1")
        self.assertEqual(self.commander.ask("valve-1", "set", "2").outcome, "delivered")
        self.assertEqual(device.executions(), 2)


class Profiles(CommandCase):
    settings = {
        **CommandCase.settings,
        "profiles": Groups([
            {"name": "valves", "devices": ["valve-*"], "command_paths": ["set"], "command_methods": ["PUT"]},
            {"name": "deaf", "devices": ["deaf-*"], "commands": False},
        ]),
    }

    def test_only_what_the_profile_allows(self):
        device = self.psk_device("valve-1")
        self.psk_device("deaf-1")
        self.assert_outcome(self.commander.ask("valve-1", "set", "x", method="PUT"), "delivered", "2.04")
        self.assert_outcome(self.commander.ask("valve-1", "set", "x", method="DELETE"), "refused")
        self.assert_outcome(self.commander.ask("valve-1", "big", method="PUT"), "refused")
        self.assert_outcome(self.commander.ask("deaf-1", "set", "x", method="PUT"), "refused")
        self.assertEqual(device.executions(), 1)


class Routes(CommandCase):
    settings = {
        "routes": Groups([
            TELEMETRY,
            {**COMMANDS, "match": "{site}/{gateway}/{device}/do/{method}/{path}", "method": "{method}",
             "response": "{site}/{gateway}/{device}/done/{path}", "response_allowed": ["answers/*"]},
        ]),
    }

    def test_method_and_response_address(self):
        self.psk_device("valve-1")
        prefix = f"{self.commander.prefix}/valve-1"
        self.commander.publish(f"{prefix}/do/PUT/set", "a")
        outcome = self.subscriber.wait_for(1, lambda m: m.topic == f"{prefix}/done/set")[0]
        self.assert_outcome(outcome, "delivered", "2.04")
        self.commander.publish(f"{prefix}/do/get/set", "", ("response-topic", "forbidden/x"))
        self.subscriber.wait_for(2, lambda m: m.topic == f"{prefix}/done/set")
        self.commander.publish(f"{prefix}/do/get/set", "", ("response-topic", "answers/x"))
        self.subscriber.wait_for(1, lambda m: m.topic == "answers/x")
        self.assertEqual(self.subscriber.messages(lambda m: m.topic.startswith("forbidden")), [])

    def test_unknown_method(self):
        self.psk_device("valve-1")
        self.commander.publish(f"{self.commander.prefix}/valve-1/do/BREW/set", "a")
        wait_until(lambda: self.gateway.status()["ledger"]["refused"], "it is refused")


class Sleepers(CommandCase):
    settings = {**CommandCase.settings, "limits": {**CommandCase.settings["limits"], "commands_per_device": 3}}

    def test_waits_until_the_device_speaks(self):
        device = self.psk_device("valve-1")
        device.tell("sleep")
        device.wait("asleep")
        sent = [self.commander.send("valve-1", "set", f"{n}", method="PUT") for n in range(3)]
        self.wait_waiting(3)
        self.assert_outcome(self.commander.ask("valve-1", "set", "one too many", method="PUT"), "refused")
        device.tell("wake")
        device.wait("awake")
        self.assertEqual(device.post("t", "21"), "2.04")
        for correlation in sent:
            self.assert_outcome(self.commander.wait(correlation, 90), "delivered", "2.04")
        self.assertEqual([e["payload"] for e in device.events("request")], ["0", "1", "2"])

    def test_waits_for_a_session(self):
        self.gateway.add_psk("away-1")
        correlation = self.commander.send("away-1", "set", "x", expiry_s=2)
        expired = self.commander.wait(correlation)
        self.assert_outcome(expired, "expired")
        self.assertEqual(self.mailbox()["ledger"]["dropped"], {"expired": 1})

    def test_comes_with_the_next_session(self):
        device = self.psk_device("valve-1")
        device.tell("close")
        device.wait("closed")
        correlation = self.commander.send("valve-1", "set", "x", method="PUT")
        self.wait_waiting(1)
        device.tell("open")
        self.assert_outcome(self.commander.wait(correlation), "delivered", "2.04")

    def test_revoked_while_it_waits(self):
        self.gateway.add_psk("away-1")
        correlation = self.commander.send("away-1", "set", "x")
        self.wait_waiting(1)
        self.gateway.ctl("device", "revoke", "away-1")
        self.assert_outcome(self.commander.wait(correlation), "refused")


class Restarts(CommandCase):
    allowed = [r"^warning: (cloud|field)\b"]

    def fill(self):
        self.key = self.gateway.add_psk("valve-1")
        sent = [self.commander.send("valve-1", "set", f"{n}", method="PUT") for n in range(5)]
        self.wait_waiting(5)
        return sent

    def connect(self):
        from harness import Device
        device = Device("valve-1", self.coap_port, self.key)
        self.addCleanup(device.close)
        return device.start()

    def assert_all_once(self, sent):
        device = self.connect()
        for correlation in sent:
            self.assert_outcome(self.commander.wait(correlation), "delivered", "2.04")
        self.assertEqual([e["payload"] for e in device.events("request")], ["0", "1", "2", "3", "4"])

    def test_commands_outlive_a_restart(self):
        sent = self.fill()
        self.assertEqual(self.gateway.stop(), 0)
        self.gateway.start()
        self.assert_all_once(sent)

    def test_commands_outlive_kill(self):
        sent = self.fill()
        self.gateway.kill()
        self.gateway.start()
        self.assert_all_once(sent)

    def test_commands_wait_at_the_broker_while_the_gateway_is_away(self):
        key = self.gateway.add_psk("valve-1")
        self.assertEqual(self.gateway.stop(), 0)
        correlation = self.commander.send("valve-1", "set", "late", method="PUT")
        self.gateway.start()
        self.key = key
        self.connect()
        self.assert_outcome(self.commander.wait(correlation), "delivered", "2.04")

    def test_core_killed_while_the_device_works(self):
        device = self.psk_device("valve-1")
        correlation = self.commander.send("valve-1", "slow", "x", method="PUT")
        device.wait("request", method="PUT")
        self.gateway.kill()
        self.gateway.start()
        self.assertEqual(self.commander.wait(correlation).outcome, "delivered")
        self.assertEqual(device.executions(), 1)

    def test_outcome_waits_for_the_broker(self):
        device = self.psk_device("valve-1")
        device.tell("sleep")
        device.wait("asleep")
        correlation = self.commander.send("valve-1", "set", "x", method="PUT")
        self.wait_waiting(1)
        self.broker.stop()
        device.tell("wake")
        device.wait("awake")
        device.post("t", "1")
        device.wait("request", method="PUT")
        wait_until(lambda: self.waiting() == [], "the outcome is on disk")
        self.broker.start_with_subscribers()
        self.assert_outcome(self.commander.wait(correlation, 60), "delivered", "2.04")

    def test_processes_killed_under_commands(self):
        """Whatever dies, each command ends in one outcome, and none is carried out after its outcome was told."""
        device = self.psk_device("valve-1")
        sent = []
        for turn in range(6):
            sent.append(self.commander.send("valve-1", "set", f"{turn}", method="PUT"))
            name = ("cloud", "field")[turn % 2]
            pid = wait_until(lambda name=name: self.gateway.pid(name), f"{name} runs")
            os.kill(pid, signal.SIGKILL)
            wait_until(lambda name=name, pid=pid: self.gateway.pid(name) not in (None, pid), f"{name} runs again")
            if name == "field":
                self.wait_link("field")
                device.tell("close")
                device.tell("open")
                device.wait("connected")
        for turn, correlation in enumerate(sent):
            self.assert_outcome(self.commander.wait(correlation, 120), "delivered", "2.04")
            self.assertGreaterEqual(device.executions(payload=f"{turn}"), 1)


class DeviceToDevice(CommandCase):
    settings = {
        **CommandCase.settings,
        "routes": Groups([
            {"name": "overflow", "from": "field", "match": "level/high", "to": "field", "device": "valve-1", "method": "PUT",
             "address": "/set", "ack": "delivered", "devices": ["tank-*"]},
            {"name": "by-name", "from": "field", "match": "to/{target}/{path}", "to": "field", "device": "{target}",
             "address": "/{path}", "method": "POST"},
            TELEMETRY, COMMANDS,
        ]),
    }
    allowed = [r"^warning: cloud\b"]

    def test_without_any_cloud(self):
        valve, tank = self.psk_device("valve-1"), self.psk_device("tank-1")
        self.broker.stop()
        self.assertEqual(tank.post("level/high", "1"), "2.04")
        self.assertEqual(valve.wait("request", method="PUT")["payload"], "1")
        self.assertEqual(tank.post("to/valve-1/set", "2"), "2.04")
        self.assertEqual(valve.wait("request", method="POST")["payload"], "2")
        self.assertEqual(tank.post("to/nobody/set", "3"), "4.03")
        self.broker.start_with_subscribers()


if __name__ == "__main__":
    main()
