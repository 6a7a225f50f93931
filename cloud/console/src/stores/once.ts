/** Keys that make a request happen once, however often it is sent. */

/** Return a fresh Idempotency-Key; works on pages without https, too. */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (one) => one.toString(16).padStart(2, "0")).join("");
}
