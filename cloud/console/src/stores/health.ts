/** How the parts of the cloud are. */

export interface Component {
  status: string;
  details: Record<string, unknown>;
}

export interface Health {
  status: string;
  version: string;
  uptime_seconds: number;
  timestamp: string;
  alarms: readonly unknown[];
  components: Record<string, Component>;
}

/** Read it: an unhealthy cloud answers 503 and says what is wrong all the same. */
export async function readHealth(): Promise<Health> {
  const response = await fetch("/health/detailed", { cache: "no-store" });
  return (await response.json()) as Health;
}
