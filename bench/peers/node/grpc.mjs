/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A unary gRPC server on grpc-js with onnxruntime-node behind it.
 * Usage: node grpc.mjs PORT MODEL.onnx
 */
import { fileURLToPath } from "node:url";
import grpc from "@grpc/grpc-js";
import protoLoader from "@grpc/proto-loader";
import ort from "onnxruntime-node";

const [port, modelPath] = process.argv.slice(2);

const proto = fileURLToPath(new URL("inference.proto", import.meta.url));
const { inference } = grpc.loadPackageDefinition(
  protoLoader.loadSync(proto, { keepCase: true, longs: Number, defaults: true }),
);
const session = await ort.InferenceSession.create(modelPath, {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
});

/* Row-major little-endian floats; copied, because protobuf's slices need not be aligned. */
function rawFloats(bytes) {
  const copy = new Uint8Array(bytes);
  return new Float32Array(copy.buffer);
}

async function modelInfer(call, callback) {
  try {
    const { inputs, raw_input_contents: raw } = call.request;
    const data = raw.length ? rawFloats(raw[0]) : Float32Array.from(inputs[0].contents.fp32_contents);
    const { Y } = await session.run({ X: new ort.Tensor("float32", data, inputs[0].shape) });
    callback(null, {
      model_name: "logreg30",
      model_version: "1",
      outputs: [{ name: "Y", datatype: "FP32", shape: Array.from(Y.dims) }],
      raw_output_contents: [Buffer.from(Y.data.buffer, Y.data.byteOffset, Y.data.byteLength)],
    });
  } catch (error) {
    callback({ code: grpc.status.INVALID_ARGUMENT, details: String(error) });
  }
}

const server = new grpc.Server();
server.addService(inference.GRPCInferenceService.service, { ModelInfer: modelInfer });
server.bindAsync(`127.0.0.1:${port}`, grpc.ServerCredentials.createInsecure(), (error) => {
  if (error) throw error;
});
