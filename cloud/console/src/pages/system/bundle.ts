/** The support bundle: what somebody far away needs to help, in one file, without secrets. */
import { api } from "../../api/client";
import { readHealth } from "../../stores/health";

const SECRET = /secret|password|token|authorization|cookie|webhook_?url|^key$|api_?key/i;

/** Return a copy without what opens doors: values of fields that are called so, keys and tokens within texts. */
export function cleaned(value: unknown, name = ""): unknown {
  if (Array.isArray(value)) return value.map((one) => cleaned(one, name));
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, cleaned(one, key)]));
  }
  if (typeof value !== "string") return value;
  if (SECRET.test(name) && value !== "") return "********";
  return value
    .replace(/\b(lsk|whsec)_[A-Za-z0-9_]+/g, "$1_********")
    .replace(/\beyJ[\w-]+\.[\w-]+\.[\w-]+/g, "********")
    .replace(/(https?:\/\/)[^/\s@]+@/g, "$1********@");
}

const PARTS: Record<string, () => Promise<unknown>> = {
  health: readHealth,
  status: async () => (await api.get("/api/v1/status")).data,
  system_metrics: async () => (await api.get("/api/v1/system_metrics")).data,
  performance: async () => (await api.get("/api/v1/performance/metrics", { query: { limit: 50 } })).data,
  gateways: async () => (await api.get("/api/v1/gateways", { query: { limit: 1000 } })).data,
  settings: async () => (await api.get("/api/v1/settings")).data,
  scaling: async () => (await api.get("/api/v1/scaling/status")).data,
  activity: async () => (await api.get("/api/v1/activity", { query: { limit: 500 } })).data,
};

/** Put it together; a part that could not be read says why in its place. */
export async function collect(parts: Record<string, () => Promise<unknown>> = PARTS): Promise<Record<string, unknown>> {
  const found = await Promise.all(
    Object.entries(parts).map(async ([name, read]) => {
      const told = await read().catch((error: Error) => ({ not_read: error.message }));
      return [name, cleaned(told)] as const;
    }),
  );
  return { made_at: new Date().toISOString(), browser: navigator.userAgent, ...Object.fromEntries(found) };
}

/** Give a JSON file to the browser's downloads. */
export function download(name: string, content: unknown): void {
  const url = URL.createObjectURL(new Blob([JSON.stringify(content, null, 2)], { type: "application/json" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
