// What onnxruntime computes from the models of make_onnx.py: node run_onnx.mjs FOLDER, where
// onnxruntime-web (1.30.0) can be found.
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

const ort = createRequire(`${process.cwd()}/`)("onnxruntime-web");
ort.env.wasm.numThreads = 1;
const folder = resolve(process.argv[2]);
for (const { name, input } of JSON.parse(readFileSync(join(folder, "cases.json"), "utf8"))) {
  const session = await ort.InferenceSession.create(readFileSync(join(folder, `${name}.onnx`)));
  const { buffer, byteOffset, byteLength } = readFileSync(join(folder, `${name}.input.f32`));
  const values = new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength));
  const given = { [session.inputNames[0]]: new ort.Tensor("float32", values, input) };
  const output = (await session.run(given))[session.outputNames[0]];
  writeFileSync(
    join(folder, `${name}.expected.f32`),
    Buffer.from(output.data.buffer, output.data.byteOffset, output.data.byteLength),
  );
  console.log(name, output.dims.join("x"));
}
