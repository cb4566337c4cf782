/** Talks to the server: the bearer token, embedded first answers, ETags, polling. */

const TIMEOUT_MS = 20000;

/**
 * An answer other than the asked one. `status` 0: the server could not be reached; `body`: the whole problem;
 * `reference`: the number under which the operator finds the request in the logs.
 */
export class ApiError extends Error {
  constructor(status, title, detail, retryAfterS = null, reference = null, body = null) {
    super(`${status} ${title}`);
    Object.assign(this, { status, title, detail, retryAfterS, reference, body });
  }

  /** The sentence with the number behind it: what somebody who asks for help reads out. */
  numbered(text) {
    return this.reference ? `${text} (${this.reference})` : text;
  }
}

/**
 * `first` are answers by path that came with the page; `onExpired` is called once on a dead session. `closed` is
 * a scope that is not for this viewer, as the page already knows: asking would only be refused.
 */
export function makeApi({ token, first, closed, onExpired }) {
  const kept = new Map(Object.entries(first ?? {}).map(([path, body]) => [path, { body, etag: null, embedded: true }]));
  let expired = false;

  /** `{body, changed}`; `changed` is false where the server says that nothing moved since the last answer. */
  async function get(path) {
    if (closed && new URLSearchParams(path.split("?")[1]).get("scope") === closed) throw new ApiError(403, "closed", "");
    const known = kept.get(path);
    if (known?.embedded) {
      known.embedded = false;
      return { body: known.body, changed: true };
    }
    const response = await send(path, known?.etag ? { "If-None-Match": known.etag } : {});
    if (response.status === 304) {
      const asOf = response.headers.get("B24App-As-Of");
      if (asOf && known.body.as_of) known.body.as_of = asOf;
      return { body: known.body, changed: false };
    }
    const body = await response.json();
    const etag = response.headers.get("ETag");
    if (known && sameFacts(body, known.body)) {
      if (body.as_of) known.body.as_of = body.as_of;
      known.etag = etag;
      return { body: known.body, changed: false };
    }
    kept.set(path, { body, etag, embedded: false });
    return { body, changed: true };
  }

  /** The answer that is at hand without asking, or null. */
  function peek(path) {
    return kept.get(path)?.body ?? null;
  }

  /** An answer that is neither taken from what is at hand nor kept. */
  async function fresh(path) {
    return (await send(path, {})).json();
  }

  async function change(method, path, body) {
    const response = await send(path, { "Content-Type": "application/json" }, { method, body: body === undefined ? undefined : JSON.stringify(body) });
    return response.status === 204 ? null : response.json();
  }

  /** Send a file or a text as it is; `type` is its media type. */
  async function upload(method, path, body, type) {
    return (await send(path, { "Content-Type": type }, { method, body })).json();
  }

  /** A file: `{blob, name}`. */
  async function download(path) {
    const response = await send(path, {});
    const name = /filename="?([^";]+)/.exec(response.headers.get("Content-Disposition") ?? "")?.[1];
    return { blob: await response.blob(), name: name ?? path.split("?")[0].split("/").pop() };
  }

  async function send(path, headers, init = {}) {
    const number = requestNumber();
    let response;
    try {
      response = await fetch(path, {
        ...init,
        headers: { Accept: "application/json", Authorization: `Bearer ${token}`, "X-Request-ID": number, ...headers },
        cache: "no-store",
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
    } catch {
      throw new ApiError(0, "unreachable", "", null, number);
    }
    if (response.ok || response.status === 304) return response;
    const problem = await response.json().catch(() => ({}));
    if (response.status === 401 && !expired) {
      expired = true;
      onExpired?.();
    }
    const retry = Number(response.headers.get("Retry-After"));
    throw new ApiError(response.status, problem.title ?? "", problem.detail ?? "", Number.isFinite(retry) && retry > 0 ? retry : null, problem.reference ?? number, problem);
  }

  return {
    get, peek, fresh, download, upload,
    post: (path, body) => change("POST", path, body),
    put: (path, body) => change("PUT", path, body),
    patch: (path, body) => change("PATCH", path, body),
    remove: (path) => change("DELETE", path),
    isExpired: () => expired,
  };
}

/** A number that nobody has yet; the server writes it into its logs beside everything done for the request. */
function requestNumber() {
  return [...crypto.getRandomValues(new Uint8Array(6))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Whether two answers say the same, apart from when the portal was last asked. */
function sameFacts(one, other) {
  return JSON.stringify({ ...one, as_of: null }) === JSON.stringify({ ...other, as_of: null });
}

const SLOWEST_S = 60;

/**
 * Calls `step` after `firstS` and then every `everyS` seconds while the page is seen, at once when it comes back into
 * view. After a failure it waits twice as long each time, up to a minute. Returns a function that stops it.
 */
export function poll(step, everyS, firstS = everyS) {
  let timer = null;
  let waitS = everyS;
  let running = false;
  let stopped = false;

  async function run() {
    if (stopped || running || document.visibilityState !== "visible") return;
    running = true;
    try {
      await step();
      waitS = everyS;
    } catch (error) {
      waitS = Math.min(error.retryAfterS ?? waitS * 2, SLOWEST_S);
    }
    running = false;
    schedule();
  }

  function schedule(inS = waitS) {
    clearTimeout(timer);
    if (!stopped) timer = setTimeout(run, inS * 1000);
  }

  const onVisible = () => document.visibilityState === "visible" && run();
  document.addEventListener("visibilitychange", onVisible);
  schedule(firstS);
  return () => {
    stopped = true;
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", onVisible);
  };
}
