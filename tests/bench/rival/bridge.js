// SPDX-License-Identifier: Apache-2.0
'use strict';

// The rival of the benchmark: plain CoAP in, MQTT with QoS 1 over TLS out, and 2.04 once the broker has confirmed.
// node bridge.js COAP-PORT BROKER-PORT PKI-FOLDER

const fs = require('fs');
const coap = require('coap');
const mqtt = require('mqtt');

const [coapPort, brokerPort, pki] = process.argv.slice(2);

const client = mqtt.connect({
  protocol: 'mqtts',
  host: 'localhost',
  port: Number(brokerPort),
  ca: fs.readFileSync(`${pki}/cloud-ca.crt`),
  cert: fs.readFileSync(`${pki}/cloud.crt`),
  key: fs.readFileSync(`${pki}/cloud.key`),
  clientId: 'rival',
});

const server = coap.createServer((request, response) => {
  const topic = `plant-7/hall-3/${request.rsinfo.address}${request.url}`;
  client.publish(topic, request.payload, { qos: 1 }, (error) => {
    response.code = error ? '5.03' : '2.04';
    response.end();
  });
});

client.once('connect', () => {
  server.listen(Number(coapPort), '127.0.0.1', () => console.log('ready'));
});
client.on('error', (error) => {
  console.error(error.message);
  process.exit(1);
});
