// What all generated clients of eventual services share: requests, attempts, errors. It needs nothing but `fetch`.

/** How a client reaches its service. */
export interface ClientOptions {
  /** Where the service is: the `url` of its deployment, or `http://localhost:3000`. */
  url: string;
  /** RequestHeaders of every request, or what makes them, such as a bearer token: `() => ({ authorization: ... })`. */
  headers?: RequestHeaders | (() => RequestHeaders | Promise<RequestHeaders>);
  /** Signs requests, for commands with `auth = iam`: sees a request whole and answers the headers that it adds. */
  sign?: Signer;
  /** Milliseconds for a call, all of its attempts included. Default: 30000. */
  timeoutMs?: number;
  /** When a call is attempted again. */
  retries?: Retries;
  /** What sends requests. Default: the global `fetch`. */
  fetch?: typeof globalThis.fetch;
}

/** RequestHeaders by name. */
export type RequestHeaders = Record<string, string>;

/** Answers the headers that make a request a signed one. */
export type Signer = (request: OutgoingRequest) => RequestHeaders | Promise<RequestHeaders>;

/** A request that is about to be sent. */
export interface OutgoingRequest {
  method: string;
  url: string;
  headers: RequestHeaders;
  body: string | undefined;
}

/** When a call is attempted again. Errors of the command are never: they are its answer. */
export interface Retries {
  /** Most attempts; 1 means none but the first. Default: 3. */
  attempts?: number;
  /** Milliseconds before the second attempt; doubled for each after it, and shortened by chance. Default: 200. */
  delayMs?: number;
  /** Longest delay in milliseconds, also when the service asks for more. Default: 5000. */
  maxDelayMs?: number;
}

/** What one call does differently. */
export interface CallOptions {
  /** Ends the call early; it then rejects with the signal's reason. */
  signal?: AbortSignal;
  /** Milliseconds for this call. */
  timeoutMs?: number;
  /** RequestHeaders besides the client's. */
  headers?: RequestHeaders;
  /**
   * Whether doing it twice is doing it once, so that it may be attempted again when nobody knows whether it was done.
   * Default: whether it is sent as GET, PUT or DELETE. What the service refused to begin with is attempted again anyway.
   */
  idempotent?: boolean;
  /** When this call is attempted again. */
  retries?: Retries;
}

/** Whatever went wrong with a call. */
export class EventualError extends Error {
  override readonly name: string = "EventualError";
  constructor(
    /** Name of the command. */
    readonly command: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(`${command}: ${message}`, options);
  }
}

/** The command answered an error. This is an outcome: asking again gives the same. */
export class CommandError extends EventualError {
  override readonly name: string = "CommandError";
  /** Name of the error's type and variant: `PaymentError::Declined`. */
  readonly class: string;
  /** HTTP status with which it was answered. */
  readonly status: number;
  /** The error itself, as its type is serialized; `null` when it carries nothing. */
  readonly data: unknown;
  constructor(command: string, failure: Failure) {
    super(command, failure.message);
    this.class = failure.class;
    this.status = failure.status;
    this.data = failure.data;
  }
}

/** What is known of an error that a command answered. */
export interface Failure {
  class: string;
  message: string;
  status: number;
  data: unknown;
}

/** The input does not fit what the command takes. The command did not see it. */
export class InvalidInputError extends EventualError {
  override readonly name = "InvalidInputError";
  constructor(
    command: string,
    message: string,
    /** Everything in which it does not fit. */
    readonly problems: InvalidInputProblem[],
  ) {
    super(command, message);
  }
}

/** One way in which an input does not fit. */
export interface InvalidInputProblem {
  /** Where: `items[0].sku`; empty for the input itself. */
  path: string;
  /** What is wrong there. */
  message: string;
}

/** The request was not let through: no valid credentials (401, 403), no such command (404), too large (413). */
export class RefusedError extends EventualError {
  override readonly name = "RefusedError";
  constructor(
    command: string,
    message: string,
    /** The HTTP status. */
    readonly status: number,
  ) {
    super(command, message);
  }
}

/** The command crashed: a bug of the service. Its log has the request. */
export class CrashedError extends EventualError {
  override readonly name = "CrashedError";
  constructor(
    command: string,
    message: string,
    /** Under this id the service's log has the request. */
    readonly requestId: string | undefined,
  ) {
    super(command, message);
  }
}

