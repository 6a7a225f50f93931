/** The words of the pages: jobs and reports. */
import { section } from "./section";

export const work = section({ jobs: "Jobs", reports: "Reports" }, { jobs: "Aufträge", reports: "Berichte" });
