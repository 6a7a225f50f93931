/** The header of every page: what nobody acknowledged, how the connection is, the plant's clock, who is here. */

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Choice } from "../parts/choices";
import { Shape } from "../parts/marks";
import { Link } from "../router";
import { unacknowledged } from "../stores/alarms";
import { link } from "../stores/link";
import { appName } from "../stores/plant";
import { logOut, person } from "../stores/session";
import { setTheme, THEMES, type Theme, theme } from "../stores/theme";
import { LANGUAGES, language, speak, type TextKey, t, word } from "../text";
import { at, isoWeek, now, zone } from "../time/zone";

export function Header({ toggleMenu, isMenuOpen }: { toggleMenu: () => void; isMenuOpen: boolean }) {
  return (
    <header class="header">
      <button
        type="button"
        class="button plain icon menu-button"
        aria-expanded={isMenuOpen}
        aria-label={t("shell.menu")}
        onClick={toggleMenu}
      >
        ☰
      </button>
      <Link to="/" class="brand" aria-label={appName.value}>
        <svg width="20" height="20" viewBox="0 0 32 32" aria-hidden="true">
          <path
            d="M4 18h6l3-9 5 15 4-10 2 4h4"
            fill="none"
            stroke="currentColor"
            stroke-width="3"
            stroke-linejoin="round"
          />
        </svg>
        <span class="clip">{appName.value}</span>
      </Link>
      <Badges />
      <span class="grow" />
      <Connection />
      <Clock />
      <You />
    </header>
  );
}

function Badges() {
  const { critical, warning } = unacknowledged.value;
  const title = t("shell.unacknowledged", { critical, warning });
  return (
    <Link to="/alarms" class="badges" title={title}>
      <span class="hidden-text">{title}</span>
      <span class={`chip ${critical ? "critical" : ""}`} aria-hidden="true">
        <Shape of="critical" /> {critical}
      </span>
      <span class={`chip ${warning ? "warning" : ""}`} aria-hidden="true">
        <Shape of="warning" /> {warning}
      </span>
    </Link>
  );
}

function Connection() {
  const state = link.state.value;
  const quality = link.quality.value;
  const ms = link.roundTripMs.value;
  const words = t(`shell.link_${state}` as TextKey);
  const title = t("shell.link_title", { state: words, quality: t(`shell.quality_${quality}` as TextKey) });
  const tone = state === "offline" ? "critical" : state === "polling" || quality === "poor" ? "warning" : "";
  return (
    <span class={`chip ${tone}`} role="status" title={title} aria-label={title}>
      {words}
      {state === "live" && ms !== null && <span class="wide">{ms} ms</span>}
    </span>
  );
}

function Clock() {
  const time = now.value;
  const [, week] = isoWeek(time);
  return (
    <time
      class="wide quiet"
      dateTime={new Date(time).toISOString()}
      title={t("shell.clock_title", { zone: zone.value })}
    >
      {at(time, "day")} · {t("common.week", { week })} · {at(time, "seconds")}
    </time>
  );
}

function You() {
  const isOpen = useSignal(false);
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const leave = (event: Event) => {
      const isKey = event instanceof KeyboardEvent;
      if (isKey ? event.key === "Escape" : !box.current?.contains(event.target as Node)) isOpen.value = false;
    };
    addEventListener("click", leave);
    addEventListener("keydown", leave);
    return () => {
      removeEventListener("click", leave);
      removeEventListener("keydown", leave);
    };
  }, [isOpen]);
  const who = person.value;
  return (
    <div class="popover" ref={box}>
      <button
        type="button"
        class="button plain"
        aria-expanded={isOpen.value}
        aria-label={`${t("shell.user_menu")}: ${who?.name ?? ""}`}
        onClick={() => {
          isOpen.value = !isOpen.value;
        }}
      >
        <span class="clip">{who?.name ?? ""}</span> <span aria-hidden="true">▾</span>
      </button>
      {isOpen.value && (
        <div class="sheet">
          <p>
            {t("shell.role")}: {word(who?.role || "unknown")}
          </p>
          <Choice
            label={t("shell.theme")}
            value={theme.value}
            options={THEMES.map((one) => [one, t(`shell.theme_${one}` as TextKey)])}
            choose={(one) => setTheme(one as Theme)}
          />
          <Choice
            label={t("shell.language")}
            value={language.value}
            options={LANGUAGES.map((one) => [one, one === "de" ? "Deutsch" : "English"])}
            choose={(one) => speak(one as "en" | "de")}
          />
          {who?.name === "anonymous" ? (
            <Link to="/login" class="button">
              {t("shell.log_in")}
            </Link>
          ) : (
            <button type="button" class="button" onClick={() => void logOut()}>
              {t("shell.log_out")}
            </button>
          )}
        </div>
      )}
    </div>
  );
}
