// Executions of workflows, as whoever may invoke the service's system function sees them.

import { type Answer, type CallOptions, type ClientOptions, EventualError, Service, UnavailableError } from "./runtime.js";
import { type AwsCredentials, sigV4 } from "./sigv4.js";

/** Carries a request to the service's system function. */
export type System = (request: SystemRequest, options?: CallOptions) => Promise<unknown>;

/** What is asked, by `op`. */
export interface SystemRequest {
  op: string;
  [member: string]: unknown;
}

/** The system function said no. */
export class OperationRefused extends EventualError {
  override readonly name = "OperationRefused";
  /** `NotFound`, `AlreadyExists`, `Closed`, `Unanswered` or `Invalid`. */
  readonly class: string;
  constructor(operation: string, name: string, message: string) {
    super(operation, message);
    this.class = name;
  }
}

/** An execution ended without a result. */
export class ExecutionError extends EventualError {
  override readonly name: string = "ExecutionError";
  /** Its id: `<workflow>/<name>`. */
  readonly execution: string;
  /** How it ended. */
  readonly outcome: "cancelled" | "crashed" | "failed" | "terminated" | "timedOut";
  /** Of an error that its code returned: name of the error's type and variant. */
  readonly class: string;
  /** Of an error that its code returned: the error itself. */
  readonly data: unknown;
  constructor(execution: string, outcome: ExecutionError["outcome"], name: string, message: string, data: unknown) {
    super(execution, message);
    this.execution = execution;
    this.outcome = outcome;
    this.class = name;
    this.data = data;
  }
}

/** Where executions of a service on a local host are: it lets programs on its own machine use them. */
export function localSystem(options: ClientOptions): System {
  const service = new Service(options);
  return (request, call) => {
    const body = JSON.stringify(request);
    return service.exchange(
      request.op,
      { method: "POST", target: "/_eventual/system", body },
      { idempotent: harmless(request), ...call },
      (answer) => {
        const { status, text } = answer;
        const said = parsed(request.op, answer);
        if (said instanceof UnavailableError) return said;
        if (status === 200) return { output: said };
        const message = String(said["message"] ?? text);
        if (status === 429 || status >= 500) return new UnavailableError(request.op, message, status);
        throw new OperationRefused(request.op, String(said["class"] ?? "Invalid"), message);
      },
    );
  };
}

/** How the system function of a deployment is invoked. */
export interface LambdaSystemOptions extends Omit<ClientOptions, "url" | "sign"> {
  /** Name or ARN of the function: `orders-system:live`. */
  function: string;
  /** Region of the deployment. */
  region: string;
  /** Credentials that may invoke it, or what fetches them. */
  credentials: AwsCredentials | (() => AwsCredentials | Promise<AwsCredentials>);
  /** Endpoint of Lambda. Default: the region's. */
  url?: string;
}

/** Where executions of a deployed service are: its system function, invoked through Lambda's API. */
export function lambdaSystem(options: LambdaSystemOptions): System {
  const { region, credentials } = options;
  const url = options.url ?? `https://lambda.${region}.amazonaws.com${region.startsWith("cn-") ? ".cn" : ""}`;
  const service = new Service({ ...options, url, sign: sigV4({ region, credentials, service: "lambda" }) });
  const target = `/2015-03-31/functions/${encodeURIComponent(options.function)}/invocations`;
  return (request, call) => {
    const body = JSON.stringify(request);
    return service.exchange(
      request.op,
      { method: "POST", target, body },
      { idempotent: harmless(request), ...call },
      (answer) => {
        const said = parsed(request.op, answer);
        if (said instanceof UnavailableError) return said;
        if (answer.functionError) {
          const { errorType, errorMessage } = said;
          if (errorType === "Fault") return new UnavailableError(request.op, String(errorMessage), answer.status);
          throw new OperationRefused(request.op, String(errorType), String(errorMessage));
        }
        if (answer.status === 200) return { output: said };
        const message = String(said["message"] ?? said["Message"] ?? answer.text);
        if (answer.status === 429 || answer.status >= 500) return new UnavailableError(request.op, message, answer.status);
        throw new OperationRefused(request.op, "Invalid", message);
      },
    );
  };
}

/** Asking twice for these is asking once. */
function harmless(request: SystemRequest): boolean {
  return ["get", "history", "list", "query", "wait"].includes(request.op) || (request.op === "start" && "name" in request);
}

function parsed(operation: string, { status, text }: Answer): Record<string, unknown> | UnavailableError {
  try {
    const said: unknown = JSON.parse(text);
    if (typeof said === "object" && said !== null) return said as Record<string, unknown>;
  } catch {
    // Reported below.
  }
  return new UnavailableError(operation, `somebody else answered: status ${status}, ${text.slice(0, 200)}`, status);
}

/** An execution as it was when it was read. */
export interface ExecutionSummary<Output> {
  /** Its id: `<workflow>/<name>`. */
  execution: string;
  status: "cancelled" | "failed" | "parked" | "paused" | "running" | "succeeded" | "terminated" | "timedOut";
  /** Milliseconds since 1970. */
  started: number;
  /** Milliseconds since 1970, once it has ended. */
  closed?: number;
  /** What it returned, when it succeeded. Not in lists. */
  result?: Output;
  /** Why it did not succeed. */
  error?: { class: string; message: string; data?: unknown };
  /** Why it is parked. */
  parked?: string;
  /** Hash of the code that it started on. */
  code: string;
}

