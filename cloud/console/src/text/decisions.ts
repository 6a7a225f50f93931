/** The words of the page: decisions. */
import { section } from "./section";

export const decisions = section({ title: "Decisions" }, { title: "Entscheidungen" });
