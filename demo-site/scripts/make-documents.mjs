// Prints the sample documents (documents/*.html) as PDF, with a picture of the first page of each. The results are committed under
// public/documents/, so that a build needs neither Chromium nor poppler. Run again after a change: npm run documents

import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";

const HERE = fileURLToPath(new URL("..", import.meta.url));
const SOURCE = join(HERE, "documents");
const TARGET = join(HERE, "public", "documents");
const CHROMIUM = process.env.CHROMIUM ?? "chromium";

const head = readFileSync(join(SOURCE, "head.html"), "utf8");
const profile = mkdtempSync(join(tmpdir(), "rubrica-documents-"));
for (const file of readdirSync(SOURCE).filter((name) => name.endsWith(".html") && name !== "head.html")) {
  const name = basename(file, ".html");
  // Beside its style sheet, so that relative addresses hold.
  const page = join(SOURCE, `.${file}`);
  const pdf = join(TARGET, `${name}.pdf`);
  writeFileSync(page, readFileSync(join(SOURCE, file), "utf8").replace("<!-- head -->", head));
  try {
    execFileSync(CHROMIUM, [
      "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync", `--user-data-dir=${profile}`, "--no-pdf-header-footer", `--print-to-pdf=${pdf}`,
      `file://${page}`,
    ], { stdio: "ignore" });
    execFileSync("pdftoppm", ["-png", "-r", "72", "-f", "1", "-l", "1", "-singlefile", pdf, join(TARGET, name)]);
  } finally {
    rmSync(page);
  }
  console.log(pdf);
}
rmSync(profile, { recursive: true });
