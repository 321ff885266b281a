// Proves that what breaks a client is found, and that what does not is left alone.

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { appendFileSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { accepted, breaks, complaints } from "./breaking.mjs";

const beside = (path) => fileURLToPath(new URL(path, import.meta.url));
const document = beside("../../openapi/caseload.v1.json");
const room = mkdtempSync(join(tmpdir(), "caseload-breaking."));
after(() => rmSync(room, { recursive: true }));

/** A copy of the document, changed. Each operation has parameters of its own, to be changed alone. */
function changed(name, ...changes) {
    const copy = JSON.parse(readFileSync(document, "utf8"));
    for (const operation of Object.values(copy.paths).flatMap((item) => Object.values(item))) {
        operation.parameters = operation.parameters?.map(({ $ref, ...own }) =>
            $ref ? structuredClone(copy.components.parameters[$ref.split("/").at(-1)]) : own,
        );
    }
    changes.forEach((change) => change(copy.paths, copy.components.schemas));
    const path = join(room, name);
    writeFileSync(path, JSON.stringify(copy));
    return path;
}

const parameter = (operation, name) => operation.parameters.find((one) => one.name === name);
const extra = { type: "string" };

const BREAKS = {
    "an operation removed": ["operation-removed .*~1notes/get", (paths) => delete paths["/v1/notes"].get],
    "a path removed": ["path-removed .*~1home", (paths) => delete paths["/v1/home"]],
    "a required parameter added": [
        "parameter-became-required .*~1dashboard/get",
        (paths) => paths["/v1/dashboard"].get.parameters.push({ name: "extra", in: "query", required: true, schema: extra }),
    ],
    "a parameter made required": [
        "parameter-became-required .*~1users/get",
        (paths) => (parameter(paths["/v1/users"].get, "limit").required = true),
    ],
    "a parameter removed": ["parameter-removed .*~1groups/get", (paths) => paths["/v1/groups"].get.parameters.shift()],
    "a parameter of another type": [
        "schema-type-changed .*~1jobs/get/parameters",
        (paths) => (parameter(paths["/v1/jobs"].get, "limit").schema = { type: "boolean" }),
    ],
    "a member of an answer removed": ["property-removed .*/author", (_, schemas) => delete schemas.NoteView.properties.author],
    "a member of an answer no longer certain": [
        "required-properties-removed .*~1groups",
        (_, schemas) => (schemas.GroupView.required = schemas.GroupView.required.filter((name) => name !== "key")),
    ],
    "a member of an answer of another type": [
        "schema-type-changed .*/expires_in",
        (_, schemas) => (schemas.Tokens.properties.expires_in = { type: "string" }),
    ],
    "a member of an answer that may be null": [
        "schema-type-changed .*/properties/time_zone",
        (_, schemas) => (schemas.UserView.properties.time_zone.type = ["string", "null"]),
    ],
    "a value added to an enum of answers": ["enum-values-added .*", (_, schemas) => schemas.Bucket.enum.push("extra")],
    "a value removed from an enum of requests": ["enum-values-removed .*~1bulk.*", (_, schemas) => schemas.BulkCommand.enum.pop()],
    "a required member of a request added": [
        "required-properties-added .*~1groups/post",
        (_, schemas) => {
            schemas.NewGroup.properties.extra = extra;
            schemas.NewGroup.required.push("extra");
        },
    ],
    "a member of a request removed": [
        "property-removed .*~1users/post/.*/language",
        (_, schemas) => delete schemas.NewUser.properties.language,
    ],
    "a limit of a request narrowed": [
        "schema-constraint-changed .*~1users/post/.*/email",
        (_, schemas) => (schemas.NewUser.properties.email.maxLength = 20),
    ],
    "a body made required": [
        "request-body-became-required .*~1complete/post",
        (paths) => (paths["/v1/action-items/{id}/complete"].post.requestBody.required = true),
    ],
    "a success removed": [
        "response-removed .*~1claim-next/post/responses/204",
        (paths) => delete paths["/v1/queues/{queue}/claim-next"].post.responses["204"],
    ],
    "a form of an answer removed": [
        "media-type-removed .*~1picklists/get",
        (paths) => delete paths["/v1/picklists"].get.responses["200"].content["text/csv"],
    ],
    "a header of an answer removed": [
        "response-header-removed .*~1api-keys/get",
        (paths) => delete paths["/v1/api-keys"].get.responses["200"].headers.Link,
    ],
    "an operation that now needs a credential": [
        "security-requirement-changed .*livez/get",
        (paths) => (paths["/livez"].get.security = [{ bearer: [] }]),
    ],
    "an operation renamed": ["operation-id-changed .*readyz/get", (paths) => (paths["/readyz"].get.operationId = "extra")],
};

const ADDITIONS = {
    "an operation": (paths) =>
        (paths["/v1/extra"] = { get: { operationId: "extra", responses: { 200: { description: "Extra." } } } }),
    "an optional parameter": (paths) =>
        paths["/v1/notes"].get.parameters.push({ name: "extra", in: "query", required: false, schema: extra }),
    "an optional member of a request": (_, schemas) => (schemas.NewNote.properties.extra = extra),
    "a value of an enum of requests": (_, schemas) => schemas.BulkCommand.enum.push("extra"),
    "a wider limit of a request": (_, schemas) => (schemas.NewUser.properties.name.maxLength = 2000),
    "a member of an answer": (_, schemas) => {
        schemas.NoteView.properties.extra = extra;
        schemas.NoteView.required.push("extra");
    },
    "a refusal": (paths) => (paths["/v1/notes"].post.responses["418"] = { description: "Extra." }),
    "a header of an answer": (paths) => (paths["/v1/notes"].post.responses["201"].headers.Extra = { schema: extra }),
    "other words": (paths) => (paths["/v1/notes"].post.description = "Extra."),
};

test("the same document breaks nothing", () => assert.deepEqual(breaks(document, document), []));

for (const [what, [expected, change]] of Object.entries(BREAKS)) {
    test(`${what} breaks`, () => {
        const lines = breaks(document, changed("revision.json", change)).map(({ line }) => line);
        assert(lines.some((line) => new RegExp(`^(${expected})`).test(line)), `${expected} is not in:\n${lines.join("\n")}`);
    });
}

test("additions break nothing", () => {
    const revision = changed("revision.json", ...Object.values(ADDITIONS));
    assert.deepEqual(breaks(document, revision), []);
});

test("what is accepted is named with a reason, and is there", () => {
    const found = [{ line: "path-removed #/paths/~1v1~1home", message: "" }];
    assert.deepEqual(complaints(found, accepted("# words\n\npath-removed #/paths/~1v1~1home because nobody is at home\n")), []);
    assert.match(complaints(found, accepted(""))[0], /^breaks clients/);
    assert.match(complaints([], accepted("path-removed #/paths/~1v1~1home because it was\n"))[0], /^accepted, but breaks nothing/);
    for (const bare of ["path-removed #/paths/~1v1~1home", "path-removed #/paths/~1v1~1home because "]) {
        assert.throws(() => accepted(bare), /without a reason/);
    }
});

test("it is held to the last release", () => {
    const repository = join(room, "repository");
    const inside = (path) => join(repository, path);
    mkdirSync(inside("openapi"), { recursive: true });
    const git = (...args) =>
        execFileSync("git", ["-c", "user.name=check", "-c", "user.email=check@example.com", "-c", "commit.gpgsign=false", ...args], {
            cwd: repository,
            stdio: "pipe",
        });
    const commit = (words) => (git("add", "."), git("commit", "--allow-empty", "-m", words));
    const check = () => {
        const run = spawnSync(process.execPath, [beside("breaking.mjs")], { cwd: repository, encoding: "utf8" });
        return { status: run.status, said: run.stdout + run.stderr };
    };
    const list = inside("openapi/accepted-breaks.txt");

    git("init", "--quiet");
    copyFileSync(document, inside("openapi/caseload.v1.json"));
    writeFileSync(list, "");
    commit("the first document");
    assert.match(check().said, /There is no release/);

    git("tag", "v0.1.0");
    commit("nothing else");
    assert.match(check().said, /Nothing breaks clients of v0\.1\.0\./);

    copyFileSync(changed("revision.json", BREAKS["a path removed"][1]), inside("openapi/caseload.v1.json"));
    const refused = check();
    assert.equal(refused.status, 1);
    const [, line] = refused.said.match(/^ {2}(path-removed .*)$/m);

    appendFileSync(list, `${line} because nobody is at home\n`);
    commit("nobody is at home");
    assert.match(check().said, /v0\.1\.0, but the 1 accepted/);

    // The commit of a release is compared with the one before; the next commit with the release itself.
    git("tag", "v0.2.0");
    assert.match(check().said, /v0\.1\.0, but the 1 accepted/);
    commit("after the release");
    assert.equal(check().status, 1);
    writeFileSync(list, "");
    assert.match(check().said, /Nothing breaks clients of v0\.2\.0\./);

    const shallow = join(room, "shallow");
    git("clone", "--quiet", "--depth", "1", `file://${repository}`, shallow);
    const run = spawnSync(process.execPath, [beside("breaking.mjs")], { cwd: shallow, encoding: "utf8" });
    assert.match(run.stderr, /Compared with v0\.2\.0\./);

    // Nor is anything passed unseen when the origin cannot be asked.
    const orphan = join(room, "orphan");
    git("clone", "--quiet", "--depth", "1", `file://${repository}`, orphan);
    execFileSync("git", ["remote", "remove", "origin"], { cwd: orphan });
    const alone = spawnSync(process.execPath, [beside("breaking.mjs")], { cwd: orphan, encoding: "utf8" });
    assert.equal(alone.status, 1);
});
