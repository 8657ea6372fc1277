// SPDX-License-Identifier: Apache-2.0
// Asks a running server by grpc-js: typed and raw contents, an error, a deadline, health.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import grpc from '@grpc/grpc-js';
import loader from '@grpc/proto-loader';

const data = new URL('../../data/', import.meta.url).pathname;
const load = (file) => grpc.loadPackageDefinition(loader.loadSync(data + file, { keepCase: true, longs: Number }));
const { inference } = load('open_inference.proto');
const rows = new Float32Array(new Uint8Array(readFileSync(data + 'models/rows30.in.f32')).buffer);
const expected = new Float32Array(new Uint8Array(readFileSync(data + 'models/logreg30.out.f32')).buffer);

const client = new inference.GRPCInferenceService(process.argv[2], grpc.credentials.createInsecure());
const call = (method, request, options = {}) =>
  new Promise((resolve, reject) =>
    client[method](request, options, (error, reply) => (error ? reject(error) : resolve(reply))));

const row = (at) => Array.from(rows.subarray(at * 30, at * 30 + 30));
const typed = (at) => ({
  model_name: 'plain',
  inputs: [{ name: 'X', datatype: 'FP32', shape: [1, 30], contents: { fp32_contents: row(at) } }],
});

const replies = await Promise.all(Array.from({ length: 64 }, (_, at) => call('ModelInfer', typed(at % 16))));
replies.forEach((reply, at) =>
  assert.ok(Math.abs(reply.outputs[0].contents.fp32_contents[0] - expected[at % 16]) < 1e-5));

const raw = await call('ModelInfer', {
  model_name: 'plain',
  inputs: [{ name: 'X', datatype: 'FP32', shape: [1, 30] }],
  raw_input_contents: [Buffer.from(Float32Array.from(row(3)).buffer)],
});
assert.ok(Math.abs(raw.raw_output_contents[0].readFloatLE(0) - expected[3]) < 1e-5);

await assert.rejects(call('ModelInfer', { ...typed(0), model_name: 'nobody' }), { code: grpc.status.NOT_FOUND });
await assert.rejects(call('ModelInfer', typed(0), { deadline: Date.now() - 1 }), {
  code: grpc.status.DEADLINE_EXCEEDED,
});
assert.equal((await call('ServerReady', {})).ready, true);
client.close();