/** Nobody answered, or nobody who knows: the network failed, time ran out, the service has no room. It may have been done. */
export class UnavailableError extends EventualError {
  override readonly name = "UnavailableError";
  constructor(
    command: string,
    message: string,
    /** The HTTP status, when there was one. */
    readonly status: number | undefined,
    options?: ErrorOptions,
  ) {
    super(command, message, options);
  }
}

/** How a command is sent. */
export interface Sending {
  method: string;
  /** Path with parameters in braces. */
  path: string;
  /** Where the input goes that the path does not carry. */
  rest: "body" | "nothing" | "query" | "whole";
}

type Members = Record<string, unknown>;
type Failing = new (command: string, failure: Failure) => CommandError;

/** What an answer means: a result, or a fault for which it may be attempted again. What is final and no result is thrown. */
export type Judge = (answer: Answer) => { output: unknown } | UnavailableError;

/** Makes the calls of a client. */
export class Service {
  readonly #options: ClientOptions;
  readonly #url: string;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#url = options.url.replace(/\/+$/, "");
  }

  /** Calls a command: at its own route when there is one that carries this input, else as RPC. */
  async call<Output>(
    command: string,
    input: unknown,
    options: CallOptions | undefined,
    sending?: Sending,
    failing: Failing = CommandError,
  ): Promise<Output> {
    const request = (sending && routed(sending, input)) ?? {
      method: "POST",
      target: `/rpc/${command}`,
      body: input === undefined ? undefined : JSON.stringify(input),
    };
    const idempotent = options?.idempotent ?? ["GET", "PUT", "DELETE"].includes(sending?.method ?? "POST");
    const judge: Judge = (answer) => judged(command, answer, failing);
    return (await this.exchange(command, request, { ...options, idempotent }, judge)) as Output;
  }

  /** Sends a request until its answer is final. */
  async exchange(what: string, request: Request, options: CallOptions, judge: Judge): Promise<unknown> {
    const { signal, ended, stop } = deadline(options.timeoutMs ?? this.#options.timeoutMs ?? 30_000, options.signal);
    const retries = { ...this.#options.retries, ...options.retries };
    try {
      for (let attempt = 1; ; attempt++) {
        const answer = await this.#send(request, options, signal).catch((error: unknown) => {
          if (signal.aborted) throw ended(what);
          return new UnavailableError(what, `the service cannot be reached: ${String(error)}`, undefined, { cause: error });
        });
        const result = answer instanceof UnavailableError ? answer : judge(answer);
        if (!(result instanceof UnavailableError)) return result.output;
        // 429: refused before it was begun.
        const again = (options.idempotent || result.status === 429) && attempt < (retries.attempts ?? 3);
        if (!again) throw result;
        const asked = answer instanceof UnavailableError ? 0 : answer.retryAfterMs;
        await pause(attempt, asked, retries, signal).catch(() => Promise.reject(ended(what)));
      }
    } finally {
      stop();
    }
  }

  async #send(request: Request, options: CallOptions, signal: AbortSignal): Promise<Answer> {
    const { url, headers: own, sign, fetch = globalThis.fetch } = { ...this.#options, url: this.#url };
    const headers: RequestHeaders = { accept: "application/json" };
    if (request.body !== undefined) headers["content-type"] = "application/json";
    Object.assign(headers, typeof own === "function" ? await own() : own, options.headers);
    const outgoing = { method: request.method, url: url + request.target, headers, body: request.body };
    if (sign) Object.assign(headers, await sign(outgoing));
    const init: RequestInit = { method: request.method, headers, signal };
    if (request.body !== undefined) init.body = request.body;
    const response = await fetch(outgoing.url, init);
    const seconds = Number(response.headers.get("retry-after") ?? "0");
    return {
      status: response.status,
      text: await response.text(),
      retryAfterMs: seconds > 0 ? seconds * 1000 : 0,
      functionError: response.headers.get("x-amz-function-error") !== null,
    };
  }
}

/** A request, without what all of a client's have. */
export interface Request {
  method: string;
  target: string;
  body: string | undefined;
}

/** An answer. */
export interface Answer {
  status: number;
  text: string;
  retryAfterMs: number;
  /** Whether it is Lambda's, of a function that failed. */
  functionError: boolean;
}

