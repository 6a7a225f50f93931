/** What the API says when it refuses, as one error with the fields it names. */

export interface FieldIssue {
  field: string;
  message: string;
}

/** A request that was answered with an error; `code` is the exact one of the error body. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly issues: readonly FieldIssue[] = [],
    readonly requestId = "",
    readonly retryAfterS = 0,
    readonly details: Readonly<Record<string, unknown>> = {},
  ) {
    super(message);
    this.name = "Refused";
  }

  /** What is wrong with one field, by its last name: `body.name` and `name` are the same field. */
  issueOf(field: string): string {
    return this.issues.find((one) => one.field === field || one.field.endsWith(`.${field}`))?.message ?? "";
  }
}

/** The server did not answer at all: nobody knows whether the request was carried out. */
export class Unreachable extends Error {
  constructor(message = "the server does not answer") {
    super(message);
    this.name = "Unreachable";
  }
}

interface ErrorBody {
  error?: unknown;
  detail?: unknown;
  error_code?: unknown;
  errors?: unknown;
  request_id?: unknown;
}

/** Read the error body of an answer; one that is not ours is told by its status. */
export async function refusedBy(response: Response): Promise<Refused> {
  const body = (await response.json().catch(() => ({}))) as ErrorBody;
  const issues = Array.isArray(body.errors) ? body.errors.filter(isIssue) : [];
  const retry = Number(response.headers.get("retry-after") ?? 0);
  return new Refused(
    response.status,
    typeof body.error_code === "string" ? body.error_code : `HTTP_${response.status}`,
    typeof body.detail === "string" ? body.detail : response.statusText || `status ${response.status}`,
    issues,
    typeof body.request_id === "string" ? body.request_id : "",
    Number.isFinite(retry) ? retry : 0,
    detailsOf(body.error),
  );
}

function detailsOf(error: unknown): Record<string, unknown> {
  const details = typeof error === "object" && error !== null && "details" in error ? error.details : null;
  return typeof details === "object" && details !== null ? (details as Record<string, unknown>) : {};
}

function isIssue(one: unknown): one is FieldIssue {
  return typeof one === "object" && one !== null && "field" in one && "message" in one;
}
