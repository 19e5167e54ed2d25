import "@fontsource-variable/geist/wght.css";
import "@fontsource-variable/geist-mono/wght.css";
import "uplot/dist/uPlot.min.css";
import "./style/style.css";
import { render } from "preact";
import { App } from "./ui/app.js";
import { applyTheme, currentTheme } from "./ui/theme.js";

applyTheme(currentTheme());
const page = document.getElementById("page");
if (page) render(<App />, page);
