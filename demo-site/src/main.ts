/** Banco Aurora (TEST): entrance → documents → signing → result, by the fragment of the address. */

import "./styles/app.css";
import { frame } from "./frame.ts";
import { problem } from "./screens/problem.ts";
import { enter } from "./screens/enter.ts";
import { home } from "./screens/home.ts";
import { result } from "./screens/result.ts";
import { sign } from "./screens/sign.ts";
import { findPaper, setLocale, state } from "./state.ts";

/** Draws the screen of the present address. Also called when the language changes. */
async function show(): Promise<void> {
  const [screen, id = ""] = location.hash.replace(/^#\/?/, "").split("/");
  if (!state.session || !state.person) return frame("enter", await enter(show), show);
  const paper = findPaper(id);
  const done = state.results.get(id);
  if (screen === "sign" && paper) return frame("sign", await sign(paper, state.person), show);
  if (screen === "done" && done) return frame("done", result(done), show);
  frame("home", home(), show);
}

function draw(): void {
  show().catch((error: unknown) => {
    console.warn(error);
    frame("problem", problem(draw), draw);
  });
}

setLocale(state.locale);
addEventListener("hashchange", draw);
draw();
