# SPDX-License-Identifier: Apache-2.0
"""Endpoint processes that crash and hang are started again, and the others never notice; they outlive the core."""
from harness import GatewayCase, Load, main, wait_until


class Faulty(GatewayCase):
    """Beside the main job, a loopback endpoint makes messages for another one that breaks down again and again."""

    allowed = [r"faulty"]
    settings = {"limits": {"restart_min_ms": 10, "restart_max_ms": 100, "heartbeat_ms": 500}}

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
