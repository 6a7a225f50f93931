/** The live feed of /ws: backoff with jitter, replay from the last number seen, and what the connection is like. */
import { batch, computed, signal } from "@preact/signals";

export interface LiveMessage {
  type: string;
  seq?: number;
  data?: Record<string, unknown>;
  [field: string]: unknown;
}
type Listener = (message: LiveMessage) => void;

/** live: by /ws. polling: /ws is away, requests still answer. offline: nothing answers. */
export type LinkState = "connecting" | "live" | "polling" | "offline";

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 8_000;
const PING_EVERY_MS = 5_000;
const SILENCE_MS = 15_000;

/** Return how long to wait before the n-th attempt: doubled each time, and spread so that pages do not come together. */
export function backoffMs(attempt: number, random: () => number = Math.random): number {
  const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** attempt);
  return longest / 2 + (random() * longest) / 2;
}

const MOST_A_MESSAGE = 200;

function sliced(devices: readonly string[]): string[][] {
  const count = Math.ceil(devices.length / MOST_A_MESSAGE);
  return Array.from({ length: count }, (_, index) =>
    devices.slice(index * MOST_A_MESSAGE, (index + 1) * MOST_A_MESSAGE),
  );
}

export class LiveSocket {
  readonly state = signal<LinkState>("connecting");
  readonly roundTripMs = signal<number | null>(null);
  /** good < 100 ms, fair < 300 ms, poor; as the API's documents say. */
  readonly quality = computed(() => {
    const ms = this.roundTripMs.value;
    if (this.state.value !== "live" || ms === null) return "none";
    return ms < 100 ? "good" : ms < 300 ? "fair" : "poor";
  });
  lastSeq = 0;
  private socket: WebSocket | null = null;
  private attempts = 0;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private beat: ReturnType<typeof setInterval> | undefined;
  private heardAt = 0;
  private wanted = false;
  private readonly listeners = new Map<string, Set<Listener>>();
  /** How often each watcher of a device wants to hear of it, Hz. */
  private readonly watched = new Map<string, number[]>();

  constructor(
    private readonly url: () => string = () => `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`,
    private readonly open: (url: string) => WebSocket = (url) => new WebSocket(url),
    private readonly renewed: () => Promise<boolean> = () => Promise.resolve(false),
    private readonly reachable: () => Promise<boolean> = () => Promise.resolve(false),
  ) {}

  /** Begin, unless it goes on already. */
  start(): void {
    if (this.wanted) return;
    this.wanted = true;
    this.connect();
  }

  stop(): void {
    this.wanted = false;
    clearTimeout(this.retry);
    clearInterval(this.beat);
    this.socket?.close(1000);
    this.socket = null;
    this.state.value = "connecting";
  }

  /** Hear messages of a type; `*` hears all. Returns what ends it. */
  on(type: string, listener: Listener): () => void {
    const heard = this.listeners.get(type) ?? new Set();
    this.listeners.set(type, heard.add(listener));
    return () => heard.delete(listener);
  }

  /** Hear the newest readings of devices until what is returned is called; watchers of one device share the fastest. */
  watch(devices: readonly string[], rateHz = 1): () => void {
    const faster = devices.filter((one) => rateHz > this.rateOf(one));
    for (const one of devices) this.watched.set(one, [...(this.watched.get(one) ?? []), rateHz]);
    this.subscribe(faster, rateHz);
    return () => this.release(devices, rateHz);
  }

  say(message: Record<string, unknown>): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  private rateOf(device: string): number {
    return Math.max(0, ...(this.watched.get(device) ?? []));
  }

  private release(devices: readonly string[], rateHz: number): void {
    const slower = new Set<string>();
    const gone: string[] = [];
    for (const one of devices) {
      const rates = this.watched.get(one) ?? [];
      const left = rates.toSpliced(rates.indexOf(rateHz), 1);
      if (left.length === 0) {
        this.watched.delete(one);
        gone.push(one);
      } else {
        this.watched.set(one, left);
        if (Math.max(...left) < rateHz) slower.add(one);
      }
    }
    for (const some of sliced(gone)) this.say({ type: "unsubscribe", devices: some });
    this.subscribeAll([...slower]);
  }

  private subscribeAll(devices: readonly string[]): void {
    for (const rate of new Set(devices.map((one) => this.rateOf(one)))) {
      this.subscribe(
        devices.filter((one) => this.rateOf(one) === rate),
        rate,
      );
    }
  }

  private subscribe(devices: readonly string[], rateHz: number): void {
    for (const some of sliced(devices)) this.say({ type: "subscribe", devices: some, rate_hz: rateHz, together: true });
  }

  private connect(): void {
    const socket = this.open(this.lastSeq ? `${this.url()}?since=${this.lastSeq}` : this.url());
    this.socket = socket;
    socket.onopen = () => this.opened();
    socket.onmessage = (event) => this.heard(String(event.data));
    socket.onclose = (event) => void this.closed(event.code);
  }

  private opened(): void {
    this.attempts = 0;
    this.heardAt = Date.now();
    this.state.value = "live";
    this.subscribeAll([...this.watched.keys()]);
    clearInterval(this.beat);
    this.beat = setInterval(() => this.ping(), PING_EVERY_MS);
    this.ping();
    this.tell({ type: "open" });
  }

  private ping(): void {
    if (Date.now() - this.heardAt > SILENCE_MS) this.socket?.close(4000, "silent");
    else this.say({ type: "ping", timestamp: Date.now() });
  }

  private heard(text: string): void {
    this.heardAt = Date.now();
    const message = JSON.parse(text) as LiveMessage;
    if (message.type === "pong") {
      this.roundTripMs.value = Math.max(0, Date.now() - Number(message.timestamp));
      return;
    }
    if (typeof message.seq === "number") this.lastSeq = Math.max(this.lastSeq, message.seq);
    if (message.type === "device_updates") this.tellEach(message);
    else this.tell(message);
  }

  /** What came together is heard as if it had come one by one, and drawn once. */
  private tellEach(message: LiveMessage): void {
    const devices = (message.data?.devices ?? []) as Record<string, unknown>[];
    batch(() => {
      for (const data of devices) this.tell({ type: "device_update", data, timestamp: data.timestamp });
    });
  }

  private tell(message: LiveMessage): void {
    for (const name of [message.type, "*"]) for (const listener of this.listeners.get(name) ?? []) listener(message);
  }

  private async closed(code: number): Promise<void> {
    clearInterval(this.beat);
    this.roundTripMs.value = null;
    if (!this.wanted) return;
    if (code === 1008) await this.renewed();
    else this.state.value = (await this.reachable()) ? "polling" : "offline";
    if (!this.wanted) return;
    this.retry = setTimeout(() => this.connect(), backoffMs(this.attempts++));
  }
}
