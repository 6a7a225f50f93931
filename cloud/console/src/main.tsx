/** Starts the console in the page. */
import { render } from "preact";

const root = document.getElementById("app");
if (root) render(<h1>Lineside</h1>, root);
