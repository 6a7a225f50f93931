/** The words of the page: settings. */
import { section } from "./section";

export const settings = section({ title: "Settings" }, { title: "Einstellungen" });
