# SPDX-License-Identifier: Apache-2.0
"""Runs the product on real parts: tidegated from the build tree, a mosquitto broker that takes only TLS with client
certificates, and clients that we did not write. Everything on loopback, on free ports, in a temporary folder.

    process   child programs: their lines as events, their end by pid
    pki       the certificates of everyone
    broker    mosquitto, and subscribers that record what reached it
    gateway   tidegated and tidegatectl, and the configuration
    sensors   coap-client-openssl, and the load generator
    device    a device that is CoAP server as well
    commander somebody in the cloud who sends commands
    clock     a time of day that the gateway alone believes
    case      the frame of a test case, with the checks that every case ends with
"""
from .broker import Broker, Message, Subscriber
from .case import GatewayCase, main
from .clock import DAY_S, FakeClock, seconds
from .commander import Commander
from .device import Device
from .gateway import BUILD, SANITIZED, SOURCE, Gateway, configuration
from .pki import Pki
from .process import DEADLINE_S, Process, free_port, wait_until
from .sensors import Load, Sensor

__all__ = [
    "BUILD", "Broker", "Commander", "DAY_S", "DEADLINE_S", "Device", "FakeClock", "Gateway", "GatewayCase", "Load", "Message", "Pki", "Process", "SANITIZED", "SOURCE",
    "Sensor", "Subscriber", "configuration", "free_port", "main", "seconds", "wait_until",
]
