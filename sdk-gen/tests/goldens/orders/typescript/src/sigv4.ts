// Signature Version 4 of AWS, for commands with `auth = iam` and for the system function. It needs nothing but WebCrypto.

import type { RequestHeaders, Signer } from "./runtime.js";

/** Credentials of AWS. */
export interface AwsCredentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string | undefined;
}

/** What signatures are made with. */
export interface SigV4Options {
  /** Region of the deployment: `eu-central-1`. */
  region: string;
  /** Credentials, or what fetches them. */
  credentials: AwsCredentials | (() => AwsCredentials | Promise<AwsCredentials>);
  /** Service that is called. Default: `execute-api`, which commands are behind. */
  service?: string;
  /** The time. Default: the clock's. */
  now?: () => Date;
}

/** Signs requests: `new ...Client({ url, sign: sigV4({ region, credentials }) })`. */
export function sigV4(options: SigV4Options): Signer {
  return async ({ method, url, headers, body }) => {
    const { credentials: given, region, service = "execute-api" } = options;
    const credentials = typeof given === "function" ? await given() : given;
    const time = (options.now?.() ?? new Date()).toISOString().replace(/[-:]|\.\d+/g, "");
    const day = time.slice(0, 8);
    const { host, pathname, searchParams } = new URL(url);
    const added: RequestHeaders = { "x-amz-date": time };
    if (credentials.sessionToken !== undefined) added["x-amz-security-token"] = credentials.sessionToken;

    const signed = new Map([["host", host]]);
    for (const [name, value] of Object.entries({ ...headers, ...added })) {
      const lower = name.toLowerCase();
      if (lower === "content-type" || lower.startsWith("x-amz-")) signed.set(lower, value.trim().replace(/ +/g, " "));
    }
    const names = [...signed.keys()].sort();
    const canonical = [
      method,
      // Encoded once more, as all services but S3 want it.
      pathname.split("/").map(encoded).join("/"),
      [...searchParams].map(([name, value]) => `${encoded(name)}=${encoded(value)}`).sort().join("&"),
      ...names.map((name) => `${name}:${signed.get(name)}`),
      "",
      names.join(";"),
      hex(await crypto.subtle.digest("SHA-256", utf8(body ?? ""))),
    ].join("\n");

    const scope = `${day}/${region}/${service}/aws4_request`;
    const text = ["AWS4-HMAC-SHA256", time, scope, hex(await crypto.subtle.digest("SHA-256", utf8(canonical)))].join("\n");
    let key: ArrayBuffer = utf8(`AWS4${credentials.secretAccessKey}`);
    for (const part of [day, region, service, "aws4_request", text]) key = await hmac(key, part);
    const credential = `Credential=${credentials.accessKeyId}/${scope}`;
    const authorization = `AWS4-HMAC-SHA256 ${credential}, SignedHeaders=${names.join(";")}, Signature=${hex(key)}`;
    return { ...added, authorization };
  };
}

function utf8(text: string): ArrayBuffer {
  return new TextEncoder().encode(text).slice().buffer;
}

async function hmac(key: ArrayBuffer, text: string): Promise<ArrayBuffer> {
  const imported = await crypto.subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return crypto.subtle.sign("HMAC", imported, utf8(text));
}

function hex(bytes: ArrayBuffer): string {
  return [...new Uint8Array(bytes)].map((it) => it.toString(16).padStart(2, "0")).join("");
}

function encoded(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (it) => `%${it.charCodeAt(0).toString(16).toUpperCase()}`);
}
