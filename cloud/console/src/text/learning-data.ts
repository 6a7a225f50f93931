/** The words of the page: data. */
import { section } from "./section";

export const data = section({ title: "Data" }, { title: "Daten" });