/** The request at a command's own route, or nothing when the route cannot carry this input. */
function routed(sending: Sending, input: unknown): Request | undefined {
  const { method, path, rest } = sending;
  const whole = rest === "whole";
  const isObject = typeof input === "object" && input !== null && !Array.isArray(input);
  const names = [...path.matchAll(/\{([^}]*)\}/g)].map((it) => it[1] ?? "");
  if (names.length > 0 && !whole && !isObject) return undefined;
  const members: Members = isObject ? { ...(input as Members) } : {};
  let target = path;
  for (const name of names) {
    const value = whole ? input : members[name];
    delete members[name];
    const text = word(value);
    // Such segments do not arrive as they are.
    if (text === undefined || text === "" || text === "." || text === ".." || /[/\\]/.test(text)) return undefined;
    target = target.replace(`{${name}}`, () => encodeURIComponent(text));
  }
  if (rest === "body") return { method, target, body: JSON.stringify(isObject ? members : input) };
  if (rest !== "query") return { method, target, body: undefined };
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(members)) {
    if (value === undefined || value === null) continue;
    for (const item of Array.isArray(value) ? value : [value]) {
      const text = word(item);
      if (text === undefined) return undefined;
      query.append(name, text);
    }
  }
  const text = query.toString();
  return { method, target: text === "" ? target : `${target}?${text}`, body: undefined };
}

function word(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "boolean" ? JSON.stringify(value) : undefined;
}

/** The result, or the fault for which it may be attempted again. Throws what is final. */
function judged(command: string, answer: Answer, failing: Failing): { output: unknown } | UnavailableError {
  const { status, text } = answer;
  let body: unknown;
  try {
    body = text === "" ? null : JSON.parse(text);
  } catch {
    return new UnavailableError(command, `somebody else answered: status ${status}, ${text.slice(0, 200)}`, status);
  }
  if (status >= 200 && status < 300) return { output: body };
  const failure: Members = typeof body === "object" && body !== null ? (body as Members) : {};
  const message = typeof failure["message"] === "string" ? failure["message"] : `status ${status}`;
  if (typeof failure["class"] !== "string") {
    // The gateway's answer and not the command's.
    if (status === 429 || status >= 500) return new UnavailableError(command, message, status);
    throw new RefusedError(command, message, status);
  }
  const requestId = failure["requestId"];
  if (typeof requestId === "string") {
    if (failure["class"] === "Crashed") throw new CrashedError(command, message, requestId);
    return new UnavailableError(command, message, status);
  }
  const data = failure["data"] ?? null;
  const problems = typeof data === "object" && data !== null ? (data as Members)["problems"] : undefined;
  if (failure["class"] === "InvalidInput" && status === 400 && Array.isArray(problems)) {
    throw new InvalidInputError(command, message, problems as InvalidInputProblem[]);
  }
  throw new failing(command, { class: failure["class"], message, status, data });
}

interface Deadline {
  signal: AbortSignal;
  /** What the call rejects with once the signal is aborted. */
  ended: (command: string) => unknown;
  stop: () => void;
}

/** A signal for the caller's signal and the clock, whichever is first. */
function deadline(timeoutMs: number, outer: AbortSignal | undefined): Deadline {
  const controller = new AbortController();
  const abort = () => controller.abort(outer?.reason);
  if (outer?.aborted) abort();
  outer?.addEventListener("abort", abort, { once: true });
  const timer = setTimeout(() => controller.abort(), timeoutMs);
  return {
    signal: controller.signal,
    ended: (command) =>
      outer?.aborted
        ? outer.reason
        : new UnavailableError(command, `no answer within ${timeoutMs} ms`, undefined),
    stop: () => {
      clearTimeout(timer);
      outer?.removeEventListener("abort", abort);
    },
  };
}

/** Waits before the next attempt; rejects when the signal is aborted. */
function pause(attempt: number, askedMs: number, retries: Retries, signal: AbortSignal): Promise<void> {
  const grown = (retries.delayMs ?? 200) * 2 ** (attempt - 1);
  const delay = Math.min(Math.max(grown * (0.5 + Math.random() / 2), askedMs), retries.maxDelayMs ?? 5000);
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolve();
    }, delay);
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
  });
}
