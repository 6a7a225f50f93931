/** The settings as they are, and what is known of each. */
import { type Answer, api } from "../api/client";
import { readPlant } from "./plant";
import { Resource } from "./resource";

export type Known = Answer<"/api/v1/settings/known">[number];
export type Setting = boolean | number | string;
export type Sections = Record<string, Record<string, Setting>>;

export interface Entry {
  /** Such as training.defaultTimeout. */
  key: string;
  value: Setting;
}

export const settings = new Resource<Entry>({
  identify: (one) => one.key,
  read: async () => entriesOf((await api.get("/api/v1/settings")).data as Sections),
});
export const knownSettings = new Resource<Known>({
  identify: (one) => one.key,
  read: async () => (await api.get("/api/v1/settings/known")).data,
});

/** Return settings by section as one list. */
export function entriesOf(sections: Sections): Entry[] {
  return Object.entries(sections).flatMap(([section, values]) =>
    Object.entries(values).map(([name, value]) => ({ key: `${section}.${name}`, value })),
  );
}

/** Return a list of settings by section, as PUT /settings takes them. */
export function sectionsOf(entries: readonly Entry[]): Sections {
  const found: Sections = {};
  for (const { key, value } of entries) {
    const at = key.indexOf(".");
    const section = key.slice(0, at);
    found[section] ??= {};
    found[section][key.slice(at + 1)] = value;
  }
  return found;
}

/** Change settings, all or none; raise Refused, Unreachable. */
export async function change(entries: readonly Entry[]): Promise<void> {
  await api.put("/api/v1/settings", { body: sectionsOf(entries) });
  await Promise.all([settings.load(), readPlant().catch(() => undefined)]);
}
