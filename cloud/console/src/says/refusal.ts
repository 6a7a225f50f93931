/** What a refusal says in the language of the console: the server's message, or a sentence by its code. */
import { Refused, Unreachable } from "../api/errors";
import { bytes } from "../parts/number";
import { fill, language, t, type Values, word } from "../text";
import { refusals } from "../text/refusals";

/** The words of the API for a field that was left out. */
const REQUIRED = "This field is required";

/** Return all that is to be said of an error: what is wrong, and with which fields. */
export function reason(error: Error): string {
  if (error instanceof Unreachable) return codeSays("UNREACHABLE", error.message);
  if (!(error instanceof Refused)) return error.message;
  const told = codeSays(error.code, error.message, factsOf(error));
  if (told !== error.message || error.status !== 422) return told;
  const fields = error.issues.map((one) => `${one.field}: ${issueSays(one.message)}`).join("; ");
  return fields || told;
}

/** Return what is wrong with one field of what was sent, "" where nothing is. */
export function issueOf(error: Refused, field: string): string {
  const issue = error.issueOf(field);
  if (!issue) return "";
  const told = codeSays(error.code, error.message, factsOf(error));
  return told === error.message ? issueSays(issue) : told;
}

/** Return the sentence of a code, the server's words where there is none or a fact of it is missing. */
export function codeSays(code: string, said: string, facts: Values = {}): string {
  const words = language.value === "de" && Object.hasOwn(refusals, code) ? refusals[code] : undefined;
  const all: Values = { ...facts, said: said.replace(/\.$/, "") };
  const isWhole = words && [...words.matchAll(/\{(\w+)\}/g)].every(([, name]) => all[name ?? ""]);
  return isWhole ? fill(words, all) : said;
}

/** Return what the answer tells beside its message, as people read it. */
function factsOf(error: Refused): Values {
  const { required_scope: scope, limit, state } = error.details;
  const facts: Values = {};
  if (error.retryAfterS > 0) facts.s = Math.ceil(error.retryAfterS);
  if (error.requestId) facts.request = error.requestId;
  if (typeof scope === "string") facts.scope = scope;
  if (typeof limit === "number") facts.limit = bytes(limit);
  if (typeof state === "string") facts.state = word(state);
  return facts;
}

function issueSays(issue: string): string {
  return language.value === "de" && issue === REQUIRED ? t("common.required") : issue;
}
