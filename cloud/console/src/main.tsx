/** Starts the console in the page. */
import "./style/tokens.css";
import "./style/base.css";
import "./style/parts.css";
import { render } from "preact";
import { App } from "./app";
import { listen } from "./router";
import { askWho, watchSession } from "./stores/session";
import { watchTheme } from "./stores/theme";
import { language, speak } from "./text";
import { tick } from "./time/zone";

watchTheme();
speak(language.value);
listen();
tick();
watchSession();
void askWho();
const root = document.getElementById("app");
if (root) render(<App />, root);
