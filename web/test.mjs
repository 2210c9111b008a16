// Runs every web/**/*.test.ts with Node's own test runner: esbuild bundles them, Node runs them.
import { build } from "esbuild";
import { mkdtemp, rm } from "node:fs/promises";
import { readdirSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { tmpdir } from "node:os";
import { join } from "node:path";

const here = fileURLToPath(new URL(".", import.meta.url));
const found = readdirSync(here, { recursive: true })
  .map(String)
  .filter((name) => name.endsWith(".test.ts"))
  .sort();
if (found.length === 0) {
  console.error("web: no *.test.ts found.");
  process.exit(1);
}
const out = await mkdtemp(join(tmpdir(), "passlight-web-"));
let status = 1;
try {
  await build({
    bundle: true, platform: "node", format: "esm", target: "node20", outdir: out, outExtension: { ".js": ".mjs" },
    define: { "import.meta.dirname": JSON.stringify(here) },
    entryPoints: found.map((name) => join(here, name)), logLevel: "warning", sourcemap: "inline",
  });
  const files = readdirSync(out, { recursive: true }).map(String).filter((name) => name.endsWith(".mjs"));
  const done = spawnSync(process.execPath, ["--enable-source-maps", "--test", ...files.map((name) => join(out, name))], {
    stdio: "inherit", cwd: join(here, ".."),
  });
  status = done.status ?? 1;
} finally {
  await rm(out, { recursive: true, force: true });
}
process.exit(status);
