/** The words of the page: device. */
import { section } from "./section";

export const device = section({ title: "Device" }, { title: "Gerät" });
