import { spawn } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createProtocolConnection } from "vscode-languageserver-protocol/node";
import { Client, specText } from "../editor/client.js";
import { root } from "./netc.js";

test("netc lsp serves an editor over the standard streams and ends when told to", async () => {
  const child = spawn(process.execPath, [join(root, "dist/cli/main.js"), "lsp", "--stdio"]);
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  const connection = createProtocolConnection(child.stdout, child.stdin);
  const client = await Client.on(connection);
  const text = specText("lenet.net").replace("maxpool(2)", "maxpol(2)");
  const uri = await client.open("lenet.net", text);
  const [mistake] = await client.diagnostics(uri);
  expect(mistake!.message).toContain("did you mean `maxpool`?");
  await connection.sendRequest("shutdown");
  await connection.sendNotification("exit");
  expect(await ended).toBe(0);
});
