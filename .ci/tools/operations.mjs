// Counts the operations of the generated clients: each one of the OpenAPI document, and no other.
//
//   node operations.mjs typescript examples/typescript/schema.d.ts
//   node operations.mjs python examples/python/caseload_client
//   node operations.mjs go target/clients/go     and so for the other languages of openapi-generator

import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";

const [language, generated] = process.argv.slice(2);
const document = JSON.parse(readFileSync("openapi/caseload.v1.json", "utf8"));
const methods = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

const documented = Object.values(document.paths).flatMap((item) =>
    methods.filter((method) => item[method]).map((method) => ({ id: item[method].operationId, tag: item[method].tags[0] })),
);

/** The operations that a path names: those that are merely listed cannot be called. */
function inTypescript(path) {
    const typescript = createRequire(resolve(path))("typescript");
    const source = typescript.createSourceFile(path, readFileSync(path, "utf8"), typescript.ScriptTarget.Latest);
    const members = (name) => source.statements.find((one) => one.name?.text === name).members;
    const listed = new Set(members("operations").map((member) => member.name.text));
    const called = members("paths").flatMap((member) =>
        member.type.members
            .filter((operation) => methods.includes(operation.name.text))
            .map((operation) => operation.type.indexType?.literal.text)
            .filter((id) => id !== undefined),
    );
    return called.filter((id) => listed.has(id));
}

/** The modules, each in the package of its tag. */
function inPython(path) {
    const packages = readdirSync(`${path}/api`, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    return packages.flatMap(({ name }) =>
        readdirSync(`${path}/api/${name}`)
            .filter((file) => file.endsWith(".py") && file !== "__init__.py")
            .map((file) => `${name}/${file.slice(0, -3)}`),
    );
}

/** How the function that asks for an operation begins, and the files that have it. */
const functions = {
    php: [/Api\.php$/, /public function (\w+)(?<!Async)WithHttpInfo\(/g],
    java: [/Api\.java$/, /public ApiResponse<.+> (\w+)WithHttpInfo\(/g],
    go: [/api_\w+\.go$/, /^func \(r Api(\w+)Request\) Execute\(/gm],
    ruby: [/_api\.rb$/, /def (\w+)_with_http_info\(/g],
    rust: [/_api\.rs$/, /^pub async fn (\w+)\(/gm],
    "typescript-fetch": [/Api\.ts$/, /async (\w+)Raw\(/g],
    "hey-api": [/sdk\.gen\.ts$/, /^export const (\w+) = /gm],
};

/** The functions, each named as the language writes names: only the letters are compared. */
function inFunctions(path, [files, begins]) {
    const names = readdirSync(path, { recursive: true })
        .filter((file) => files.test(file))
        .flatMap((file) => [...readFileSync(`${path}/${file}`, "utf8").matchAll(begins)].map((match) => letters(match[1])));
    return [...new Set(names)];
}

const letters = (name) => name.replaceAll("_", "").toLowerCase();

const [expected, found] =
    language === "python"
        ? [documented.map(({ id, tag }) => `${tag}/${id}`), inPython(generated)]
        : language === "typescript"
          ? [documented.map(({ id }) => id), inTypescript(generated)]
          : [documented.map(({ id }) => letters(id)), inFunctions(generated, functions[language])];
const missing = expected.filter((id) => !found.includes(id));
const foreign = found.filter((id) => !expected.includes(id));
console.log(`${expected.length} operations in the document, ${found.length} in ${generated}.`);
if (missing.length + foreign.length > 0 || expected.length !== found.length || expected.length === 0) {
    console.error(`Missing: ${missing.join(", ") || "none"}. Foreign: ${foreign.join(", ") || "none"}.`);
    process.exitCode = 1;
}
