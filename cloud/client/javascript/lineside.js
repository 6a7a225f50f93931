// Lineside's client for JavaScript: one file over fetch, for Node 18+ and browsers.
//
//   const { LinesideClient } = require("./lineside.js");        CommonJS
//   import { LinesideClient } from "./lineside.js";             ES module in Node
//   import "./lineside.js";  new globalThis.LinesideClient()    ES module or script in a browser
//
//   const client = new LinesideClient({ baseUrl: "http://localhost:8000/api", apiKey: "..." });
//   const detector = await client.detectors.create({ name: "Pumps", algorithm_name: "IsolationForest" });
"use strict";

(function define(root) {
  const MOUNTS = ["/api/v1", "/api"];
  const TRIES = 3;
  const FIRST_WAIT_MS = 500;
  const LONGEST_WAIT_MS = 60_000;
  const EARLY_MS = 60_000;
  const AGAIN = new Set([429, 502, 503, 504]);
  const SAFE = new Set(["GET", "PUT", "DELETE"]);
  const ENDED = new Set(["succeeded", "completed", "SUCCESS"]);
  const FAILED = new Set(["failed", "cancelled", "FAILURE"]);

  /** The root of all that fails. */
  class LinesideError extends Error {
    constructor(message, facts = {}) {
      super(message);
      this.name = new.target.name;
      Object.assign(this, facts);
    }
  }
  /** No answer: refused, cut, or too slow. */
  class ConnectionFailed extends LinesideError {}
  /** A job ended badly, or not in the time it was given. */
  class JobFailed extends LinesideError {}
  /** The server said no; has status, code, detail, errors, requestId and retryAfter in seconds. */
  class ApiError extends LinesideError {}

  const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  const part = (text) => encodeURIComponent(String(text));

  function newKey() {
    const bytes = root.crypto.getRandomValues(new Uint8Array(16));
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  function queryOf(values = {}) {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(values)) {
      if (value === undefined || value === null) continue;
      for (const one of Array.isArray(value) ? value : [value]) query.append(name, String(one));
    }
    const text = query.toString();
    return text ? `?${text}` : "";
  }

  function placesOf(baseUrl) {
    const fromEnvironment = typeof process === "object" && process.env ? process.env.API_BASE_URL : undefined;
    const given = (baseUrl || fromEnvironment || "http://localhost:8000").replace(/\/+$/, "");
    const mount = MOUNTS.find((one) => given.endsWith(one)) || "";
    const server = given.slice(0, given.length - mount.length);
    return { server, base: server + (mount || MOUNTS[0]) };
  }

  function retryAfterOf(response) {
    const text = response.headers.get("retry-after");
    const seconds = text === null || text === "" ? Number.NaN : Number(text);
    return Number.isFinite(seconds) ? Math.max(0, seconds) : null;
  }

  async function bodyOf(response) {
    const text = await response.text();
    if (!text) return null;
    try {
      return JSON.parse(text);
    } catch {
      return text;
    }
  }

  async function errorOf(response) {
    const body = await bodyOf(response);
    const told = body !== null && typeof body === "object" ? body : {};
    const detail = told.detail || told.message || "no reason given";
    const code = told.error_code || "";
    return new ApiError(`${response.status} ${code}: ${detail}`, {
      status: response.status,
      code,
      detail,
      errors: Array.isArray(told.errors) ? told.errors : [],
      requestId: response.headers.get("x-request-id") || "",
      retryAfter: retryAfterOf(response),
    });
  }

  /** Sends calls on behalf of one caller; keeps the caller's token until it ends. */
  class Connection {
    constructor({ baseUrl, username, password, apiKey, tries = TRIES, timeoutMs = 90_000, fetch } = {}) {
      Object.assign(this, placesOf(baseUrl), { username, password, apiKey, tries, timeoutMs });
      this.fetch = fetch || root.fetch.bind(root);
      this.token = "";
      this.tokenEndsAt = 0;
    }

    async json(method, path, options) {
      return bodyOf(await this.answer(method, path, options));
    }

    async bytes(method, path, options) {
      return new Uint8Array(await (await this.answer(method, path, options)).arrayBuffer());
    }

    /** Return the good answer of a call; throw ApiError, ConnectionFailed. */
    async answer(method, path, options = {}) {
      const headers = { ...options.headers };
      if (method === "POST" && !headers["Idempotency-Key"]) headers["Idempotency-Key"] = newKey();
      let mayRenew = true;
      for (let done = 0; ; done += 1) {
        let came = await this.sent(method, path, { ...options, headers });
        if (came.response && came.response.status === 401 && mayRenew && this.token) {
          this.token = "";
          mayRenew = false;
          came = await this.sent(method, path, { ...options, headers });
        }
        if (came.response && came.response.ok) return came.response;
        const isRepeatable = SAFE.has(method) || Boolean(options.isKeyed);
        const waitMs = this.waitMs(came, isRepeatable, done);
        if (waitMs === null || done + 1 >= this.tries) {
          if (came.response) throw await errorOf(came.response);
          throw new ConnectionFailed(`${method} ${path}: ${came.reason}`);
        }
        if (came.response) await came.response.arrayBuffer();
        await pause(waitMs);
      }
    }

    async sent(method, path, { query, json, form, headers, fromRoot, isOpen }) {
      const all = { ...headers, ...(isOpen ? {} : await this.credential()) };
      let body = form;
      if (json !== undefined) {
        all["Content-Type"] = "application/json";
        body = JSON.stringify(json);
      }
      const url = (fromRoot ? this.server : this.base) + path + queryOf(query);
      try {
        const signal = AbortSignal.timeout(this.timeoutMs);
        return { response: await this.fetch(url, { method, headers: all, body, signal }) };
      } catch (error) {
        const code = error && error.cause ? error.cause.code : "";
        return { reason: `${error}`, wasSent: code !== "ECONNREFUSED" && code !== "ENOTFOUND" };
      }
    }

    async credential() {
      if (this.apiKey) return { "X-API-Key": this.apiKey };
      if (!this.username) return {};
      if (!this.token || Date.now() >= this.tokenEndsAt) await this.logIn();
      return { Authorization: `Bearer ${this.token}` };
    }

    async logIn() {
      const form = new URLSearchParams({ username: this.username, password: this.password || "" });
      const told = await this.json("POST", "/auth/token", { form, isOpen: true, isKeyed: true });
      const lastsMs = 1000 * (told.expires_in || 0);
      this.token = told.access_token;
      this.tokenEndsAt = Date.now() + Math.max(lastsMs - EARLY_MS, lastsMs / 2);
    }

    /** Return how long to wait before the next try, null where another one is of no use. */
    waitMs(came, isRepeatable, done) {
      const backoffMs = (0.5 + Math.random() / 2) * FIRST_WAIT_MS * 2 ** done;
      if (!came.response) return isRepeatable || !came.wasSent ? backoffMs : null;
      const { status } = came.response;
      if (!AGAIN.has(status) || ((status === 502 || status === 504) && !isRepeatable)) return null;
      const wanted = retryAfterOf(came.response);
      if (wanted === null) return backoffMs;
      return 1000 * wanted <= LONGEST_WAIT_MS ? 1000 * wanted : null;
    }

    /** Return the job that a path shows when it has ended; throw JobFailed. */
    async ended(path, { timeoutMs = 300_000, everyMs = 500 } = {}) {
      const deadline = Date.now() + timeoutMs;
      for (;;) {
        const job = await this.json("GET", path);
        const status = job.status || job.state;
        if (ENDED.has(status)) return job;
        const told = job.error || job.message || "no reason given";
        if (FAILED.has(status)) throw new JobFailed(`${path}: ${status}: ${JSON.stringify(told)}`, { job });
        if (Date.now() >= deadline) throw new JobFailed(`${path}: ${status} after ${timeoutMs} ms`, { job });
        await pause(everyMs);
      }
    }
  }

  function fileForm({ data, fileName, ...texts }) {
    const form = new FormData();
    for (const [name, text] of Object.entries(texts)) if (text !== undefined) form.append(name, text);
    form.append("file", data instanceof Blob ? data : new Blob([data]), fileName || "data.csv");
    return form;
  }

  function resourcesOf(to) {
    const get = (path, query, more) => to.json("GET", path, { query, ...more });
    const post = (path, json, more) => to.json("POST", path, { json, ...more });
    const put = (path, json) => to.json("PUT", path, { json });
    const remove = (path) => to.json("DELETE", path);
    const download = (folder) => (name) => to.bytes("GET", `/${folder}/${part(name)}`, { fromRoot: true });
    return {
      alarms: {
        list: (query) => get("/alerts", query),
        acknowledge: (id) => post(`/alerts/acknowledge/${part(id)}`, undefined, { isKeyed: true }),
        comment: (id, text) => post(`/alarms/${part(id)}/comments`, { text }),
      },
      algorithms: { list: () => get("/algorithms") },
      datasets: {
        upload: (file) => post("/datasets", undefined, { form: fileForm(file) }),
        list: (query) => get("/datasets", query),
        get: (id) => get(`/datasets/${part(id)}`),
        sample: (id, size = 10) => get(`/datasets/${part(id)}/sample`, { size }),
        delete: (id) => remove(`/datasets/${part(id)}`),
      },
      decisions: {
        list: (query) => get("/decisions", query),
        submit: (decision) => post("/decisions/submit", decision),
      },
      detection: {
        train: (body) => post("/detection/train", body),
        predict: (body) => post("/detection/predict", body),
        explain: (body) => post("/detection/explain", body),
      },
      detectors: {
        create: (body) => post("/detectors", body),
        list: (query) => get("/detectors", query),
        get: (id) => get(`/detectors/${part(id)}`),
        update: (id, changes) => put(`/detectors/${part(id)}`, changes),
        delete: (id) => remove(`/detectors/${part(id)}`),
      },
      devices: {
        list: (query) => get("/devices", query),
        get: (id) => get(`/devices/${part(id)}`),
        history: (id, query) => get("/historical_data", { device_id: id, ...query }),
        healthScores: (...ids) => get("/health_scores", { device_id: ids }),
        recommendations: () => get("/recommendations"),
      },
      events: {
        create: ({ impact_multiplier: multiplier, ...body }) =>
          post("/events", multiplier === undefined ? body : { expected_impact_multiplier: multiplier, ...body }),
        active: () => get("/events/active"),
        cancel: (id) => remove(`/events/${part(id)}`),
      },
      experiments: {
        create: (body) => post("/experiments", body),
        list: (query) => get("/experiments", query),
        get: (id) => get(`/experiments/${part(id)}`),
        compare: (id, metric = "") => get(`/experiments/${part(id)}/compare`, { metric }),
      },
      exports: { start: (query) => get("/export_data", query), download: download("exports") },
      jobs: {
        list: (query) => get("/jobs", query),
        get: (id) => get(`/jobs/${part(id)}`),
        wait: (id, options) => to.ended(`/jobs/${part(id)}`, options),
        cancel: (id) => remove(`/jobs/${part(id)}`),
      },
      ml: {
        predict: (body) => post("/ml/predict", body),
        detectAnomaly: (body) => post("/ml/detect_anomaly", body),
        checkDrift: (body) => post("/ml/check_drift", body),
      },
      models: {
        list: (query) => get("/models", query),
        get: (id) => get(`/models/${part(id)}`),
        deploy: (id, wish) => post(`/models/${part(id)}/deploy`, wish),
        retrain: (body) => post("/models/retrain", body),
        predict: (id, data) => post(`/predict/${part(id)}`, { data }),
      },
      predictions: {
        current: (query) => get("/predictions/current", query),
        history: (query) => get("/predictions/history", query),
        ofDevice: (id) => get("/predictions", { device_id: id }),
      },
      readings: {
        send: (reading, idempotencyKey) =>
          post("/data/ingest", reading, {
            isKeyed: true,
            headers: idempotencyKey ? { "Idempotency-Key": idempotencyKey } : {},
          }),
      },
      reports: {
        generate: (body) => post("/reports/generate", body),
        start: () => post("/tasks/start_report"),
        download: download("reports"),
      },
      scaling: {
        status: (query) => get("/scaling/status", query),
        decisions: (query) => get("/scaling/decisions", query),
        manual: (body) => post("/scaling/manual", body),
      },
      system: {
        health: () => get("/health", undefined, { fromRoot: true, isOpen: true }),
        status: () => get("/status"),
        dashboard: () => get("/dashboard"),
        settings: () => get("/settings"),
        changeSettings: (changes) => put("/settings", changes),
        activity: (query) => get("/activity", query),
        me: () => get("/auth/me"),
      },
      tasks: {
        status: (id) => get(`/tasks/status/${part(id)}`),
        wait: (id, options) => to.ended(`/tasks/status/${part(id)}`, options),
      },
      training: {
        upload: (file) => post("/upload", undefined, { form: fileForm(file) }),
        start: (body) => post("/train", body),
        status: (id) => get(`/training/${part(id)}`),
        wait: (id, options) => to.ended(`/training/${part(id)}`, options),
      },
      webhooks: {
        create: (body) => post("/webhooks", body),
        list: () => get("/webhooks"),
        get: (id) => get(`/webhooks/${part(id)}`),
        delete: (id) => remove(`/webhooks/${part(id)}`),
        deliveries: (id) => get(`/webhooks/${part(id)}/deliveries`),
      },
    };
  }

  /** The client; options: baseUrl, apiKey or username and password, tries, timeoutMs, fetch. */
  class LinesideClient {
    constructor(options) {
      Object.assign(this, resourcesOf(new Connection(options)));
    }
  }

  if (typeof module === "object" && module && module.exports) {
    exports.LinesideClient = LinesideClient;
    exports.LinesideError = LinesideError;
    exports.ConnectionFailed = ConnectionFailed;
    exports.JobFailed = JobFailed;
    exports.ApiError = ApiError;
  } else {
    Object.assign(root, { LinesideClient, LinesideError, ConnectionFailed, JobFailed, ApiError });
  }
})(globalThis);
