# SPDX-License-Identifier: Apache-2.0
"""The main job on real parts, told in plain words: sensors, gateway, broker, an outage, and nothing lost.

Needs a finished build; ./bootstrap demo makes one first. Leaves nothing behind.
"""
import argparse
import os
import shutil
import socket
import sys
import tempfile
import time
from pathlib import Path

arguments = argparse.ArgumentParser(description=__doc__)
arguments.add_argument("--build", type=Path, help="the build folder")
BUILD_WANTED = arguments.parse_args().build
if BUILD_WANTED:
    os.environ["TG_BUILD"] = str(BUILD_WANTED.resolve())

from harness import BUILD, Broker, Gateway, Pki, Sensor, configuration, free_port, wait_until  # noqa: E402
from harness.process import run  # noqa: E402

BOLD, GREEN, RED, PLAIN = ("\033[1m", "\033[32m", "\033[31m", "\033[0m") if sys.stdout.isatty() else ("",) * 4
BEFORE, DURING, AFTER = 3, 8, 3  # readings of each sensor: before, during and after the outage
PACE_S = 0.5  # between the rounds, for the eye


def step(text):
    print(f"\n{BOLD}{text}{PLAIN}", flush=True)


def say(text):
    print(f"  {text}", flush=True)


class Demo:
    def __init__(self, folder):
        self.folder = folder
        self.acknowledged = []  # (device, reading), in the order of the answers
        self.shown = 0

    def run(self):
        try:
            self.prepare()
            self.enrol()
            self.normal_day()
            self.outage()
            return self.reckon()
        finally:
            self.clean_up()

    def prepare(self):
        step("Certificates: one authority for the devices, one for the cloud")
        self.pki = Pki(self.folder / "pki")
        step("A mosquitto broker, standing for the cloud")
        self.broker = Broker(self.folder, self.pki)
        self.broker.start()
        say(f"it listens on port {self.broker.port}, and takes only TLS with a client certificate")
        self.subscriber = self.broker.subscribe()
        say("mosquitto_sub subscribes to everything there")
        step("The gateway")
        self.coap_port = free_port(socket.SOCK_DGRAM)
        settings = configuration(self.pki, self.coap_port, [self.broker.port])
        self.gateway = Gateway(self.folder / "gateway", settings).start()
        say(f"tidegated runs: endpoint 'field' takes DTLS CoAP on port {self.coap_port}, endpoint 'cloud' talks to the broker")
        say("each endpoint is a process of its own, behind a sandbox of its own")

    def enrol(self):
        step("Two sensors are enrolled")
        say("$ tidegatectl device add pump-1 --psk             a pre-shared key, shown this once")
        key = self.gateway.add_text_psk("pump-1")
        say("$ tidegatectl device add valve-2 --enrol-only     an X.509 certificate under the devices' authority")
        self.pki.leaf("valve-2")
        self.gateway.add_certificate("valve-2")
        self.sensors = [
            Sensor("pump-1", self.coap_port, key=key),
            Sensor("valve-2", self.coap_port, pki=self.pki),
        ]

    def send(self, count):
        """Each sensor sends `count` readings, by turns, with coap-client-openssl."""
        begin = len(self.acknowledged) // len(self.sensors)
        for number in range(begin + 1, begin + count + 1):
            for sensor in self.sensors:
                reading = f"{20 + number / 10:.1f}"
                reply = sensor.post("temperature", reading)
                if reply.code != "2.04":
                    raise AssertionError(f"{sensor.name} was told '{reply.code}' instead of 2.04: {reply.text}")
                self.acknowledged.append((sensor.name, reading))
                say(f"{sensor.name:8} sent {reading}, and was told 2.04: taken over")
                self.show_arrivals()
            time.sleep(PACE_S)

    def show_arrivals(self):
        for message in self.subscriber.messages()[self.shown:]:
            say(f"         {GREEN}arrived: {message.topic} {message.payload}{PLAIN}")
            self.shown += 1

    def wait_for_all(self):
        self.subscriber.wait_for(len(self.acknowledged))
        self.show_arrivals()

    def normal_day(self):
        step("The sensors send readings with coap-client-openssl, over DTLS")
        wait_until(lambda: self.gateway.endpoint("cloud")["link"] == "up", "the gateway is connected to the broker")
        self.send(BEFORE)
        self.wait_for_all()

    def outage(self):
        step("The broker is stopped. The sensors go on; the gateway answers once a reading is on its disk")
        self.broker.stop()
        self.send(DURING)
        say(f"{self.gateway.outbox()['ledger']['held']} readings are held back in the gateway")
        step("The broker is started again. What was held runs out, in order")
        self.broker.start()
        self.wait_for_all()
        self.send(AFTER)
        self.wait_for_all()

    def reckon(self):
        step("The reckoning")
        _, table, _ = run([BUILD / "tidegatectl", "--run", self.gateway.run, "status"], check=False)
        print("\n".join(f"  {line}" for line in ["$ tidegatectl status", *table.splitlines()]))
        arrived = [(message.device, message.payload) for message in self.subscriber.messages()]
        ledger = wait_until(self.settled_ledger, "the last confirmation is counted")
        checks = {
            f"all {len(self.acknowledged)} acknowledged readings arrived": set(arrived) == set(self.acknowledged),
            "each of them once": len(arrived) == len(set(arrived)),
            "each sensor's in the order in which it sent them": all(
                [r for r in arrived if r[0] == s.name] == [r for r in self.acknowledged if r[0] == s.name] for s in self.sensors
            ),
            f"the ledger balances: accepted {ledger['accepted']} = delivered {ledger['delivered']} + held {ledger['held']}"
            f" + dropped {sum(ledger['dropped'].values())}": ledger["balanced"],
        }
        print()
        for text, holds in checks.items():
            say(f"{GREEN}yes{PLAIN}  {text}" if holds else f"{RED}NO{PLAIN}   {text}")
        return all(checks.values())

    def settled_ledger(self):
        ledger = self.gateway.outbox()["ledger"]
        return ledger if ledger["held"] == 0 else None

    def clean_up(self):
        if hasattr(self, "gateway"):
            if self.gateway.is_running():
                self.gateway.stop()
            self.gateway.close()
        if hasattr(self, "broker"):
            self.broker.close()


GO_ON = """
How to go on:
  conf/tidegate.conf         a configuration to begin with
  README.md                  installing, adding your own devices, what is promised
  man build/packaging/man/tidegate.conf.5
                             every setting; also packaging/man/tidegated.8 and tidegatectl.1
  ./bootstrap check          every test, and the promises with them
"""


def main():
    folder = Path(tempfile.mkdtemp(prefix="tidegate-demo-"))
    try:
        good = Demo(folder).run()
    except (AssertionError, OSError) as problem:
        print(f"\nThe demo did not work out: {problem}", file=sys.stderr)
        good = False
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if good:
        print(GO_ON, end="")
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
