/** The frame around every page: header, navigation, banners, toasts, the help overlay. */
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { type Shortcut, useShortcuts } from "../keys";
import { go, Link, path } from "../router";
import { followAlarms, alarms as known, unacknowledged } from "../stores/alarms";
import { decisions, followDecisions, pending } from "../stores/decisions";
import { devices, followDevices } from "../stores/devices";
import { followJobs } from "../stores/jobs";
import { keep, link, POLL_S, startLink } from "../stores/link";
import { readPlant } from "../stores/plant";
import { may } from "../stores/session";
import { nextTheme } from "../stores/theme";
import { type TextKey, t } from "../text";
import { at } from "../time/zone";
import { Header } from "./header";
import { Help } from "./help";
import { Toasts } from "./toasts";

interface PageLink {
  to: string;
  name: string;
  key: string;
  scope: string;
}

/** Pages in the order of the navigation; scope: what is needed to see anything there. */
export const PAGES: readonly PageLink[] = [
  { to: "/", name: "fleet", key: "f", scope: "data:read" },
  { to: "/alarms", name: "alarms", key: "a", scope: "alarms:read" },
  { to: "/decisions", name: "decisions", key: "d", scope: "tasks:update" },
  { to: "/models", name: "models", key: "m", scope: "models:read" },
  { to: "/data", name: "data", key: "t", scope: "learning:read" },
  { to: "/jobs", name: "jobs", key: "j", scope: "learning:read" },
  { to: "/reports", name: "reports", key: "r", scope: "reports:generate" },
  { to: "/forecast", name: "forecast", key: "p", scope: "ml:predict" },
  { to: "/settings", name: "settings", key: "s", scope: "system:read" },
  { to: "/system", name: "system", key: "y", scope: "system:read" },
];

const nameOf = (page: PageLink): string => t(`shell.${page.name}` as TextKey);

export function Frame({ children }: { children: ComponentChildren }) {
  const isMenuOpen = useSignal(false);
  const isHelpOpen = useSignal(false);
  const here = path.value;
  useEffect(() => {
    isMenuOpen.value = false;
  }, [here, isMenuOpen]);
  useEffect(follow, []);
  useShortcuts([
    {
      keys: "?",
      text: t("shell.shortcut_help"),
      isGlobal: true,
      act: () => {
        isHelpOpen.value = true;
      },
    },
    { keys: "/", text: t("shell.shortcut_search"), isGlobal: true, act: search },
    { keys: "T", text: t("shell.shortcut_theme"), isGlobal: true, act: nextTheme },
    ...PAGES.filter((page) => may(page.scope)).map(shortcutTo),
  ]);
  return (
    <>
      <a class="skip" href="#main">
        {t("shell.skip")}
      </a>
      <div class="frame">
        <Header
          isMenuOpen={isMenuOpen.value}
          toggleMenu={() => {
            isMenuOpen.value = !isMenuOpen.value;
          }}
        />
        <Nav isOpen={isMenuOpen.value} />
        <main class="main" id="main" tabIndex={-1}>
          <Banner />
          {children}
        </main>
      </div>
      <Toasts />
      {isHelpOpen.value && (
        <Help
          close={() => {
            isHelpOpen.value = false;
          }}
        />
      )}
    </>
  );
}

function shortcutTo(page: PageLink): Shortcut {
  return {
    keys: `g ${page.key}`,
    text: t("shell.shortcut_go", { page: nameOf(page) }),
    isGlobal: true,
    act: () => go(page.to),
  };
}

/** Follow the feed for the whole session, and keep what the header shows. */
function follow(): () => void {
  void readPlant().catch(() => undefined);
  const ends = [followAlarms(), followDevices(), followDecisions(), followJobs(), startLink()];
  if (may("alarms:read")) ends.push(keep(known, 60));
  if (may("tasks:update")) ends.push(keep(decisions, 60));
  if (may("data:read")) ends.push(keep(devices, 30));
  return () => {
    for (const end of ends) end();
  };
}

function search(): void {
  document.querySelector<HTMLInputElement>("[data-search]")?.focus();
}

function Nav({ isOpen }: { isOpen: boolean }) {
  return (
    <nav class={`nav ${isOpen ? "open" : ""}`} aria-label={t("shell.navigation")}>
      <ul>
        {PAGES.filter((page) => may(page.scope)).map((page) => (
          <li key={page.to}>
            <Link to={page.to}>
              <span>{nameOf(page)}</span>
              <Count of={page.name} />
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}

function Count({ of }: { of: string }) {
  if (of === "alarms") {
    const { critical, warning } = unacknowledged.value;
    const tone = critical ? "critical" : warning ? "warning" : "";
    return critical + warning ? <span class={`count ${tone}`}>{critical + warning}</span> : null;
  }
  if (of === "decisions" && pending.value.length) return <span class="count">{pending.value.length}</span>;
  return null;
}

function Banner() {
  const state = link.state.value;
  if (state === "polling") {
    return (
      <div class="banner" role="alert">
        {t("shell.polling_banner", { s: POLL_S })}
      </div>
    );
  }
  if (state !== "offline") return null;
  return (
    <div class="banner offline" role="alert">
      {t("shell.offline_banner", { time: at(known.loadedAt.value || null, "seconds") })}
    </div>
  );
}
