/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fastify with onnxruntime-node, as its documentation would have it: a schema for the body, one
 * for the reply (which Fastify compiles to a fast serializer), one session for all requests.
 * Usage: node fastify.mjs PORT MODEL.onnx
 */
import Fastify from "fastify";
import ort from "onnxruntime-node";

const [port, modelPath] = process.argv.slice(2);

const tensorSchema = {
  type: "object",
  required: ["name", "shape", "datatype", "data"],
  properties: {
    name: { type: "string" },
    shape: { type: "array", items: { type: "integer" } },
    datatype: { type: "string" },
    data: { type: "array", items: { type: "number" } },
  },
};

const schema = {
  body: {
    type: "object",
    required: ["inputs"],
    properties: { inputs: { type: "array", minItems: 1, items: tensorSchema } },
  },
  response: {
    200: {
      type: "object",
      properties: {
        model_name: { type: "string" },
        model_version: { type: "string" },
        outputs: { type: "array", items: tensorSchema },
      },
    },
  },
};

/* One thread: the benchmark gives every server one core, where a pool would only get in the way. */
const session = await ort.InferenceSession.create(modelPath, {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
});
const app = Fastify({ logger: false });

app.post("/v2/models/logreg30/infer", { schema }, async (request) => {
  const { shape, data } = request.body.inputs[0];
  const { Y } = await session.run({ X: new ort.Tensor("float32", Float32Array.from(data), shape) });
  return {
    model_name: "logreg30",
    model_version: "1",
    outputs: [{ name: "Y", shape: Y.dims, datatype: "FP32", data: Array.from(Y.data) }],
  };
});

await app.listen({ host: "127.0.0.1", port: Number(port) });
