// Opens /docs in Chromium as a newcomer would: signs in on the page, authorises with the token, reads
// who one is, writes a note, and sees each answer. BASE, ADMIN_EMAIL and ADMIN_PASSWORD say where.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

const { BASE, ADMIN_EMAIL, ADMIN_PASSWORD, CHROMIUM = "/usr/bin/chromium", SCREENSHOTS } = process.env;
const profile = mkdtempSync(join(tmpdir(), "caseload-browser."));
const browser = await chromium.launchPersistentContext(profile, {
    executablePath: CHROMIUM,
    headless: true,
    chromiumSandbox: false,
    viewport: { width: 1280, height: 1000 },
    args: [
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    ],
});
try {
    browser.setDefaultTimeout(20_000);
    const page = await browser.newPage();
    const trouble = [];
    page.on("console", (message) => ["error", "warning"].includes(message.type()) && trouble.push(`console: ${message.text()}`));
    page.on("pageerror", (error) => trouble.push(`error: ${error.message}`));
    page.on("requestfailed", (request) => trouble.push(`failed: ${request.url()} ${request.failure()?.errorText}`));
    page.on("response", (response) => response.status() >= 400 && trouble.push(`${response.status()}: ${response.url()}`));
    const foreign = [];
    await page.route("**", (route) => {
        const { origin, protocol } = new URL(route.request().url());
        if (origin === new URL(BASE).origin || protocol === "data:") {
            return route.continue();
        }
        foreign.push(route.request().url());
        return route.abort();
    });
    const picture = async (name) => SCREENSHOTS && (await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`) }));

    /** Opens an operation, executes it, with this body if there is one, and returns the answer that the page shows. */
    async function execute(tag, operation, body, parameters = {}) {
        const block = page.locator(`#operations-${tag}-${operation}`);
        await block.locator(".opblock-summary-control").click();
        await block.getByRole("button", { name: "Try it out" }).click();
        for (const [name, value] of Object.entries(parameters)) {
            await block.locator(`tr[data-param-name="${name}"] input`).fill(value);
        }
        if (body !== undefined) {
            await block.locator("textarea.body-param__text").fill(JSON.stringify(body));
        }
        await block.getByRole("button", { name: "Execute" }).click();
        const answer = block.locator(".live-responses-table .response").first();
        const status = Number.parseInt(await answer.locator(".response-col_status").innerText(), 10);
        const shown = await answer.locator(".highlight-code code").first().innerText();
        await picture(operation);
        // Closed and cancelled, so that it can be opened afresh.
        await block.getByRole("button", { name: "Cancel" }).click();
        await block.locator(".opblock-summary-control").click();
        return { status, shown: JSON.parse(shown) };
    }

    const opened = await page.goto(`${BASE}/docs`);
    assert.equal(opened.status(), 200);
    assert.equal(new URL(page.url()).pathname, "/docs/");
    await page.getByRole("heading", { name: /^Caseload/ }).waitFor();
    const document = await (await browser.request.get(`${BASE}/openapi.json`)).json();
    const count = Object.values(document.paths).flatMap(Object.keys).length;
    await page.locator(".opblock").nth(count - 1).waitFor();
    assert.equal(await page.locator(".opblock").count(), count);
    await picture("page");
    console.log(`  the page shows all ${count} operations`);

    const session = await execute("auth", "create_token", { email: ADMIN_EMAIL, password: ADMIN_PASSWORD });
    assert.equal(session.status, 200);
    console.log("  sign in: 200");

    await page.locator(".auth-wrapper").getByRole("button", { name: "Authorize" }).click();
    const dialog = page.locator(".dialog-ux");
    await dialog.locator("input").first().fill(session.shown.access_token);
    await picture("authorize");
    await dialog.getByRole("button", { name: "Apply credentials" }).click();
    await dialog.getByRole("button", { name: "Close" }).click();

    const me = await execute("users", "read_me");
    assert.deepEqual([me.status, me.shown.email], [200, ADMIN_EMAIL]);
    console.log("  read who one is: 200, and the body says who");

    // What the page fills in by itself is sent as it stands: a newcomer edits nothing, or the body alone.
    const first = await execute("notes", "create_note");
    assert.deepEqual([first.status, first.shown.author.id, first.shown.action_items.length], [201, me.shown.id, 1]);
    const title = "Written on the page of the documentation";
    const note = await execute("notes", "create_note", { subject: { type: "order", id: "A-1001" }, title });
    assert.deepEqual([note.status, note.shown.title], [201, title]);
    const notes = await execute("notes", "list_notes");
    assert.deepEqual([notes.status, notes.shown.data.map((row) => row.id)], [200, [note.shown.id, first.shown.id]]);
    console.log("  write two notes and list them: 201, 201, 200, and the list has both");

    const [item] = first.shown.action_items;
    const items = await execute("action_items", "list_action_items");
    assert.deepEqual([items.status, items.shown.data.map((row) => row.id)], [200, [item.id]]);
    const snoozed = await execute("action_items", "snooze_action_item", undefined, { id: item.id });
    assert.deepEqual([snoozed.status, snoozed.shown.due_at > item.due_at], [200, true]);
    console.log("  list action items and put one off: 200, 200");

    assert.deepEqual(foreign, [], "the page asks for nothing elsewhere");
    assert.deepEqual(trouble, [], "the browser has nothing to complain of");
} finally {
    await browser.close();
    rmSync(profile, { recursive: true, force: true });
}
