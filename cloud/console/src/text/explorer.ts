/** The words of the page: explorer. */
import { section } from "./section";

export const explorer = section({ title: "API explorer" }, { title: "API-Explorer" });
