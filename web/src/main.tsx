import { render } from "preact";
import { App } from "./app";
import "./page.css";

const root = document.getElementById("app");
if (root) {
  root.replaceChildren();
  render(<App />, root);
}
