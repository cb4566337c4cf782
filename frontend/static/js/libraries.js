/** Loads a browser library from the CDN; if that fails or is slow, the copy of our own server takes over. */

const PATIENCE_MS = 4000;
const table = JSON.parse(document.getElementById("b24app-libraries")?.textContent ?? "{}");
const loading = new Map();

/** Resolves when the library's global is there. Rejects only if neither place has it. */
export function library(name) {
  if (!loading.has(name)) loading.set(name, fromEither(table[name]));
  return loading.get(name);
}

async function fromEither({ cdn, local, integrity }) {
  try {
    await script(cdn, integrity, PATIENCE_MS);
  } catch {
    await script(local, integrity, 5 * PATIENCE_MS);
  }
}

function script(src, integrity, patienceMs) {
  return new Promise((resolve, reject) => {
    const element = document.createElement("script");
    const timer = setTimeout(() => fail(new Error(`slow: ${src}`)), patienceMs);
    const fail = (error) => {
      clearTimeout(timer);
      element.remove();
      reject(error);
    };
    Object.assign(element, { src, integrity, crossOrigin: "anonymous", async: true });
    element.onload = () => {
      clearTimeout(timer);
      resolve();
    };
    element.onerror = () => fail(new Error(`failed: ${src}`));
    document.head.append(element);
  });
}
