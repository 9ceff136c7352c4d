// What the programs beside it check with.

declare const process: { argv: string[] };

/** Where the service is. */
export const url: string = process.argv[2] ?? "";

export function check(what: string, holds: boolean): void {
  if (!holds) throw new Error(`MISS ${what}`);
  console.log(`ok ${what}`);
}

export function equal(what: string, found: unknown, wanted: unknown): void {
  const [a, b] = [found, wanted].map((it) => JSON.stringify(sorted(it)));
  if (a !== b) throw new Error(`MISS ${what}: ${a}, not ${b}`);
  console.log(`ok ${what}`);
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).sort().map(([name, it]) => [name, sorted(it)]));
}

/** The error of this class with which a call rejects. */
export async function rejected<E>(kind: new (...args: never[]) => E, call: Promise<unknown>): Promise<E> {
  try {
    const value = await call;
    throw new Error(`MISS ${kind.name}: the call succeeded with ${JSON.stringify(value)}`);
  } catch (error) {
    if (error instanceof kind) return error;
    throw error;
  }
}
