/** The words of the page: forecast. */
import { section } from "./section";

export const forecast = section({ title: "Forecast & scaling" }, { title: "Prognose & Skalierung" });
