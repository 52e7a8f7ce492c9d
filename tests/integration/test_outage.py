# SPDX-License-Identifier: Apache-2.0
"""The cloud goes away and comes back, under load: nothing acknowledged is lost, and order is kept."""
from harness import GatewayCase, Load, main, wait_until

SENSORS = 20


class Outage(GatewayCase):
    allowed = [r"cloud: "]  # the gateway says that its broker is gone

    def begin_load(self, *options):
        return Load(self.folder, self.coap_port, self.keys(SENSORS), "--rate", 50, *options).start()

    def wait_held(self, count):
        wait_until(lambda: self.gateway.outbox()["held_disk"] >= count, f"{count} messages are held on disk")

    def test_broker_stopped_and_started(self):
        load = self.begin_load()
        self.subscriber.wait_for(200)
        for _ in range(3):
            self.broker.stop()
            self.wait_held(500)
            self.broker.start()
            self.wait_link("cloud")
        summary = load.stop()
        self.assert_promises(load, summary)
        self.assertEqual(self.wait_drained()["dropped"], {})

    def test_at_full_speed(self):
        """More comes, and more runs out again, than the broker's window takes at once."""
        load = Load(self.folder, self.coap_port, self.keys(SENSORS), "--payload", 500).start()
        for _ in range(2):
            self.broker.stop()
            self.wait_held(4000)
            self.broker.start()
            self.wait_link("cloud")
        summary = load.stop()
        self.assert_promises(load, summary)
        self.wait_drained()

    def test_broker_hangs(self):
        """Connected is not enough: what is not confirmed goes to disk, and the sensors get their answer."""
        load = self.begin_load()
        self.subscriber.wait_for(200)
        self.broker.freeze()
        self.wait_held(500)
        self.broker.thaw()
        summary = load.stop()
        self.assert_promises(load, summary)
        self.wait_drained()

    def test_gateway_stopped_with_a_backlog(self):
        load = self.begin_load()
        self.broker.stop()
        self.wait_held(1000)
        summary = load.stop()
        held = self.gateway.outbox()["ledger"]["held"]
        self.assertEqual(self.gateway.stop(), 0)
        self.gateway.start()
        ledger = self.gateway.outbox()["ledger"]
        self.assertEqual((ledger["held"], ledger["balanced"]), (held, True))
        self.broker.start()
        self.assert_promises(load, summary)
        self.wait_drained()

    def test_start_without_a_broker(self):
        self.assertEqual(self.gateway.stop(), 0)
        self.broker.stop()
        self.gateway.start()
        sensor = self.psk_sensor("pump-1")
        for number in range(3):
            self.assertEqual(sensor.post("t", str(number)).code, "2.04")
        self.broker.start()
        self.assertEqual([m.payload for m in self.subscriber.wait_for(3)], ["0", "1", "2"])


if __name__ == "__main__":
    main()
