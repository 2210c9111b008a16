// Reads cases from standard input and writes what web/src/core/verdict.ts decides about each, as JSON.
import { build } from "esbuild";
import { mkdtemp, rm } from "node:fs/promises";
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const source = fileURLToPath(new URL("../../web/src/core/verdict.ts", import.meta.url));
const folder = await mkdtemp(join(tmpdir(), "passlight-twin-"));
try {
  const outfile = join(folder, "verdict.mjs");
  await build({ bundle: true, format: "esm", platform: "node", target: "node20", entryPoints: [source], outfile, logLevel: "warning" });
  const { decide } = await import(pathToFileURL(outfile));
  const { policies, cases } = JSON.parse(readFileSync(0, "utf8"));
  const decided = cases.map(({ policy, presented: { sampled_from, ...shown }, now, offset }) => {
    const verdict = decide(policies[policy], { ...shown, sampledFrom: sampled_from }, { now, offset });
    const { outcome, requirement, prompt, say, ageHours, findings } = verdict;
    return [outcome, requirement, prompt, say.zh, ageHours, findings.map((one) => [one.requirement, one.outcome, one.unobserved])];
  });
  process.stdout.write(JSON.stringify(decided));
} finally {
  await rm(folder, { recursive: true, force: true });
}
