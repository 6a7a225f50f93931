/** For tests: a WebSocket that the test opens, feeds and closes, and a server that answers fetch from a table. */
import { vi } from "vitest";

export class FakeSocket {
  static readonly OPEN = 1;
  static all: FakeSocket[] = [];
  static get last(): FakeSocket {
    const found = FakeSocket.all.at(-1);
    if (!found) throw new Error("no socket was opened");
    return found;
  }

  readyState = 0;
  readonly sent: Record<string, unknown>[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;

  constructor(readonly url: string) {
    FakeSocket.all.push(this);
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }

  close(code = 1000): void {
    if (this.readyState === 3) return;
    this.readyState = 3;
    this.onclose?.({ code });
  }

  /** The server takes the connection. */
  open(): void {
    this.readyState = 1;
    this.onopen?.();
  }

  /** The server says something. */
  tell(message: Record<string, unknown>): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }

  sentOf(type: string): Record<string, unknown>[] {
    return this.sent.filter((one) => one.type === type);
  }
}

export interface Request {
  method: string;
  url: string;
  body: unknown;
}
type Answering = (request: Request) => unknown;

/** Answer fetch; what throws stands for a server that does not answer. Returns what was asked. */
export function serve(answering: Answering): Request[] {
  const asked: Request[] = [];
  vi.stubGlobal("fetch", async (url: string, options: RequestInit = {}) => {
    const body = options.body ? JSON.parse(String(options.body)) : undefined;
    const request = { method: options.method ?? "GET", url: String(url), body };
    asked.push(request);
    const answer = answering(request);
    return answer instanceof Response ? answer : json(answer);
  });
  return asked;
}

export function json(body: unknown, status = 200, headers: Record<string, string> = {}): Response {
  const all = { "content-type": "application/json", ...headers };
  return new Response(JSON.stringify(body), { status, headers: all });
}

export function refusal(status: number, code: string, detail: string, errors: unknown[] = []): Response {
  return json({ detail, error_code: code, errors, request_id: "req-1" }, status);
}
