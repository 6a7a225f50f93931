/** The words of the page: models. */
import { section } from "./section";

export const models = section({ title: "Models & rollouts" }, { title: "Modelle & Rollouts" });
