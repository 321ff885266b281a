// Compares the OpenAPI document with the one of the last release, and fails on what breaks a client,
// unless openapi/accepted-breaks.txt has it with a reason. Run from the root of the repository.

import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const DOCUMENT = "openapi/caseload.v1.json";
const ACCEPTED = "openapi/accepted-breaks.txt";

const beside = (path) => fileURLToPath(new URL(path, import.meta.url));

/** What breaks a client between two documents: `line` names each one for good, `message` tells it. */
export function breaks(base, revision) {
    const redocly = beside("node_modules/@redocly/cli/bin/cli.js");
    const options = ["--format", "json", "--fail-on", "none", "--config", beside("../redocly.yaml")];
    const run = spawnSync(process.execPath, [redocly, "diff", base, revision, ...options], {
        encoding: "utf8",
        maxBuffer: 256 * 1024 * 1024,
        env: { ...process.env, REDOCLY_TELEMETRY: "off", REDOCLY_SUPPRESS_UPDATE_NOTICE: "true", REDOCLY_SUPPRESS_NOTIFICATIONS: "true" },
    });
    if (run.status !== 0) {
        throw new Error(`redocly diff ended with ${run.status}:\n${run.stderr}`);
    }
    const { changes } = JSON.parse(run.stdout);
    return changes.flatMap(({ path, verdicts }) =>
        verdicts
            .filter(({ impact }) => impact === "major")
            .map(({ ruleId, message }) => ({ line: `${ruleId} ${path}`, message })),
    );
}

/** The accepted breaks: one a line, with `because` and the reason. */
export function accepted(text) {
    const lines = text.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("# "));
    return lines.map((line) => {
        const [name, reason] = line.split(/ because (.*)/s);
        if (!reason?.trim()) {
            throw new Error(`${ACCEPTED} has a line without a reason: ${line}`);
        }
        return name;
    });
}

/** What is wrong: breaks that nobody accepted, and lines about breaks that there are not. */
export function complaints(found, accepted) {
    const lines = found.map(({ line }) => line);
    const open = found.filter(({ line }) => !accepted.includes(line));
    const stale = accepted.filter((line) => !lines.includes(line));
    return [
        ...open.map(({ line, message }) => `breaks clients: ${message}\n  ${line}`),
        ...stale.map((line) => `accepted, but breaks nothing:\n  ${line}`),
    ];
}

const git = (...args) => execFileSync("git", args, { encoding: "utf8", maxBuffer: 256 * 1024 * 1024 }).trim();

/** The tag of the release before this commit; none before the first. */
function lastRelease() {
    // A shallow clone does not know the last release; then its origin is asked.
    if (git("rev-parse", "--is-shallow-repository") === "true") {
        git("fetch", "--quiet", "--unshallow", "--tags");
    }
    // A release is compared with the one before it.
    const here = git("tag", "--points-at", "HEAD", "--list", "v*").split("\n").filter(Boolean);
    const tags = git("tag", "--merged", "HEAD", "--list", "v*").split("\n").filter((tag) => tag && !here.includes(tag));
    if (tags.length === 0) {
        return undefined;
    }
    return git("describe", "--tags", "--abbrev=0", "--match", "v*", ...here.flatMap((tag) => ["--exclude", tag]));
}

function main() {
    const release = lastRelease();
    const list = accepted(readFileSync(ACCEPTED, "utf8"));
    if (release === undefined) {
        if (list.length > 0) {
            throw new Error(`${ACCEPTED} accepts breaks, but there is no release (a tag v*) yet`);
        }
        console.log("There is no release (a tag v*) yet: nothing to compare with.");
        return;
    }
    const room = mkdtempSync(join(tmpdir(), "caseload-breaking."));
    try {
        const base = join(room, `${release}.json`);
        writeFileSync(base, git("show", `${release}:${DOCUMENT}`));
        const found = breaks(base, DOCUMENT);
        const wrong = complaints(found, list);
        wrong.forEach((complaint) => console.error(complaint));
        if (wrong.length > 0) {
            console.error(`\nCompared with ${release}. docs/clients.md says how to accept a break.`);
            process.exitCode = 1;
        } else {
            console.log(`Nothing breaks clients of ${release}${found.length > 0 ? `, but the ${found.length} accepted` : ""}.`);
        }
    } finally {
        rmSync(room, { recursive: true });
    }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
    try {
        main();
    } catch (error) {
        console.error(`breaking: ${error.message}`);
        process.exitCode = 1;
    }
}
