// Asks the service that this page came from. Addresses are relative: the page also works below a path of a proxy.
import type { Answer, HookRequest, JsonObject, Options, Problem } from "./types";

async function json<T>(address: string): Promise<T> {
  const response = await fetch(address, { credentials: "same-origin", cache: "no-store" });
  if (!response.ok) throw new Error(`${address}: ${response.status} ${response.statusText}`);
  return (await response.json()) as T;
}

export function options(): Promise<Options> {
  return json<Options>("./page/options");
}

export function sample(name: string): Promise<HookRequest> {
  return json<HookRequest>(`./page/samples/${encodeURIComponent(name)}`);
}

export interface Refusal extends Problem {
  status: number;
  expression?: string;
}

const HINTS: Record<number, string> = {
  401:
    "This service answers trusted clients only (OSTEON_TRUST=required): each call needs a signed token of a registered client, " +
    "and a page in a browser has none. For a demonstration start a service on your own machine with OSTEON_TRUST=loopback, " +
    "which is the default (osteon demo --serve).",
  403:
    "This service answers callers on the same machine only (OSTEON_TRUST=loopback). Open the page on the machine where it runs, " +
    "or through a tunnel to it.",
  404: "The service knows no such hook.",
  412: "Data that the hook needs did not come, and the service could not fetch it.",
  413: "The limit is the setting OSTEON_MAX_BODY_BYTES.",
  503: "The service is busy or is starting. Try again in a moment.",
};

/** Call a service. An answer that is no success becomes a Refusal in the words of the service. */
export async function call(service: string, request: HookRequest, signal: AbortSignal): Promise<Answer | Refusal> {
  let response: Response;
  try {
    response = await fetch(`./cds-services/${encodeURIComponent(service)}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json" },
      body: JSON.stringify(request),
      credentials: "same-origin",
      cache: "no-store",
      referrerPolicy: "no-referrer",
      signal,
    });
  } catch (error) {
    if (signal.aborted) throw error;
    return { status: 0, title: "No answer from the service", reason: String(error), hint: "Is it still running?" };
  }
  if (response.ok) return (await response.json()) as Answer;
  const outcome = (await response.json().catch(() => ({}))) as JsonObject;
  const issue = (Array.isArray(outcome.issue) ? outcome.issue[0] : undefined) as
    | { details?: { text?: string }; diagnostics?: string; expression?: string[] }
    | undefined;
  const text = issue?.details?.text ?? issue?.diagnostics ?? response.statusText;
  return {
    status: response.status,
    title: `The service refuses the request (${response.status})`,
    reason: text,
    expression: issue?.expression?.[0],
    hint: HINTS[response.status],
  };
}
