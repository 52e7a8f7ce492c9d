// SPDX-License-Identifier: Apache-2.0
'use strict';

// Requests of node-coap, one after the other, each with a line of what came of it: node node_client.js PORT

const coap = require('coap');

const port = Number(process.argv[2]);

function request(name, { payload, options = {}, ...more }) {
  return new Promise((resolve, reject) => {
    const outgoing = coap.request({ host: '127.0.0.1', port, ...more });
    for (const [option, value] of Object.entries(options)) outgoing.setOption(option, value);
    outgoing.on('response', (response) => {
      console.log(`${name} ${response.code} ${response.payload}`);
      resolve();
    });
    outgoing.on('error', reject);
    outgoing.end(payload);
  });
}

async function run() {
  await request('post', { method: 'POST', pathname: '/hall/temperature', payload: '21.5', options: { 'Content-Format': 'text/plain' } });
  await request('put', { method: 'PUT', pathname: '/a', payload: '1', confirmable: false });
  await request('patch', { method: 'PATCH', pathname: '/a', payload: '2' });
  await request('fetch', { method: 'FETCH', pathname: '/a', payload: '3' });
  await request('delete', { method: 'DELETE', pathname: '/a' });
  await request('links', { method: 'GET', pathname: '/.well-known/core', query: 'ct=40' });
  await request('whole', { method: 'GET', pathname: '/.well-known/core' });
  await request('pieces', { method: 'GET', pathname: '/.well-known/core', query: 'ct=40', options: { Block2: Buffer.of(0x00) } });
  await request('accept', { method: 'GET', pathname: '/.well-known/core', options: { Accept: 'application/json' } });
  await request('body', { method: 'POST', pathname: '/big', payload: Buffer.alloc(5000, 'b'), options: { Block1: Buffer.of(0x04) } });
}

run().then(() => process.exit(0), (error) => {
  console.log(String(error));
  process.exit(1);
});
