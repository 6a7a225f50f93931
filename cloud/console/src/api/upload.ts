/** Sends a form with a file and tells how much of it has gone; fetch cannot. Errors are those of `send`. */
import { cookie } from "./client";
import { refusedBy, Unreachable } from "./errors";

export interface Upload<T> {
  done: Promise<T>;
  cancel: () => void;
}

/** Send it; `progress` hears 0 to 1 while it goes, and 1 while the server reads it. */
export function upload<T>(path: string, form: FormData, progress: (share: number) => void): Upload<T> {
  const request = new XMLHttpRequest();
  const done = new Promise<T>((resolve, reject) => {
    request.open("POST", path);
    request.setRequestHeader("accept", "application/json");
    const token = cookie("csrf_access_token");
    if (token) request.setRequestHeader("X-CSRF-TOKEN", token);
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable && event.total > 0) progress(event.loaded / event.total);
    });
    request.addEventListener("error", () => reject(new Unreachable()));
    request.addEventListener("abort", () => reject(new DOMException("cancelled", "AbortError")));
    request.addEventListener("load", () => {
      if (request.status >= 200 && request.status < 300) resolve(JSON.parse(request.responseText) as T);
      else refusedBy(new Response(request.responseText, { status: request.status })).then(reject, reject);
    });
    request.send(form);
  });
  return { done, cancel: () => request.abort() };
}
