/** Which page an address shows, and to whom. Each page is loaded when it is first opened. */
import { type Signal, signal } from "@preact/signals";
import type { ComponentType } from "preact";
import { useEffect } from "preact/hooks";
import { press } from "./keys";
import { FleetPage } from "./pages/fleet/page";
import { Login, Setup } from "./pages/login";
import { PageHead } from "./parts/panel";
import { Link, match, path } from "./router";
import { Frame } from "./shell/frame";
import { isReachable } from "./stores/link";
import { access, askWho } from "./stores/session";
import { t } from "./text";

type Page = ComponentType<{ at: Record<string, string> }>;
type Loader = () => Promise<Page>;

const ROUTES: readonly (readonly [pattern: string, load: Loader])[] = [
  ["/", async () => FleetPage],
  ["/devices/:id", async () => (await import("./pages/device/page")).DevicePage],
  ["/alarms", async () => (await import("./pages/alarms/page")).AlarmsPage],
  ["/decisions", async () => (await import("./pages/decisions/page")).DecisionsPage],
  ["/models", async () => (await import("./pages/models/page")).ModelsPage],
  ["/data", async () => (await import("./pages/data/page")).DataPage],
  ["/jobs", async () => (await import("./pages/jobs/page")).JobsPage],
  ["/reports", async () => (await import("./pages/reports/page")).ReportsPage],
  ["/forecast", async () => (await import("./pages/forecast/page")).ForecastPage],
  ["/settings", async () => (await import("./pages/settings/page")).SettingsPage],
  ["/system", async () => (await import("./pages/system/page")).SystemPage],
  ["/explorer", async () => (await import("./pages/explorer/page")).ExplorerPage],
];
const loaded = new Map<string, Signal<Page | Error | null>>([["/", signal<Page | Error | null>(FleetPage)]]);

function pageOf(pattern: string, load: Loader): Page | Error | null {
  let found = loaded.get(pattern);
  if (!found) {
    const made = signal<Page | Error | null>(null);
    load().then(
      (page) => {
        made.value = page;
      },
      (error: Error) => {
        made.value = error;
        loaded.delete(pattern);
      },
    );
    loaded.set(pattern, made);
    found = made;
  }
  return found.value;
}

export function App() {
  useEffect(() => {
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, []);
  switch (access.value) {
    case "asking":
      return <p role="status">{t("common.loading")}</p>;
    case "unreachable":
      return <Away />;
    case "in":
      if (path.value === "/login") return <Login />;
      return (
        <Frame>
          <Routed />
        </Frame>
      );
    default:
      return path.value === "/setup" ? <Setup /> : <Login />;
  }
}

function Routed() {
  const here = path.value;
  for (const [pattern, load] of ROUTES) {
    const at = match(pattern, here);
    if (!at) continue;
    const page = pageOf(pattern, load);
    if (page === null) return <p role="status">{t("common.loading")}</p>;
    if (page instanceof Error) return <p role="alert">{t("common.failed", { why: page.message })}</p>;
    const Shown = page;
    return <Shown key={here} at={at} />;
  }
  return (
    <>
      <PageHead title={t("common.page_missing")} />
      <Link to="/">{t("common.to_fleet")}</Link>
    </>
  );
}

/** The server answers nothing at the first load: ask until it does. */
function Away() {
  useEffect(() => {
    const timer = setInterval(async () => {
      if (await isReachable()) await askWho();
    }, 2000);
    return () => clearInterval(timer);
  }, []);
  return (
    <main class="login" id="main">
      <p role="alert">{t("shell.offline_banner", { time: "–" })}</p>
    </main>
  );
}
