// Opens the form of examples/web in Chromium, on an origin of its own, and sends it as a visitor would: first with a key
// that is bound to that origin, then with one that is not. BASE, ADMIN_EMAIL and ADMIN_PASSWORD say where Caseload is.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

const { BASE, ADMIN_EMAIL, ADMIN_PASSWORD, CHROMIUM = "/usr/bin/chromium", SCREENSHOTS } = process.env;
const example = readFileSync(new URL("../../examples/web/intake.html", import.meta.url), "utf8");

let key = "";
const site = createServer((request, response) => {
    response.setHeader("Content-Type", "text/html; charset=utf-8");
    response.end(example.replace("http://127.0.0.1:8080", BASE).replace(/csl_pub_[\w-]+/, key));
});
await new Promise((listening) => site.listen(0, "127.0.0.1", listening));
const origin = `http://127.0.0.1:${site.address().port}`;

async function ask(method, path, body, token) {
    const headers = { "Content-Type": "application/json", ...(token && { Authorization: `Bearer ${token}` }) };
    const answer = await fetch(`${BASE}${path}`, { method, headers, body: body && JSON.stringify(body) });
    const said = await answer.json();
    assert.ok(answer.ok, `${method} ${path}: ${JSON.stringify(said)}`);
    return said;
}

const { access_token: token } = await ask("POST", "/v1/auth/token", { email: ADMIN_EMAIL, password: ADMIN_PASSWORD });
await ask("POST", "/v1/forms", { key: "quiz", title: "Body type quiz", work_item_type: "body_type_quiz" }, token);
const publishable = (name, of) => ask("POST", "/v1/api-keys", { name, kind: "publishable", scopes: ["intake:write"], forms: ["quiz"], origins: [of] }, token);
const [own, foreign] = [await publishable("Quiz page", origin), await publishable("Another page", "https://elsewhere.example")];

const profile = mkdtempSync(join(tmpdir(), "caseload-intake."));
const browser = await chromium.launchPersistentContext(profile, {
    executablePath: CHROMIUM,
    headless: true,
    chromiumSandbox: false,
    args: ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
try {
    browser.setDefaultTimeout(20_000);
    const page = await browser.newPage();

    /** Fills in the form and sends it; what the page says then. */
    async function send(with_key) {
        key = with_key;
        await page.goto(origin);
        await page.fill("[name=email]", "zoe@epicerie.example");
        await page.fill("[name=name]", "Zoé Tremblay");
        await page.fill("[name=body_type]", "liver");
        await page.fill("[name=message]", "Which tea is for me?");
        await page.click("button");
        return page.locator("p").innerText();
    }

    assert.equal(await send(own.secret), "Thank you. We will be in touch.");
    if (SCREENSHOTS) {
        await page.screenshot({ path: join(SCREENSHOTS, "intake.png") });
    }
    const { data } = await ask("GET", "/v1/work-items", undefined, token);
    assert.equal(data.length, 1);
    assert.equal(data[0].contact.name, "Zoé Tremblay");
    assert.deepEqual(data[0].reference, { body_type: "liver" });
    console.log(`  ${data[0].type} of ${data[0].contact.name}, for ${data[0].assignee.name}`);

    assert.equal(await send(foreign.secret), "Not sent: Not allowed.");
    assert.equal((await ask("GET", "/v1/work-items", undefined, token)).data.length, 1);
} finally {
    await browser.close();
    rmSync(profile, { recursive: true, force: true });
    site.close();
}
