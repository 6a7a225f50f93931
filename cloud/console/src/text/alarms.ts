/** The words of the page: alarms. */
import { section } from "./section";

export const alarms = section({ title: "Alarms" }, { title: "Alarme" });
