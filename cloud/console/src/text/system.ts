/** The words of the page: system. */
import { section } from "./section";

export const system = section({ title: "System" }, { title: "System" });
