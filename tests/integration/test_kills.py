# SPDX-License-Identifier: Apache-2.0
"""kill -9, twenty times at random moments under load, of each process in turn: nothing acknowledged is lost."""
import os
import random
import signal
import time

from harness import GatewayCase, Load, main, wait_until

SENSORS, KILLS = 20, 20


class Killing(GatewayCase):
    """A sensor that got no answer in time gives up, and sends its reading again over a new session."""

    allowed = [r"cloud", r"field"]  # it says what died
    settings = {"limits": {"restart_min_ms": 10, "restart_max_ms": 100}}

    def setUp(self):
        super().setUp()
        self.random = random.Random(time.time_ns())
        keys = self.keys(SENSORS)
        self.load = Load(
            self.folder, self.coap_port, keys, "--rate", 50,
            "--ack-timeout", 0.2, "--response-timeout", 2, "--retransmits", 3,
        ).start()

    def kill_again_and_again(self, kill):
        """Each time something arrives that was not there before, so that each kill hits a working gateway."""
        for _ in range(KILLS):
            self.subscriber.wait_for(len({m.id for m in self.subscriber.messages()}) + 1)
            time.sleep(self.random.uniform(0, 0.2))  # the random moment
            kill()
        summary = self.load.stop()
        self.assert_promises(self.load, summary)
        self.wait_drained()


class ProcessKills(Killing):
    def kill_endpoint(self, name):
        pid = wait_until(lambda: self.gateway.pid(name), f"'{name}' runs")
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: self.gateway.pid(name) not in (None, pid), f"'{name}' runs again")

    def test_core(self):
        def kill():
            self.gateway.kill()
            self.gateway.start()
        self.kill_again_and_again(kill)

    def test_coap_process(self):
        self.kill_again_and_again(lambda: self.kill_endpoint("field"))
        self.assertGreaterEqual(self.gateway.endpoint("field")["restarts"], KILLS)

    def test_mqtt_process(self):
        self.kill_again_and_again(lambda: self.kill_endpoint("cloud"))
        self.assertGreaterEqual(self.gateway.endpoint("cloud")["restarts"], KILLS)


class BrokerKills(Killing):
    """What a broker has confirmed and then loses with its memory is nothing that a gateway could save. So the gateway stands
    still until the subscriber is back, and the subscriber reads without answering: then what the broker has confirmed has
    left it already, and nothing is in the way of its being read."""

    subscriber_qos = 0
    # Whom the test stops is not taken for one that hangs.
    settings = {"limits": {**Killing.settings["limits"], "heartbeat_ms": 60000}}

    def test_broker(self):
        def kill():
            self.broker.kill()
            cloud = self.gateway.pid("cloud")
            os.kill(cloud, signal.SIGSTOP)
            self.broker.start_with_subscribers()
            os.kill(cloud, signal.SIGCONT)
        self.kill_again_and_again(kill)


if __name__ == "__main__":
    main()
