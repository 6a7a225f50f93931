/** The words of the page: fleet. */
import { section } from "./section";

export const fleet = section({ title: "Fleet" }, { title: "Flotte" });
