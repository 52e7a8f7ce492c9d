# SPDX-License-Identifier: Apache-2.0
"""Endpoint processes that crash and hang are started again, and the others never notice; they outlive the core."""
import os
import signal
import unittest

from harness import SANITIZED, GatewayCase, Load, main, wait_until


class Faulty(GatewayCase):
    """Beside the main job, a loopback endpoint makes messages for another one that breaks down again and again."""

    allowed = [r"faulty"]
    # The heartbeat is that of the innocent, too, who may be slow.
    settings = {"limits": {"restart_min_ms": 10, "restart_max_ms": 100, "heartbeat_ms": 3000}}

    def begin_faulty(self, messages, **fault):
        settings = self.configuration()
        settings["endpoints"] += [
            {"name": "maker", "adapter": "loopback", "generate": messages},
            {"name": "faulty", "adapter": "loopback", "submit": False, "outbox": {"window": 10}, **fault},
        ]
        settings["routes"] += [
            {"name": "made", "from": "maker", "match": "/{path}", "to": "faulty", "address": "{path}"},
        ]
        self.assertEqual(self.gateway.stop(), 0)
        self.gateway.configure(settings)
        self.gateway.start()

    def assert_all_delivered(self, messages):
        def delivered():
            ledger = self.gateway.outbox("faulty")["ledger"]
            return ledger["delivered"] == messages and ledger["held"] == 0
        sensor = self.psk_sensor("pump-1")
        sent = 0
        while not delivered():
            self.assertEqual(sensor.post("t", str(sent)).code, "2.04")
            sent += 1
            self.assertLess(sent, 1000, self.gateway.outbox("faulty"))
        self.assertEqual([m.payload for m in self.subscriber.wait_for(sent)], [str(n) for n in range(sent)])
        for name in ("field", "cloud"):
            self.assertEqual(self.gateway.endpoint(name)["restarts"], 0)

    def test_crash(self):
        self.begin_faulty(500, crash_after=50)
        self.assert_all_delivered(500)
        self.assertGreaterEqual(self.gateway.endpoint("faulty")["restarts"], 9)

    def test_hang(self):
        self.begin_faulty(60, hang_after=25)
        self.assert_all_delivered(60)
        self.assertGreaterEqual(self.gateway.endpoint("faulty")["restarts"], 2)

    def test_messages_given_back(self):
        self.begin_faulty(500, retry_every=7)
        self.assert_all_delivered(500)
        self.assertEqual(self.gateway.endpoint("faulty")["restarts"], 0)

    def test_messages_refused_for_good(self):
        self.begin_faulty(500, reject_every=5)
        wait_until(lambda: self.gateway.outbox("faulty")["ledger"]["held"] == 0
                   and self.gateway.outbox("faulty")["ledger"]["accepted"] == 500, "all were tried")
        ledger = self.gateway.outbox("faulty")["ledger"]
        self.assertEqual(ledger["dropped"], {"rejected": 100})
        self.assertEqual(ledger["delivered"], 400)


@unittest.skipIf(SANITIZED, "a build with sanitizers is not fast enough for a process that is silent meanwhile")
class Behind(GatewayCase):
    """A sink's process that takes nothing for a while is not sent more than its link holds: what must not wait has its room there."""

    settings = {"limits": {"heartbeat_ms": 60000}}

    def sink_and_maker(self, messages, **sink):
        settings = self.configuration()
        settings["endpoints"] += [
            {"name": "maker", "adapter": "loopback", "generate": messages, "payload_bytes": 512, "enabled": messages > 0},
            {"name": "sink", "adapter": "loopback", "submit": False, "path": "p" * 250,
             "outbox": {"memory_bytes": 1 << 28, "memory_messages": 100000, "window": 65535, "hold_ms": 60000}, **sink},
        ]
        settings["routes"] += [{"name": "made", "from": "maker", "match": "/{path}", "to": "sink", "address": "{path}", "ack": "received"}]
        self.gateway.configure(settings)

    def test_new_settings_reach_it(self):
        messages = 35000  # more than a link holds
        self.sink_and_maker(0)
        self.gateway.ctl("reload")
        wait_until(lambda: self.gateway.endpoint("sink")["link"] == "up", "the sink is up")
        pid = self.gateway.pid("sink")
        os.kill(pid, signal.SIGSTOP)
        self.sink_and_maker(messages)
        self.gateway.ctl("reload")
        wait_until(lambda: self.gateway.outbox("sink")["ledger"]["accepted"] == messages, "all are here")
        self.sink_and_maker(messages, delay_ms=1)
        self.gateway.ctl("reload")
        os.kill(pid, signal.SIGCONT)
        wait_until(lambda: self.gateway.outbox("sink")["ledger"]["held"] == 0, "all were delivered")
        self.assertEqual(self.gateway.outbox("sink")["ledger"]["delivered"], messages)
        self.assertEqual((self.gateway.pid("sink"), self.gateway.endpoint("sink")["restarts"]), (pid, 0))


class CoreRestart(GatewayCase):
    allowed = [r"field", r"cloud"]
    settings = {"limits": {"restart_min_ms": 10, "restart_max_ms": 100}}

    def test_sessions_outlive_the_core(self):
        load = Load(self.folder, self.coap_port, self.keys(10)).start()
        pid = self.gateway.pid("field")
        for number in range(1, 4):
            self.subscriber.wait_for(len(self.subscriber.messages()) + 20)
            self.gateway.kill()
            self.gateway.start()
            self.assertEqual(self.gateway.pid("field"), pid, f"restart {number}")
        self.subscriber.wait_for(len(self.subscriber.messages()) + 20)
        summary = load.stop()
        self.assertEqual((summary["handshakes"], summary["sessions_lost"]), (10, 0), summary)
        self.assert_promises(load, summary)


if __name__ == "__main__":
    main()
