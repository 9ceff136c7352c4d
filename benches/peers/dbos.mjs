// The nine-step workflow on DBOS's TypeScript SDK: steps in this process, recorded in PostgreSQL one by one.
// Usage: node dbos.mjs <port> <database URL>

import http from "node:http";
import { DBOS } from "@dbos-inc/dbos-sdk";

const [port, systemDatabaseUrl] = process.argv.slice(2);

const nine = DBOS.registerWorkflow(
  async (number) => {
    let sum = number;
    for (let step = 0; step < 9; step += 1) sum = await DBOS.runStep(async () => sum + step, { name: `step${step}` });
    return sum;
  },
  { name: "nine" },
);

DBOS.setConfig({ name: "bench", systemDatabaseUrl, systemDatabasePoolSize: 20, logLevel: "error", runAdminServer: false });
await DBOS.launch();

const server = http.createServer(async (request, response) => {
  try {
    let text = "";
    for await (const part of request) text += part;
    const sum = await nine(JSON.parse(text).number);
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(sum));
  } catch (error) {
    response.writeHead(500).end(String(error));
  }
});
server.listen(Number(port), "127.0.0.1");
