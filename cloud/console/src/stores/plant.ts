/** What the installation is called and which clock it keeps: the settings that all pages need. */
import { signal } from "@preact/signals";
import { api } from "../api/client";
import { zone } from "../time/zone";

export const appName = signal("Lineside");

/** Read them; what cannot be read stays as it is. */
export async function readPlant(): Promise<void> {
  const { data } = await api.get("/api/v1/settings");
  const general = (data as Record<string, Record<string, unknown>>).general ?? {};
  if (typeof general.appName === "string" && general.appName) appName.value = general.appName;
  if (typeof general.timezone === "string" && isZone(general.timezone)) zone.value = general.timezone;
}

function isZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
