/** A section of the catalogue: the German half must have exactly the keys of the English one. */

export function section<const E extends Record<string, string>>(
  en: E,
  de: { [K in keyof E]: string },
): { en: Record<keyof E, string>; de: Record<keyof E, string> } {
  return { en, de };
}
