// Builds the browser's files into src/passlight/office/static/dist: what the pages load, and no more.
import { build } from "esbuild";
import { copyFile, mkdir, readdir, rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { join } from "node:path";

const root = fileURLToPath(new URL("..", import.meta.url));
const out = join(root, "src/passlight/office/static/dist");
const modules = ["office", "resident", "visit", "checker", "incident"];

await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
const shared = { bundle: true, minify: true, target: "es2022", legalComments: "none", logLevel: "warning" };
await build({ ...shared, format: "esm", outdir: out, entryPoints: modules.map((name) => join(root, `web/src/${name}.ts`)) });
// A service worker is a classic script; the office serves it below /me/, so that its scope is /me/.
await build({ ...shared, format: "iife", outdir: out, entryPoints: { worker: join(root, "web/src/worker.ts") } });
await copyFile(join(root, "node_modules/zxing-wasm/dist/reader/zxing_reader.wasm"), join(out, "zxing_reader.wasm"));
// The recorded prompts of a door speak in the checker's and the resident's page as well.
const recorded = join(root, "src/passlight/gate/prompts");
for (const name of (await readdir(recorded)).filter((file) => /\.(zh|en)\.wav$/.test(file))) {
  const [, prompt, language] = /^(.*)\.(zh|en)\.wav$/.exec(name);
  await mkdir(join(out, "prompts", language), { recursive: true });
  await copyFile(join(recorded, name), join(out, "prompts", language, `${prompt}.wav`));
}
// The door's screen is served by the box itself, which has no office: its files go into the gate's part.
const box = join(root, "src/passlight/gate/static/dist");
await rm(box, { recursive: true, force: true });
await mkdir(box, { recursive: true });
await build({ ...shared, format: "esm", outdir: box, entryPoints: [join(root, "web/src/kiosk.ts")] });
for (const name of ["tokens.css", "components.css", "icons.svg"]) {
  await copyFile(join(root, "src/passlight/office/static", name), join(box, name));
}