type Ending = new (...of: ConstructorParameters<typeof ExecutionError>) => ExecutionError;

/** Executions of one workflow. */
export class Workflow<Input extends unknown[], Output, Signals> {
  readonly #system: System;
  readonly #workflow: string;
  readonly #failing: Ending;

  constructor(system: System, workflow: string, failing: Ending = ExecutionError) {
    this.#system = system;
    this.#workflow = workflow;
    this.#failing = failing;
  }

  /** Starts an execution under a random name. */
  async start(...input: Input): Promise<Execution<Output, Signals>> {
    return this.#start({ op: "start", workflow: this.#workflow, input: input[0] ?? null });
  }

  /** Starts an execution under a name. The same name with the same input again finds the one that is there. */
  async startAs(name: string, ...input: Input): Promise<Execution<Output, Signals>> {
    return this.#start({ op: "start", workflow: this.#workflow, name, input: input[0] ?? null });
  }

  async #start(request: SystemRequest): Promise<Execution<Output, Signals>> {
    const { execution } = (await this.#system(request)) as { execution: string };
    return new Execution(this.#system, execution, this.#failing);
  }

  /** The execution of this name, which need not exist. */
  execution(name: string): Execution<Output, Signals> {
    return new Execution(this.#system, `${this.#workflow}/${name}`, this.#failing);
  }

  /** Executions, newest first, a page at a time. */
  async list(
    page: { status?: ExecutionSummary<Output>["status"]; limit?: number; after?: string } = {},
  ): Promise<{ executions: ExecutionSummary<Output>[]; next?: string }> {
    const answer = await this.#system({ op: "list", workflow: this.#workflow, ...page });
    return answer as { executions: ExecutionSummary<Output>[]; next?: string };
  }
}

/** One execution. */
export class Execution<Output, Signals> {
  readonly #system: System;
  readonly #failing: Ending;

  constructor(
    system: System,
    /** Its id: `<workflow>/<name>`. */
    readonly id: string,
    failing: Ending = ExecutionError,
  ) {
    this.#system = system;
    this.#failing = failing;
  }

  async #ask(op: string, members: object = {}, options?: CallOptions): Promise<unknown> {
    return this.#system({ op, execution: this.id, ...members }, options);
  }

  /** Where it stands. */
  async get(): Promise<ExecutionSummary<Output>> {
    return (await this.#ask("get")) as ExecutionSummary<Output>;
  }

  /** Waits for its end, for as long as that takes or until `signal` ends the waiting. Rejects with an `ExecutionError` when it has no result. */
  async result(options?: { signal?: AbortSignal }): Promise<Output> {
    for (;;) {
      // The service answers after 20 seconds, or at the end.
      const state = (await this.#ask("wait", {}, options)) as ExecutionSummary<Output>;
      if (state.status === "succeeded") return state.result as Output;
      if (state.error) throw this.#ended(state.status, state.error);
    }
  }

  #ended(status: ExecutionSummary<Output>["status"], error: { class: string; message: string; data?: unknown }): ExecutionError {
    const { class: name, message } = error;
    if (status !== "failed") {
      return new ExecutionError(this.id, status as ExecutionError["outcome"], name, message, null);
    }
    // Only errors of user code carry data, be it null.
    if (!("data" in error)) return new ExecutionError(this.id, "crashed", name, message, null);
    return new this.#failing(this.id, "failed", name, message, error.data);
  }

  /** Sends it a signal. */
  async signal<Name extends keyof Signals & string>(signal: Name, payload: Signals[Name]): Promise<void> {
    await this.#ask("signal", { signal, payload });
  }

  /** Asks its code, open or closed. Rejects with an `ExecutionError` when that answers an error. */
  async query<Answer = unknown>(query: string, input: unknown = null): Promise<Answer> {
    return this.#answer(await this.#ask("query", { query, input })) as Answer;
  }

  /** Asks it for a change, and waits for its answer. An `id` makes asking again not asking twice. */
  async update<Answer = unknown>(update: string, input: unknown = null, id?: string): Promise<Answer> {
    return this.#answer(await this.#ask("update", { update, input, ...(id !== undefined && { id }) })) as Answer;
  }

  #answer(said: unknown): unknown {
    const { answer, error } = said as { answer?: unknown; error?: { class: string; message: string; data?: unknown } };
    if (error) throw new ExecutionError(this.id, "failed", error.class, error.message, error.data ?? null);
    return answer;
  }

  /** Asks it to cancel itself. */
  async cancel(reason = ""): Promise<void> {
    await this.#ask("cancel", { reason });
  }

  /** Ends it without its code. */
  async terminate(reason = ""): Promise<void> {
    await this.#ask("terminate", { reason });
  }

  /** Lets its code stand still until it is resumed. */
  async pause(reason = ""): Promise<void> {
    await this.#ask("pause", { reason });
  }

  /** Lets it go on. */
  async resume(): Promise<void> {
    await this.#ask("resume");
  }
}
